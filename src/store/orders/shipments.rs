//! Shipments of orders.

use super::{hold, not_found};
use crate::domain::orders::Part;
use crate::domain::{Issue, compared};
use crate::store::batch::{Outcome, Recorded};
use crate::store::bulk::{Column, Rows, Table};
use crate::store::children::{Children, by_owner};
use crate::store::schema::{orders, shipment_parts, shipments};
use crate::store::values::decimal;
use crate::store::{Db, StoreError, lock, page};
use chrono::NaiveDateTime;
use diesel::prelude::*;

/// A parcel that is on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shipment {
    pub key: String,
    /// The order's number.
    pub order: String,
    pub carrier: Option<String>,
    pub tracking_number: Option<String>,
    pub tracking_url: Option<String>,
    pub parts: Vec<Part>,
    pub shipped_at: NaiveDateTime,
}

const SHIPMENTS: Table = Table {
    name: "shipments",
    columns: &[
        Column::Text("key"),
        Column::Integer("order_id"),
        Column::Text("carrier"),
        Column::Text("tracking_number"),
        Column::Text("tracking_url"),
        Column::Time("shipped_at"),
    ],
    key: &["key"],
};
const PARTS: Table = Table {
    name: "shipment_parts",
    columns: &[Column::Integer("shipment_id"), Column::Integer("position"), Column::Text("quantity")],
    key: &[],
};

type Row = (i64, String, String, Option<String>, Option<String>, Option<String>, NaiveDateTime);

macro_rules! columns {
    () => {
        (
            shipments::id,
            shipments::key,
            orders::number,
            shipments::carrier,
            shipments::tracking_number,
            shipments::tracking_url,
            shipments::shipped_at,
        )
    };
}

fn loaded(connection: &mut Db, rows: Vec<Row>) -> Result<Vec<(i64, Shipment)>, StoreError> {
    let ids: Vec<i64> = rows.iter().map(|row| row.0).collect();
    let parts: Vec<(i64, i32, String)> = shipment_parts::table
        .filter(shipment_parts::shipment_id.eq_any(ids))
        .order((shipment_parts::shipment_id, shipment_parts::position))
        .load(connection)?;
    let mut parts = by_owner(parts.into_iter().map(|(id, position, quantity)| (id, (position, decimal(&quantity)))));
    let shipments = rows.into_iter().map(|(id, key, order, carrier, tracking_number, tracking_url, shipped_at)| {
        let parts = parts.remove(&id).unwrap_or_default();
        (id, Shipment { key, order, carrier, tracking_number, tracking_url, parts, shipped_at })
    });
    Ok(shipments.collect())
}

/// Records a shipment, or changes it.
///
/// # Errors
/// Those of the database.
pub fn record(connection: &mut Db, shipment: &Shipment) -> Result<Recorded, StoreError> {
    let key = compared(&shipment.key);
    lock::records(connection, "shipments", "key", &[(&key, Some(0))])?;
    let Some(order) = hold(connection, &shipment.order)? else { return Ok(not_found(&shipment.order)) };
    let positions = &order.standing.flow.lines;
    if let Some((position, _)) = shipment.parts.iter().find(|(position, _)| !positions.contains_key(position)) {
        let text = format!("the order has no line {position}");
        let issue = Issue::error("order.unknown_position", text).of("part/position", &position.to_string());
        return Ok(Recorded::refused(vec![issue]));
    }
    let mut parts = shipment.parts.clone();
    parts.sort();
    if let Some(twice) = parts.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        let text = format!("the line {} stands in it twice", twice[0].0);
        let issue = Issue::error("order.duplicate_position", text).of("part/position", &twice[0].0.to_string());
        return Ok(Recorded::refused(vec![issue]));
    }
    let now = Shipment { key: key.clone(), order: order.order.number.clone(), parts, ..shipment.clone() };
    let rows: Vec<Row> = shipments::table
        .inner_join(orders::table)
        .filter(shipments::key.eq(&key))
        .select(columns!())
        .load(connection)?;
    let before = loaded(connection, rows)?.pop();
    if before.as_ref().is_some_and(|(_, before)| *before == now) {
        return Ok(Recorded { outcome: Outcome::Unchanged, version: None, issues: Vec::new() });
    }
    let mut rows = Rows::default();
    rows.text(&now.key)
        .integer(order.id)
        .text_option(now.carrier.as_deref())
        .text_option(now.tracking_number.as_deref())
        .text_option(now.tracking_url.as_deref())
        .time(now.shipped_at);
    SHIPMENTS.put(connection, &rows)?;
    let id: i64 = shipments::table.filter(shipments::key.eq(&key)).select(shipments::id).first(connection)?;
    let mut children = Children::of(PARTS, "shipment_id");
    children.put(id, &now.parts, before.as_ref().map(|(_, b)| &b.parts[..]), |rows, _, (position, quantity)| {
        rows.integer((*position).into()).text(quantity.to_plain_string());
    });
    children.write(connection)?;
    let outcome = if before.is_some() { Outcome::Updated } else { Outcome::Created };
    Ok(Recorded { outcome, version: None, issues: Vec::new() })
}

/// A shipment by its key.
///
/// # Errors
/// Those of the database.
pub fn get(connection: &mut Db, key: &str) -> Result<Option<Shipment>, StoreError> {
    let rows: Vec<Row> = shipments::table
        .inner_join(orders::table)
        .filter(shipments::key.eq(compared(key)))
        .select(columns!())
        .load(connection)?;
    Ok(loaded(connection, rows)?.pop().map(|(_, shipment)| shipment))
}

/// A page of shipments in the order in which they came, and whether there are more.
///
/// # Errors
/// Those of the database.
pub fn list(
    connection: &mut Db,
    order: Option<&str>,
    since: Option<NaiveDateTime>,
    after: i64,
    limit: i64,
) -> Result<(Vec<(i64, Shipment)>, bool), StoreError> {
    let mut query = shipments::table
        .inner_join(orders::table)
        .filter(shipments::id.gt(after))
        .order(shipments::id)
        .limit(limit + 1)
        .select(columns!())
        .into_boxed();
    if let Some(order) = order {
        query = query.filter(orders::number_key.eq(compared(order)));
    }
    if let Some(since) = since {
        query = query.filter(shipments::shipped_at.ge(since));
    }
    let mut rows: Vec<Row> = query.load(connection)?;
    let more = page::cut(&mut rows, limit);
    Ok((loaded(connection, rows)?, more))
}
