//! Rounding to the smallest coin.

use bigdecimal::{BigDecimal, RoundingMode};

/// The amount in whole coins, halves away from zero; a coin of nothing changes nothing.
pub fn rounded(amount: &BigDecimal, coin: &BigDecimal) -> BigDecimal {
    if *coin <= BigDecimal::default() {
        return amount.clone();
    }
    (amount / coin).with_scale_round(0, RoundingMode::HalfUp) * coin
}
