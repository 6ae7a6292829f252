//! Changes of stocks.

use crate::domain::{Issue, compared};
use crate::store::batch::{Outcome, Recorded};
use crate::store::bulk::{Column, Rows, Table};
use crate::store::schema::{article_stocks, articles, stock_bookings};
use crate::store::values::decimal;
use crate::store::{Db, StoreError, lock, page};
use bigdecimal::BigDecimal;
use chrono::NaiveDateTime;
use diesel::prelude::*;

/// What a booking does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Given {
    /// How many there are now.
    Quantity(BigDecimal),
    /// How many came; negative: went.
    Change(BigDecimal),
}

/// A change of a stock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booking {
    pub key: Option<String>,
    pub sku: String,
    pub warehouse: String,
    pub given: Given,
    pub reason: Option<String>,
}

/// A change of a stock that was booked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booked {
    pub id: i64,
    pub key: Option<String>,
    pub sku: String,
    pub warehouse: String,
    pub before: BigDecimal,
    pub after: BigDecimal,
    pub reason: Option<String>,
    pub at: NaiveDateTime,
}

const STOCKS: Table = Table {
    name: "article_stocks",
    columns: &[Column::Integer("article_id"), Column::Text("warehouse"), Column::Text("quantity")],
    key: &["article_id", "warehouse"],
};
const BOOKINGS: Table = Table {
    name: "stock_bookings",
    columns: &[
        Column::Text("key"),
        Column::Integer("article_id"),
        Column::Text("warehouse"),
        Column::Boolean("absolute"),
        Column::Text("given"),
        Column::Text("quantity_before"),
        Column::Text("quantity_after"),
        Column::Text("reason"),
        Column::Time("booked_at"),
    ],
    key: &[],
};

/// Books a change of a stock, once a key.
///
/// # Errors
/// Those of the database.
pub fn book(connection: &mut Db, booking: &Booking, now: NaiveDateTime) -> Result<Recorded, StoreError> {
    let sku = compared(&booking.sku);
    lock::records(connection, "articles", "sku_key", &[(&sku, None)])?;
    let article: Option<(i64, i64)> = articles::table
        .filter(articles::sku_key.eq(&sku))
        .select((articles::id, articles::version))
        .first(connection)
        .optional()?;
    let Some((article, version)) = article else {
        let text = format!("there is no article {}", booking.sku);
        let issue = Issue::error("stock.unknown_article", text).of("sku", &booking.sku);
        return Ok(Recorded::refused(vec![issue.suggest("import the articles first, or correct the number")]));
    };
    let (absolute, given) = match &booking.given {
        Given::Quantity(quantity) => (true, quantity),
        Given::Change(change) => (false, change),
    };
    let key = booking.key.as_deref().map(compared);
    if let Some(key) = &key {
        lock::records(connection, "stock_bookings", "key", &[(key, Some(0))])?;
        let before: Option<(i64, String, bool, String)> = stock_bookings::table
            .filter(stock_bookings::key.eq(key))
            .select((
                stock_bookings::article_id,
                stock_bookings::warehouse,
                stock_bookings::absolute,
                stock_bookings::given,
            ))
            .first(connection)
            .optional()?;
        if let Some(before) = before {
            let same = (before.0, before.1.as_str(), before.2) == (article, booking.warehouse.as_str(), absolute)
                && decimal(&before.3) == *given;
            if same {
                return Ok(Recorded { outcome: Outcome::Unchanged, version: None, issues: Vec::new() });
            }
            let text = format!("another change was booked under the key {key}");
            let issue = Issue::error("stock.key_used", text).of("key", key);
            return Ok(Recorded::refused(vec![issue.suggest("use another key for another booking")]));
        }
    }
    let stock: Option<String> = article_stocks::table
        .find((article, &booking.warehouse))
        .select(article_stocks::quantity)
        .first(connection)
        .optional()?;
    let before = stock.as_deref().map(decimal).unwrap_or_default();
    let after = if absolute { given.clone() } else { &before + given };
    if stock.is_some() && before == after && key.is_none() {
        return Ok(Recorded { outcome: Outcome::Unchanged, version: None, issues: Vec::new() });
    }
    let mut rows = Rows::default();
    rows.integer(article).text(&booking.warehouse).text(after.to_plain_string());
    STOCKS.put(connection, &rows)?;
    let mut rows = Rows::default();
    rows.text_option(key.as_deref())
        .integer(article)
        .text(&booking.warehouse)
        .boolean(absolute)
        .text(given.to_plain_string())
        .text(before.to_plain_string())
        .text(after.to_plain_string())
        .text_option(booking.reason.as_deref())
        .time(now);
    BOOKINGS.put(connection, &rows)?;
    // The stock is a part of the article.
    diesel::update(articles::table.find(article))
        .set((
            articles::version.eq(version + 1),
            articles::changed_at.eq(now),
            articles::text_digest.eq(None::<String>),
        ))
        .execute(connection)?;
    let mut issues = Vec::new();
    if after < BigDecimal::default() {
        let text = format!("the warehouse {} has {after} of it now", booking.warehouse);
        issues.push(Issue::warning("stock.negative", text).of("change", &given.to_plain_string()));
    }
    let outcome = if stock.is_some() { Outcome::Updated } else { Outcome::Created };
    Ok(Recorded { outcome, version: None, issues })
}

/// A page of bookings, the latest first; and whether there are more.
///
/// # Errors
/// Those of the database.
pub fn list(
    connection: &mut Db,
    sku: Option<&str>,
    warehouse: Option<&str>,
    before: Option<i64>,
    limit: i64,
) -> Result<(Vec<Booked>, bool), StoreError> {
    type Row = (i64, Option<String>, String, String, String, String, Option<String>, NaiveDateTime);
    let mut query = stock_bookings::table
        .inner_join(articles::table)
        .filter(stock_bookings::id.lt(before.unwrap_or(i64::MAX)))
        .order(stock_bookings::id.desc())
        .limit(limit + 1)
        .select((
            stock_bookings::id,
            stock_bookings::key,
            articles::sku,
            stock_bookings::warehouse,
            stock_bookings::quantity_before,
            stock_bookings::quantity_after,
            stock_bookings::reason,
            stock_bookings::booked_at,
        ))
        .into_boxed();
    if let Some(sku) = sku {
        query = query.filter(articles::sku_key.eq(compared(sku)));
    }
    if let Some(warehouse) = warehouse {
        query = query.filter(stock_bookings::warehouse.eq(warehouse.to_owned()));
    }
    let mut rows: Vec<Row> = query.load(connection)?;
    let more = page::cut(&mut rows, limit);
    let booked = rows.into_iter().map(|(id, key, sku, warehouse, before, after, reason, at)| {
        let (before, after) = (decimal(&before), decimal(&after));
        Booked { id, key, sku, warehouse, before, after, reason, at }
    });
    Ok((booked.collect(), more))
}
