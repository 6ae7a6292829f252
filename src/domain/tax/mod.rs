//! Value added tax: which rate holds, and what a document has of it.

mod cash;
mod document;
#[cfg(test)]
mod properties;
mod rates;
mod split;
#[cfg(test)]
mod worked;

pub use cash::rounded;
pub use document::{Charge, Good, Group, Share, Totals, totals};
pub use rates::Rates;

use bigdecimal::BigDecimal;
use std::fmt::{self, Display, Formatter};

/// Decimals of an amount of tax.
pub const DECIMALS: i64 = 2;

/// Why something is not taxed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exemption {
    /// The buyer owes the tax.
    ReverseCharge,
    /// It leaves the country.
    Export,
}

impl Exemption {
    /// As documents have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReverseCharge => "reverseCharge",
            Self::Export => "export",
        }
    }

    /// The exemption of that name.
    pub fn read(name: &str) -> Option<Self> {
        [Self::ReverseCharge, Self::Export].into_iter().find(|exemption| exemption.as_str() == name)
    }
}

/// A rate of tax.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TaxRate {
    /// Of a hundred.
    pub percent: BigDecimal,
    /// Why it is 0, where it would not be otherwise: each reason is a rate of its own (EN 16931, BG-23).
    pub exemption: Option<Exemption>,
}

impl TaxRate {
    pub fn of(percent: BigDecimal) -> Self {
        Self { percent, exemption: None }
    }

    pub fn exempt(why: Exemption) -> Self {
        Self { percent: BigDecimal::default(), exemption: Some(why) }
    }
}

/// Why tax cannot be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaxError {
    /// No rates of that country are known.
    UnknownCountry { country: String, known: Vec<String> },
    /// The country has no such class, or had none then.
    UnknownClass { country: String, class: String, known: Vec<String> },
    /// A charge without a rate of its own, and no goods to take one from.
    NothingToSplitOver,
    /// The table of rates is wrong.
    Rates(String),
}

impl TaxError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownCountry { .. } => "tax.unknown_country",
            Self::UnknownClass { .. } => "tax.unknown_class",
            Self::NothingToSplitOver => "tax.no_rate",
            Self::Rates(_) => "tax.rates",
        }
    }
}

impl Display for TaxError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownCountry { country, known } => {
                write!(f, "No rates of \"{country}\" are known, only of {}", known.join(", "))
            }
            Self::UnknownClass { country, class, known } => {
                write!(f, "{country} has no class \"{class}\" then, only {}", known.join(", "))
            }
            Self::NothingToSplitOver => f.write_str(
                "A charge has no rate of its own, and there are no goods whose rates it could have; give it a rate",
            ),
            Self::Rates(why) => write!(f, "The rates of tax cannot be read: {why}"),
        }
    }
}

impl std::error::Error for TaxError {}
