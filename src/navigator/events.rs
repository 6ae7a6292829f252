//! Server-sent events: pages that show what moves are told when it did, and fetch themselves anew.

use crate::store::{Store, StoreError, runs};
use actix_web::rt::signal::unix::{SignalKind, signal};
use actix_web::rt::time::sleep;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use futures_util::stream;
use soapstone_runtime::http::IsHead;
use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often it is looked, however many look.
const BEAT: Duration = Duration::from_millis(500);

/// After so long without an event a comment tells that somebody is still there.
const SILENCE: Duration = Duration::from_secs(15);

/// The browser begins anew after that; what it was told by is found out again.
const LONGEST: Duration = Duration::from_secs(300);

/// What was seen last, by whoever looked.
#[derive(Default)]
pub(crate) struct Pulse(Mutex<Option<(Instant, u64)>>);

impl Pulse {
    fn seen(&self) -> Option<(Instant, u64)> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn feel(&self, store: &Store) -> Result<u64, StoreError> {
        if let Some((at, seen)) = self.seen()
            && at.elapsed() < BEAT
        {
            return Ok(seen);
        }
        let felt = store.read(runs::pulse).await?;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), felt));
        Ok(felt)
    }
}

/// Where a stream is.
struct Listening {
    store: Data<Store>,
    pulse: Data<Pulse>,
    began: Instant,
    said: Instant,
    last: Option<u64>,
}

impl Listening {
    /// The next that is said; None: it is over.
    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        // A server that is to end does not wait for those who listen.
        let mut ends = signal(SignalKind::terminate()).ok()?;
        loop {
            if self.began.elapsed() > LONGEST {
                return None;
            }
            let felt = self.pulse.feel(&self.store).await.ok()?;
            if self.last != Some(felt) {
                // The first tells only how it is.
                let event = if self.last.is_none() { "event: here" } else { "event: moved" };
                (self.last, self.said) = (Some(felt), Instant::now());
                return Some((Ok(Bytes::from(format!("{event}\ndata: {felt}\n\n"))), self));
            }
            if self.said.elapsed() > SILENCE {
                self.said = Instant::now();
                return Some((Ok(Bytes::from_static(b": still here\n\n")), self));
            }
            let beat = std::pin::pin!(sleep(BEAT));
            let end = std::pin::pin!(ends.recv());
            if let futures_util::future::Either::Right(_) = futures_util::future::select(beat, end).await {
                return None;
            }
        }
    }
}

pub(super) async fn listen(request: HttpRequest, store: Data<Store>, pulse: Data<Pulse>) -> HttpResponse {
    let now = Instant::now();
    let listening = Listening { store, pulse, began: now, said: now, last: None };
    let mut response = HttpResponse::Ok();
    response
        .content_type("text/event-stream")
        .insert_header(("cache-control", "no-store"))
        .insert_header(("x-accel-buffering", "no"));
    // The connection would be held until the events end, although none is sent.
    if request.extensions().contains::<IsHead>() {
        return response.finish();
    }
    response.streaming(stream::unfold(listening, Listening::next))
}
