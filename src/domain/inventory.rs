//! Stocks: what a booking does to them, and whether an article can be had.

use super::change::change;
use super::customers::Address;
use super::names::{Names, names, texts};
use super::{Defaults, Issue, compared};
use bigdecimal::BigDecimal;
use chrono::NaiveDateTime;
use soapstone_contracts::catalog::Availability as Rule;
use soapstone_contracts::inventory as contract;
use soapstone_contracts::inventory::Availability;
use soapstone_runtime::{DateTime, Nillable};

/// A warehouse as it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Warehouse {
    pub key: String,
    pub names: Names,
    pub address: Option<Address>,
}

impl Warehouse {
    /// Applies a change to a warehouse, or makes a new one; `issues` gets everything that the rules have against it.
    pub fn apply(
        existing: Option<Self>,
        given: contract::Warehouse,
        defaults: &Defaults,
        issues: &mut Vec<Issue>,
    ) -> Option<Self> {
        let mut warehouse = existing.unwrap_or_else(|| Self { key: compared(&given.key), ..Self::default() });
        change(&mut warehouse.address, given.address, |address| Ok(Address::of(address)), issues);
        if !given.name.is_empty() {
            warehouse.names = names(given.name, "warehouse.duplicate_language", "name", defaults, issues);
        }
        issues.is_empty().then_some(warehouse)
    }

    /// The warehouse as the contract has it.
    pub fn to_contract(&self, version: i64, changed_at: NaiveDateTime) -> contract::Warehouse {
        contract::Warehouse {
            version: Some(version),
            if_version: None,
            changed_at: Some(DateTime::from_utc(changed_at)),
            key: self.key.clone(),
            name: texts(&self.names),
            address: self.address.as_ref().map(|address| Nillable::Value(address.to_contract())),
        }
    }
}

/// What is known of an article that somebody wants.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    pub quantity: &'a BigDecimal,
    /// How many can be had at once.
    pub available: &'a BigDecimal,
    pub rule: Option<Rule>,
    /// Whether it is for sale now.
    pub active: bool,
}

/// When an article can be had. Without a rule of its own, only while there is stock.
pub fn availability(wanted: &Wanted<'_>) -> Availability {
    let zero = BigDecimal::default();
    match wanted.rule.unwrap_or(Rule::Stock) {
        _ if !wanted.active => Availability::Inactive,
        Rule::Always => Availability::Always,
        _ if wanted.available >= wanted.quantity => Availability::InStock,
        Rule::Stock => Availability::SoldOut,
        Rule::BackOrder if *wanted.available > zero => Availability::Partly,
        Rule::BackOrder => Availability::BackOrder,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_says_what_can_be_had() {
        for (available, rule, active, expected) in [
            (5, None, true, Availability::InStock),
            (4, None, true, Availability::SoldOut),
            (4, Some(Rule::Stock), true, Availability::SoldOut),
            (4, Some(Rule::BackOrder), true, Availability::Partly),
            (-1, Some(Rule::BackOrder), true, Availability::BackOrder),
            (0, Some(Rule::Always), true, Availability::Always),
            (9, Some(Rule::Always), false, Availability::Inactive),
        ] {
            let (quantity, available) = (BigDecimal::from(5), BigDecimal::from(available));
            let wanted = Wanted { quantity: &quantity, available: &available, rule, active };
            assert_eq!(availability(&wanted), expected, "{wanted:?}");
        }
    }
}
