//! What of articles is ordered, and not delivered yet.

use crate::store::schema::{article_packaging, document_parts, documents, order_positions, orders};
use crate::store::values::decimal;
use crate::store::{Db, LOOKUP, StoreError};
use bigdecimal::BigDecimal;
use diesel::prelude::*;
use soapstone_contracts::orders::{DocumentKind, State};
use std::collections::HashMap;

/// The states of orders that something is still to be delivered of.
const WAITING: [State; 3] = [State::Open, State::Confirmed, State::PartiallyDelivered];

/// What is reserved of articles, in their own units.
pub(super) fn reserved(connection: &mut Db, articles: &[i64]) -> Result<HashMap<i64, BigDecimal>, StoreError> {
    let mut sums: HashMap<i64, BigDecimal> = HashMap::new();
    for ids in articles.chunks(LOOKUP) {
        type Row = (i64, i32, Option<i64>, String, String, Option<String>);
        let waiting: Vec<Row> = order_positions::table
            .inner_join(orders::table)
            .filter(order_positions::article_id.eq_any(ids.iter().copied().map(Some)))
            .filter(orders::state.eq_any(WAITING.map(State::as_str)))
            .select((
                order_positions::order_id,
                order_positions::number,
                order_positions::article_id,
                order_positions::quantity,
                order_positions::cancelled,
                order_positions::unit,
            ))
            .load(connection)?;
        let mut delivered = delivered(connection, waiting.iter().map(|row| row.0))?;
        let factors = factors(connection, ids)?;
        for (order, position, article, quantity, cancelled, unit) in waiting {
            let Some(article) = article else { continue };
            let gone = delivered.remove(&(order, position)).unwrap_or_default();
            let open = decimal(&quantity) - decimal(&cancelled) - gone;
            let factor = unit.and_then(|unit| factors.get(&(article, unit)));
            *sums.entry(article).or_default() += factor.map_or_else(|| open.clone(), |factor| &open * factor);
        }
    }
    Ok(sums)
}

/// What is delivered of the lines of orders.
fn delivered(
    connection: &mut Db,
    orders: impl Iterator<Item = i64>,
) -> Result<HashMap<(i64, i32), BigDecimal>, StoreError> {
    let mut ids: Vec<i64> = orders.collect();
    ids.sort_unstable();
    ids.dedup();
    let mut sums: HashMap<(i64, i32), BigDecimal> = HashMap::new();
    for ids in ids.chunks(LOOKUP) {
        let parts: Vec<(i64, i32, String)> = document_parts::table
            .inner_join(documents::table)
            .filter(documents::order_id.eq_any(ids))
            .filter(documents::kind.eq(DocumentKind::DeliveryNote.as_str()))
            .select((documents::order_id, document_parts::position, document_parts::quantity))
            .load(connection)?;
        for (order, position, quantity) in parts {
            *sums.entry((order, position)).or_default() += decimal(&quantity);
        }
    }
    Ok(sums)
}

/// How many of the article's own unit a packaging unit holds.
fn factors(connection: &mut Db, ids: &[i64]) -> Result<HashMap<(i64, String), BigDecimal>, StoreError> {
    let rows: Vec<(i64, String, String)> = article_packaging::table
        .filter(article_packaging::article_id.eq_any(ids))
        .select((article_packaging::article_id, article_packaging::unit, article_packaging::factor))
        .load(connection)?;
    Ok(rows.into_iter().map(|(id, unit, factor)| ((id, unit), decimal(&factor))).collect())
}
