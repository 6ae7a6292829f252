//! What generated code and servers call: XML and JSON readers and writers, XSD value types, validation by
//! libxml2, the SOAP envelope, faults, dispatch, and the actix-web endpoints for SOAP and REST.

pub mod attachment;
#[cfg(feature = "client")]
pub mod client;
pub mod http;
pub mod idempotency;
pub mod json;
mod message;
pub mod observe;
pub mod outbound;
mod problem;
pub mod records;
mod schema;
pub mod service;
pub mod soap;
pub mod validate;
pub mod value;
pub mod xml;

pub use message::{Format, Message, Payload, Reply};
pub use problem::{Read, ReadError, ReadErrorKind};
pub use schema::not_enumerated;
pub use schema::{
    Beginning, Facets, Field, Group, Namespace, Occurs, Particles, Pattern, Sink, Source, Start, TEXT_MEMBER, TypeName,
    Typed, Value, WhiteSpace, Wildcard,
};
pub use value::{
    AnyAttribute, AnyValue, Base64Binary, Date, DateTime, Decimal, Declare, Duration, GDay, GMonth, GMonthDay, GYear,
    GYearMonth, HexBinary, Integer, JsonKind, Nillable, NoPrefixes, Prefixes, QName, Simple, Time, Wrong, XmlFragment,
    checked,
};
