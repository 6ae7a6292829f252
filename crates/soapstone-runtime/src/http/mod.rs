//! The actix-web side: a SOAP endpoint, a REST facade, and the contract for those who ask for it.

mod address;
mod body;
mod conditional;
mod contract;
mod form;
mod head;
mod inflate;
mod keyed;
mod only;
mod page;
mod rest;
mod rest_beside;
mod soap;
mod soapui;
mod upgrade;

pub use address::{BaseAddress, TrustedProxies, client_address, is_secure};
pub use body::{
    BodyLimits, Pieces, collect as collect_body, pieces as body_pieces, plain_pieces, reserve as reserve_memory,
};
pub use contract::{Addresses, PublishedContract};
pub use form::{Form, FormField, FormLimits};
pub use head::{IsHead, head_as_get};
pub use inflate::{FREE_EXPANSION_BYTES, MAX_COMPRESSION_RATIO};
pub use keyed::{IDEMPOTENCY_KEY, has_key};
pub use page::{api_page, openapi};
pub use rest::{Rest, RestResource, problem_response};
pub use rest_beside::{ATTACHMENTS, header_name};
pub use soap::{CHALLENGE, Endpoint, EndpointOptions, Output, ReplyHosts, Sibling, Streaming};
pub use soapui::{Step, Suite, soapui};
pub use upgrade::without_upgrade;

/// A name for a request, in the log and in faults: 16 hexadecimal digits.
pub fn request_id() -> String {
    use std::hash::{BuildHasher, RandomState};
    use std::sync::atomic::{AtomicU64, Ordering};
    static COUNT: AtomicU64 = AtomicU64::new(0);
    static SEED: std::sync::LazyLock<RandomState> = std::sync::LazyLock::new(RandomState::new);
    format!("{:016x}", SEED.hash_one(COUNT.fetch_add(1, Ordering::Relaxed)))
}
