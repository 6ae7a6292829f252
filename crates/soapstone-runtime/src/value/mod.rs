//! The value types of XML Schema, each at its full value space where a data binding can meet it.

mod binary;
mod decimal;
mod fragment;
mod nillable;
mod simple;
mod temporal;

pub use binary::{Base64Binary, HexBinary};
pub use decimal::{Decimal, Integer};
pub use fragment::XmlFragment;
pub use nillable::Nillable;
pub(crate) use simple::treated;
pub use simple::{JsonKind, Simple};
pub use temporal::{Date, DateTime, Duration, GDay, GMonth, GMonthDay, GYear, GYearMonth, Time};
