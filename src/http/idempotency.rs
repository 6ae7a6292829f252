//! Requests with an `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header) or a `wsa:MessageID`: executed once, in one
//! transaction with the answer that repeated requests get, and to the end even if the caller hangs up. See `docs/idempotency.md`.

use crate::error::ServiceError;
use crate::store::idempotency::{self, Known};
use crate::store::{RequestTransaction, Store, StoreError};
use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::rt::time::timeout;
use chrono::Utc;
use futures_util::future::BoxFuture;
use soapstone_runtime::http::{has_key, problem_response, request_id};
use soapstone_runtime::idempotency::{Answer, Idempotency, KeyedRequest, Performed, Rejection};
use soapstone_runtime::service::OperationInfo;
use soapstone_runtime::soap::Fault;
use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt::Display;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, oneshot};

/// How long a request waits for others to be done before it is rejected as `server.busy`.
const MAX_WAIT: Duration = Duration::from_secs(15);

/// How long the server waits for requests in progress when it stops.
const MAX_DRAIN: Duration = Duration::from_secs(20);

/// How often expired answers are deleted, and how many at once.
const PRUNE_INTERVAL: Duration = Duration::from_secs(60);
const PRUNE_BATCH: i64 = 1000;

/// Operations that only read, though they are called by POST: their requests are too large for a query.
const READ_BY_POST: &[&str] = &["CheckAvailability", "FindPrice", "SimulateBasket"];

/// Executes requests with a key in transactions of their own.
#[derive(Clone)]
pub(super) struct Executor {
    store: Store,
    /// The runtime of the server: its threads outlive those of the connections.
    runtime: Handle,
    /// Requests that may be in progress at once: each may hold a connection of the pool, and others need some too.
    slots: Arc<Semaphore>,
    slot_count: u32,
    /// The names of the requests in progress in this process.
    in_progress: Arc<Mutex<HashSet<String>>>,
    pruned_at: Arc<Mutex<Instant>>,
}

/// The name of a request in progress, until it is dropped.
struct InProgress {
    names: Arc<Mutex<HashSet<String>>>,
    name: String,
}

impl InProgress {
    /// None: a request of that name is in progress.
    fn enter(names: &Arc<Mutex<HashSet<String>>>, name: String) -> Option<Self> {
        let is_new = names.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone());
        is_new.then(|| Self { names: names.clone(), name })
    }
}

impl Drop for InProgress {
    fn drop(&mut self) {
        self.names.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.name);
    }
}

impl Executor {
    /// For a store with a pool of that many connections; called in the runtime of the server.
    pub fn new(store: Store, pool_size: u32) -> Self {
        let slot_count = (pool_size / 2).max(1);
        Self {
            store,
            runtime: Handle::current(),
            slots: Arc::new(Semaphore::new(usize::try_from(slot_count).unwrap_or(1))),
            slot_count,
            in_progress: Arc::default(),
            pruned_at: Arc::new(Mutex::new(Instant::now())),
        }
    }

    /// Waits for the requests in progress, whose callers may be gone. Those that take too long are rolled back with the process.
    pub async fn drain(&self) {
        if timeout(MAX_DRAIN, self.slots.acquire_many(self.slot_count)).await.is_err() {
            let count = self.in_progress.lock().unwrap_or_else(PoisonError::into_inner).len();
            log::warn!("Stopped with {count} requests with a key in progress; they are rolled back");
        }
    }

    /// Executes a request on this thread, or finds its answer.
    fn execute(
        &self,
        name: &str,
        request: &KeyedRequest,
        work: BoxFuture<'static, Answer>,
    ) -> Result<Performed, Rejection> {
        let now = Utc::now().naive_utc();
        let fingerprint = request.fingerprint.clone();
        // To answer again needs no transaction.
        let known = self.store.connection().and_then(|mut db| idempotency::find(&mut db, name, &fingerprint, now));
        if let Some(performed) = answered(known.map_err(failed)?) {
            return performed;
        }
        let claimed = Rc::new(RefCell::new(Known::Unused));
        let claim = {
            let (claimed, name) = (claimed.clone(), name.to_owned());
            move |db: &mut crate::store::Db| {
                let known = idempotency::claim(db, &name, &fingerprint, now)?;
                let is_unused = known == Known::Unused;
                *claimed.borrow_mut() = known;
                Ok(is_unused)
            }
        };
        let transaction = RequestTransaction::new(&self.store, claim).map_err(failed)?;
        let answer = self.runtime.block_on(work);
        // Another process was faster: what the handler came to is of no account, and nothing of it remains.
        if let Some(performed) = answered(claimed.replace(Known::Unused)) {
            return performed;
        }
        if answer.is_final() {
            let bytes = answer.to_bytes().map_err(internal)?;
            let at = Utc::now().naive_utc();
            let kept = transaction.write(|db| idempotency::keep(db, name, &request.fingerprint, &bytes, at));
            if let Some(performed) = answered(claimed.replace(Known::Unused)) {
                return performed;
            }
            kept.and_then(|()| transaction.commit()).map_err(failed)?;
        }
        Ok(Performed { answer, is_replayed: false })
    }

    /// Deletes expired answers from time to time.
    fn prune(&self) {
        let mut pruned_at = self.pruned_at.lock().unwrap_or_else(PoisonError::into_inner);
        if pruned_at.elapsed() < PRUNE_INTERVAL {
            return;
        }
        *pruned_at = Instant::now();
        drop(pruned_at);
        let now = Utc::now().naive_utc();
        let pruned = || -> Result<(), StoreError> {
            let mut db = self.store.connection()?;
            while db.write(|db| idempotency::prune(db, now, PRUNE_BATCH))? > 0 {}
            Ok(())
        };
        if let Err(error) = pruned() {
            log::error!("Failed to delete expired answers: {error}");
        }
    }
}

/// What a request is answered with if its key is known; None: it is to be executed.
fn answered(known: Known) -> Option<Result<Performed, Rejection>> {
    Some(match known {
        Known::Unused => return None,
        Known::InProgress => Err(Rejection::InProgress),
        Known::Reused => Err(Rejection::Reused),
        Known::Answered(bytes) => match Answer::from_bytes(&bytes) {
            Ok(answer) => Ok(Performed { answer, is_replayed: true }),
            Err(error) => Err(internal(format!("a stored answer cannot be read: {error}"))),
        },
    })
}

fn failed(error: StoreError) -> Rejection {
    Rejection::Failed(Box::new(Fault::from(ServiceError::from(error))))
}

fn internal(error: impl Display) -> Rejection {
    Rejection::Failed(Box::new(Fault::from(ServiceError::internal(error))))
}

fn busy() -> Rejection {
    let message = "Too many requests with a key are in progress; try again later";
    Rejection::Failed(Box::new(Fault::receiver("server.busy", 503, message)))
}

/// Whether an operation changes nothing.
fn only_reads(operation: &OperationInfo) -> bool {
    operation.routes.iter().any(|route| route.verb == "GET") || READ_BY_POST.contains(&operation.name)
}

impl Idempotency for Executor {
    fn covers(&self, _service: &str, operation: &OperationInfo) -> bool {
        !only_reads(operation)
    }

    fn perform(
        &self,
        request: KeyedRequest,
        work: BoxFuture<'static, Answer>,
    ) -> BoxFuture<'static, Result<Performed, Rejection>> {
        let own = self.clone();
        Box::pin(async move {
            let name = request.name();
            let in_progress = InProgress::enter(&own.in_progress, name).ok_or(Rejection::InProgress)?;
            let slot = timeout(MAX_WAIT, own.slots.clone().acquire_owned()).await;
            let slot = slot.map_err(|_| busy())?.map_err(|_| busy())?;
            let (sender, receiver) = oneshot::channel();
            let runtime = own.runtime.clone();
            // From here on it is done to the end, whether the caller waits or not.
            drop(runtime.spawn_blocking(move || {
                let performed = own.execute(&in_progress.name, &request, work);
                drop(in_progress);
                if sender.send(performed).is_err() {
                    log::info!(
                        request_id = request.request_id.as_str(), service = request.service, operation = request.operation;
                        "Completed a request whose caller hung up; it gets the answer when it sends the request again"
                    );
                }
                own.prune();
                drop(slot);
            }));
            receiver.await.unwrap_or_else(|_| Err(internal("a handler panicked")))
        })
    }
}

/// Rejects an `Idempotency-Key` where it would have no effect: files have an identity of their own, by their content or upload.
///
/// # Errors
/// Those of what comes after.
pub(super) async fn reject_key<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B, BoxBody>>, actix_web::Error> {
    if !has_key(request.headers()) || request.method().is_safe() {
        return Ok(next.call(request).await?.map_into_left_body());
    }
    let message = "An Idempotency-Key has no effect here; leave it out. Files are recognised by their content";
    let fault = Fault::sender("http.idempotency_unsupported", 400, message);
    Ok(request.into_response(problem_response(&fault, &request_id())).map_into_right_body())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::SERVICES;

    /// What the names of operations begin with that change something.
    const CHANGES: &[&str] = &[
        "Allocate", "Approve", "Assign", "Book", "Cancel", "Close", "Confirm", "Create", "Delete", "Export", "Link",
        "Merge", "Notify", "Pause", "Record", "Release", "Resend", "Resume", "Retry", "Start", "Test", "Undo",
        "Update", "Upsert",
    ];

    #[test]
    fn operations_that_change_something_are_executed_once() {
        for info in SERVICES {
            for operation in info.operations {
                let changes = CHANGES.iter().any(|verb| operation.name.starts_with(verb));
                assert_eq!(!only_reads(operation), changes, "{}.{}", info.name, operation.name);
            }
        }
    }
}
