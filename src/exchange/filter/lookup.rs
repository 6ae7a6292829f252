//! What is there already, for scripts that ask.

use crate::domain::compared;
use crate::exchange::kinds::{KINDS, Kind, Spelling};
use crate::records::Wanted;
use crate::store::{Store, StoreError};
use rhai::EvalAltResult;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Answers that are remembered, and how many bytes of them.
const REMEMBERED: usize = 10_000;
const REMEMBERED_BYTES: usize = 16 << 20;

/// Answers by kind and key.
#[derive(Default)]
struct Answers {
    known: HashMap<(String, String), Option<Value>>,
    /// Bytes of them as JSON.
    bytes: usize,
}

/// Looks records up in the database. What was found once is remembered as long as the run is at work.
#[derive(Clone)]
pub struct Lookup {
    store: Store,
    answers: Arc<Mutex<Answers>>,
}

impl Lookup {
    pub fn of(store: Store) -> Self {
        Self { store, answers: Arc::default() }
    }

    /// The record of a kind and key, as REST has it.
    ///
    /// # Errors
    /// If records of that kind cannot be looked up, or the database fails.
    pub(super) fn find(&self, kind: &str, key: &str) -> Result<Option<Value>, Box<EvalAltResult>> {
        let question = (kind.to_owned(), key.to_owned());
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = answers.known.get(&question) {
            return Ok(answer.clone());
        }
        let is_known = |kind: &&Kind| kind.pages.is_some() && kind.place.is_some();
        let Some(found) = Kind::find(kind).filter(is_known) else {
            let known: Vec<&str> = KINDS.iter().filter(is_known).map(|kind| kind.of.as_str()).collect();
            return Err(format!("lookup(\"{kind}\", …): only these are looked up: {}", known.join(", ")).into());
        };
        let answer = self.existing(found, &[key.to_owned()]).map_err(|error| {
            log::error!("a filter's lookup failed: {error}");
            "the database cannot be asked".to_owned()
        })?;
        let answer = answer.into_values().next();
        let bytes = key.len() + answer.as_ref().map_or(0, |answer| answer.to_string().len());
        if answers.known.len() < REMEMBERED && answers.bytes + bytes <= REMEMBERED_BYTES {
            answers.bytes += bytes;
            answers.known.insert(question, answer.clone());
        }
        Ok(answer)
    }

    /// The records that are there under some keys, by the keys as they are compared.
    ///
    /// # Errors
    /// Those of the database.
    pub(super) fn existing(&self, kind: &Kind, keys: &[String]) -> Result<HashMap<String, Value>, StoreError> {
        let Some(pages) = kind.pages.filter(|_| !keys.is_empty() && kind.place.is_some()) else {
            return Ok(HashMap::new());
        };
        let limit = i64::try_from(keys.len()).unwrap_or(i64::MAX);
        let wanted = Wanted { keys: keys.to_vec(), limit, ..Wanted::default() };
        let (records, _) = pages(&mut *self.store.connection()?, kind, &wanted, Spelling::Json)?;
        let keyed = |record: String| {
            let record: Value = serde_json::from_str(&record).ok()?;
            Some((compared(key_of(kind, &record)?), record))
        };
        Ok(records.into_iter().filter_map(keyed).collect())
    }
}

/// The key of a record.
pub(super) fn key_of<'a>(kind: &Kind, record: &'a Value) -> Option<&'a str> {
    kind.keys.iter().find_map(|key| record[*key].as_str())
}
