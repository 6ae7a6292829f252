//! The value types of XML Schema, each at its full value space where a data binding can meet it.

mod any;
mod binary;
mod decimal;
mod list;
mod nillable;
mod qname;
mod simple;
mod temporal;

pub use any::{AnyAttribute, AnyValue, XmlFragment};
pub use binary::{Base64Binary, HexBinary};
pub use decimal::{Decimal, Integer};
pub use nillable::Nillable;
pub use qname::QName;
pub use simple::{Declare, JsonKind, NoPrefixes, Prefixes, Simple, Wrong, checked, collapsed};
pub(crate) use simple::{is_fixed, treated};
pub use temporal::{Date, DateTime, Duration, GDay, GMonth, GMonthDay, GYear, GYearMonth, Time};
