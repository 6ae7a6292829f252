//! Articles with all that hangs on them.

use super::batch::{Batch, Changed, Recorded, Stored};
use super::bulk::{Column, Rows, Table};
use super::children::Children;
use super::copied::{Straight, straight};
use super::keys::ids_by_key;
use super::schema::{
    article_attributes, article_axes, article_axis_values, article_categories, article_media, article_packaging,
    article_relations, article_stocks, article_texts, article_tier_prices, articles, categories,
};
use super::search::{beginning, holds};
use super::values::one_of;
use super::{Db, Engine, LOOKUP, StoreError, attributes, keys, lock, page};
use crate::domain::attributes::{self as attribute, Comparison, Definitions, number};
use crate::domain::catalog::{
    Article, Media, Packaging, Price, Relation, SpecialPrice, Stock, Text, TextKind, TierPrice,
};
use crate::domain::pictures::file_key;
use crate::domain::{Defaults, Issue, Named, compared};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Text as SqlText};
use soapstone_contracts::catalog as contract;
use soapstone_runtime::Decimal;
use std::collections::{BTreeSet, HashMap, HashSet};

/// A row of `articles`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = articles)]
struct Row {
    id: i64,
    sku: String,
    sku_key: String,
    manufacturer: Option<String>,
    manufacturer_number: Option<String>,
    gtin: Option<String>,
    unit: Option<String>,
    tax_class: Option<String>,
    weight: Option<String>,
    length: Option<String>,
    width: Option<String>,
    height: Option<String>,
    list_price: Option<String>,
    list_currency: Option<String>,
    list_gross: Option<bool>,
    special_price: Option<String>,
    special_currency: Option<String>,
    special_gross: Option<bool>,
    special_from: Option<NaiveDateTime>,
    special_until: Option<NaiveDateTime>,
    price_group: Option<String>,
    discount_group: Option<String>,
    accounting_group: Option<String>,
    active: bool,
    active_from: Option<NaiveDateTime>,
    active_until: Option<NaiveDateTime>,
    availability: Option<String>,
    delivery_time: Option<String>,
    variant_of: Option<String>,
    version: i64,
    changed_at: NaiveDateTime,
}

fn decimal(text: Option<String>) -> Option<Decimal> {
    text.and_then(|t| t.parse().ok())
}

impl Row {
    fn into_stored(self) -> Stored<Article> {
        let price = |amount: Option<String>, currency: Option<String>, gross: Option<bool>| {
            Some(Price { amount: decimal(amount)?, currency: currency?, gross: gross? })
        };
        let special = price(self.special_price, self.special_currency, self.special_gross);
        Stored {
            id: self.id,
            version: self.version,
            changed_at: self.changed_at,
            record: Article {
                sku: self.sku,
                manufacturer: self.manufacturer,
                manufacturer_number: self.manufacturer_number,
                gtin: self.gtin,
                unit: self.unit,
                tax_class: self.tax_class,
                weight: decimal(self.weight),
                length: decimal(self.length),
                width: decimal(self.width),
                height: decimal(self.height),
                list_price: price(self.list_price, self.list_currency, self.list_gross),
                special_price: special.map(|price| SpecialPrice {
                    price,
                    from: self.special_from,
                    until: self.special_until,
                }),
                price_group: self.price_group,
                discount_group: self.discount_group,
                accounting_group: self.accounting_group,
                active: self.active,
                active_from: self.active_from,
                active_until: self.active_until,
                availability: self.availability.and_then(|rule| one_of(&rule)),
                delivery_time: self.delivery_time,
                variant_of: self.variant_of,
                ..Article::default()
            },
        }
    }
}

const ARTICLES: Table = Table {
    name: "articles",
    columns: &[
        Column::Text("sku"),
        Column::Text("sku_key"),
        Column::Text("manufacturer"),
        Column::Text("manufacturer_number"),
        Column::Text("gtin"),
        Column::Text("unit"),
        Column::Text("tax_class"),
        Column::Text("weight"),
        Column::Text("length"),
        Column::Text("width"),
        Column::Text("height"),
        Column::Text("list_price"),
        Column::Text("list_currency"),
        Column::Boolean("list_gross"),
        Column::Text("special_price"),
        Column::Text("special_currency"),
        Column::Boolean("special_gross"),
        Column::Time("special_from"),
        Column::Time("special_until"),
        Column::Text("price_group"),
        Column::Text("discount_group"),
        Column::Text("accounting_group"),
        Column::Boolean("active"),
        Column::Time("active_from"),
        Column::Time("active_until"),
        Column::Text("availability"),
        Column::Text("delivery_time"),
        Column::Text("variant_of"),
        Column::Integer("version"),
        Column::Time("changed_at"),
    ],
    key: &["sku_key"],
};

fn put_row<'a>(rows: &mut Rows<'a>, key: &'a str, article: &'a Article, version: i64, now: NaiveDateTime) {
    let text = |value: &Option<Decimal>| value.as_ref().map(ToString::to_string);
    let list = article.list_price.as_ref();
    let special = article.special_price.as_ref();
    rows.text(&article.sku)
        .text(key)
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
        .integer(version)
        .time(now);
}

/// The articles of these keys (in compared form), with all that hangs on them.
///
/// # Errors
/// Those of the database.
pub fn by_keys(connection: &mut Db, keys: &[String]) -> Result<HashMap<String, Stored<Article>>, StoreError> {
    let mut found = HashMap::with_capacity(keys.len());
    for keys in keys.chunks(LOOKUP) {
        let rows: Vec<Row> =
            articles::table.filter(articles::sku_key.eq_any(keys)).select(Row::as_select()).load(connection)?;
        let names: Vec<String> = rows.iter().map(|r| r.sku_key.clone()).collect();
        let mut stored: Vec<Stored<Article>> = rows.into_iter().map(Row::into_stored).collect();
        add_children(connection, &mut stored)?;
        found.extend(names.into_iter().zip(stored));
    }
    Ok(found)
}

/// Loads what hangs on some articles: one query a table, however many articles.
fn add_children(connection: &mut Db, stored: &mut [Stored<Article>]) -> Result<(), StoreError> {
    if stored.is_empty() {
        return Ok(());
    }
    let ids: Vec<i64> = stored.iter().map(|s| s.id).collect();
    let places: HashMap<i64, usize> = ids.iter().enumerate().map(|(place, id)| (*id, place)).collect();
    let place = |id: i64| places.get(&id).copied();

    let texts: Vec<(i64, String, String, String)> =
        article_texts::table.filter(article_texts::article_id.eq_any(&ids)).load(connection)?;
    for (id, kind, language, text) in texts {
        let kind = TextKind::ALL.into_iter().find(|k| k.as_str() == kind);
        if let (Some(place), Some(kind)) = (place(id), kind) {
            stored[place].record.texts.push(Text { kind, language, text });
        }
    }
    let in_categories: Vec<(i64, String)> = article_categories::table
        .inner_join(categories::table)
        .filter(article_categories::article_id.eq_any(&ids))
        .order((article_categories::article_id, article_categories::position))
        .select((article_categories::article_id, categories::key))
        .load(connection)?;
    for (id, key) in in_categories {
        if let Some(place) = place(id) {
            stored[place].record.categories.push(key);
        }
    }
    let stocks: Vec<(i64, String, String)> =
        article_stocks::table.filter(article_stocks::article_id.eq_any(&ids)).load(connection)?;
    for (id, warehouse, quantity) in stocks {
        if let (Some(place), Ok(quantity)) = (place(id), quantity.parse()) {
            stored[place].record.stocks.push(Stock { warehouse, quantity });
        }
    }
    let axes: Vec<(i64, i32, String)> = article_axes::table
        .filter(article_axes::article_id.eq_any(&ids))
        .order((article_axes::article_id, article_axes::position))
        .load(connection)?;
    for (id, _, axis) in axes {
        if let Some(place) = place(id) {
            stored[place].record.axes.push(axis);
        }
    }
    let values: Vec<(i64, i32, String, String)> = article_axis_values::table
        .filter(article_axis_values::article_id.eq_any(&ids))
        .order((article_axis_values::article_id, article_axis_values::position))
        .load(connection)?;
    for (id, _, name, value) in values {
        if let Some(place) = place(id) {
            stored[place].record.axis_values.push(Named { name, value });
        }
    }
    let attributes: Vec<(i64, i32, String, String)> = article_attributes::table
        .filter(article_attributes::article_id.eq_any(&ids))
        .order((article_attributes::article_id, article_attributes::position))
        .select((
            article_attributes::article_id,
            article_attributes::position,
            article_attributes::code,
            article_attributes::value,
        ))
        .load(connection)?;
    for (id, _, name, value) in attributes {
        if let Some(place) = place(id) {
            stored[place].record.attributes.push(Named { name, value });
        }
    }
    let relations: Vec<(i64, i32, String, String)> = article_relations::table
        .filter(article_relations::article_id.eq_any(&ids))
        .order((article_relations::article_id, article_relations::position))
        .load(connection)?;
    for (id, _, kind, sku) in relations {
        let kind = one_of(&kind);
        if let (Some(place), Some(kind)) = (place(id), kind) {
            stored[place].record.relations.push(Relation { kind, sku });
        }
    }
    for (id, tier) in tiers_of(connection, &ids)? {
        if let Some(place) = place(id) {
            stored[place].record.tiers.push(tier);
        }
    }
    let packaging: Vec<(i64, i32, String, String, Option<String>)> = article_packaging::table
        .filter(article_packaging::article_id.eq_any(&ids))
        .order((article_packaging::article_id, article_packaging::position))
        .load(connection)?;
    for (id, _, unit, factor, gtin) in packaging {
        if let (Some(place), Ok(factor)) = (place(id), factor.parse()) {
            stored[place].record.packaging.push(Packaging { unit, factor, gtin });
        }
    }
    let media: Vec<(i64, i32, String, String)> = article_media::table
        .filter(article_media::article_id.eq_any(&ids))
        .order((article_media::article_id, article_media::position))
        .select((article_media::article_id, article_media::position, article_media::role, article_media::location))
        .load(connection)?;
    for (id, _, role, location) in media {
        if let Some(place) = place(id) {
            stored[place].record.media.push(Media { role, location });
        }
    }
    for one in stored {
        one.record.texts.sort();
        one.record.stocks.sort();
    }
    Ok(())
}

/// The tier prices of articles, in their order.
pub(super) fn tiers_of(connection: &mut Db, ids: &[i64]) -> Result<Vec<(i64, TierPrice)>, StoreError> {
    let rows: Vec<(i64, i32, String, String, String, bool)> = article_tier_prices::table
        .filter(article_tier_prices::article_id.eq_any(ids))
        .order((article_tier_prices::article_id, article_tier_prices::position))
        .load(connection)?;
    let tiers = rows.into_iter().filter_map(|(id, _, minimum, amount, currency, gross)| {
        let price = Price { amount: amount.parse().ok()?, currency, gross };
        Some((id, TierPrice { minimum: minimum.parse().ok()?, price }))
    });
    Ok(tiers.collect())
}

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
    let keys: Vec<String> = changes.iter().map(|c| compared(&c.sku)).collect();
    let held: Vec<_> = keys.iter().zip(&changes).map(|(key, change)| (key.as_str(), change.if_version)).collect();
    lock::records(connection, "articles", "sku_key", &held)?;
    let category_ids = category_ids(connection, &changes)?;
    let definitions = definitions(connection, &changes)?;
    let mut batch = Batch::of(by_keys(connection, &keys)?);
    for (key, change) in keys.into_iter().zip(changes) {
        let unknown = unknown_categories(&change, &category_ids);
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
    write(connection, &batch.changed(), &category_ids, now)?;
    Ok(batch.into_results())
}

fn category_ids(connection: &mut Db, changes: &[contract::Article]) -> Result<HashMap<String, i64>, StoreError> {
    let keys: BTreeSet<String> = changes.iter().flat_map(|c| &c.category).map(|key| compared(key)).collect();
    super::categories::ids_of(connection, &keys.into_iter().collect::<Vec<_>>())
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

const TEXTS: Table = Table {
    name: "article_texts",
    columns: &[Column::Integer("article_id"), Column::Text("kind"), Column::Text("language"), Column::Text("text")],
    key: &[],
};
const CATEGORIES: Table = Table {
    name: "article_categories",
    columns: &[Column::Integer("article_id"), Column::Integer("category_id"), Column::Integer("position")],
    key: &[],
};
const STOCKS: Table = Table {
    name: "article_stocks",
    columns: &[Column::Integer("article_id"), Column::Text("warehouse"), Column::Text("quantity")],
    key: &[],
};
const AXES: Table = Table {
    name: "article_axes",
    columns: &[Column::Integer("article_id"), Column::Integer("position"), Column::Text("axis")],
    key: &[],
};
const AXIS_VALUES: Table = Table {
    name: "article_axis_values",
    columns: &[Column::Integer("article_id"), Column::Integer("position"), Column::Text("axis"), Column::Text("value")],
    key: &[],
};
const ATTRIBUTES: Table = Table {
    name: "article_attributes",
    columns: &[
        Column::Integer("article_id"),
        Column::Integer("position"),
        Column::Text("code"),
        Column::Text("value"),
        Column::Number("number"),
    ],
    key: &[],
};
const RELATIONS: Table = Table {
    name: "article_relations",
    columns: &[Column::Integer("article_id"), Column::Integer("position"), Column::Text("kind"), Column::Text("sku")],
    key: &[],
};
const TIERS: Table = Table {
    name: "article_tier_prices",
    columns: &[
        Column::Integer("article_id"),
        Column::Integer("position"),
        Column::Text("minimum"),
        Column::Text("amount"),
        Column::Text("currency"),
        Column::Boolean("gross"),
    ],
    key: &[],
};
const PACKAGING: Table = Table {
    name: "article_packaging",
    columns: &[
        Column::Integer("article_id"),
        Column::Integer("position"),
        Column::Text("unit"),
        Column::Text("factor"),
        Column::Text("gtin"),
    ],
    key: &[],
};
const MEDIA: Table = Table {
    name: "article_media",
    columns: &[
        Column::Integer("article_id"),
        Column::Integer("position"),
        Column::Text("role"),
        Column::Text("location"),
        Column::Text("file_key"),
    ],
    key: &[],
};

fn put_named<'a>(rows: &mut Rows<'a>, position: i64, named: &'a Named) {
    rows.integer(position).text(&named.name).text(&named.value);
}

/// What hangs on articles, and the ways there.
const CHILDREN: [(Table, Straight); 10] = [
    (TEXTS, straight!(article_texts)),
    (CATEGORIES, straight!(article_categories)),
    (STOCKS, straight!(article_stocks)),
    (AXES, straight!(article_axes)),
    (AXIS_VALUES, straight!(article_axis_values)),
    (ATTRIBUTES, straight!(article_attributes)),
    (TIERS, straight!(article_tier_prices)),
    (PACKAGING, straight!(article_packaging)),
    (RELATIONS, straight!(article_relations)),
    (MEDIA, straight!(article_media)),
];

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
    category_ids: &HashMap<String, i64>,
    now: NaiveDateTime,
) -> Result<(), StoreError> {
    if changed.is_empty() {
        return Ok(());
    }
    let mut rows = Rows::default();
    for change in changed {
        put_row(&mut rows, change.key, change.now, change.version, now);
    }
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

/// What a list of articles is narrowed by.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub skus: Vec<String>,
    /// All of them must hold.
    pub attributes: Vec<attribute::Filter>,
    pub category: Option<String>,
    pub changed_since: Option<NaiveDateTime>,
    pub text: Option<String>,
    /// What numbers begin with: found by an index, where looking for a text goes through all.
    pub begins: Option<String>,
    /// The key after which the page begins.
    pub after: Option<String>,
    pub limit: i64,
}

/// A page of articles in the order of their keys, and where the next one begins.
///
/// # Errors
/// Those of the database.
pub fn list(connection: &mut Db, filter: &Filter) -> Result<(Vec<Stored<Article>>, Option<String>), StoreError> {
    let engine = connection.engine();
    let mut query =
        articles::table.select(Row::as_select()).order(articles::sku_key).limit(filter.limit + 1).into_boxed();
    if let Some(after) = &filter.after {
        query = query.filter(articles::sku_key.gt(after.clone()));
    }
    if let Some(begins) = &filter.begins {
        let first = compared(begins);
        query = query.filter(articles::sku_key.like(beginning(&first)).escape('\\'));
        query = query.filter(articles::sku_key.ge(first.clone()));
        // Elsewhere the order is the locale's, which may pass over such a letter.
        if engine == Engine::Sqlite {
            query = query.filter(articles::sku_key.lt(format!("{first}{}", char::MAX)));
        }
    }
    if !filter.skus.is_empty() {
        let keys: Vec<String> = filter.skus.iter().map(|sku| compared(sku)).collect();
        query = query.filter(articles::sku_key.eq_any(keys));
    }
    for attribute in &filter.attributes {
        use article_attributes::{code, number as numbers, value};
        let of_code = || {
            let own = article_attributes::table.filter(code.eq(attribute.code.clone()));
            own.select(article_attributes::article_id)
        };
        let text = attribute.value.clone();
        query = match (attribute.comparison, number(&attribute.value)) {
            (Comparison::Equal, Some(number)) => {
                let is_equal = value.eq(text).or(numbers.eq(number).assume_not_null());
                query.filter(articles::id.eq_any(of_code().filter(is_equal)))
            }
            (Comparison::Equal, None) => query.filter(articles::id.eq_any(of_code().filter(value.eq(text)))),
            (Comparison::AtLeast, Some(n)) => query.filter(articles::id.eq_any(of_code().filter(numbers.ge(n)))),
            (Comparison::AtLeast, None) => query.filter(articles::id.eq_any(of_code().filter(value.ge(text)))),
            (Comparison::AtMost, Some(n)) => query.filter(articles::id.eq_any(of_code().filter(numbers.le(n)))),
            (Comparison::AtMost, None) => query.filter(articles::id.eq_any(of_code().filter(value.le(text)))),
        };
    }
    if let Some(since) = filter.changed_since {
        query = query.filter(articles::changed_at.ge(since));
    }
    if let Some(key) = &filter.category {
        let inside = article_categories::table
            .inner_join(categories::table)
            .filter(categories::key.eq(compared(key)))
            .select(article_categories::article_id);
        query = query.filter(articles::id.eq_any(inside));
    }
    if let Some(text) = &filter.text {
        let named = article_texts::table
            .filter(article_texts::kind.eq(TextKind::Name.as_str()))
            .filter(holds("article_texts.text", text))
            .select(article_texts::article_id);
        query = query.filter(holds("articles.sku", text).or(articles::id.eq_any(named)));
    }
    let mut rows: Vec<Row> = query.load(connection)?;
    let more = page::cut(&mut rows, filter.limit);
    let next = rows.last().filter(|_| more).map(|r| r.sku_key.clone());
    let mut stored: Vec<Stored<Article>> = rows.into_iter().map(Row::into_stored).collect();
    add_children(connection, &mut stored)?;
    Ok((stored, next))
}

/// The variants of an article in the order of their keys, and whether there are more.
///
/// # Errors
/// Those of the database.
pub fn variants_of(connection: &mut Db, sku: &str, limit: i64) -> Result<(Vec<Stored<Article>>, bool), StoreError> {
    let mut rows: Vec<Row> = articles::table
        .filter(articles::variant_of.eq(compared(sku)))
        .select(Row::as_select())
        .order(articles::sku_key)
        .limit(limit + 1)
        .load(connection)?;
    let more = page::cut(&mut rows, limit);
    let mut stored: Vec<Stored<Article>> = rows.into_iter().map(Row::into_stored).collect();
    add_children(connection, &mut stored)?;
    Ok((stored, more))
}

/// Deletes articles by their keys; says of each whether it was there.
///
/// # Errors
/// Those of the database; nothing is deleted then.
pub fn delete(connection: &mut Db, skus: &[String]) -> Result<Vec<bool>, StoreError> {
    keys::delete(connection, "articles", "sku_key", skus.iter().map(|key| compared(key)))
}

/// How many articles there are.
///
/// # Errors
/// Those of the database.
pub fn count(connection: &mut Db) -> Result<i64, StoreError> {
    Ok(articles::table.count().get_result(connection)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_in_the_order_of_the_schema() {
        let columns = |table: &Table| table.columns.iter().map(|column| column.name()).collect::<Vec<_>>().join(", ");
        let of_schema = [
            format!("{:?}", article_texts::all_columns),
            format!("{:?}", article_categories::all_columns),
            format!("{:?}", article_stocks::all_columns),
            format!("{:?}", article_axes::all_columns),
            format!("{:?}", article_axis_values::all_columns),
            format!("{:?}", article_attributes::all_columns),
            format!("{:?}", article_tier_prices::all_columns),
            format!("{:?}", article_packaging::all_columns),
            format!("{:?}", article_relations::all_columns),
            format!("{:?}", article_media::all_columns),
        ];
        for ((table, _), names) in CHILDREN.iter().zip(of_schema) {
            assert_eq!(format!("({})", columns(table)), names, "{}", table.name);
        }
    }
}
