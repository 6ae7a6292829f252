//! Price entries.

use super::{Known, article, change_period, customer, missing, more_than_one};
use crate::domain::catalog::Price;
use crate::domain::change::{as_given, change};
use crate::domain::pricing::Period;
use crate::domain::{Defaults, Issue, compared};
use chrono::NaiveDateTime;
use soapstone_contracts::pricing as contract;
use soapstone_runtime::{DateTime, Decimal, Nillable};

/// A price entry as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceEntry {
    pub key: String,
    pub sku: String,
    pub customer: Option<String>,
    pub price_group: Option<String>,
    pub campaign: Option<String>,
    pub minimum: Decimal,
    pub price: Price,
    pub unit: Option<String>,
    pub period: Period,
    pub allow_line_discount: bool,
}

impl PriceEntry {
    /// Applies a change to an entry, or makes a new one; `issues` gets everything that the rules have against it.
    pub fn apply(
        existing: Option<Self>,
        given: contract::PriceEntry,
        known: &impl Known,
        defaults: &Defaults,
        issues: &mut Vec<Issue>,
    ) -> Option<Self> {
        if existing.is_none() {
            issues.extend(given.sku.is_none().then(|| missing("sku")));
            issues.extend(given.price.is_none().then(|| missing("price")));
        }
        let mut entry = existing.unwrap_or_else(|| Self {
            key: compared(&given.key),
            sku: String::new(),
            customer: None,
            price_group: None,
            campaign: None,
            minimum: Decimal::default(),
            price: Price { amount: Decimal::default(), currency: String::new(), gross: defaults.gross },
            unit: None,
            period: Period::default(),
            allow_line_discount: true,
        });
        match given.sku.map(|sku| article(known, &sku)) {
            Some(Ok(sku)) => entry.sku = sku,
            Some(Err(issue)) => issues.push(issue),
            None => {}
        }
        change(&mut entry.customer, given.customer, |number| customer(known, &number), issues);
        change(&mut entry.price_group, given.price_group, as_given, issues);
        change(&mut entry.campaign, given.campaign, |campaign| Ok(compared(&campaign)), issues);
        let subjects = [&entry.customer, &entry.price_group, &entry.campaign];
        if subjects.into_iter().flatten().count() > 1 {
            issues.push(more_than_one("customer, priceGroup and campaign"));
        }
        entry.minimum = given.minimum_quantity.unwrap_or(entry.minimum);
        entry.price = given.price.map_or(entry.price, |price| Price::of(price, defaults));
        change(&mut entry.unit, given.unit, as_given, issues);
        change_period(&mut entry.period, given.from, given.until, defaults, issues);
        entry.allow_line_discount = given.allow_line_discount.unwrap_or(entry.allow_line_discount);
        issues.is_empty().then_some(entry)
    }

    /// The entry as the contract has it.
    pub fn to_contract(&self, version: i64, changed_at: NaiveDateTime) -> contract::PriceEntry {
        let text = |value: &Option<String>| value.clone().map(Nillable::Value);
        let time = |value: Option<NaiveDateTime>| value.map(|t| Nillable::Value(DateTime::from_utc(t)));
        contract::PriceEntry {
            version: Some(version),
            changed_at: Some(DateTime::from_utc(changed_at)),
            if_version: None,
            key: self.key.clone(),
            sku: Some(self.sku.clone()),
            customer: text(&self.customer),
            price_group: text(&self.price_group),
            campaign: text(&self.campaign),
            minimum_quantity: Some(self.minimum.clone()),
            price: Some(self.price.to_contract()),
            unit: text(&self.unit),
            from: time(self.period.from),
            until: time(self.period.until),
            allow_line_discount: Some(self.allow_line_discount),
        }
    }
}
