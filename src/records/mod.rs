//! How records of each type are taken, whoever brings them: an operation or a run. One file a service.

mod catalog;
mod customers;
mod inventory;
mod listed;
mod media;
mod orders;
mod pricing;

pub use listed::{Listed, Wanted};
pub use media::taken as taken_picture;

use crate::domain::Rules;
use crate::error::ServiceError;
use crate::services::results;
use crate::store::batch::Recorded;
use crate::store::{Db, Store, StoreError};
use chrono::{NaiveDateTime, Utc};
use soapstone_contracts::common::RecordResult;
use soapstone_runtime::Value;
use std::collections::HashMap;
use std::sync::Arc;

/// What became of records, each with its key as the answer names it.
pub type Taken = Result<Vec<(String, Recorded)>, StoreError>;

/// The digests of the texts that records of these keys are from, where they are known.
pub type Digests = fn(&mut Db, &[String]) -> Result<HashMap<String, String>, StoreError>;

/// A record that is taken: created, changed, or booked.
pub trait Record: Value + Send + Sized + 'static {
    /// Who remembers which texts records are from; None: nobody.
    const DIGESTS: Option<Digests> = None;

    /// Takes records that were read from texts, each with the digest of its text, if it is to be remembered.
    ///
    /// # Errors
    /// Those of the database; nothing is written then.
    fn take_read(db: &mut Db, records: Vec<(Self, Option<String>)>, rules: &Rules, now: NaiveDateTime) -> Taken {
        Self::take(db, records.into_iter().map(|(record, _)| record).collect(), rules, now)
    }

    /// Takes records in the transaction that is open, each on its own.
    ///
    /// # Errors
    /// Those of the database; nothing is written then.
    fn take(db: &mut Db, records: Vec<Self>, rules: &Rules, now: NaiveDateTime) -> Taken;

    /// The record that a file by itself is; None: files are no records of that type.
    fn of_file(_name: String, _content: Vec<u8>) -> Option<Self> {
        None
    }
}

/// Takes the records of a request in one transaction.
///
/// # Errors
/// Those of the database; nothing is written then.
pub(crate) async fn take<R: Record>(
    store: &Store,
    rules: &Arc<Rules>,
    records: Vec<R>,
) -> Result<Vec<RecordResult>, ServiceError> {
    let rules = rules.clone();
    // The time is that of the transaction: what changes after an export began is later than its beginning.
    let taken = store.write(move |db| R::take(db, records, &rules, Utc::now().naive_utc())).await?;
    let (keys, changes) = taken.into_iter().unzip();
    Ok(results::of_changes(keys, changes))
}

/// What the rules have against a record is no reason to refuse its neighbours.
fn each<R>(records: Vec<R>, mut take: impl FnMut(R) -> Result<(String, Recorded), StoreError>) -> Taken {
    records.into_iter().map(&mut take).collect()
}
