//! Request bodies: decompressed, and never more than allowed.

use crate::soap::Fault;
use actix_web::HttpRequest;
use actix_web::dev::Decompress;
use actix_web::web::{Bytes, BytesMut, Payload};
use futures_util::{Stream, StreamExt};

/// A body as it arrives, decompressed.
pub fn pieces(request: &HttpRequest, payload: Payload) -> impl Stream<Item = Result<Bytes, Fault>> + Unpin + use<> {
    let broken = |e| Fault::sender("http.body", 400, format!("The body cannot be read: {e}"));
    Decompress::from_headers(payload, request.headers()).map(move |piece| piece.map_err(broken))
}

/// Reads a body of at most `limit` bytes after decompression.
///
/// # Errors
/// The fault to answer with: too large, or cut off.
pub async fn collect(request: &HttpRequest, payload: Payload, limit: usize) -> Result<Bytes, Fault> {
    let mut stream = pieces(request, payload);
    let mut body = BytesMut::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk?;
        if body.len() + chunk.len() > limit {
            let message = format!("The body is larger than {limit} bytes");
            return Err(Fault::sender("http.too_large", 413, message));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}
