//! What somebody buys, added up: goods, charges, a voucher, tax by rate.

use super::Issue;
use super::pricing::records::{Redemption, Voucher};
use super::pricing::{LINE_DECIMALS, Policy, Rate};
use super::tax::{Charge as TaxedCharge, Good, Rates, TaxError, TaxRate, Totals, totals};
use bigdecimal::{BigDecimal, RoundingMode, Zero};
use chrono::{NaiveDate, NaiveDateTime};
use soapstone_contracts::common::ChargeKind;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The class of tax of articles and charges that name none.
pub const STANDARD: &str = "standard";

/// How the shop sells.
#[derive(Clone, Debug)]
pub struct Selling {
    pub policy: Policy,
    /// What prices may be changed by into other currencies.
    pub rates: Vec<Rate>,
    /// Where it sells to if nobody says.
    pub country: String,
    pub tax: Arc<Rates>,
    /// The smallest coin, by currency.
    pub coins: BTreeMap<String, BigDecimal>,
}

/// A line with its price.
#[derive(Clone, Debug)]
pub struct Line {
    pub amount: BigDecimal,
    /// Whether tax is in the amount.
    pub gross: bool,
    pub tax_class: Option<String>,
}

/// What comes on top of the goods, or off.
#[derive(Clone, Debug)]
pub struct Charge {
    pub kind: ChargeKind,
    pub amount: BigDecimal,
    /// None: it has the rates of the goods.
    pub tax_class: Option<String>,
    pub text: Option<String>,
}

/// Who buys where, when, and how.
#[derive(Clone, Debug)]
pub struct Circumstances<'a> {
    pub country: &'a str,
    pub currency: &'a str,
    pub customer: Option<&'a str>,
    pub at: NaiveDateTime,
    /// Whether the amounts of the basket include tax.
    pub gross: bool,
    pub cash: bool,
}

/// A basket, added up.
#[derive(Clone, Debug)]
pub struct Basket {
    /// The amounts of the lines as the basket has them: with or without tax.
    pub lines: Vec<BigDecimal>,
    /// Those that were given, then the voucher's, then that of rounding; the shares are in the totals, but for rounding.
    pub charges: Vec<Charge>,
    /// Why the voucher does not count.
    pub voucher: Option<Issue>,
    pub goods: BigDecimal,
    pub totals: Totals,
}

/// An amount with or without tax, whichever is wanted, with so many decimals.
pub(super) fn turned(
    amount: &BigDecimal,
    is_gross: bool,
    wanted_gross: bool,
    rate: &TaxRate,
    decimals: i64,
) -> BigDecimal {
    let hundred = BigDecimal::from(100);
    let turned = match (is_gross, wanted_gross) {
        (true, false) => amount * &hundred / (&hundred + &rate.percent),
        (false, true) => amount * (&hundred + &rate.percent) / &hundred,
        _ => amount.clone(),
    };
    turned.with_scale_round(decimals, RoundingMode::HalfUp)
}

/// Adds up a basket.
///
/// # Errors
/// If tax cannot be told.
pub fn add_up(
    lines: &[Line],
    mut charges: Vec<Charge>,
    voucher: Option<(&Voucher, i32)>,
    selling: &Selling,
    given: &Circumstances<'_>,
) -> Result<Basket, TaxError> {
    let day: NaiveDate = given.at.date();
    let rate = |class: &str| selling.tax.on(given.country, class, day);
    let mut goods = Vec::with_capacity(lines.len());
    for line in lines {
        let rate = rate(line.tax_class.as_deref().unwrap_or(STANDARD))?;
        goods.push(Good { amount: turned(&line.amount, line.gross, given.gross, &rate, LINE_DECIMALS), rate });
    }
    let whole: BigDecimal = goods.iter().map(|good| &good.amount).sum();
    let mut why_not = None;
    if let Some((voucher, used)) = voucher {
        let (currency, customer, at) = (given.currency, given.customer, given.at);
        match voucher.redeem(&Redemption { goods: &whole, currency, customer, at, used }) {
            Ok(off) => charges.push(Charge {
                kind: ChargeKind::Voucher,
                amount: -off,
                tax_class: None,
                text: Some(voucher.code.clone()),
            }),
            Err(issue) => why_not = Some(issue),
        }
    }
    let mut taxed = Vec::with_capacity(charges.len());
    for charge in &charges {
        let rate = charge.tax_class.as_deref().map(rate).transpose()?;
        taxed.push(TaxedCharge { amount: charge.amount.clone(), rate });
    }
    let coin = selling.coins.get(given.currency).filter(|_| given.cash);
    let totals = totals(&goods, &taxed, given.gross, coin)?;
    if !totals.rounding.is_zero() {
        let amount = totals.rounding.clone();
        charges.push(Charge { kind: ChargeKind::Rounding, amount, tax_class: None, text: None });
    }
    let lines = goods.into_iter().map(|good| good.amount).collect();
    Ok(Basket { lines, charges, voucher: why_not, goods: whole, totals })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::customers::Money;
    use soapstone_runtime::Decimal;

    fn decimal(text: &str) -> BigDecimal {
        text.parse().unwrap()
    }

    fn selling() -> Selling {
        Selling {
            policy: Policy::Sequence,
            rates: Vec::new(),
            country: "CH".to_owned(),
            tax: Arc::new(Rates::shipped().unwrap()),
            coins: BTreeMap::from([("CHF".to_owned(), decimal("0.05"))]),
        }
    }

    fn line(amount: &str, class: &str) -> Line {
        Line { amount: decimal(amount), gross: true, tax_class: Some(class.to_owned()) }
    }

    fn given(cash: bool) -> Circumstances<'static> {
        let at = "2026-11-24T12:00:00".parse().unwrap();
        Circumstances { country: "CH", currency: "CHF", customer: None, at, gross: true, cash }
    }

    #[test]
    fn a_voucher_is_a_charge_with_the_rates_of_the_goods() {
        let voucher = Voucher {
            code: "XMAS".to_owned(),
            amount: Some(Money { amount: Decimal(decimal("15")), currency: "CHF".to_owned() }),
            active: true,
            ..Voucher::default()
        };
        let lines = [line("100.00", "standard"), line("50.00", "reduced")];
        let basket = add_up(&lines, Vec::new(), Some((&voucher, 0)), &selling(), &given(false)).unwrap();
        assert_eq!(basket.totals.payable, decimal("135.00"));
        let parts: Vec<_> = basket.totals.shares[0].iter().map(|share| share.amount.to_plain_string()).collect();
        assert_eq!(parts, ["-10.00", "-5.00"]);
    }

    #[test]
    fn rounding_to_coins_is_a_charge_of_its_own() {
        let basket = add_up(&[line("158.97", "standard")], Vec::new(), None, &selling(), &given(true)).unwrap();
        assert_eq!(basket.totals.payable, decimal("158.95"));
        assert_eq!(
            (basket.charges[0].kind, basket.charges[0].amount.clone()),
            (ChargeKind::Rounding, decimal("-0.02"))
        );
    }

    #[test]
    fn net_prices_are_turned_into_gross_ones() {
        let net = Line { gross: false, ..line("100.00", "standard") };
        let basket = add_up(&[net], Vec::new(), None, &selling(), &given(false)).unwrap();
        assert_eq!((basket.lines[0].clone(), basket.totals.payable), (decimal("108.10"), decimal("108.10")));
    }
}
