//! Changes to articles.

use super::by_keys;
use super::tables::{ARTICLES, CHILDREN, STRAIGHT};
use crate::domain::attributes::{Definitions, number};
use crate::domain::catalog::Article;
use crate::domain::pictures::file_key;
use crate::domain::{Defaults, Issue, Named, compared};
use crate::store::batch::{Batch, Changed, Recorded};
use crate::store::bulk::Rows;
use crate::store::children::Children;
use crate::store::keys::ids_by_key;
use crate::store::schema::articles;
use crate::store::{Db, LOOKUP, StoreError, attributes, categories, lock};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Text as SqlText};
use soapstone_contracts::catalog as contract;
use soapstone_runtime::Decimal;
use std::collections::{BTreeSet, HashMap, HashSet};

/// Applies changes to articles, each on its own: one that is refused leaves the others alone.
///
/// # Errors
/// Those of the database; nothing is written then.
pub fn upsert(
    connection: &mut Db,
    changes: Vec<contract::Article>,
    defaults: &Defaults,
    now: NaiveDateTime,
) -> Result<Vec<Recorded>, StoreError> {
    let changes = changes.into_iter().map(|change| (change, None)).collect();
    upsert_read(connection, changes, defaults, now)
}

/// The same for changes that were read from texts, each with the digest of its text: [`digests`] has it as long as the article
/// is what the text made it.
///
/// # Errors
/// Those of the database; nothing is written then.
pub fn upsert_read(
    connection: &mut Db,
    changes: Vec<(contract::Article, Option<String>)>,
    defaults: &Defaults,
    now: NaiveDateTime,
) -> Result<Vec<Recorded>, StoreError> {
    let (changes, mut digests): (Vec<_>, Vec<_>) = changes.into_iter().unzip();
    let keys: Vec<String> = changes.iter().map(|c| compared(&c.sku)).collect();
    let held: Vec<_> = keys.iter().zip(&changes).map(|(key, change)| (key.as_str(), change.if_version)).collect();
    lock::records(connection, "articles", "sku_key", &held)?;
    let category_ids = category_ids(connection, &changes)?;
    let definitions = definitions(connection, &changes)?;
    let mut batch = Batch::of(by_keys(connection, &keys)?);
    for ((key, change), digest) in keys.into_iter().zip(changes).zip(&mut digests) {
        let unknown = unknown_categories(&change, &category_ids);
        // What holds for one version only says something else the next time.
        digest.take_if(|_| change.if_version.is_some());
        batch.apply(key, change.if_version, |current, issues| {
            issues.extend(unknown);
            // Values that are not touched may be from before they were defined.
            let attributes = !change.attribute.is_empty();
            let article = Article::apply(current, change, defaults, issues)?;
            if attributes {
                definitions.check(&article.attributes, issues);
            }
            Some(article)
        });
    }
    let digests = batch.last_of(&digests);
    write(connection, &batch.changed(), &digests, &category_ids, now)?;
    remember(connection, &batch.unchanged(&digests))?;
    Ok(batch.into_results())
}

/// The digests of the texts that articles are from, by the articles' keys; those of which nobody knows are not there.
///
/// # Errors
/// Those of the database.
pub fn digests(connection: &mut Db, keys: &[String]) -> Result<HashMap<String, String>, StoreError> {
    let mut digests = HashMap::with_capacity(keys.len());
    for keys in keys.chunks(LOOKUP) {
        let found: Vec<(String, String)> = articles::table
            .filter(articles::sku_key.eq_any(keys))
            .select((articles::sku_key, articles::text_digest.assume_not_null()))
            .filter(articles::text_digest.is_not_null())
            .load(connection)?;
        digests.extend(found);
    }
    Ok(digests)
}

/// Remembers of articles that they are what texts say, though the texts did not make them so.
fn remember(connection: &mut Db, digests: &[(&str, &str)]) -> Result<(), StoreError> {
    match connection {
        _ if digests.is_empty() => {}
        Db::Sqlite(sqlite) => {
            for (key, digest) in digests {
                diesel::update(articles::table.filter(articles::sku_key.eq(key)))
                    .set(articles::text_digest.eq(digest))
                    .execute(sqlite)?;
            }
        }
        Db::Postgres(postgres) => {
            let (keys, digests): (Vec<&str>, Vec<&str>) = digests.iter().copied().unzip();
            let sql = "UPDATE articles SET text_digest = given.digest \
                       FROM unnest($1, $2) AS given (key, digest) WHERE sku_key = given.key";
            let update = diesel::sql_query(sql).bind::<Array<SqlText>, _>(keys);
            update.bind::<Array<SqlText>, _>(digests).execute(postgres)?;
        }
    }
    Ok(())
}

fn category_ids(connection: &mut Db, changes: &[contract::Article]) -> Result<HashMap<String, i64>, StoreError> {
    let keys: BTreeSet<String> = changes.iter().flat_map(|c| &c.category).map(|key| compared(key)).collect();
    categories::ids_of(connection, &keys.into_iter().collect::<Vec<_>>())
}

/// The definitions of the attributes that are given.
fn definitions(connection: &mut Db, changes: &[contract::Article]) -> Result<Definitions, StoreError> {
    let codes: BTreeSet<String> =
        changes.iter().flat_map(|c| &c.attribute).map(|attribute| compared(&attribute.code)).collect();
    attributes::definitions(connection, &codes.into_iter().collect::<Vec<_>>())
}

fn unknown_categories(change: &contract::Article, known: &HashMap<String, i64>) -> Vec<Issue> {
    let unknown = change.category.iter().filter(|key| !known.contains_key(&compared(key)));
    unknown
        .map(|key| {
            Issue::error("article.unknown_category", format!("there is no category \"{key}\""))
                .of("category", key)
                .suggest("import the categories first, or correct the id")
        })
        .collect()
}

#[derive(QueryableByName)]
struct Made {
    #[diesel(sql_type = SqlText)]
    sku_key: String,
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Bool)]
    is_fresh: bool,
}

/// The ids of articles that were put in as new ones, and which of them are: another transaction may have been faster.
fn made(connection: &mut Db, keys: &[&String]) -> Result<(HashMap<String, i64>, HashSet<i64>), StoreError> {
    let Db::Postgres(postgres) = connection else {
        // Whoever writes has the database alone.
        let ids = ids_by_key!(connection, articles, sku_key, keys);
        let fresh = ids.values().copied().collect();
        return Ok((ids, fresh));
    };
    // A row that was there and was replaced has been locked by who replaced it.
    let sql = "SELECT sku_key, id, xmax = 0 AS is_fresh FROM articles WHERE sku_key = ANY ($1)";
    let made: Vec<Made> = diesel::sql_query(sql).bind::<Array<SqlText>, _>(keys).load(postgres)?;
    let fresh = made.iter().filter(|made| made.is_fresh).map(|made| made.id).collect();
    Ok((made.into_iter().map(|made| (made.sku_key, made.id)).collect(), fresh))
}

fn write(
    connection: &mut Db,
    changed: &[Changed<'_, Article>],
    digests: &HashMap<&str, &str>,
    category_ids: &HashMap<String, i64>,
    now: NaiveDateTime,
) -> Result<(), StoreError> {
    if changed.is_empty() {
        return Ok(());
    }
    let (mut rows, mut new_rows) = (Rows::default(), Rows::default());
    for change in changed {
        let rows = if change.before.is_none() { &mut new_rows } else { &mut rows };
        put_row(rows, change, digests.get(change.key.as_str()).copied(), now);
    }
    ARTICLES.put_likely_new(connection, STRAIGHT, &new_rows)?;
    ARTICLES.put(connection, &rows)?;
    let new: Vec<&String> = changed.iter().filter(|c| c.before.is_none()).map(|c| c.key).collect();
    let (ids, fresh) = made(connection, &new)?;
    let [
        mut texts,
        mut in_categories,
        mut stocks,
        mut axes,
        mut axis_values,
        mut attributes,
        mut tiers,
        mut packaging,
        mut relations,
        mut media,
    ] = CHILDREN.map(|(table, straight)| Children::of_fresh(table, "article_id", &fresh, straight));
    for change in changed {
        let (article, before) = (change.now, change.before.map(|b| &b.record));
        let id = change.before.map(|b| b.id).or_else(|| ids.get(change.key).copied());
        let Some(id) = id else { continue };
        texts.put(id, &article.texts, before.map(|b| &b.texts[..]), |rows, _, text| {
            rows.text(text.kind.as_str()).text(&text.language).text(&text.text);
        });
        in_categories.put(id, &article.categories, before.map(|b| &b.categories[..]), |rows, position, key| {
            rows.integer_option(category_ids.get(key).copied()).integer(position);
        });
        stocks.put(id, &article.stocks, before.map(|b| &b.stocks[..]), |rows, _, stock| {
            rows.text(&stock.warehouse).text(stock.quantity.to_string());
        });
        axes.put(id, &article.axes, before.map(|b| &b.axes[..]), |rows, position, axis| {
            rows.integer(position).text(axis);
        });

        axis_values.put(id, &article.axis_values, before.map(|b| &b.axis_values[..]), put_named);
        attributes.put(id, &article.attributes, before.map(|b| &b.attributes[..]), |rows, position, named| {
            put_named(rows, position, named);
            rows.number_option(number(&named.value));
        });
        relations.put(id, &article.relations, before.map(|b| &b.relations[..]), |rows, position, relation| {
            rows.integer(position).text(relation.kind.as_str()).text(&relation.sku);
        });
        tiers.put(id, &article.tiers, before.map(|b| &b.tiers[..]), |rows, position, tier| {
            rows.integer(position)
                .text(tier.minimum.to_string())
                .text(tier.price.amount.to_string())
                .text(&tier.price.currency)
                .boolean(tier.price.gross);
        });
        packaging.put(id, &article.packaging, before.map(|b| &b.packaging[..]), |rows, position, packaging| {
            rows.integer(position)
                .text(&packaging.unit)
                .text(packaging.factor.to_string())
                .text_option(packaging.gtin.as_deref());
        });
        media.put(id, &article.media, before.map(|b| &b.media[..]), |rows, position, media| {
            rows.integer(position).text(&media.role).text(&media.location).text(file_key(&media.location));
        });
    }
    for children in [texts, in_categories, stocks, axes, axis_values, attributes, tiers, packaging, relations, media] {
        children.write(connection)?;
    }
    Ok(())
}

fn put_row<'a>(rows: &mut Rows<'a>, change: &Changed<'a, Article>, digest: Option<&'a str>, now: NaiveDateTime) {
    let article = change.now;
    let text = |value: &Option<Decimal>| value.as_ref().map(ToString::to_string);
    let list = article.list_price.as_ref();
    let special = article.special_price.as_ref();
    rows.text(&article.sku)
        .text(change.key)
        .text_option(article.manufacturer.as_deref())
        .text_option(article.manufacturer_number.as_deref())
        .text_option(article.gtin.as_deref())
        .text_option(article.unit.as_deref())
        .text_option(article.tax_class.as_deref())
        .text_option(text(&article.weight))
        .text_option(text(&article.length))
        .text_option(text(&article.width))
        .text_option(text(&article.height))
        .text_option(list.map(|p| p.amount.to_string()))
        .text_option(list.map(|p| p.currency.as_str()))
        .boolean_option(list.map(|p| p.gross))
        .text_option(special.map(|s| s.price.amount.to_string()))
        .text_option(special.map(|s| s.price.currency.as_str()))
        .boolean_option(special.map(|s| s.price.gross))
        .time_option(special.and_then(|s| s.from))
        .time_option(special.and_then(|s| s.until))
        .text_option(article.price_group.as_deref())
        .text_option(article.discount_group.as_deref())
        .text_option(article.accounting_group.as_deref())
        .boolean(article.active)
        .time_option(article.active_from)
        .time_option(article.active_until)
        .text_option(article.availability.map(contract::Availability::as_str))
        .text_option(article.delivery_time.as_deref())
        .text_option(article.variant_of.as_deref())
        .integer(change.version)
        .time(now)
        .text_option(digest);
}

fn put_named<'a>(rows: &mut Rows<'a>, position: i64, named: &'a Named) {
    rows.integer(position).text(&named.name).text(&named.value);
}
