//! Discounts on a line: the highest one counts.

use super::{Asked, Buyer, Period};
use bigdecimal::BigDecimal;

/// For whom, or for what, a discount is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Of {
    /// A customer, or an article.
    One(String),
    /// A discount group of customers, or of articles.
    Group(String),
    All,
}

impl Of {
    fn holds(&self, one: Option<&String>, group: Option<&String>) -> bool {
        match self {
            Self::One(own) => one == Some(own),
            Self::Group(own) => group == Some(own),
            Self::All => true,
        }
    }
}

/// A discount on a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discount {
    pub customer: Of,
    pub article: Of,
    /// From how many on.
    pub minimum: BigDecimal,
    /// Of a hundred.
    pub percent: BigDecimal,
    pub period: Period,
}

/// What became of a discount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiscountVerdict {
    Taken,
    OtherCustomer,
    OtherArticle,
    OtherPeriod,
    TooFew,
    /// Another one is higher.
    Lower,
    /// The price allows none.
    NotAllowed,
}

impl DiscountVerdict {
    /// As reports have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::OtherCustomer => "otherCustomer",
            Self::OtherArticle => "otherArticle",
            Self::OtherPeriod => "otherPeriod",
            Self::TooFew => "tooFew",
            Self::Lower => "lower",
            Self::NotAllowed => "notAllowed",
        }
    }
}

/// A discount with what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeighedDiscount {
    pub discount: Discount,
    pub verdict: DiscountVerdict,
}

/// Weighs all discounts; one at the most is taken.
pub(super) fn weighed(discounts: &[Discount], asked: &Asked, buyer: &Buyer, is_allowed: bool) -> Vec<WeighedDiscount> {
    let judge = |discount: &Discount| match () {
        () if !discount.customer.holds(buyer.customer.as_ref(), buyer.discount_group.as_ref()) => {
            DiscountVerdict::OtherCustomer
        }
        () if !discount.article.holds(Some(&asked.article), asked.discount_group.as_ref()) => {
            DiscountVerdict::OtherArticle
        }
        () if !discount.period.holds(asked.at) => DiscountVerdict::OtherPeriod,
        () if discount.minimum > asked.quantity => DiscountVerdict::TooFew,
        () if !is_allowed => DiscountVerdict::NotAllowed,
        () => DiscountVerdict::Taken,
    };
    let mut weighed: Vec<WeighedDiscount> =
        discounts.iter().map(|d| WeighedDiscount { discount: d.clone(), verdict: judge(d) }).collect();
    let open = |w: &WeighedDiscount| w.verdict == DiscountVerdict::Taken;
    // The first of the highest.
    let mut highest: Option<usize> = None;
    for (number, candidate) in weighed.iter().enumerate().filter(|(_, w)| open(w)) {
        if highest.is_none_or(|best| candidate.discount.percent > weighed[best].discount.percent) {
            highest = Some(number);
        }
    }
    for (number, candidate) in weighed.iter_mut().enumerate() {
        if candidate.verdict == DiscountVerdict::Taken && Some(number) != highest {
            candidate.verdict = DiscountVerdict::Lower;
        }
    }
    weighed
}
