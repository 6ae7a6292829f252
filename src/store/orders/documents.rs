//! Documents of orders.

use super::{hold, not_found, restate};
use crate::domain::orders::Part;
use crate::domain::{Issue, compared};
use crate::store::batch::{Outcome, Recorded};
use crate::store::bulk::{Column, Rows, Table};
use crate::store::children::by_owner;
use crate::store::schema::{contents, document_parts, documents, orders};
use crate::store::values::{decimal, one_of};
use crate::store::{Db, StoreError, contents as files, lock, page};
use bigdecimal::BigDecimal;
use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;
use soapstone_contracts::orders::DocumentKind;

/// A document of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    pub number: String,
    pub kind: DocumentKind,
    /// The order's number.
    pub order: String,
    pub date: NaiveDate,
    /// None: all that there is for its kind.
    pub parts: Vec<Part>,
    pub amount: Option<BigDecimal>,
    pub text: Option<String>,
}

/// A document with what the database adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filed {
    pub id: i64,
    pub document: Document,
    pub pdf_size: Option<i64>,
    pub recorded_at: NaiveDateTime,
}

const PARTS: Table = Table {
    name: "document_parts",
    columns: &[Column::Integer("document_id"), Column::Integer("position"), Column::Text("quantity")],
    key: &[],
};

/// Records a document, and moves its order on.
///
/// # Errors
/// Those of the database.
pub fn record(
    connection: &mut Db,
    document: &Document,
    pdf: Option<&[u8]>,
    now: NaiveDateTime,
) -> Result<Recorded, StoreError> {
    let key = compared(&document.number);
    lock::records(connection, "documents", "number_key", &[(&key, Some(0))])?;
    if let Some(stored) = get(connection, &document.number)? {
        return again(connection, document, pdf, &stored);
    }
    let Some(mut loaded) = hold(connection, &document.order)? else { return Ok(not_found(&document.order)) };
    let before = loaded.standing.flow.state();
    let parts = match loaded.standing.flow.record(document.kind, &document.parts) {
        Ok(parts) => parts,
        Err(issue) => return Ok(Recorded::refused(vec![issue])),
    };
    let pdf = pdf.map(|bytes| files::keep(connection, bytes)).transpose()?;
    let values = (
        documents::number.eq(&document.number),
        documents::number_key.eq(&key),
        documents::kind.eq(document.kind.as_str()),
        documents::order_id.eq(loaded.id),
        documents::date.eq(document.date),
        documents::amount.eq(document.amount.as_ref().map(|amount| amount.to_plain_string())),
        documents::text.eq(&document.text),
        documents::pdf.eq(pdf),
        documents::recorded_at.eq(now),
    );
    let insert = diesel::insert_into(documents::table).values(values).returning(documents::id);
    let id: i64 = match connection {
        Db::Sqlite(sqlite) => insert.get_result(sqlite)?,
        Db::Postgres(postgres) => insert.get_result(postgres)?,
    };
    let mut rows = Rows::default();
    for (position, quantity) in &parts {
        rows.integer(id).integer((*position).into()).text(quantity.to_plain_string());
    }
    PARTS.put(connection, &rows)?;
    restate(connection, &loaded, before, now)?;
    Ok(Recorded { outcome: Outcome::Created, version: None, issues: Vec::new() })
}

/// A document that comes again: only its PDF may be another.
fn again(connection: &mut Db, document: &Document, pdf: Option<&[u8]>, stored: &Filed) -> Result<Recorded, StoreError> {
    let before = &stored.document;
    let mut parts = document.parts.clone();
    parts.sort();
    let is_same = document.kind == before.kind
        && compared(&document.order) == compared(&before.order)
        && document.date == before.date
        && (parts.is_empty() || parts == before.parts)
        && document.amount == before.amount
        && document.text == before.text;
    if !is_same {
        let text = format!("there is another document {} already", before.number);
        let issue = Issue::error("document.exists", text).of("number", &before.number);
        return Ok(Recorded::refused(vec![issue.suggest("give the document another number")]));
    }
    let Some(bytes) = pdf else {
        return Ok(Recorded { outcome: Outcome::Unchanged, version: None, issues: Vec::new() });
    };
    let key = files::keep(connection, bytes)?;
    let other = documents::table.find(stored.id).filter(documents::pdf.is_null().or(documents::pdf.ne(&key)));
    let changed = diesel::update(other).set(documents::pdf.eq(&key)).execute(connection)?;
    let outcome = if changed > 0 { Outcome::Updated } else { Outcome::Unchanged };
    Ok(Recorded { outcome, version: None, issues: Vec::new() })
}

type Row = (i64, String, String, String, NaiveDate, Option<String>, Option<String>, NaiveDateTime, Option<i64>);

fn filed(connection: &mut Db, rows: Vec<Row>) -> Result<Vec<Filed>, StoreError> {
    let ids: Vec<i64> = rows.iter().map(|row| row.0).collect();
    let parts: Vec<(i64, i32, String)> = document_parts::table
        .filter(document_parts::document_id.eq_any(ids))
        .order((document_parts::document_id, document_parts::position))
        .load(connection)?;
    let mut parts = by_owner(parts.into_iter().map(|(id, position, quantity)| (id, (position, decimal(&quantity)))));
    let documents =
        rows.into_iter().filter_map(|(id, number, kind, order, date, amount, text, recorded_at, pdf_size)| {
            let kind = one_of(&kind)?;
            let (amount, parts) = (amount.as_deref().map(decimal), parts.remove(&id).unwrap_or_default());
            let document = Document { number, kind, order, date, parts, amount, text };
            Some(Filed { id, document, pdf_size, recorded_at })
        });
    Ok(documents.collect())
}

macro_rules! columns {
    () => {
        (
            documents::id,
            documents::number,
            documents::kind,
            orders::number,
            documents::date,
            documents::amount,
            documents::text,
            documents::recorded_at,
            contents::size.nullable(),
        )
    };
}

/// A document by its number.
///
/// # Errors
/// Those of the database.
pub fn get(connection: &mut Db, number: &str) -> Result<Option<Filed>, StoreError> {
    let rows: Vec<Row> = documents::table
        .inner_join(orders::table)
        .left_join(contents::table)
        .filter(documents::number_key.eq(compared(number)))
        .select(columns!())
        .load(connection)?;
    Ok(filed(connection, rows)?.pop())
}

/// The PDF of a document; None: it has none.
///
/// # Errors
/// Those of the database.
pub fn pdf(connection: &mut Db, number: &str) -> Result<Option<Vec<u8>>, StoreError> {
    let key: Option<Option<String>> = documents::table
        .filter(documents::number_key.eq(compared(number)))
        .select(documents::pdf)
        .first(connection)
        .optional()?;
    match key.flatten() {
        Some(key) => files::get(connection, &key),
        None => Ok(None),
    }
}

/// A page of documents in the order in which they came, and whether there are more.
///
/// # Errors
/// Those of the database.
pub fn list(
    connection: &mut Db,
    order: Option<&str>,
    kind: Option<DocumentKind>,
    since: Option<NaiveDateTime>,
    after: i64,
    limit: i64,
) -> Result<(Vec<Filed>, bool), StoreError> {
    let mut query = documents::table
        .inner_join(orders::table)
        .left_join(contents::table)
        .filter(documents::id.gt(after))
        .order(documents::id)
        .limit(limit + 1)
        .select(columns!())
        .into_boxed();
    if let Some(order) = order {
        query = query.filter(orders::number_key.eq(compared(order)));
    }
    if let Some(kind) = kind {
        query = query.filter(documents::kind.eq(kind.as_str()));
    }
    if let Some(since) = since {
        query = query.filter(documents::recorded_at.ge(since));
    }
    let mut rows: Vec<Row> = query.load(connection)?;
    let more = page::cut(&mut rows, limit);
    Ok((filed(connection, rows)?, more))
}
