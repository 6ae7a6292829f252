//! How many of articles there are, and can be had.

use super::reserved::reserved;
use crate::domain::compared;
use crate::domain::pricing::Period;
use crate::store::children::by_owner;
use crate::store::schema::{article_stocks, articles, stock_bookings};
use crate::store::search::check_keys;
use crate::store::values::one_of;
use crate::store::{ChangeRange, Db, StoreError, page};
use bigdecimal::BigDecimal;
use chrono::NaiveDateTime;
use diesel::prelude::*;
use soapstone_contracts::catalog::Availability as Rule;

/// The stock of an article.
#[derive(Clone, Debug)]
pub struct Stock {
    pub sku: String,
    pub key: String,
    /// Warehouse and quantity.
    pub warehouses: Vec<(String, BigDecimal)>,
    pub total: BigDecimal,
    pub reserved: BigDecimal,
    pub rule: Option<Rule>,
    pub active: bool,
    /// When it is for sale.
    pub period: Period,
    pub delivery_time: Option<String>,
    pub changed_at: NaiveDateTime,
}

impl Stock {
    /// How many can be had at once.
    pub fn available(&self) -> BigDecimal {
        &self.total - &self.reserved
    }

    /// Whether the article is for sale at a time.
    pub fn is_active(&self, at: NaiveDateTime) -> bool {
        self.active && self.period.holds(at)
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = articles)]
struct Row {
    id: i64,
    sku: String,
    sku_key: String,
    availability: Option<String>,
    active: bool,
    active_from: Option<NaiveDateTime>,
    active_until: Option<NaiveDateTime>,
    delivery_time: Option<String>,
    changed_at: NaiveDateTime,
}

fn stocks(connection: &mut Db, rows: Vec<Row>) -> Result<Vec<Stock>, StoreError> {
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let quantities: Vec<(i64, String, String)> = article_stocks::table
        .filter(article_stocks::article_id.eq_any(&ids))
        .order((article_stocks::article_id, article_stocks::warehouse))
        .load(connection)?;
    let quantities = quantities
        .into_iter()
        .filter_map(|(id, warehouse, quantity)| Some((id, (warehouse, quantity.parse::<BigDecimal>().ok()?))));
    let mut quantities = by_owner(quantities);
    let mut reserved = reserved(connection, &ids)?;
    let stocks = rows.into_iter().map(|row| {
        let warehouses = quantities.remove(&row.id).unwrap_or_default();
        let rule = row.availability.and_then(|rule| one_of(&rule));
        Stock {
            sku: row.sku,
            key: row.sku_key,
            total: warehouses.iter().map(|(_, quantity)| quantity).sum(),
            warehouses,
            reserved: reserved.remove(&row.id).unwrap_or_default(),
            rule,
            active: row.active,
            period: Period { from: row.active_from, until: row.active_until },
            delivery_time: row.delivery_time,
            changed_at: row.changed_at,
        }
    });
    Ok(stocks.collect())
}

/// The stocks of articles by their numbers; those that are not there are left out.
///
/// # Errors
/// Those of the database.
pub fn of(connection: &mut Db, skus: &[String]) -> Result<Vec<Stock>, StoreError> {
    let keys: Vec<String> = skus.iter().map(|sku| compared(sku)).collect();
    let rows: Vec<Row> =
        articles::table.filter(articles::sku_key.eq_any(keys)).select(Row::as_select()).load(connection)?;
    stocks(connection, rows)
}

/// What a list of stocks is narrowed by.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub skus: Vec<String>,
    pub warehouse: Option<String>,
    pub changed_since: Option<NaiveDateTime>,
    /// Only articles with a stock that changed so.
    pub changes: Option<ChangeRange>,
    /// The key after which the page begins.
    pub after: Option<String>,
    pub limit: i64,
}

/// A page of stocks in the order of the articles' numbers, and where the next one begins.
///
/// # Errors
/// Those of the database.
pub fn list(connection: &mut Db, filter: &Filter) -> Result<(Vec<Stock>, Option<String>), StoreError> {
    let mut query =
        articles::table.select(Row::as_select()).order(articles::sku_key).limit(filter.limit + 1).into_boxed();
    if let Some(after) = &filter.after {
        query = query.filter(articles::sku_key.gt(after.clone()));
    }
    if !filter.skus.is_empty() {
        check_keys(filter.skus.len())?;
        let keys: Vec<String> = filter.skus.iter().map(|sku| compared(sku)).collect();
        query = query.filter(articles::sku_key.eq_any(keys));
    }
    if let Some(warehouse) = &filter.warehouse {
        let own = article_stocks::table.filter(article_stocks::warehouse.eq(warehouse.clone()));
        query = query.filter(articles::id.eq_any(own.select(article_stocks::article_id)));
    }
    if let Some(since) = filter.changed_since {
        let booked = stock_bookings::table.filter(stock_bookings::booked_at.ge(since));
        query = query.filter(articles::id.eq_any(booked.select(stock_bookings::article_id)));
    }
    if let Some(range) = filter.changes {
        let stocks = article_stocks::table.filter(range.of_table("article_stocks"));
        query = query.filter(articles::id.eq_any(stocks.select(article_stocks::article_id)));
    }
    let mut rows: Vec<Row> = query.load(connection)?;
    let more = page::cut(&mut rows, filter.limit);
    let found = stocks(connection, rows)?;
    let next = found.last().filter(|_| more).map(|stock| stock.key.clone());
    Ok((found, next))
}
