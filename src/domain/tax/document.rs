//! The tax of a document: by rate, on the sum of that rate (EN 16931, section 6.4), not by line.

use super::split::split;
use super::{DECIMALS, TaxError, TaxRate, rounded};
use bigdecimal::{BigDecimal, RoundingMode, Signed, Zero};
use std::collections::BTreeMap;

/// The amount of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Good {
    pub amount: BigDecimal,
    pub rate: TaxRate,
}

/// Shipping, fees, vouchers (negative), and the like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    pub amount: BigDecimal,
    /// None: it has the rates of the goods, in proportion to their amounts.
    pub rate: Option<TaxRate>,
}

/// What a charge has at one rate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    pub rate: TaxRate,
    pub amount: BigDecimal,
}

/// What a document has at one rate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub rate: TaxRate,
    pub net: BigDecimal,
    pub tax: BigDecimal,
    pub gross: BigDecimal,
}

/// What a document comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Totals {
    /// The highest rate first.
    pub groups: Vec<Group>,
    /// For each charge, what it has at which rate.
    pub shares: Vec<Vec<Share>>,
    pub net: BigDecimal,
    pub tax: BigDecimal,
    pub gross: BigDecimal,
    /// The difference that rounding to coins makes: a charge of its own, without tax.
    pub rounding: BigDecimal,
    /// What is to be paid.
    pub payable: BigDecimal,
}

fn in_cents(amount: &BigDecimal) -> BigDecimal {
    amount.with_scale_round(DECIMALS, RoundingMode::HalfUp)
}

/// Adds up a document whose amounts are `gross` or net; `coin` is the smallest one, if it is paid in cash.
///
/// # Errors
/// If a charge needs the rates of goods, and there are none.
pub fn totals(goods: &[Good], charges: &[Charge], gross: bool, coin: Option<&BigDecimal>) -> Result<Totals, TaxError> {
    let mut sums: BTreeMap<TaxRate, BigDecimal> = BTreeMap::new();
    for good in goods {
        *sums.entry(good.rate.clone()).or_default() += &good.amount;
    }
    // Highest rate first: there goes what cannot be split, and the odd cent among equals.
    let weights: Vec<(TaxRate, BigDecimal)> = weights(&sums);
    let mut shares = Vec::with_capacity(charges.len());
    for charge in charges {
        let parts = match &charge.rate {
            Some(rate) => vec![Share { rate: rate.clone(), amount: charge.amount.clone() }],
            None if weights.is_empty() => return Err(TaxError::NothingToSplitOver),
            None => {
                let by: Vec<BigDecimal> = weights.iter().map(|(_, weight)| weight.clone()).collect();
                let rates = weights.iter().map(|(rate, _)| rate.clone());
                rates.zip(split(&charge.amount, &by)).map(|(rate, amount)| Share { rate, amount }).collect()
            }
        };
        for part in &parts {
            *sums.entry(part.rate.clone()).or_default() += &part.amount;
        }
        shares.push(parts);
    }
    let groups: Vec<Group> = sums.into_iter().rev().map(|(rate, sum)| group(rate, &sum, gross)).collect();
    let sum = |of: fn(&Group) -> &BigDecimal| groups.iter().map(of).sum::<BigDecimal>();
    let (net, tax, gross) = (sum(|g| &g.net), sum(|g| &g.tax), sum(|g| &g.gross));
    let payable = coin.map_or_else(|| gross.clone(), |coin| rounded(&gross, coin));
    Ok(Totals { rounding: &payable - &gross, groups, shares, net, tax, gross, payable })
}

/// How much of a charge each rate of the goods gets. Where some rates are in the plus and others in the minus, those of
/// the side of the whole count only.
fn weights(sums: &BTreeMap<TaxRate, BigDecimal>) -> Vec<(TaxRate, BigDecimal)> {
    let whole: BigDecimal = sums.values().sum();
    let weight = |sum: &BigDecimal| {
        let is_on_its_side = !whole.is_zero() && sum.is_negative() == whole.is_negative();
        if is_on_its_side { sum.abs() } else { BigDecimal::default() }
    };
    sums.iter().rev().map(|(rate, sum)| (rate.clone(), weight(sum))).collect()
}

fn group(rate: TaxRate, sum: &BigDecimal, is_gross: bool) -> Group {
    let hundred = BigDecimal::from(100);
    let sum = in_cents(sum);
    if is_gross {
        let tax = in_cents(&(&sum * &rate.percent / (&hundred + &rate.percent)));
        Group { net: &sum - &tax, tax, gross: sum, rate }
    } else {
        let tax = in_cents(&(&sum * &rate.percent / hundred));
        Group { gross: &sum + &tax, tax, net: sum, rate }
    }
}
