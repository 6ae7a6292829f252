//! Which articles show a picture, and whose one is by the name of its file.

use crate::domain::pictures::{Meaning, NamePattern, Named, file_key};
use crate::domain::{compared, folded};
use crate::store::schema::{article_media, articles};
use crate::store::{Db, LOOKUP, StoreError};
use diesel::prelude::*;
use diesel::sql_types::Text;
use std::collections::{HashMap, HashSet};

/// Whose a picture is by its name; None: no article is called so, or one names the file in its media, which goes before.
pub(super) fn named(connection: &mut Db, pattern: &NamePattern, file_name: &str) -> Result<Option<Named>, StoreError> {
    let key = file_key(file_name);
    let in_media: i64 = article_media::table.filter(article_media::file_key.eq(key)).count().get_result(connection)?;
    if in_media > 0 {
        return Ok(None);
    }
    let meanings = pattern.meanings(file_name);
    let mut found = spelled(connection, &meanings)?;
    if found.is_empty() {
        found = called(connection, &meanings)?;
    }
    Ok(likeliest(meanings, &found))
}

/// The numbers of articles by their folded form, as far as they are spelled so, or in capital or small letters: these are
/// found by the index.
fn spelled(connection: &mut Db, meanings: &[Meaning]) -> Result<HashMap<String, String>, StoreError> {
    let spellings = |(name, _): &Meaning| [name.clone(), compared(&name.to_uppercase()), folded(name)];
    let spellings: Vec<String> = meanings.iter().flat_map(spellings).collect();
    let found: Vec<String> =
        articles::table.filter(articles::sku_key.eq_any(&spellings)).select(articles::sku_key).load(connection)?;
    Ok(found.into_iter().map(|sku| (folded(&sku), sku)).collect())
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Text)]
    sku_key: String,
}

/// The same, however they are spelled: all articles are looked at.
fn called(connection: &mut Db, meanings: &[Meaning]) -> Result<HashMap<String, String>, StoreError> {
    let mut by_name = HashMap::new();
    for (name, _) in meanings {
        let sql = "SELECT sku_key FROM articles WHERE folded(sku_key) = $1 LIMIT 10";
        let found: Vec<Found> = diesel::sql_query(sql).bind::<Text, _>(folded(name)).load(connection)?;
        by_name.extend(found.into_iter().map(|f| (folded(&f.sku_key), f.sku_key)));
    }
    Ok(by_name)
}

/// The numbers of the articles that show files, by the keys of these: it is said of a file, or their media name it.
pub(in crate::store) fn showing(
    connection: &mut Db,
    pictures: &[(String, Option<String>)],
) -> Result<HashMap<String, Vec<String>>, StoreError> {
    let mut shown: HashMap<String, Vec<String>> = HashMap::new();
    let keys: Vec<&String> = pictures.iter().filter_map(|(_, sku)| sku.as_ref()).collect();
    let mut skus: HashMap<String, String> = HashMap::new();
    for keys in keys.chunks(LOOKUP) {
        let found: Vec<(String, String)> = articles::table
            .filter(articles::sku_key.eq_any(keys))
            .select((articles::sku_key, articles::sku))
            .load(connection)?;
        skus.extend(found);
    }
    for (file, sku) in pictures {
        if let Some(sku) = sku.as_ref().and_then(|sku| skus.get(sku)) {
            shown.entry(file.clone()).or_default().push(sku.clone());
        }
    }
    let files: Vec<&String> = pictures.iter().map(|(file, _)| file).collect();
    for files in files.chunks(LOOKUP) {
        let found: Vec<(String, String)> = article_media::table
            .inner_join(articles::table)
            .filter(article_media::file_key.eq_any(files))
            .order((article_media::file_key, articles::sku_key))
            .select((article_media::file_key, articles::sku))
            .load(connection)?;
        let mut seen: HashSet<(String, String)> = HashSet::new();
        for (file, sku) in found {
            let list = shown.entry(file.clone()).or_default();
            if seen.insert((file, sku.clone())) && list.first() != Some(&sku) {
                list.push(sku);
            }
        }
    }
    Ok(shown)
}

/// Whose a picture is now that articles have come. It is asked again and again, so only what the index finds counts.
pub(super) fn found_now(
    connection: &mut Db,
    pattern: &NamePattern,
    file_name: &str,
) -> Result<Option<Named>, StoreError> {
    let meanings = pattern.meanings(file_name);
    let found = spelled(connection, &meanings)?;
    Ok(likeliest(meanings, &found))
}

/// The likeliest meaning of a name of which there is an article.
fn likeliest(meanings: Vec<Meaning>, found: &HashMap<String, String>) -> Option<Named> {
    meanings.into_iter().find_map(|(name, position)| {
        let sku = found.get(&folded(&name))?.clone();
        Some(Named { sku, position })
    })
}

/// The files that the media of an article name, by their keys, in their order.
pub(in crate::store) fn named_in_media(connection: &mut Db, sku: &str) -> Result<Vec<String>, StoreError> {
    let files = article_media::table
        .inner_join(articles::table)
        .filter(articles::sku_key.eq(compared(sku)))
        .order(article_media::position)
        .select(article_media::file_key);
    Ok(files.load(connection)?)
}
