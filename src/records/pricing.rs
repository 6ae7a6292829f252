//! Prices, discounts and vouchers.

use super::{Record, Taken};
use crate::domain::Rules;
use crate::store::Db;
use crate::store::prices::{discounts, entries, vouchers};
use chrono::NaiveDateTime;
use soapstone_contracts::pricing::{LineDiscount, PriceEntry, Voucher};

impl Record for PriceEntry {
    fn take(db: &mut Db, records: Vec<Self>, rules: &Rules, now: NaiveDateTime) -> Taken {
        let keys: Vec<String> = records.iter().map(|entry| entry.key.clone()).collect();
        Ok(keys.into_iter().zip(entries::upsert(db, records, &rules.defaults, now)?).collect())
    }
}

impl Record for LineDiscount {
    fn take(db: &mut Db, records: Vec<Self>, rules: &Rules, now: NaiveDateTime) -> Taken {
        let keys: Vec<String> = records.iter().map(|discount| discount.key.clone()).collect();
        Ok(keys.into_iter().zip(discounts::upsert(db, records, &rules.defaults, now)?).collect())
    }
}

impl Record for Voucher {
    fn take(db: &mut Db, records: Vec<Self>, rules: &Rules, now: NaiveDateTime) -> Taken {
        let keys: Vec<String> = records.iter().map(|voucher| voucher.code.clone()).collect();
        Ok(keys.into_iter().zip(vouchers::upsert(db, records, &rules.defaults, now)?).collect())
    }
}
