//! From all prices and discounts to the one that holds, with the reasons.

use super::candidate::{Candidate, Verdict, judged};
use super::discount::{DiscountVerdict, WeighedDiscount, weighed};
use super::{Asked, Buyer, Discount, Entry, Kind, LINE_DECIMALS, Policy, Rate, Subject};
use bigdecimal::{BigDecimal, RoundingMode};
use std::cmp::Reverse;
use std::fmt::{self, Display, Formatter};

/// The price, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// For one unit, with four decimals at the most.
    pub unit_price: BigDecimal,
    /// Of a hundred; 0: none.
    pub discount: BigDecimal,
    /// For all units, with the discount.
    pub line: BigDecimal,
    pub gross: bool,
    pub candidates: Vec<Candidate>,
    pub discounts: Vec<WeighedDiscount>,
}

/// Why there is no price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PriceError {
    /// There are prices, but in other currencies, and no rate is known.
    CurrencyMismatch { asked: String, known: Vec<String> },
    /// Nothing costs anything for this buyer, now, in that quantity.
    None { candidates: Vec<Candidate> },
    /// Nobody buys nothing.
    Quantity,
}

impl PriceError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::CurrencyMismatch { .. } => "price.currency_mismatch",
            Self::None { .. } => "price.none",
            Self::Quantity => "price.quantity",
        }
    }
}

impl Display for PriceError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::CurrencyMismatch { asked, known } => {
                let known = known.join(", ");
                write!(f, "There is no price in {asked}, only in {known}; a rate from there to {asked} would help")
            }
            Self::None { candidates } => match candidates.len() {
                0 => f.write_str("The article has no price"),
                count => {
                    write!(f, "None of the article's {count} prices holds for this buyer, quantity, unit and time")
                }
            },
            Self::Quantity => f.write_str("The quantity must be more than 0"),
        }
    }
}

impl std::error::Error for PriceError {}

/// Finds the price.
///
/// # Errors
/// Why there is none.
pub fn find(
    entries: &[Entry],
    discounts: &[Discount],
    rates: &[Rate],
    asked: &Asked,
    buyer: &Buyer,
    policy: Policy,
) -> Result<Found, PriceError> {
    if asked.quantity <= BigDecimal::default() {
        return Err(PriceError::Quantity);
    }
    let mut candidates = candidates(entries, rates, asked, buyer)?;
    let Some(taken) = chosen(&candidates, policy) else { return Err(PriceError::None { candidates }) };
    for (number, candidate) in candidates.iter_mut().enumerate() {
        if candidate.is_open() && number != taken {
            candidate.verdict = Verdict::Outranked(taken);
        }
    }
    let price = &candidates[taken];
    let discounts = weighed(discounts, asked, buyer, price.entry.allow_line_discount);
    let discount = discounts.iter().find(|d| d.verdict == DiscountVerdict::Taken);
    let discount = discount.map_or_else(BigDecimal::default, |d| d.discount.percent.clone());
    let hundred = BigDecimal::from(100);
    let line = &price.amount * &asked.quantity * (&hundred - &discount) / hundred;
    Ok(Found {
        unit_price: price.amount.clone(),
        discount,
        line: line.with_scale_round(LINE_DECIMALS, RoundingMode::HalfUp),
        gross: price.entry.gross,
        candidates,
        discounts,
    })
}

/// Prices in the currency that is asked for; or else, where rates are known, in others.
fn candidates(entries: &[Entry], rates: &[Rate], asked: &Asked, buyer: &Buyer) -> Result<Vec<Candidate>, PriceError> {
    let own = judged(entries, asked, buyer, |entry| (entry.currency == asked.currency).then(|| BigDecimal::from(1)));
    if own.iter().any(Candidate::is_open) {
        return Ok(own);
    }
    let rate = |entry: &Entry| {
        let found = rates.iter().find(|rate| rate.from == entry.currency && rate.to == asked.currency);
        found.map(|rate| rate.factor.clone())
    };
    let changed = judged(entries, asked, buyer, rate);
    if changed.iter().any(Candidate::is_open) {
        return Ok(changed);
    }
    // Would there be one in any currency?
    let any = judged(entries, asked, buyer, |_| Some(BigDecimal::from(1)));
    let mut known: Vec<String> =
        any.iter().filter(|c| c.is_open()).map(|candidate| candidate.entry.currency.clone()).collect();
    if known.is_empty() {
        return Ok(own);
    }
    known.sort();
    known.dedup();
    Err(PriceError::CurrencyMismatch { asked: asked.currency.clone(), known })
}

fn rank(subject: &Subject) -> u8 {
    match subject {
        Subject::Customer(_) => 0,
        Subject::Group(_) => 1,
        Subject::Campaign(_) => 2,
        Subject::Everybody => 3,
    }
}

/// The number of the candidate that is the price.
fn chosen(candidates: &[Candidate], policy: Policy) -> Option<usize> {
    let open = || candidates.iter().enumerate().filter(|(_, candidate)| candidate.is_open());
    match policy {
        Policy::Best => open().min_by(|(_, a), (_, b)| a.amount.cmp(&b.amount)).map(|(number, _)| number),
        Policy::Sequence => {
            let first = open().map(|(_, candidate)| rank(&candidate.entry.subject)).min()?;
            let of_rank = || open().filter(|(_, candidate)| rank(&candidate.entry.subject) == first);
            let special = of_rank()
                .filter(|(_, candidate)| candidate.entry.kind == Kind::Special)
                .min_by(|(_, a), (_, b)| a.amount.cmp(&b.amount));
            let usual =
                of_rank().filter(|(_, candidate)| candidate.entry.kind != Kind::Special).min_by_key(|(_, c)| {
                    // The greatest quantity, then the latest start, then the lowest amount.
                    (Reverse(c.entry.minimum.clone()), Reverse(c.entry.period.from), c.amount.clone())
                });
            match (special, usual) {
                // A special price counts only if it is lower.
                (Some((number, special)), Some((_, usual))) if special.amount < usual.amount => Some(number),
                (_, Some((number, _))) | (Some((number, _)), None) => Some(number),
                (None, None) => None,
            }
        }
    }
}
