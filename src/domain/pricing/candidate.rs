//! Which prices come into question, and why the others do not.

use super::{Asked, Buyer, Entry, Kind, Subject, UNIT_DECIMALS};
use bigdecimal::{BigDecimal, RoundingMode};

/// What became of a price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the price.
    Taken,
    /// It is for somebody else.
    OtherSubject,
    /// It does not count yet, or no more.
    OtherPeriod,
    OtherCurrency,
    OtherUnit,
    OtherVariant,
    /// It begins with a greater quantity.
    TooFew,
    /// Another one names the variant that is asked for.
    LessExact,
    /// Another one goes before it: by its number in the list.
    Outranked(usize),
}

impl Verdict {
    /// As reports have it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::OtherSubject => "otherSubject",
            Self::OtherPeriod => "otherPeriod",
            Self::OtherCurrency => "otherCurrency",
            Self::OtherUnit => "otherUnit",
            Self::OtherVariant => "otherVariant",
            Self::TooFew => "tooFew",
            Self::LessExact => "lessExact",
            Self::Outranked(_) => "outranked",
        }
    }
}

/// A price with what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub entry: Entry,
    /// In the currency that is asked for, with the decimals of a unit price.
    pub amount: BigDecimal,
    pub verdict: Verdict,
}

impl Candidate {
    pub(super) fn is_open(&self) -> bool {
        // Until it is judged, every price in question is taken.
        self.verdict == Verdict::Taken
    }
}

fn is_for(subject: &Subject, buyer: &Buyer) -> bool {
    match subject {
        Subject::Customer(number) => buyer.customer.as_ref() == Some(number),
        Subject::Group(group) => buyer.price_group.as_ref() == Some(group),
        Subject::Campaign(campaign) => buyer.campaigns.contains(campaign),
        Subject::Everybody => true,
    }
}

/// Judges each price by itself; `factor` changes an amount into the currency that is asked for, None: it cannot be.
pub(super) fn judged(
    entries: &[Entry],
    asked: &Asked,
    buyer: &Buyer,
    factor: impl Fn(&Entry) -> Option<BigDecimal>,
) -> Vec<Candidate> {
    let fits = |own: &Option<String>, wanted: &Option<String>| own.is_none() || own == wanted;
    let judge = |entry: &Entry| {
        let factor = factor(entry);
        let verdict = match () {
            () if !is_for(&entry.subject, buyer) => Verdict::OtherSubject,
            () if !entry.period.holds(asked.at) => Verdict::OtherPeriod,
            () if factor.is_none() => Verdict::OtherCurrency,
            () if !fits(&entry.unit, &asked.unit) => Verdict::OtherUnit,
            () if !fits(&entry.variant, &asked.variant) => Verdict::OtherVariant,
            () if entry.minimum > asked.quantity => Verdict::TooFew,
            () => Verdict::Taken,
        };
        let amount = &entry.amount * factor.unwrap_or_else(|| BigDecimal::from(1));
        let amount = amount.with_scale_round(UNIT_DECIMALS, RoundingMode::HalfUp);
        Candidate { entry: entry.clone(), amount, verdict }
    };
    let mut candidates: Vec<Candidate> = entries.iter().map(judge).collect();
    less_exact(&mut candidates, |entry| entry.variant.is_some());
    // The article's own prices are for its own unit, but nobody named it for them.
    less_exact(&mut candidates, |entry| entry.unit.is_some() && entry.kind == Kind::Entry);
    candidates
}

/// Where one is exact, those that are not fall away.
fn less_exact(candidates: &mut [Candidate], is_exact: impl Fn(&Entry) -> bool) {
    if candidates.iter().any(|candidate| candidate.is_open() && is_exact(&candidate.entry)) {
        for candidate in candidates.iter_mut().filter(|c| c.is_open() && !is_exact(&c.entry)) {
            candidate.verdict = Verdict::LessExact;
        }
    }
}
