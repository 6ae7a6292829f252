//! Line discounts.

use super::{Known, article, change_period, customer, missing, more_than_one};
use crate::domain::change::{as_given, change};
use crate::domain::pricing::Period;
use crate::domain::{Defaults, Issue, compared};
use chrono::NaiveDateTime;
use soapstone_contracts::pricing as contract;
use soapstone_runtime::{DateTime, Decimal, Nillable};

/// A line discount as it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineDiscount {
    pub key: String,
    pub customer: Option<String>,
    pub customer_group: Option<String>,
    pub sku: Option<String>,
    pub article_group: Option<String>,
    pub minimum: Decimal,
    pub percent: Decimal,
    pub period: Period,
}

impl LineDiscount {
    /// Applies a change to a discount, or makes a new one; `issues` gets everything that the rules have against it.
    pub fn apply(
        existing: Option<Self>,
        given: contract::LineDiscount,
        known: &impl Known,
        defaults: &Defaults,
        issues: &mut Vec<Issue>,
    ) -> Option<Self> {
        if existing.is_none() && given.percent.is_none() {
            issues.push(missing("percent"));
        }
        let mut discount = existing.unwrap_or_else(|| Self { key: compared(&given.key), ..Self::default() });
        change(&mut discount.customer, given.customer, |number| customer(known, &number), issues);
        change(&mut discount.customer_group, given.customer_group, as_given, issues);
        change(&mut discount.sku, given.sku, |sku| article(known, &sku), issues);
        change(&mut discount.article_group, given.article_group, as_given, issues);
        if discount.customer.is_some() && discount.customer_group.is_some() {
            issues.push(more_than_one("customer and customerGroup"));
        }
        if discount.sku.is_some() && discount.article_group.is_some() {
            issues.push(more_than_one("sku and articleGroup"));
        }
        discount.minimum = given.minimum_quantity.unwrap_or(discount.minimum);
        discount.percent = given.percent.unwrap_or(discount.percent);
        change_period(&mut discount.period, given.from, given.until, defaults, issues);
        issues.is_empty().then_some(discount)
    }

    /// The discount as the contract has it.
    pub fn to_contract(&self, version: i64, changed_at: NaiveDateTime) -> contract::LineDiscount {
        let text = |value: &Option<String>| value.clone().map(Nillable::Value);
        let time = |value: Option<NaiveDateTime>| value.map(|t| Nillable::Value(DateTime::from_utc(t)));
        contract::LineDiscount {
            version: Some(version),
            changed_at: Some(DateTime::from_utc(changed_at)),
            if_version: None,
            key: self.key.clone(),
            customer: text(&self.customer),
            customer_group: text(&self.customer_group),
            sku: text(&self.sku),
            article_group: text(&self.article_group),
            minimum_quantity: Some(self.minimum.clone()),
            percent: Some(self.percent.clone()),
            from: time(self.period.from),
            until: time(self.period.until),
        }
    }
}
