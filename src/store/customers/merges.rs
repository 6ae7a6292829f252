//! Two customers that are one: what moves, and how it goes back.

use super::numbers::{Resolved, resolve};
use crate::domain::customers::UNDO_DAYS;
use crate::domain::{Issue, compared};
use crate::store::addresses::{BILLING, DELIVERY};
use crate::store::batch::{Outcome, Recorded};
use crate::store::bulk::{Column, Rows, Table, id_list};
use crate::store::schema::{customer_addresses, customer_merge_moves, customer_merges, customers};
use crate::store::{Db, StoreError, lock, page};
use chrono::{Days, NaiveDateTime};
use diesel::prelude::*;
use diesel::sql_types::BigInt;

/// The tables whose rows belong to a customer and move with it; each has `id` and `customer_id`.
const MOVING: &[&str] = &["credit_bookings", "line_discounts", "orders", "price_entries", "vouchers"];

const ADDRESSES: &str = "customer_addresses";

const MOVES: Table = Table {
    name: "customer_merge_moves",
    columns: &[
        Column::Integer("merge_id"),
        Column::Text("record"),
        Column::Integer("record_id"),
        Column::Text("kind_before"),
        Column::Text("key_before"),
    ],
    key: &[],
};

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

fn refused(issue: Issue) -> Recorded {
    Recorded::refused(vec![issue])
}

fn not_found(field: &str, number: &str) -> Issue {
    Issue::error("customer.not_found", format!("there is no customer {number}")).of(field, number)
}

fn touch(connection: &mut Db, ids: [i64; 2], now: NaiveDateTime) -> Result<(), StoreError> {
    diesel::update(customers::table.filter(customers::id.eq_any(ids)))
        .set((customers::version.eq(customers::version + 1), customers::changed_at.eq(now)))
        .execute(connection)?;
    Ok(())
}

/// Merges a customer into another one.
///
/// # Errors
/// Those of the database.
pub fn merge(connection: &mut Db, number: &str, into: &str, now: NaiveDateTime) -> Result<Recorded, StoreError> {
    // Two merges at once could make a cycle.
    lock::alone(connection, "customer merges")?;
    let (from_key, into_key) = (compared(number), compared(into));
    let found = resolve(connection, &[from_key.clone(), into_key.clone()])?;
    let Some(from) = found.get(&from_key) else { return Ok(refused(not_found("number", number))) };
    let Some(target) = found.get(&into_key) else { return Ok(refused(not_found("into", into))) };
    if let Some(result) = against(connection, (number, &from_key), (into, &into_key), from, target)? {
        return Ok(result);
    }
    let merge_id = insert(connection, from.id, target.id, now)?;
    let mut moves = Rows::default();
    for (id, kind, key) in move_addresses(connection, from, target.id)? {
        moves.integer(merge_id).text(ADDRESSES).integer(id).text_option(Some(kind)).text_option(Some(key));
    }
    for table in MOVING {
        let of_it: Vec<Id> =
            diesel::sql_query(format!("SELECT id FROM {table} WHERE customer_id = {}", from.id)).load(connection)?;
        for row in &of_it {
            moves.integer(merge_id).text(*table).integer(row.id).text_option(None::<&str>).text_option(None::<&str>);
        }
        diesel::sql_query(format!("UPDATE {table} SET customer_id = {} WHERE customer_id = {}", target.id, from.id))
            .execute(connection)?;
    }
    MOVES.put(connection, &moves)?;
    diesel::update(customers::table.find(from.id)).set(customers::merged_into.eq(target.id)).execute(connection)?;
    touch(connection, [from.id, target.id], now)?;
    let mut issues = Vec::new();
    if target.key != into_key {
        let text = format!("{into} leads to customer {}, who got everything", target.number);
        issues.push(Issue::warning("customer.merged_elsewhere", text).of("into", into));
    }
    Ok(Recorded { outcome: Outcome::Updated, version: None, issues })
}

/// What becomes of a merge that cannot take place, or did already.
fn against(
    connection: &mut Db,
    (number, from_key): (&str, &str),
    (into, into_key): (&str, &str),
    from: &Resolved,
    target: &Resolved,
) -> Result<Option<Recorded>, StoreError> {
    // A customer that went already leads to the one that it was merged into.
    let gone: Option<i64> = customers::table
        .filter(customers::number_key.eq(from_key))
        .filter(customers::merged_into.is_not_null())
        .select(customers::id)
        .first(connection)
        .optional()?;
    if from.id == target.id {
        if gone.is_some() && from_key != into_key {
            return Ok(Some(Recorded { outcome: Outcome::Unchanged, version: None, issues: Vec::new() }));
        }
        let text = format!("{number} and {into} are the same customer {}", target.number);
        let issue = Issue::error("customer.merge_cycle", text).of("into", into);
        return Ok(Some(refused(
            issue.suggest("name two different customers, or undo the earlier merge (UndoMerges)"),
        )));
    }
    if gone.is_some() {
        let text = format!("{number} was merged into customer {} already", from.number);
        let issue = Issue::error("customer.already_merged", text).of("number", number);
        let hint = format!("undo that first (UndoMerges), or merge {} into {into}", from.number);
        return Ok(Some(refused(issue.suggest(hint))));
    }
    Ok(None)
}

fn insert(connection: &mut Db, from: i64, into: i64, now: NaiveDateTime) -> Result<i64, StoreError> {
    let values =
        (customer_merges::customer_id.eq(from), customer_merges::into_id.eq(into), customer_merges::merged_at.eq(now));
    let insert = diesel::insert_into(customer_merges::table).values(values).returning(customer_merges::id);
    Ok(match connection {
        Db::Sqlite(sqlite) => insert.get_result(sqlite)?,
        Db::Postgres(postgres) => insert.get_result(postgres)?,
    })
}

/// Moves the addresses: a billing address becomes one for deliveries where the other has one of its own, and keys that
/// the other uses get the old number in front. Gives the ids, with what each was for and was called.
fn move_addresses(connection: &mut Db, from: &Resolved, into: i64) -> Result<Vec<(i64, String, String)>, StoreError> {
    let of_customer = |connection: &mut Db, id: i64| {
        customer_addresses::table
            .filter(customer_addresses::customer_id.eq(id))
            .order(customer_addresses::position)
            .select((customer_addresses::id, customer_addresses::kind, customer_addresses::key))
            .load::<(i64, String, String)>(connection)
    };
    let moving = of_customer(connection, from.id)?;
    let mut used: Vec<(String, String)> =
        of_customer(connection, into)?.into_iter().map(|(_, kind, key)| (kind, key)).collect();
    let mut position = i32::try_from(used.len()).unwrap_or(i32::MAX);
    for (id, kind, key) in &moving {
        let has_billing = used.iter().any(|(kind, _)| kind == BILLING);
        let kind = if kind == BILLING && !has_billing { BILLING } else { DELIVERY };
        let mut key = if key.is_empty() && kind == DELIVERY { from.number.clone() } else { key.clone() };
        while used.iter().any(|(k, other)| k == kind && *other == key) {
            key = format!("{}/{key}", from.number);
        }
        diesel::update(customer_addresses::table.find(*id))
            .set((
                customer_addresses::customer_id.eq(into),
                customer_addresses::kind.eq(kind),
                customer_addresses::key.eq(&key),
                customer_addresses::position.eq(position),
            ))
            .execute(connection)?;
        position = position.saturating_add(1);
        used.push((kind.to_owned(), key));
    }
    Ok(moving)
}

/// Undoes the last merge of a customer.
///
/// # Errors
/// Those of the database.
pub fn undo(connection: &mut Db, number: &str, now: NaiveDateTime) -> Result<Recorded, StoreError> {
    lock::alone(connection, "customer merges")?;
    let key = compared(number);
    let gone: Option<(i64, Option<i64>)> = customers::table
        .filter(customers::number_key.eq(&key))
        .select((customers::id, customers::merged_into))
        .first(connection)
        .optional()?;
    let Some((id, merged_into)) = gone else { return Ok(refused(not_found("number", number))) };
    let last: Option<(i64, NaiveDateTime)> = customer_merges::table
        .filter(customer_merges::customer_id.eq(id))
        .filter(customer_merges::undone_at.is_null())
        .order(customer_merges::id.desc())
        .select((customer_merges::id, customer_merges::merged_at))
        .first(connection)
        .optional()?;
    let (Some((merge_id, merged_at)), Some(into)) = (last, merged_into) else {
        let text = format!("{number} was not merged into another customer");
        return Ok(refused(Issue::error("customer.not_merged", text).of("number", number)));
    };
    if now > undoable_until(merged_at) {
        let text = format!("{number} was merged on {}, more than {UNDO_DAYS} days ago", merged_at.date());
        return Ok(refused(Issue::error("customer.undo_expired", text).of("number", number)));
    }
    let holder = resolve(connection, &[key])?.into_values().next().map_or(into, |r| r.id);
    move_back(connection, merge_id, holder, id)?;
    diesel::update(customers::table.find(id)).set(customers::merged_into.eq(None::<i64>)).execute(connection)?;
    diesel::update(customer_merges::table.find(merge_id))
        .set(customer_merges::undone_at.eq(now))
        .execute(connection)?;
    touch(connection, [id, into], now)?;
    Ok(Recorded { outcome: Outcome::Updated, version: None, issues: Vec::new() })
}

/// What moved goes back from who has it now: the last of those that were merged into each other. What went back to
/// somebody else since, by another undo, stays there.
fn move_back(connection: &mut Db, merge_id: i64, from: i64, to: i64) -> Result<(), StoreError> {
    type Move = (String, i64, Option<String>, Option<String>);
    let moved: Vec<Move> = customer_merge_moves::table
        .filter(customer_merge_moves::merge_id.eq(merge_id))
        .select((
            customer_merge_moves::record,
            customer_merge_moves::record_id,
            customer_merge_moves::kind_before,
            customer_merge_moves::key_before,
        ))
        .load(connection)?;
    for table in MOVING {
        let ids: Vec<i64> = moved.iter().filter(|(record, ..)| record == table).map(|(_, id, ..)| *id).collect();
        if !ids.is_empty() {
            let list = id_list(&ids);
            let sql = format!("UPDATE {table} SET customer_id = {to} WHERE customer_id = {from} AND id IN ({list})");
            diesel::sql_query(sql).execute(connection)?;
        }
    }
    for (record, id, kind, key) in &moved {
        if let (ADDRESSES, Some(kind), Some(key)) = (record.as_str(), kind, key) {
            let one = customer_addresses::table.find(*id).filter(customer_addresses::customer_id.eq(from));
            diesel::update(one)
                .set((
                    customer_addresses::customer_id.eq(to),
                    customer_addresses::kind.eq(kind),
                    customer_addresses::key.eq(key),
                ))
                .execute(connection)?;
        }
    }
    Ok(())
}

fn undoable_until(merged_at: NaiveDateTime) -> NaiveDateTime {
    merged_at.checked_add_days(Days::new(UNDO_DAYS.unsigned_abs())).unwrap_or(merged_at)
}

/// A merge that took place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergeRecord {
    pub id: i64,
    pub number: String,
    /// The customer that has everything now.
    pub into: String,
    pub merged_at: NaiveDateTime,
    pub undoable_until: NaiveDateTime,
    pub undone_at: Option<NaiveDateTime>,
}

/// A page of merges, the latest first; and whether there are more.
///
/// # Errors
/// Those of the database.
pub fn list(
    connection: &mut Db,
    of: Option<&str>,
    before: Option<i64>,
    limit: i64,
) -> Result<(Vec<MergeRecord>, bool), StoreError> {
    let mut query = customer_merges::table
        .filter(customer_merges::id.lt(before.unwrap_or(i64::MAX)))
        .order(customer_merges::id.desc())
        .limit(limit + 1)
        .into_boxed();
    if let Some(number) = of {
        let key = compared(number);
        let own = customers::table.filter(customers::number_key.eq(key.clone())).select(customers::id);
        let mut ids: Vec<i64> = own.load(connection)?;
        ids.extend(resolve(connection, &[key])?.into_values().map(|r| r.id));
        let is_one = customer_merges::customer_id.eq_any(ids.clone()).or(customer_merges::into_id.eq_any(ids));
        query = query.filter(is_one);
    }
    type Row = (i64, i64, i64, NaiveDateTime, Option<NaiveDateTime>);
    let mut rows: Vec<Row> = query.load(connection)?;
    let more = page::cut(&mut rows, limit);
    let ids: Vec<i64> = rows.iter().flat_map(|row| [row.1, row.2]).collect();
    let numbers: Vec<(i64, String)> = customers::table
        .filter(customers::id.eq_any(ids))
        .select((customers::id, customers::number))
        .load(connection)?;
    let number = |id: i64| numbers.iter().find(|(other, _)| *other == id).map(|(_, number)| number.clone());
    let merges = rows.into_iter().filter_map(|(id, from, into, merged_at, undone_at)| {
        Some(MergeRecord {
            id,
            number: number(from)?,
            into: number(into)?,
            merged_at,
            undoable_until: undoable_until(merged_at),
            undone_at,
        })
    });
    Ok((merges.collect(), more))
}
