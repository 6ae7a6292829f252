//! An amount in parts that add up to it.

use super::DECIMALS;
use bigdecimal::num_bigint::BigInt;
use bigdecimal::{BigDecimal, RoundingMode, Signed, Zero};
use std::cmp::Reverse;

/// Splits in proportion to the weights, none of which is negative, by the largest remainder: each part is cut off to the
/// smallest unit, and what is left goes, a unit each, to those that lost most. Among equals the first gets it.
///
/// Without any weight, all goes to the first. There must be one at least.
pub(super) fn split(amount: &BigDecimal, weights: &[BigDecimal]) -> Vec<BigDecimal> {
    let scale = amount.fractional_digit_count().max(DECIMALS);
    let unit = BigDecimal::new(1.into(), scale);
    let whole: BigDecimal = weights.iter().sum();
    if whole.is_zero() {
        let rest = std::iter::repeat_n(BigDecimal::default(), weights.len().saturating_sub(1));
        return std::iter::once(amount.clone()).chain(rest).collect();
    }
    // In whole units, and exact: numerator and denominator of each part, without a division that is rounded.
    let total = whole_units(&amount.abs(), scale);
    let weight_scale = weights.iter().map(BigDecimal::fractional_digit_count).max().unwrap_or(0);
    let weights: Vec<BigInt> = weights.iter().map(|weight| whole_units(weight, weight_scale)).collect();
    let sum: BigInt = weights.iter().sum();
    let shares = weights.iter().map(|weight| &total * weight);
    let mut parts: Vec<(BigInt, BigInt)> = shares.map(|share| (&share / &sum, share % &sum)).collect();
    let given: BigInt = parts.iter().map(|(part, _)| part).sum();
    let left = usize::try_from(total - given).unwrap_or(0);
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by_key(|&number| Reverse(parts[number].1.clone()));
    for &number in order.iter().take(left) {
        parts[number].0 += 1;
    }
    let sign = if amount.is_negative() { -unit } else { unit };
    parts.into_iter().map(|(part, _)| BigDecimal::from(part) * &sign).collect()
}

fn whole_units(amount: &BigDecimal, scale: i64) -> BigInt {
    amount.with_scale_round(scale, RoundingMode::Down).into_bigint_and_exponent().0
}
