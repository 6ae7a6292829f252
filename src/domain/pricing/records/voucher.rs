//! Vouchers: kept, and redeemed.

use super::{Known, change_period, customer, missing, more_than_one};
use crate::domain::change::{as_given, change};
use crate::domain::customers::Money;
use crate::domain::pricing::{LINE_DECIMALS, Period};
use crate::domain::{Defaults, Issue, compared};
use bigdecimal::{BigDecimal, RoundingMode};
use chrono::NaiveDateTime;
use soapstone_contracts::pricing as contract;
use soapstone_runtime::{DateTime, Decimal, Nillable};

/// A voucher as it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Voucher {
    pub code: String,
    pub amount: Option<Money>,
    pub percent: Option<Decimal>,
    pub minimum: Option<Money>,
    pub customer: Option<String>,
    pub period: Period,
    pub uses: Option<i32>,
    pub active: bool,
}

/// How codes are compared: people type them.
pub fn code_key(code: &str) -> String {
    compared(code).to_lowercase()
}

/// What a voucher is redeemed for.
#[derive(Clone, Debug)]
pub struct Redemption<'a> {
    /// What the goods come to.
    pub goods: &'a BigDecimal,
    pub currency: &'a str,
    /// The customer's number.
    pub customer: Option<&'a str>,
    pub at: NaiveDateTime,
    /// How often the voucher was used already.
    pub used: i32,
}

impl Voucher {
    /// Applies a change to a voucher, or makes a new one; `issues` gets everything that the rules have against it.
    pub fn apply(
        existing: Option<Self>,
        given: contract::Voucher,
        known: &impl Known,
        defaults: &Defaults,
        issues: &mut Vec<Issue>,
    ) -> Option<Self> {
        let new = || Self { code: given.code.clone(), active: true, ..Self::default() };
        let mut voucher = existing.unwrap_or_else(new);
        let money = |money| Ok(Money::of(money, defaults));
        change(&mut voucher.amount, given.amount, money, issues);
        change(&mut voucher.percent, given.percent, as_given, issues);
        match (&voucher.amount, &voucher.percent) {
            (None, None) => issues.push(missing("amount or percent")),
            (Some(_), Some(_)) => issues.push(more_than_one("amount and percent")),
            (Some(amount), None) if amount.amount.0 <= BigDecimal::default() => {
                let text = "a voucher takes something off: its amount is more than 0";
                issues.push(Issue::error("voucher.amount", text).of("amount", &amount.amount.to_string()));
            }
            _ => {}
        }
        change(&mut voucher.minimum, given.minimum, money, issues);
        change(&mut voucher.customer, given.customer, |number| customer(known, &number), issues);
        change_period(&mut voucher.period, given.from, given.until, defaults, issues);
        change(&mut voucher.uses, given.uses, as_given, issues);
        voucher.active = given.active.unwrap_or(voucher.active);
        issues.is_empty().then_some(voucher)
    }

    /// What it takes off, in whole cents, never more than the goods come to.
    ///
    /// # Errors
    /// Why it does not count.
    pub fn redeem(&self, for_what: &Redemption<'_>) -> Result<BigDecimal, Issue> {
        let refused = |code, text: String| Err(Issue::error(code, text).of("voucher", &self.code));
        if !self.active {
            return refused("voucher.inactive", format!("the voucher {} cannot be used", self.code));
        }
        if !self.period.holds(for_what.at) {
            return refused("voucher.period", format!("the voucher {} does not count now", self.code));
        }
        if self.uses.is_some_and(|uses| for_what.used >= uses) {
            return refused("voucher.used_up", format!("the voucher {} was used already", self.code));
        }
        if self.customer.is_some() && self.customer.as_deref() != for_what.customer {
            return refused("voucher.other_customer", format!("the voucher {} is for another customer", self.code));
        }
        let other_currency =
            [&self.amount, &self.minimum].into_iter().flatten().find(|m| m.currency != for_what.currency);
        if let Some(money) = other_currency {
            let text = format!("the voucher {} is in {}, not in {}", self.code, money.currency, for_what.currency);
            return refused("voucher.currency", text);
        }
        if let Some(minimum) = self.minimum.as_ref().filter(|minimum| *for_what.goods < minimum.amount.0) {
            let text = format!("the voucher {} counts from {} {} on", self.code, minimum.amount, minimum.currency);
            return refused("voucher.minimum", text);
        }
        let off = match (&self.amount, &self.percent) {
            (Some(money), _) => money.amount.0.clone(),
            (None, Some(percent)) => for_what.goods * &percent.0 / BigDecimal::from(100),
            (None, None) => BigDecimal::default(),
        };
        Ok(off.with_scale_round(LINE_DECIMALS, RoundingMode::HalfUp).min(for_what.goods.clone()))
    }

    /// The voucher as the contract has it.
    pub fn to_contract(&self, used: i32, version: i64, changed_at: NaiveDateTime) -> contract::Voucher {
        let money = |value: &Option<Money>| value.as_ref().map(|m| Nillable::Value(m.to_contract()));
        let time = |value: Option<NaiveDateTime>| value.map(|t| Nillable::Value(DateTime::from_utc(t)));
        contract::Voucher {
            version: Some(version),
            changed_at: Some(DateTime::from_utc(changed_at)),
            if_version: None,
            code: self.code.clone(),
            amount: money(&self.amount),
            percent: self.percent.clone().map(Nillable::Value),
            minimum: money(&self.minimum),
            customer: self.customer.clone().map(Nillable::Value),
            from: time(self.period.from),
            until: time(self.period.until),
            uses: self.uses.map(Nillable::Value),
            used: Some(used),
            active: Some(self.active),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> BigDecimal {
        text.parse().unwrap()
    }

    fn redeemed(voucher: &Voucher, goods: &str, used: i32) -> Result<String, &'static str> {
        let at = "2026-11-24T12:00:00".parse().unwrap();
        let goods = decimal(goods);
        let off = voucher.redeem(&Redemption { goods: &goods, currency: "CHF", customer: Some("7"), at, used });
        off.map(|off| off.to_plain_string()).map_err(|issue| issue.code)
    }

    fn money(amount: &str, currency: &str) -> Option<Money> {
        Some(Money { amount: Decimal(decimal(amount)), currency: currency.to_owned() })
    }

    #[test]
    fn it_takes_off_no_more_than_the_goods_cost() {
        let ten = Voucher { amount: money("10", "CHF"), active: true, ..Voucher::default() };
        assert_eq!(redeemed(&ten, "25.50", 0).unwrap(), "10.00");
        assert_eq!(redeemed(&ten, "7.30", 0).unwrap(), "7.30");
        let third = Voucher { percent: Some(Decimal(decimal("33.3"))), active: true, ..Voucher::default() };
        assert_eq!(redeemed(&third, "9.99", 0).unwrap(), "3.33");
    }

    #[test]
    fn each_reason_has_its_code() {
        let sound = Voucher { amount: money("10", "CHF"), active: true, ..Voucher::default() };
        let past = Period { from: None, until: Some("2026-11-24T12:00:00".parse().unwrap()) };
        for (voucher, code) in [
            (Voucher { active: false, ..sound.clone() }, "voucher.inactive"),
            (Voucher { period: past, ..sound.clone() }, "voucher.period"),
            (Voucher { uses: Some(1), ..sound.clone() }, "voucher.used_up"),
            (Voucher { customer: Some("8".to_owned()), ..sound.clone() }, "voucher.other_customer"),
            (Voucher { amount: money("10", "EUR"), ..sound.clone() }, "voucher.currency"),
            (Voucher { minimum: money("100", "CHF"), ..sound.clone() }, "voucher.minimum"),
        ] {
            assert_eq!(redeemed(&voucher, "99.99", 1), Err(code));
        }
        assert_eq!(redeemed(&Voucher { uses: Some(2), ..sound }, "99.99", 1).unwrap(), "10.00");
    }
}
