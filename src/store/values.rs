//! Values that are kept as text: decimals, for they are exact so, and what is one of few.

use bigdecimal::BigDecimal;
use soapstone_runtime::Simple;

/// A decimal that was written as one.
pub(super) fn decimal(text: &str) -> BigDecimal {
    text.parse().unwrap_or_default()
}

/// The value of an enumeration of a contract; none: an enumeration of another version had it.
pub(super) fn one_of<T: Simple>(text: &str) -> Option<T> {
    T::parse(text).ok()
}
