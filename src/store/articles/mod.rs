//! Articles with all that hangs on them.

mod list;
mod tables;
mod upsert;

pub use list::{Filter, count, list, variants_of};
pub use upsert::{digests, upsert, upsert_read};

use super::batch::Stored;
use super::schema::{
    article_attributes, article_axes, article_axis_values, article_categories, article_media, article_packaging,
    article_relations, article_stocks, article_texts, article_tier_prices, articles, categories,
};
use super::values::one_of;
use super::{Db, LOOKUP, StoreError, keys};
use crate::domain::catalog::{
    Article, Media, Packaging, Price, Relation, SpecialPrice, Stock, Text, TextKind, TierPrice,
};
use crate::domain::{Named, compared};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use soapstone_runtime::Decimal;
use std::collections::HashMap;

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

/// Deletes articles by their keys; says of each whether it was there.
///
/// # Errors
/// Those of the database; nothing is deleted then.
pub fn delete(connection: &mut Db, skus: &[String]) -> Result<Vec<bool>, StoreError> {
    keys::delete(connection, "articles", "sku_key", skus.iter().map(|key| compared(key)))
}
