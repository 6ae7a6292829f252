//! What the operations on manufacturers, units and accounting groups have in common.

use super::{page, results, times};
use crate::domain::Defaults;
use crate::domain::masters::{Kind, Record};
use crate::error::ServiceError;
use crate::store::masters::{self, Filter};
use crate::store::{Db, Store, StoreError};
use chrono::Utc;
use soapstone_contracts::common::RecordResult;
use soapstone_runtime::DateTime;

/// What a request for a list is narrowed by.
pub(super) struct Wanted {
    pub keys: Vec<String>,
    pub changed_since: Option<DateTime>,
    pub text: Option<String>,
    pub cursor: Option<String>,
    pub limit: Option<i32>,
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Manufacturer => "manufacturer",
        Kind::Unit => "unit",
        Kind::AccountingGroup => "accounting_group",
    }
}

fn one<R: Record>(db: &mut Db, key: &str) -> Result<R, StoreError> {
    let missing = || ServiceError::NotFound { kind: name(R::KIND), key: key.to_owned() };
    let found = masters::get(db, R::KIND, key)?.ok_or_else(missing)?;
    Ok(R::of(&found.record, found.version, found.changed_at))
}

pub(super) async fn get<R: Record + Send + 'static>(store: &Store, key: String) -> Result<R, ServiceError> {
    Ok(store.read(move |db| one(db, &key)).await?)
}

/// A page of records, and where the next one begins.
pub(super) async fn list<R: Record>(
    store: &Store,
    defaults: &Defaults,
    wanted: Wanted,
) -> Result<(Vec<R>, Option<String>), ServiceError> {
    let filter = Filter {
        keys: wanted.keys,
        text: wanted.text.filter(|t| !t.is_empty()),
        changed_since: times::since(wanted.changed_since, defaults)?,
        changes: None,
        after: wanted.cursor.filter(|c| !c.is_empty()),
        limit: page::size(wanted.limit),
    };
    let (found, next) = store.read(move |db| masters::list(db, R::KIND, &filter)).await?;
    Ok((found.iter().map(|m| R::of(&m.record, m.version, m.changed_at)).collect(), next))
}

pub(super) async fn update<R: Record + Send + 'static>(
    store: &Store,
    defaults: &Defaults,
    record: R,
) -> Result<R, ServiceError> {
    let (given, defaults) = (record.into_given(), defaults.clone());
    let changed = store.write(move |db| {
        let now = Utc::now().naive_utc();
        let key = given.key.clone();
        one::<R>(db, &key)?;
        results::only(masters::upsert(db, R::KIND, vec![given], &defaults, now)?)?;
        one(db, &key)
    });
    Ok(changed.await?)
}

pub(super) async fn delete(store: &Store, kind: Kind, keys: Vec<String>) -> Result<Vec<RecordResult>, ServiceError> {
    let given = keys.clone();
    let deleted = store.write(move |db| masters::delete(db, kind, &given)).await?;
    Ok(results::of_deletions(keys, deleted))
}
