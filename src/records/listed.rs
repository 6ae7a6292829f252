//! Records page by page, as exports write them: just so that an import takes them again.

use crate::domain::masters::{Kind, Record as Named};
use crate::store::inventory::{self, list_stocks};
use crate::store::prices::{Page as PricePage, discounts, entries, vouchers};
use crate::store::{ChangeRange, Db, StoreError, articles, attributes, categories, customers, masters, orders};
use chrono::NaiveDateTime;
use soapstone_contracts::catalog::{AccountingGroup, Article, AttributeDefinition, Category, Manufacturer, Unit};
use soapstone_contracts::customers::Customer;
use soapstone_contracts::inventory::{Booking, BookingChoice, Warehouse};
use soapstone_contracts::orders::Order;
use soapstone_contracts::pricing::{LineDiscount, PriceEntry, Voucher};
use soapstone_runtime::{Decimal, Value};

/// Which page.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Only records that changed since.
    pub since: Option<NaiveDateTime>,
    /// Only records that changed within a range of change numbers.
    pub changes: Option<ChangeRange>,
    /// Only these; none: all.
    pub keys: Vec<String>,
    /// Only orders that were handed out under this number, and are not confirmed yet.
    pub leased: Option<i64>,
    /// Where the page before ended.
    pub after: Option<String>,
    pub limit: i64,
}

/// Records, and where the next page begins; None: there is none.
pub type Page<R> = Result<(Vec<R>, Option<String>), StoreError>;

/// A record that can be listed.
pub trait Listed: Value {
    /// A page of records, in an order that does not change.
    ///
    /// # Errors
    /// Those of the database.
    fn page(db: &mut Db, wanted: &Wanted) -> Page<Self>;
}

impl Listed for Article {
    fn page(db: &mut Db, wanted: &Wanted) -> Page<Self> {
        let (skus, changed_since, after, limit) =
            (wanted.keys.clone(), wanted.since, wanted.after.clone(), wanted.limit);
        let filter = articles::Filter {
            skus,
            changed_since,
            changes: wanted.changes,
            after,
            limit,
            ..articles::Filter::default()
        };
        let (found, next) = articles::list(db, &filter)?;
        Ok((found.iter().map(|stored| stored.record.to_contract(stored.version, stored.changed_at)).collect(), next))
    }
}

impl Listed for Category {
    fn page(db: &mut Db, wanted: &Wanted) -> Page<Self> {
        // The whole tree at once, as it is in memory anyway: in a tree that changes, a page has no place to continue from.
        let limit = usize::MAX;
        let (ids, changed_since, after) = (wanted.keys.clone(), wanted.since, wanted.after.clone());
        let filter = categories::Filter {
            ids,
            changed_since,
            changes: wanted.changes,
            after,
            limit,
            ..categories::Filter::default()
        };
        let (found, next) = categories::list(db, &filter)?;
        Ok((found.iter().map(|stored| stored.record.to_contract(stored.version, stored.changed_at)).collect(), next))
    }
}

impl Listed for AttributeDefinition {
    fn page(db: &mut Db, wanted: &Wanted) -> Page<Self> {
        let (codes, changed_since, after, limit) =
            (wanted.keys.clone(), wanted.since, wanted.after.clone(), wanted.limit);
        let filter = attributes::Filter {
            codes,
            changed_since,
            changes: wanted.changes,
            after,
            limit,
            ..attributes::Filter::default()
        };
        let (found, next) = attributes::list(db, &filter)?;
        Ok((found.iter().map(|stored| stored.record.to_contract(stored.version, stored.changed_at)).collect(), next))
    }
}

fn masters<R: Named>(db: &mut Db, kind: Kind, wanted: &Wanted) -> Page<R> {
    let (keys, changed_since, after, limit) = (wanted.keys.clone(), wanted.since, wanted.after.clone(), wanted.limit);
    let filter =
        masters::Filter { keys, changed_since, changes: wanted.changes, after, limit, ..masters::Filter::default() };
    let (found, next) = masters::list(db, kind, &filter)?;
    Ok((found.iter().map(|stored| R::of(&stored.record, stored.version, stored.changed_at)).collect(), next))
}

impl Listed for Manufacturer {
    fn page(db: &mut Db, wanted: &Wanted) -> Page<Self> {
        masters(db, Kind::Manufacturer, wanted)
    }
}

impl Listed for Unit {
    fn page(db: &mut Db, wanted: &Wanted) -> Page<Self> {
        masters(db, Kind::Unit, wanted)
    }
}

impl Listed for AccountingGroup {
    fn page(db: &mut Db, wanted: &Wanted) -> Page<Self> {
        masters(db, Kind::AccountingGroup, wanted)
    }
}

impl Listed for Customer {
    fn page(db: &mut Db, wanted: &Wanted) -> Page<Self> {
        let (numbers, changed_since, after, limit) =
            (wanted.keys.clone(), wanted.since, wanted.after.clone(), wanted.limit);
        let filter = customers::Filter {
            numbers,
            changed_since,
            changes: wanted.changes,
            after,
            limit,
            ..customers::Filter::default()
        };
        let (found, next) = customers::list(db, &filter)?;
        Ok((found.iter().map(|(customer, standing)| customer.to_contract(standing)).collect(), next))
    }
}

impl Wanted {
    fn of_prices(&self) -> PricePage {
        let (changed_since, after, limit) = (self.since, self.after.clone(), self.limit);
        PricePage { changed_since, changes: self.changes, after, limit, ..PricePage::default() }
    }
}

impl Listed for PriceEntry {
    fn page(db: &mut Db, wanted: &Wanted) -> Page<Self> {
        let filter = entries::Filter { page: wanted.of_prices(), ..entries::Filter::default() };
        let (found, next) = entries::list(db, &filter)?;
        Ok((found.iter().map(|stored| stored.record.to_contract(stored.version, stored.changed_at)).collect(), next))
    }
}

impl Listed for LineDiscount {
    fn page(db: &mut Db, wanted: &Wanted) -> Page<Self> {
        let filter = discounts::Filter { page: wanted.of_prices(), ..discounts::Filter::default() };
        let (found, next) = discounts::list(db, &filter)?;
        Ok((found.iter().map(|stored| stored.record.to_contract(stored.version, stored.changed_at)).collect(), next))
    }
}

impl Listed for Voucher {
    fn page(db: &mut Db, wanted: &Wanted) -> Page<Self> {
        let (found, next) = vouchers::list(db, &wanted.of_prices())?;
        let shown = found.iter().map(|(s, used)| s.record.to_contract(*used, s.version, s.changed_at));
        Ok((shown.collect(), next))
    }
}

impl Listed for Warehouse {
    fn page(db: &mut Db, wanted: &Wanted) -> Page<Self> {
        let (keys, changed_since, after, limit) =
            (wanted.keys.clone(), wanted.since, wanted.after.clone(), wanted.limit);
        let filter = inventory::WarehouseFilter {
            keys,
            changed_since,
            changes: wanted.changes,
            after,
            limit,
            ..inventory::WarehouseFilter::default()
        };
        let (found, next) = inventory::list_warehouses(db, &filter)?;
        Ok((found.iter().map(|stored| stored.record.to_contract(stored.version, stored.changed_at)).collect(), next))
    }
}

impl Listed for Booking {
    /// What each warehouse has, as bookings that say so.
    fn page(db: &mut Db, wanted: &Wanted) -> Page<Self> {
        let (skus, changed_since, after, limit) =
            (wanted.keys.clone(), wanted.since, wanted.after.clone(), wanted.limit);
        let filter = inventory::Filter {
            skus,
            changed_since,
            changes: wanted.changes,
            after,
            limit,
            ..inventory::Filter::default()
        };
        let (found, next) = list_stocks(db, &filter)?;
        let mut bookings = Vec::new();
        for stock in found {
            bookings.extend(stock.warehouses.into_iter().map(|(warehouse, quantity)| Self {
                key: None,
                sku: stock.sku.clone(),
                warehouse: Some(warehouse),
                choice: BookingChoice::Quantity(Decimal(quantity)),
                reason: None,
            }));
        }
        Ok((bookings, next))
    }
}

impl Listed for Order {
    fn page(db: &mut Db, wanted: &Wanted) -> Page<Self> {
        let after = wanted.after.as_deref().and_then(|after| after.parse().ok()).unwrap_or(0);
        let (found, more) = match wanted.leased {
            Some(export) => orders::leased(db, export, after, wanted.limit)?,
            None => {
                let (numbers, changed_since, limit) = (wanted.keys.clone(), wanted.since, wanted.limit);
                orders::list(
                    db,
                    &orders::Filter {
                        numbers,
                        changed_since,
                        changes: wanted.changes,
                        after,
                        limit,
                        ..orders::Filter::default()
                    },
                )?
            }
        };
        let next = found.last().filter(|_| more).map(|loaded| loaded.id.to_string());
        Ok((found.iter().map(|loaded| loaded.order.to_contract(&loaded.standing)).collect(), next))
    }
}
