//! Request bodies: decompressed, and never more than allowed.

use crate::soap::Fault;
use actix_web::HttpRequest;
use actix_web::dev::Decompress;
use actix_web::error::PayloadError;
use actix_web::rt::time::timeout;
use actix_web::web::{Bytes, BytesMut, Payload};
use futures_util::{Stream, StreamExt, stream};
use std::io;
use std::time::{Duration, Instant};

/// How long a sender may say nothing.
const IDLE: Duration = Duration::from_secs(60);

/// How long a sender may be slower than [`SLOWEST`].
const GRACE: Duration = Duration::from_secs(10);

/// Bytes a second.
const SLOWEST: u64 = 1024;

/// A body as it arrives, decompressed. A sender who is too slow is refused: nobody may hold connections for nothing.
pub fn pieces(request: &HttpRequest, payload: Payload) -> impl Stream<Item = Result<Bytes, Fault>> + Unpin + use<> {
    let broken = |error| match error {
        PayloadError::Io(error) if error.kind() == io::ErrorKind::TimedOut => {
            let message = format!("The body comes too slowly: at least {SLOWEST} bytes a second are wanted");
            Fault::sender("http.slow", 408, message)
        }
        error => Fault::sender("http.body", 400, format!("The body cannot be read: {error}")),
    };
    let paced = Box::pin(paced(payload));
    Box::pin(Decompress::from_headers(paced, request.headers()).map(move |piece| piece.map_err(broken)))
}

/// A stream that ends where its sender takes longer than he may.
fn paced(payload: Payload) -> impl Stream<Item = Result<Bytes, PayloadError>> {
    // Only the time counts that we wait for him, and not he for us.
    let begun = (payload, Duration::ZERO, 0_u64);
    stream::unfold(Some(begun), |state| async move {
        let (mut payload, waited, received) = state?;
        let allowed = (GRACE + Duration::from_secs(received / SLOWEST)).saturating_sub(waited);
        let began = Instant::now();
        match timeout(allowed.min(IDLE), payload.next()).await {
            Ok(None) => None,
            Ok(Some(Ok(piece))) => {
                let received = received + piece.len() as u64;
                Some((Ok(piece), Some((payload, waited + began.elapsed(), received))))
            }
            Ok(Some(Err(error))) => Some((Err(error), None)),
            Err(_) => Some((Err(PayloadError::Io(io::ErrorKind::TimedOut.into())), None)),
        }
    })
}

/// Reads a body of at most `limit` bytes after decompression.
///
/// # Errors
/// The fault to answer with: too large, or cut off.
pub async fn collect(request: &HttpRequest, payload: Payload, limit: usize) -> Result<Bytes, Fault> {
    gather(Vec::new(), pieces(request, payload), limit).await
}

/// Puts what is there already and what is still to come together.
///
/// # Errors
/// As [`collect`].
pub async fn gather(
    begun: Vec<Bytes>,
    mut stream: impl Stream<Item = Result<Bytes, Fault>> + Unpin,
    limit: usize,
) -> Result<Bytes, Fault> {
    let mut body = BytesMut::new();
    let mut begun = stream::iter(begun.into_iter().map(Ok)).chain(&mut stream);
    while let Some(chunk) = begun.next().await {
        let chunk = chunk?;
        if body.len() + chunk.len() > limit {
            let message = format!("The body is larger than {limit} bytes");
            return Err(Fault::sender("http.too_large", 413, message));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}
