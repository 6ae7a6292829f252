//! Stocks and warehouses.

use super::{Record, Taken, each};
use crate::domain::Rules;
use crate::store::Db;
use crate::store::inventory::{self, Given};
use chrono::NaiveDateTime;
use soapstone_contracts::inventory::{Booking, BookingChoice, Warehouse};

impl Record for Booking {
    fn take(db: &mut Db, records: Vec<Self>, rules: &Rules, now: NaiveDateTime) -> Taken {
        each(records, |given| {
            let name = given.key.clone().unwrap_or_else(|| given.sku.clone());
            let booking = inventory::Booking {
                key: given.key,
                sku: given.sku,
                warehouse: given.warehouse.unwrap_or_else(|| rules.defaults.warehouse.clone()),
                given: match given.choice {
                    BookingChoice::Quantity(quantity) => Given::Quantity(quantity.0),
                    BookingChoice::Change(change) => Given::Change(change.0),
                },
                reason: given.reason,
            };
            Ok((name, inventory::book(db, &booking, now)?))
        })
    }
}

impl Record for Warehouse {
    fn take(db: &mut Db, records: Vec<Self>, rules: &Rules, now: NaiveDateTime) -> Taken {
        let keys: Vec<String> = records.iter().map(|warehouse| warehouse.key.clone()).collect();
        Ok(keys.into_iter().zip(inventory::upsert_warehouses(db, records, &rules.defaults, now)?).collect())
    }
}
