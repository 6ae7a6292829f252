//! Customers, and what belongs to them.

use super::{Record, Taken, each};
use crate::domain::customers::Money;
use crate::domain::{Issue, Rules, compared};
use crate::store::batch::Recorded;
use crate::store::{Db, customers};
use chrono::NaiveDateTime;
use soapstone_contracts::customers::{CreditBooking, Customer, DeliveryAddress, Group, ListMember, Merge};

impl Record for Customer {
    fn take(db: &mut Db, records: Vec<Self>, rules: &Rules, now: NaiveDateTime) -> Taken {
        customers::upsert(db, records, &rules.numbering, &rules.defaults, now)
    }
}

impl Record for Group {
    fn take(db: &mut Db, records: Vec<Self>, rules: &Rules, now: NaiveDateTime) -> Taken {
        let keys: Vec<String> = records.iter().map(|group| group.key.clone()).collect();
        Ok(keys.into_iter().zip(customers::upsert_groups(db, records, &rules.defaults, now)?).collect())
    }
}

impl Record for Merge {
    fn take(db: &mut Db, records: Vec<Self>, _rules: &Rules, now: NaiveDateTime) -> Taken {
        each(records, |merge| {
            let recorded = customers::merge(db, &merge.number, &merge.into, now)?;
            Ok((merge.number, recorded))
        })
    }
}

impl Record for CreditBooking {
    fn take(db: &mut Db, records: Vec<Self>, rules: &Rules, now: NaiveDateTime) -> Taken {
        each(records, |booking| {
            let credit = customers::Credit {
                key: booking.key,
                customer: booking.customer,
                money: Money::of(booking.amount, &rules.defaults),
                reason: booking.reason,
            };
            let recorded = customers::book(db, &credit, now)?;
            Ok((credit.key, recorded))
        })
    }
}

impl Record for DeliveryAddress {
    /// An address is a change of its customer: his other addresses stay.
    fn take(db: &mut Db, records: Vec<Self>, rules: &Rules, now: NaiveDateTime) -> Taken {
        each(records, |given| {
            let Some((customer, standing)) = customers::get(db, &given.customer)? else {
                let text = format!("there is no customer {}", given.customer);
                let issue = Issue::error("customer.not_found", text).of("customer", &given.customer);
                let refused = Recorded::refused(vec![issue.suggest("import the customer first")]);
                return Ok((given.customer, refused));
            };
            let stored = customer.to_contract(&standing);
            let mut addresses = stored.delivery_address;
            let key = given.address.key.as_deref().map(compared);
            let place =
                addresses.iter().position(|address| key.is_some() && address.key.as_deref().map(compared) == key);
            match (place, given.remove.unwrap_or(false)) {
                (Some(place), true) => drop(addresses.remove(place)),
                (None, true) => {
                    let key = key.unwrap_or_default();
                    let text = format!("the customer has no delivery address \"{key}\" to take away");
                    let issue = Issue::error("customer.unknown_address", text).of("address/key", &key);
                    let refused = Recorded::refused(vec![issue.suggest("give the key of one that is there")]);
                    return Ok((given.customer, refused));
                }
                (Some(place), false) => addresses[place] = given.address,
                // The same once more is not a second one.
                (None, false) if addresses.iter().any(|address| same(address, &given.address)) => {}
                (None, false) => addresses.push(given.address),
            }
            let clear = addresses.is_empty().then(|| vec![ListMember::DeliveryAddress]);
            let number = stored.number;
            let change = Customer { number, delivery_address: addresses, clear, ..Customer::default() };
            let recorded = customers::upsert(db, vec![change], &rules.numbering, &rules.defaults, now)?;
            let recorded = recorded.into_iter().next().map(|(_, recorded)| recorded);
            Ok((given.customer, recorded.unwrap_or_else(|| Recorded::refused(Vec::new()))))
        })
    }
}

/// Whether two addresses say the same, whatever their keys.
fn same(one: &soapstone_contracts::common::Address, other: &soapstone_contracts::common::Address) -> bool {
    let mut keyed = other.clone();
    keyed.key.clone_from(&one.key);
    other.key.is_none() && *one == keyed
}
