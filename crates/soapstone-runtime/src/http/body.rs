//! Request bodies: at a minimum rate, decompressed within bounds, and never more in memory than all requests may have together.

use super::inflate::{Inflater, MAX_COMPRESSION_RATIO, is_compressed};
use crate::soap::Fault;
use actix_web::error::PayloadError;
use actix_web::rt::task::yield_now;
use actix_web::rt::time::timeout;
use actix_web::web::{Bytes, BytesMut, Data, Payload};
use actix_web::{HttpMessage, HttpRequest};
use futures_util::{Stream, StreamExt, stream};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long a sender may say nothing.
const IDLE: Duration = Duration::from_secs(60);

/// Time at the beginning in which a sender may be slower than [`SLOWEST`].
const GRACE: Duration = Duration::from_secs(10);

/// Bytes a second.
const SLOWEST: u64 = 1024;

/// Longest wait of a request for memory that others hold.
const MEMORY_TIMEOUT: Duration = Duration::from_secs(30);

/// Bytes that one permit stands for.
const PERMIT_BYTES: u64 = 1 << 10;

/// Bodies up to that size need no reservation: connections are limited too.
const FREE_BYTES: u64 = 256 << 10;

/// The default of [`BodyLimits::new`].
const DEFAULT_MEMORY: u64 = 512 << 20;

/// Least bytes that a parsed element, member or item takes in memory.
const BYTES_PER_ITEM: u64 = 64;

/// Bounds that all request bodies of a server share; an `app_data` of it.
#[derive(Clone, Debug)]
pub struct BodyLimits {
    /// Largest ratio of a body to its compressed form.
    pub max_ratio: u64,
    /// Permits of [`PERMIT_BYTES`].
    memory: Arc<Semaphore>,
    permits: u32,
}

impl Default for BodyLimits {
    fn default() -> Self {
        Self::new(MAX_COMPRESSION_RATIO, DEFAULT_MEMORY)
    }
}

impl BodyLimits {
    /// With so many bytes for all bodies that are gathered in memory.
    pub fn new(max_ratio: u64, memory: u64) -> Self {
        let permits = u32::try_from(memory / PERMIT_BYTES).unwrap_or(u32::MAX).clamp(1, u32::MAX >> 4);
        Self { max_ratio, memory: Arc::new(Semaphore::new(permits as usize)), permits }
    }

    /// Those of a request's server.
    fn of(request: &HttpRequest) -> Option<&Self> {
        request.app_data::<Data<Self>>().map(|limits| limits.get_ref())
    }
}

/// Memory that a request holds until it is answered.
struct Reserved(OwnedSemaphorePermit);

/// Reserves memory for a request, so that it has that much in all; it is given back when the request is answered. A request that
/// wants more than there is waits for all of it.
///
/// # Errors
/// Returns `server.busy` (503) if others do not give any back in time.
pub async fn reserve(request: &HttpRequest, bytes: u64) -> Result<(), Fault> {
    let Some(limits) = BodyLimits::of(request).filter(|_| bytes > FREE_BYTES) else { return Ok(()) };
    let wanted = u32::try_from(bytes.div_ceil(PERMIT_BYTES)).unwrap_or(u32::MAX).min(limits.permits);
    let held = request.extensions().get::<Reserved>().map_or(0, |reserved| reserved.0.num_permits());
    let missing = wanted.saturating_sub(u32::try_from(held).unwrap_or(u32::MAX));
    if missing == 0 {
        return Ok(());
    }
    let more = timeout(MEMORY_TIMEOUT, limits.memory.clone().acquire_many_owned(missing)).await;
    let Ok(Ok(more)) = more else {
        let message = "Other requests have all memory that there is for large bodies; try again later";
        return Err(Fault::receiver("server.busy", 503, message));
    };
    let mut extensions = request.extensions_mut();
    match extensions.get_mut::<Reserved>() {
        Some(reserved) => reserved.0.merge(more),
        None => drop(extensions.insert(Reserved(more))),
    }
    Ok(())
}

/// Reserves what a body takes once it is parsed: each element, member and item has a place of its own.
///
/// # Errors
/// As [`reserve`].
pub async fn reserve_parsed(request: &HttpRequest, body: &[u8]) -> Result<(), Fault> {
    let length = body.len() as u64;
    if length <= FREE_BYTES {
        return Ok(());
    }
    let items = body.iter().filter(|byte| matches!(byte, b'<' | b'=' | b',' | b'{' | b'[')).count() as u64;
    reserve(request, length + items * BYTES_PER_ITEM).await
}

/// The pieces of a body.
pub type Pieces = Pin<Box<dyn Stream<Item = Result<Bytes, Fault>>>>;

fn broken(error: PayloadError) -> Fault {
    match error {
        PayloadError::Io(error) if error.kind() == io::ErrorKind::TimedOut => {
            let message = format!("The body comes too slowly: at least {SLOWEST} bytes a second are wanted");
            Fault::sender("http.slow", 408, message)
        }
        error => Fault::sender("http.body", 400, format!("The body cannot be read: {error}")),
    }
}

/// A body as it arrives, decompressed. A sender that is too slow is rejected: connections are not held for nothing.
pub fn pieces(request: &HttpRequest, payload: Payload) -> Pieces {
    let max_ratio = BodyLimits::of(request).map_or(MAX_COMPRESSION_RATIO, |limits| limits.max_ratio);
    match Inflater::of(request.headers(), max_ratio) {
        Ok(None) => Box::pin(paced(payload).map(|piece| piece.map_err(broken))),
        Ok(Some(inflater)) => Box::pin(inflated(inflater, Box::pin(paced(payload)))),
        Err(fault) => Box::pin(stream::iter([Err(fault)])),
    }
}

/// A body as it arrives, for protocols that count the bytes that are sent: a compressed one is rejected.
pub fn plain_pieces(request: &HttpRequest, payload: Payload) -> Pieces {
    match is_compressed(request.headers()) {
        Ok(false) => Box::pin(paced(payload).map(|piece| piece.map_err(broken))),
        Ok(true) => {
            let message = "A body with a Content-Encoding is not accepted here; send it without";
            Box::pin(stream::iter([Err(Fault::sender("http.media_type", 415, message))]))
        }
        Err(fault) => Box::pin(stream::iter([Err(fault)])),
    }
}

/// Format of a compressed stream.
fn inflated(
    inflater: Inflater,
    source: impl Stream<Item = Result<Bytes, PayloadError>> + Unpin,
) -> impl Stream<Item = Result<Bytes, Fault>> {
    let begun = (inflater, source, Bytes::new());
    stream::unfold(Some(begun), |state| async move {
        let (mut inflater, mut source, mut compressed) = state?;
        loop {
            if compressed.is_empty() {
                match source.next().await {
                    Some(Ok(piece)) => compressed = piece,
                    Some(Err(error)) => return Some((Err(broken(error)), None)),
                    None => {
                        return match inflater.finish() {
                            Ok(rest) if rest.is_empty() => None,
                            Ok(rest) => Some((Ok(rest.into()), None)),
                            Err(fault) => Some((Err(fault), None)),
                        };
                    }
                }
                continue;
            }
            let (read, out) = match inflater.step(&compressed) {
                Ok(step) => step,
                Err(fault) => return Some((Err(fault), None)),
            };
            compressed = compressed.slice(read..);
            if !out.is_empty() {
                // Others are to be answered meanwhile.
                yield_now().await;
                return Some((Ok(out.into()), Some((inflater, source, compressed))));
            }
        }
    })
    .fuse()
}

/// The time that a sender may still take: what is received adds to it, and waiting for more takes from it. It does not grow without
/// bound, so that a quick beginning is no licence for a slow end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Credit(Duration);

impl Credit {
    fn received(self, bytes: usize) -> Self {
        let earned = Duration::from_micros(bytes as u64 * 1_000_000 / SLOWEST);
        Self((self.0 + earned).min(IDLE))
    }

    fn waited(self, time: Duration) -> Self {
        Self(self.0.saturating_sub(time))
    }
}

/// A stream that ends where its sender takes longer than allowed.
fn paced(payload: Payload) -> impl Stream<Item = Result<Bytes, PayloadError>> {
    // Only the time counts that we wait for the sender, and not the sender for us.
    stream::unfold(Some((payload, Credit(GRACE))), |state| async move {
        let (mut payload, credit) = state?;
        let began = Instant::now();
        match timeout(credit.0, payload.next()).await {
            Ok(None) => None,
            Ok(Some(Ok(piece))) => {
                let credit = credit.waited(began.elapsed()).received(piece.len());
                Some((Ok(piece), Some((payload, credit))))
            }
            Ok(Some(Err(error))) => Some((Err(error), None)),
            Err(_) => Some((Err(PayloadError::Io(io::ErrorKind::TimedOut.into())), None)),
        }
    })
    // Asked once more after its end, it has nothing more.
    .fuse()
}

/// Reads a body of at most `limit` bytes after decompression.
///
/// # Errors
/// The fault to answer with: too large, or cut off.
pub async fn collect(request: &HttpRequest, payload: Payload, limit: usize) -> Result<Bytes, Fault> {
    gather(request, Vec::new(), pieces(request, payload), limit).await
}

/// Puts what is there already and what is still to come together.
///
/// # Errors
/// As [`collect`].
pub async fn gather(
    request: &HttpRequest,
    begun: Vec<Bytes>,
    mut stream: impl Stream<Item = Result<Bytes, Fault>> + Unpin,
    limit: usize,
) -> Result<Bytes, Fault> {
    let mut body = BytesMut::new();
    let mut begun = stream::iter(begun.into_iter().map(Ok)).chain(&mut stream);
    while let Some(chunk) = begun.next().await {
        let chunk = chunk?;
        let length = body.len() + chunk.len();
        if length > limit {
            let message = format!("The body is larger than {limit} bytes");
            return Err(Fault::sender("http.too_large", 413, message));
        }
        if length > body.capacity() {
            let capacity = length.next_power_of_two().min(limit);
            reserve(request, capacity as u64).await?;
            body.reserve(capacity - body.len());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn a_quick_beginning_is_no_licence_for_a_slow_end() {
        let mut credit = Credit(GRACE).received(1 << 30);
        assert_eq!(credit.0, IDLE);
        // A byte every ten seconds.
        let rounds = (0..).take_while(|_| {
            credit = credit.waited(Duration::from_secs(10)).received(1);
            !credit.0.is_zero() && credit.0 > Duration::from_millis(2)
        });
        assert!(rounds.count() < 7);
        let mut steady = Credit(GRACE);
        for _ in 0..1000 {
            steady = steady.waited(Duration::from_millis(900)).received(1024);
        }
        assert!(!steady.0.is_zero());
    }

    #[actix_web::test]
    async fn bodies_share_what_memory_there_is() {
        let limits = Data::new(BodyLimits::new(1, 4 << 20));
        let request = || TestRequest::default().app_data(limits.clone()).to_http_request();
        let (first, second) = (request(), request());
        reserve(&first, 1 << 20).await.unwrap();
        reserve(&first, 3 << 20).await.unwrap();
        assert_eq!(limits.memory.available_permits(), 1 << 10);
        // Small ones are not held up.
        reserve(&second, FREE_BYTES).await.unwrap();
        assert!(timeout(Duration::from_millis(50), reserve(&second, 2 << 20)).await.is_err());
        drop(first);
        // More than there is: as much as there is.
        reserve(&second, 1 << 40).await.unwrap();
        assert_eq!(limits.memory.available_permits(), 0);
        drop(second);
        assert_eq!(limits.memory.available_permits(), 4 << 10);
    }

    #[actix_web::test]
    async fn many_small_items_need_more_than_their_text() {
        let limits = Data::new(BodyLimits::new(1, 64 << 20));
        let request = TestRequest::default().app_data(limits.clone()).to_http_request();
        reserve_parsed(&request, &b"1,".repeat(500_000)).await.unwrap();
        assert!(limits.memory.available_permits() < 34 << 10, "{}", limits.memory.available_permits());
    }
}
