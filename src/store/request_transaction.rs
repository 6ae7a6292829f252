//! The transaction of a request: all that its handler reads and writes through the [`Store`] on this thread is committed together,
//! or not at all.
//!
//! The handler's future runs on a thread of its own ([`RequestTransaction`]), so that [`Store::read`] and [`Store::write`] find the
//! transaction there. It begins with the first of them: what a handler does before, such as storing a file, holds up no other writer.

use super::{Db, Store, StoreConnection, StoreError, faults};
use std::cell::RefCell;
use std::marker::PhantomData;
use std::mem;

/// Checks, first of all in the transaction, whether the request may be executed.
type Claim = Box<dyn FnOnce(&mut Db) -> Result<bool, StoreError>>;

struct Current {
    state: State,
    /// What waits for the commit.
    deferred: Vec<Box<dyn FnOnce()>>,
}

enum State {
    NotBegun(Store, Claim),
    Open(StoreConnection),
    /// A piece of work has the connection.
    InUse,
    /// The request may not be executed, or the transaction is gone.
    Lost,
}

thread_local! {
    static CURRENT: RefCell<Option<Current>> = const { RefCell::new(None) };
}

fn with_current<T>(work: impl FnOnce(&mut Option<Current>) -> T) -> T {
    CURRENT.with(|current| work(&mut current.borrow_mut()))
}

fn set(state: State) {
    with_current(|current| {
        if let Some(current) = current {
            current.state = state;
        }
    });
}

fn unusable() -> StoreError {
    StoreError::Unavailable("the transaction of the request cannot be used".to_owned())
}

/// Whether this thread runs a request in a transaction.
pub(super) fn is_active() -> bool {
    with_current(|current| current.is_some())
}

/// Runs `work` in the transaction of the request that this thread runs.
///
/// # Errors
/// Returns the error of `work`, or [`StoreError::Unavailable`] if the request may not be executed.
pub(super) fn run<T>(work: impl FnOnce(&mut Db) -> Result<T, StoreError>) -> Result<T, StoreError> {
    let state = with_current(|current| current.as_mut().map(|current| mem::replace(&mut current.state, State::InUse)));
    let mut db = match state {
        Some(State::Open(db)) => db,
        Some(State::NotBegun(store, claim)) => begin(&store, claim)?,
        Some(State::Lost) => {
            set(State::Lost);
            return Err(unusable());
        }
        Some(State::InUse) | None => return Err(unusable()),
    };
    // If it panics, the connection is dropped with its transaction open, and nothing can follow.
    let done = work(&mut db).map_err(|error| faults::diagnosed(&mut db, error));
    set(State::Open(db));
    done
}

fn begin(store: &Store, claim: Claim) -> Result<StoreConnection, StoreError> {
    let begun = || -> Result<(StoreConnection, bool), StoreError> {
        let mut db = store.connection()?;
        db.begin()?;
        match claim(&mut db) {
            Ok(is_claimed) => Ok((db, is_claimed)),
            Err(error) => {
                db.roll_back();
                Err(error)
            }
        }
    };
    match begun() {
        Ok((db, true)) => Ok(db),
        Ok((mut db, false)) => {
            db.roll_back();
            set(State::Lost);
            Err(unusable())
        }
        Err(error) => {
            set(State::Lost);
            Err(error)
        }
    }
}

/// Runs `action` when what this thread writes is committed: at once outside of a request's transaction, and never if that is rolled
/// back. For what tells others of a change, such as waking a worker.
pub fn after_commit(action: impl FnOnce() + 'static) {
    if is_active() {
        with_current(|current| current.as_mut().map(|current| current.deferred.push(Box::new(action))));
    } else {
        action();
    }
}

/// The transaction of the request that this thread runs, until it is committed; dropped, it is rolled back.
#[must_use]
pub struct RequestTransaction {
    /// It belongs to this thread.
    thread: PhantomData<*const ()>,
}

impl RequestTransaction {
    /// Makes what follows on this thread part of one transaction, if `claim` returns true at its beginning.
    ///
    /// # Errors
    /// Returns [`StoreError::Unavailable`] if the thread runs a request already.
    pub fn new(
        store: &Store,
        claim: impl FnOnce(&mut Db) -> Result<bool, StoreError> + 'static,
    ) -> Result<Self, StoreError> {
        with_current(|current| {
            if current.is_some() {
                return Err(unusable());
            }
            let state = State::NotBegun(store.clone(), Box::new(claim));
            *current = Some(Current { state, deferred: Vec::new() });
            Ok(Self { thread: PhantomData })
        })
    }

    /// Writes in the transaction.
    ///
    /// # Errors
    /// Returns the error of `work`, or [`StoreError::Unavailable`] if the request may not be executed.
    pub fn write<T>(&self, work: impl FnOnce(&mut Db) -> Result<T, StoreError>) -> Result<T, StoreError> {
        run(|db| db.write(work))
    }

    /// Commits, and then runs what waited for it.
    ///
    /// # Errors
    /// Returns the error of the commit; all is rolled back then.
    pub fn commit(self) -> Result<(), StoreError> {
        let Some(current) = with_current(Option::take) else { return Err(unusable()) };
        match current.state {
            // Nothing was read or written.
            State::NotBegun(..) => {}
            State::Open(mut db) => db.commit()?,
            State::InUse | State::Lost => return Err(unusable()),
        }
        current.deferred.into_iter().for_each(|action| action());
        Ok(())
    }
}

impl Drop for RequestTransaction {
    fn drop(&mut self) {
        if let Some(Current { state: State::Open(mut db), .. }) = with_current(Option::take) {
            db.roll_back();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::idempotency::{self, Known};
    use crate::store::schema::idempotency_keys;
    use chrono::{NaiveDateTime, Utc};
    use diesel::prelude::*;
    use std::cell::Cell;
    use std::rc::Rc;
    use std::time::Duration;

    fn store(folder: &tempfile::TempDir) -> Store {
        let store = Store::open(&folder.path().join("t.sqlite").to_string_lossy(), 3).unwrap();
        store.migrate().unwrap();
        store
    }

    fn put(db: &mut Db, key: &str) -> Result<(), StoreError> {
        idempotency::keep(db, key, "f", b"a", NaiveDateTime::default() + chrono::TimeDelta::days(30_000))
    }

    fn keys(store: &Store) -> Vec<String> {
        let mut db = store.connection().unwrap();
        idempotency_keys::table.select(idempotency_keys::key).order(idempotency_keys::key).load(&mut db).unwrap()
    }

    /// Runs a handler on this thread, as a request does.
    fn handled<T>(work: impl Future<Output = T>) -> T {
        actix_web::rt::Runtime::new().unwrap().block_on(work)
    }

    #[test]
    fn all_writes_of_a_request_are_one_transaction() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder);
        let told = Rc::new(Cell::new(0));
        let count = |told: &Rc<Cell<u32>>| {
            let told = told.clone();
            move || told.set(told.get() + 1)
        };
        let transaction = RequestTransaction::new(&store, |_| Ok(true)).unwrap();
        handled(async {
            store.write(|db| put(db, "a")).await.unwrap();
            after_commit(count(&told));
            // What fails takes nothing with it but its own.
            let failed: Result<(), _> =
                store.write(|db| put(db, "b").and_then(|()| Err(StoreError::Unavailable(String::new())))).await;
            assert!(failed.is_err());
            store.read(|db| db.write(|db| put(db, "c"))).await.unwrap();
            let seen = store.read(|db| Ok(idempotency_keys::table.count().get_result::<i64>(db)?)).await.unwrap();
            assert_eq!(seen, 2);
        });
        assert_eq!((keys(&store).len(), told.get()), (0, 0));
        transaction.commit().unwrap();
        assert_eq!((keys(&store), told.get()), (vec!["a".to_owned(), "c".to_owned()], 1));
        after_commit(count(&told));
        assert_eq!(told.get(), 2);

        let transaction = RequestTransaction::new(&store, |_| Ok(true)).unwrap();
        handled(async {
            store.write(|db| put(db, "d")).await.unwrap();
            after_commit(count(&told));
        });
        drop(transaction);
        assert_eq!((keys(&store).len(), told.get()), (2, 2));
        assert!(!is_active());
    }

    #[test]
    fn a_request_that_may_not_be_executed_writes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder);
        let transaction = RequestTransaction::new(&store, |db| {
            Ok(idempotency::claim(db, "x", "f", Utc::now().naive_utc())? != Known::Unused)
        });
        let transaction = transaction.unwrap();
        assert!(RequestTransaction::new(&store, |_| Ok(true)).is_err(), "a thread runs one request at a time");
        handled(async {
            for _ in 0..2 {
                assert!(store.write(|db| put(db, "a")).await.is_err());
            }
        });
        assert!(transaction.commit().is_err());
        assert!(keys(&store).is_empty());
        store.connection().unwrap().write(|db| put(db, "a")).unwrap();
    }

    #[test]
    fn the_transaction_begins_with_the_first_access() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder);
        let transaction = RequestTransaction::new(&store, |_| Ok(true)).unwrap();
        store.connection().unwrap().write(|db| put(db, "other")).unwrap();
        transaction.write(|db| put(db, "own")).unwrap();
        transaction.commit().unwrap();
        assert_eq!(keys(&store).len(), 2);
    }

    #[test]
    fn a_panic_rolls_back_and_frees_the_thread() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder);
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let transaction = RequestTransaction::new(&store, |_| Ok(true)).unwrap();
            transaction.write(|db| put(db, "a")).unwrap();
            let _: Result<(), _> = transaction.write(|_| panic!("a handler"));
        }));
        assert!(panicked.is_err() && !is_active());
        // Its connection is not used again: another one can write at once.
        let began = std::time::Instant::now();
        (0..3).for_each(|number| store.connection().unwrap().write(|db| put(db, &format!("b{number}"))).unwrap());
        assert!(began.elapsed() < Duration::from_secs(20) && !keys(&store).contains(&"a".to_owned()));
    }
}
