//! Whether an order that comes again says the same as the one that is there.

use crate::domain::compared;
use soapstone_contracts::orders as contract;
use soapstone_runtime::{DateTime, Nillable};

/// What was given, and is there, is equal; what was left open may be anything.
fn agrees<T: PartialEq>(given: Option<&T>, stored: Option<&T>) -> bool {
    given.is_none_or(|given| stored == Some(given))
}

fn agrees_or_nil<T: PartialEq>(given: Option<&Nillable<T>>, stored: Option<&Nillable<T>>) -> bool {
    match given {
        None => true,
        Some(Nillable::Nil) => stored.is_none(),
        Some(value) => stored == Some(value),
    }
}

fn instant(time: Option<&DateTime>, zone: chrono::FixedOffset) -> Option<chrono::DateTime<chrono::Utc>> {
    time.and_then(|time| time.to_utc(zone))
}

fn same_position(given: &contract::Position, stored: &contract::Position) -> bool {
    agrees(given.number.as_ref(), stored.number.as_ref())
        && given.sku.as_deref().map(compared) == stored.sku.as_deref().map(compared)
        && given.quantity == stored.quantity
        && agrees(given.text.as_ref(), stored.text.as_ref())
        && agrees(given.unit.as_ref(), stored.unit.as_ref())
        && agrees(given.unit_price.as_ref(), stored.unit_price.as_ref())
        && agrees(given.discount_percent.as_ref(), stored.discount_percent.as_ref())
        && agrees(given.amount.as_ref(), stored.amount.as_ref())
        && agrees(given.tax_percent.as_ref(), stored.tax_percent.as_ref())
        && given.serial == stored.serial
}

fn same_charge(given: &contract::Charge, stored: &contract::Charge) -> bool {
    given.kind == stored.kind
        && given.amount == stored.amount
        && given.tax_percent == stored.tax_percent
        && given.text == stored.text
}

/// Whether an order that comes again says the same as the one that is there, as far as it says anything.
pub fn says_the_same(given: &contract::Order, stored: &contract::Order, zone: chrono::FixedOffset) -> bool {
    let given_at = instant(given.ordered_at.as_ref(), zone);
    let same_time = given_at.is_none() || given_at == instant(stored.ordered_at.as_ref(), zone);
    // A charge may have been added for rounding.
    let charges = given.charge.len() <= stored.charge.len()
        && given.charge.iter().zip(&stored.charge).all(|(given, stored)| same_charge(given, stored));
    let positions = given.position.len() == stored.position.len()
        && given.position.iter().zip(&stored.position).all(|(given, stored)| same_position(given, stored));
    same_time
        && positions
        && charges
        && agrees_or_nil(given.reference.as_ref(), stored.reference.as_ref())
        && agrees(given.currency.as_ref(), stored.currency.as_ref())
        && agrees(given.gross.as_ref(), stored.gross.as_ref())
        && agrees(given.total.as_ref(), stored.total.as_ref())
}
