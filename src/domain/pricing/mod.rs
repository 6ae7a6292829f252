//! Price finding: which price holds for whom, for how many, when, and why.

mod candidate;
mod discount;
mod find;
#[cfg(test)]
mod properties;
pub mod records;
#[cfg(test)]
mod worked;

pub use candidate::{Candidate, Verdict};
pub use discount::{Discount, DiscountVerdict, Of, WeighedDiscount};
pub use find::{Found, PriceError, find};

use bigdecimal::BigDecimal;
use chrono::NaiveDateTime;

/// Decimals of a unit price.
pub const UNIT_DECIMALS: i64 = 4;

/// Decimals of a line's amount.
pub const LINE_DECIMALS: i64 = 2;

/// From when to when something counts: from inclusive, until exclusive; either may be open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Period {
    pub from: Option<NaiveDateTime>,
    pub until: Option<NaiveDateTime>,
}

impl Period {
    pub fn holds(self, at: NaiveDateTime) -> bool {
        self.from.is_none_or(|from| from <= at) && self.until.is_none_or(|until| at < until)
    }
}

/// For whom a price is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    Customer(String),
    /// A price group.
    Group(String),
    Campaign(String),
    Everybody,
}

/// What kind of price it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The list price of the article.
    List,
    /// A tier price of the article.
    Tier,
    /// The special price of the article.
    Special,
    /// A price entry.
    Entry,
}

/// A price of an article.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub kind: Kind,
    pub subject: Subject,
    /// From how many on.
    pub minimum: BigDecimal,
    /// For one unit.
    pub amount: BigDecimal,
    pub currency: String,
    /// Whether tax is in it.
    pub gross: bool,
    /// None: whatever the unit. Of a price of the article itself, the article's own unit, if it has one.
    pub unit: Option<String>,
    /// None: whatever the variant.
    pub variant: Option<String>,
    pub period: Period,
    pub allow_line_discount: bool,
}

impl Entry {
    /// A price for everybody, from the first piece on.
    pub fn new(kind: Kind, amount: BigDecimal, currency: &str) -> Self {
        Self {
            kind,
            subject: Subject::Everybody,
            minimum: BigDecimal::default(),
            amount,
            currency: currency.to_owned(),
            gross: true,
            unit: None,
            variant: None,
            period: Period::default(),
            // Who gets a special price gets no discount on top of it.
            allow_line_discount: kind != Kind::Special,
        }
    }
}

/// Who buys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Buyer {
    /// None: nobody who is known.
    pub customer: Option<String>,
    pub price_group: Option<String>,
    pub discount_group: Option<String>,
    pub campaigns: Vec<String>,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub article: String,
    pub variant: Option<String>,
    pub discount_group: Option<String>,
    pub quantity: BigDecimal,
    pub unit: Option<String>,
    pub currency: String,
    pub at: NaiveDateTime,
}

/// How one of several prices is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// The customer's own before that of his group, before a campaign's, before everybody's.
    #[default]
    Sequence,
    /// The lowest.
    Best,
}

/// What one unit of a currency is in another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rate {
    pub from: String,
    pub to: String,
    pub factor: BigDecimal,
}
