//! Who is told.

use crate::domain::signals::Target;
use crate::domain::{Issue, Secret, compared};
use crate::error::ServiceError;
use crate::store::batch::{Batch, Recorded, Stored};
use crate::store::bulk::{Column, Rows, Table};
use crate::store::children::{Children, by_owner};
use crate::store::keys::ids_by_key;
use crate::store::schema::{signal_target_events, signal_target_warehouses, signal_targets};
use crate::store::secrets::{SecretKeys, target_password, target_secret};
use crate::store::values::one_of;
use crate::store::{Db, LOOKUP, StoreError, keys, lock, page};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use soapstone_contracts::signals as contract;
use soapstone_contracts::signals::Form;
use soapstone_runtime::Nillable;
use std::collections::HashMap;

const TARGETS: Table = Table {
    name: "signal_targets",
    columns: &[
        Column::Text("key"),
        Column::Text("url"),
        Column::Text("form"),
        Column::Text("secret"),
        Column::Text("user_name"),
        Column::Text("password"),
        Column::Boolean("active"),
        // A changed target is tried at once.
        Column::Integer("failures"),
        Column::Time("resumes_at"),
        Column::Integer("version"),
        Column::Time("changed_at"),
    ],
    key: &["key"],
};
const EVENTS: Table =
    Table { name: "signal_target_events", columns: &[Column::Integer("target_id"), Column::Text("event")], key: &[] };
const WAREHOUSES: Table = Table {
    name: "signal_target_warehouses",
    columns: &[Column::Integer("target_id"), Column::Text("warehouse")],
    key: &[],
};

#[derive(Queryable, Selectable)]
#[diesel(table_name = signal_targets)]
struct Row {
    id: i64,
    key: String,
    url: String,
    form: String,
    secret: Option<String>,
    user_name: Option<String>,
    password: Option<String>,
    active: bool,
    version: i64,
    changed_at: NaiveDateTime,
}

/// Decrypts a secret, if there are keys; what cannot be decrypted stays as it is, and is never used.
fn opened(keys: Option<&SecretKeys>, place: &str, stored: Option<String>) -> Option<Secret> {
    let stored = stored?;
    Some(match keys.map(|keys| keys.open(place, &stored)) {
        None => Secret::Sealed(stored),
        Some(Ok(plain)) => Secret::Plain(plain),
        Some(Err(why)) => {
            log::error!("Failed to decrypt {place}: {why}");
            Secret::Sealed(stored)
        }
    })
}

/// A secret as it is stored.
fn sealed(keys: &SecretKeys, place: &str, secret: Option<&Secret>) -> Result<Option<String>, StoreError> {
    let sealed = match secret {
        None => return Ok(None),
        Some(Secret::Sealed(stored)) => Ok(stored.clone()),
        Some(Secret::Plain(plain)) => keys.seal(place, plain),
    };
    sealed.map(Some).map_err(|why| ServiceError::internal(format!("{place}: {why}")).into())
}

/// Whether a change brings a secret that would have to be encrypted.
fn has_secret(change: &contract::Target) -> bool {
    [&change.secret, &change.password].into_iter().any(|given| matches!(given, Some(Nillable::Value(_))))
}

/// Targets with their secrets; without keys these stay encrypted.
fn loaded(connection: &mut Db, keys: Option<&SecretKeys>, rows: Vec<Row>) -> Result<Vec<Stored<Target>>, StoreError> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let events: Vec<(i64, String)> = signal_target_events::table
        .filter(signal_target_events::target_id.eq_any(&ids))
        .order((signal_target_events::target_id, signal_target_events::event))
        .load(connection)?;
    let mut events = by_owner(events.into_iter().filter_map(|(id, event)| Some((id, one_of(&event)?))));
    let warehouses: Vec<(i64, String)> = signal_target_warehouses::table
        .filter(signal_target_warehouses::target_id.eq_any(&ids))
        .order((signal_target_warehouses::target_id, signal_target_warehouses::warehouse))
        .load(connection)?;
    let mut warehouses = by_owner(warehouses);
    let stored = rows.into_iter().map(|row| {
        let record = Target {
            secret: opened(keys, &target_secret(&row.key), row.secret),
            password: opened(keys, &target_password(&row.key), row.password),
            key: row.key,
            url: row.url,
            form: one_of(&row.form).unwrap_or(Form::WebHook),
            events: events.remove(&row.id).unwrap_or_default(),
            warehouses: warehouses.remove(&row.id).unwrap_or_default(),
            user: row.user_name,
            active: row.active,
        };
        Stored { id: row.id, version: row.version, changed_at: row.changed_at, record }
    });
    Ok(stored.collect())
}

/// Applies changes to targets, each on its own; a change comes with the issues that were found before. Secrets are encrypted.
///
/// # Errors
/// Returns a `StoreError` if a statement fails; then nothing is written.
pub fn upsert(
    connection: &mut Db,
    secrets: &SecretKeys,
    changes: Vec<(contract::Target, Vec<Issue>)>,
    now: NaiveDateTime,
) -> Result<Vec<Recorded>, StoreError> {
    let keys: Vec<String> = changes.iter().map(|(target, _)| compared(&target.key)).collect();
    let held: Vec<_> = keys.iter().zip(&changes).map(|(key, (change, _))| (key.as_str(), change.if_version)).collect();
    lock::records(connection, "signal_targets", "key", &held)?;
    let mut before = HashMap::new();
    for keys in keys.chunks(LOOKUP) {
        let rows = signal_targets::table.filter(signal_targets::key.eq_any(keys)).select(Row::as_select());
        let rows: Vec<Row> = rows.load(connection)?;
        before.extend(loaded(connection, Some(secrets), rows)?.into_iter().map(|t| (t.record.key.clone(), t)));
    }
    let mut batch = Batch::of(before);
    for (key, (change, found)) in keys.into_iter().zip(changes) {
        batch.apply(key, change.if_version, |current, issues| {
            issues.extend(found);
            if secrets.is_empty() && has_secret(&change) {
                issues.push(no_key());
            }
            Target::apply(current, change, issues)
        });
    }
    let changed = batch.changed();
    let mut rows = Rows::default();
    for change in &changed {
        let target = change.now;
        let secret = sealed(secrets, &target_secret(change.key), target.secret.as_ref())?;
        let password = sealed(secrets, &target_password(change.key), target.password.as_ref())?;
        rows.text(change.key)
            .text(&target.url)
            .text(target.form.as_str())
            .text_option(secret)
            .text_option(target.user.as_deref())
            .text_option(password)
            .boolean(target.active)
            .integer(0)
            .time_option(None)
            .integer(change.version)
            .time(now);
    }
    TARGETS.put(connection, &rows)?;
    let keys: Vec<&String> = changed.iter().map(|c| c.key).collect();
    let ids = ids_by_key!(connection, signal_targets, key, keys);
    let mut events = Children::of(EVENTS, "target_id");
    let mut warehouses = Children::of(WAREHOUSES, "target_id");
    for change in &changed {
        let Some(id) = ids.get(change.key) else { continue };
        let before = change.before.map(|b| &b.record);
        events.put(*id, &change.now.events, before.map(|b| &b.events[..]), |rows, _, event| {
            rows.text(event.as_str());
        });
        warehouses.put(*id, &change.now.warehouses, before.map(|b| &b.warehouses[..]), |rows, _, warehouse| {
            rows.text(warehouse);
        });
    }
    events.write(connection)?;
    warehouses.write(connection)?;
    drop(changed);
    Ok(batch.into_results())
}

/// The issue of a secret that cannot be encrypted.
fn no_key() -> Issue {
    let issue = Issue::error("secret.no_key", "this server has no key to encrypt secrets with");
    issue.suggest("an administrator sets secrets-key-file; soapstone secret key makes a key")
}

/// A target by its key; its secrets stay encrypted.
///
/// # Errors
/// Those of the database.
pub fn get(connection: &mut Db, key: &str) -> Result<Option<Stored<Target>>, StoreError> {
    let rows = signal_targets::table.filter(signal_targets::key.eq(compared(key))).select(Row::as_select());
    let rows = rows.load(connection)?;
    Ok(loaded(connection, None, rows)?.pop())
}

/// The targets that are told of anything.
pub(super) fn active(connection: &mut Db) -> Result<Vec<Stored<Target>>, StoreError> {
    let rows = signal_targets::table.filter(signal_targets::active.eq(true)).select(Row::as_select());
    let rows = rows.load(connection)?;
    loaded(connection, None, rows)
}

/// Targets by their ids, with their secrets.
pub(super) fn by_ids(
    connection: &mut Db,
    secrets: &SecretKeys,
    ids: &[i64],
) -> Result<HashMap<i64, Target>, StoreError> {
    let rows = signal_targets::table.filter(signal_targets::id.eq_any(ids)).select(Row::as_select());
    let rows = rows.load(connection)?;
    Ok(loaded(connection, Some(secrets), rows)?.into_iter().map(|target| (target.id, target.record)).collect())
}

/// A page of targets in the order of their keys, and where the next one begins; their secrets stay encrypted.
///
/// # Errors
/// Those of the database.
pub fn list(
    connection: &mut Db,
    after: Option<&str>,
    limit: i64,
) -> Result<(Vec<Stored<Target>>, Option<String>), StoreError> {
    let mut query =
        signal_targets::table.order(signal_targets::key).limit(limit + 1).select(Row::as_select()).into_boxed();
    if let Some(after) = after {
        query = query.filter(signal_targets::key.gt(after.to_owned()));
    }
    let mut rows: Vec<Row> = query.load(connection)?;
    let more = page::cut(&mut rows, limit);
    let next = rows.last().filter(|_| more).map(|row| row.key.clone());
    Ok((loaded(connection, None, rows)?, next))
}

/// Deletes targets by their keys, with what was on its way to them; says of each whether it was there.
///
/// # Errors
/// Those of the database; nothing is deleted then.
pub fn delete(connection: &mut Db, given: &[String]) -> Result<Vec<bool>, StoreError> {
    keys::delete(connection, "signal_targets", "key", given.iter().map(|key| compared(key)))
}
