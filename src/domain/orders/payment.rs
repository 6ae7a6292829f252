//! Payments: the steps that they can take.

use crate::domain::Issue;
use bigdecimal::BigDecimal;
use chrono::NaiveDateTime;
use soapstone_contracts::orders::PaymentState;

/// A payment as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    pub key: String,
    pub method: Option<String>,
    pub state: PaymentState,
    pub amount: BigDecimal,
    pub refunded: BigDecimal,
    pub transaction: Option<String>,
    pub at: NaiveDateTime,
}

/// Whether a payment can go from one state to another.
fn can_follow(from: PaymentState, to: PaymentState) -> bool {
    use PaymentState::{Authorised, Expired, Failed, Open, Paid, PartiallyRefunded, Refunded};
    match from {
        Open => matches!(to, Authorised | Paid | Failed | Expired),
        Authorised => matches!(to, Paid | Failed | Expired),
        Paid => matches!(to, PartiallyRefunded | Refunded),
        PartiallyRefunded => matches!(to, PartiallyRefunded | Refunded),
        Refunded | Failed | Expired => false,
    }
}

impl Payment {
    /// What the shop has of it.
    pub fn received(&self) -> BigDecimal {
        match self.state {
            PaymentState::Paid | PaymentState::PartiallyRefunded => &self.amount - &self.refunded,
            _ => BigDecimal::default(),
        }
    }

    /// Looks whether a payment may be as it is said to be, after what it was before.
    ///
    /// # Errors
    /// Why not.
    pub fn follows(&self, before: Option<&Self>) -> Result<(), Issue> {
        if let Some(before) = before {
            let is_same = self.state == before.state && self.refunded == before.refunded;
            if !is_same && !can_follow(before.state, self.state) {
                let text = format!("a payment that is {} cannot become {}", before.state.as_str(), self.state.as_str());
                return Err(Issue::error("payment.illegal_step", text).of("state", self.state.as_str()));
            }
            if self.amount != before.amount && before.state != PaymentState::Open {
                let text = format!("the amount is {}, and stays so once it is authorised or paid", before.amount);
                return Err(Issue::error("payment.amount", text).of("amount", &self.amount.to_string()));
            }
            if self.refunded < before.refunded {
                let text = format!("{} went back already", before.refunded);
                return Err(Issue::error("payment.refunded", text).of("refunded", &self.refunded.to_string()));
            }
        }
        let zero = BigDecimal::default();
        let fits = match self.state {
            PaymentState::PartiallyRefunded => self.refunded > zero && self.refunded < self.amount,
            PaymentState::Refunded => self.refunded == self.amount,
            _ => self.refunded == zero,
        };
        if !fits {
            let text = format!("{} of {} does not go with {}", self.refunded, self.amount, self.state.as_str());
            let issue = Issue::error("payment.refunded", text).of("refunded", &self.refunded.to_string());
            return Err(issue.suggest("refunded is all of it, partiallyRefunded a part, every other state nothing"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payment(state: PaymentState) -> Payment {
        let refunded = match state {
            PaymentState::PartiallyRefunded => 4,
            PaymentState::Refunded => 10,
            _ => 0,
        };
        Payment {
            key: "p".to_owned(),
            method: None,
            state,
            amount: 10.into(),
            refunded: refunded.into(),
            transaction: None,
            at: NaiveDateTime::default(),
        }
    }

    #[test]
    fn every_step_that_is_not_allowed_is_refused() {
        let allowed = [
            "open authorised",
            "open paid",
            "open failed",
            "open expired",
            "authorised paid",
            "authorised failed",
            "authorised expired",
            "paid partiallyRefunded",
            "paid refunded",
            "partiallyRefunded refunded",
        ];
        for from in PaymentState::ALL {
            for to in PaymentState::ALL {
                let step = format!("{} {}", from.as_str(), to.as_str());
                let is_allowed = from == to || allowed.contains(&step.as_str());
                let result = payment(*to).follows(Some(&payment(*from)));
                assert_eq!(result.is_ok(), is_allowed, "{step}: {result:?}");
            }
        }
    }

    #[test]
    fn what_goes_back_only_grows_and_never_beyond() {
        let before = payment(PaymentState::PartiallyRefunded);
        let with = |refunded: i64, state| Payment { refunded: refunded.into(), ..payment(state) };
        assert!(with(7, PaymentState::PartiallyRefunded).follows(Some(&before)).is_ok());
        for (after, code) in [
            (with(3, PaymentState::PartiallyRefunded), "payment.refunded"),
            (with(10, PaymentState::PartiallyRefunded), "payment.refunded"),
            (with(11, PaymentState::Refunded), "payment.refunded"),
            (Payment { amount: 20.into(), ..with(5, PaymentState::PartiallyRefunded) }, "payment.amount"),
        ] {
            assert_eq!(after.follows(Some(&before)).unwrap_err().code, code);
        }
        assert_eq!(before.received(), BigDecimal::from(6));
    }
}
