//! The portType Pricing.

mod find;

use super::{page, results, times};
use crate::domain::Rules;
use crate::error::ServiceError;
use crate::records::take;
use crate::store::prices::{Page, discounts, entries, vouchers};
use crate::store::{Db, Store, StoreError};
use chrono::Utc;
use soapstone_contracts::pricing::{
    DeleteLineDiscounts, DeleteLineDiscountsResponse, DeletePriceEntries, DeletePriceEntriesResponse, DeleteVouchers,
    DeleteVouchersResponse, FindPrice, FindPriceResponse, GetLineDiscount, GetLineDiscountResponse, GetPriceEntry,
    GetPriceEntryResponse, GetVoucher, GetVoucherResponse, LineDiscount, ListLineDiscounts, ListLineDiscountsResponse,
    ListPriceEntries, ListPriceEntriesResponse, ListVouchers, ListVouchersResponse, PriceEntry, Pricing,
    SimulateBasket, SimulateBasketResponse, UpdateLineDiscount, UpdateLineDiscountResponse, UpdatePriceEntry,
    UpdatePriceEntryResponse, UpdateVoucher, UpdateVoucherResponse, UpsertLineDiscounts, UpsertLineDiscountsResponse,
    UpsertPriceEntries, UpsertPriceEntriesResponse, UpsertVouchers, UpsertVouchersResponse, Voucher,
};
use soapstone_runtime::DateTime;
use soapstone_runtime::service::Context;
use std::sync::Arc;

/// Prices, discounts and vouchers.
pub struct PricingService {
    pub store: Store,
    pub rules: Arc<Rules>,
}

/// A page of one: the record of a key.
fn only(key: &str) -> Page {
    Page { keys: vec![key.to_owned()], limit: 1, ..Page::default() }
}

fn entry(db: &mut Db, key: &str) -> Result<PriceEntry, StoreError> {
    let filter = entries::Filter { page: only(key), ..entries::Filter::default() };
    let found = entries::list(db, &filter)?.0.pop();
    let missing = || ServiceError::NotFound { kind: "price_entry", key: key.to_owned() };
    let stored = found.ok_or_else(missing)?;
    Ok(stored.record.to_contract(stored.version, stored.changed_at))
}

fn discount(db: &mut Db, key: &str) -> Result<LineDiscount, StoreError> {
    let filter = discounts::Filter { page: only(key), ..discounts::Filter::default() };
    let found = discounts::list(db, &filter)?.0.pop();
    let missing = || ServiceError::NotFound { kind: "line_discount", key: key.to_owned() };
    let stored = found.ok_or_else(missing)?;
    Ok(stored.record.to_contract(stored.version, stored.changed_at))
}

fn voucher(db: &mut Db, code: &str) -> Result<Voucher, StoreError> {
    let found = vouchers::list(db, &only(code))?.0.pop();
    let missing = || ServiceError::NotFound { kind: "voucher", key: code.to_owned() };
    let (stored, used) = found.ok_or_else(missing)?;
    Ok(stored.record.to_contract(used, stored.version, stored.changed_at))
}

impl PricingService {
    fn page(
        &self,
        keys: Vec<String>,
        changed_since: Option<DateTime>,
        cursor: Option<String>,
        limit: Option<i32>,
    ) -> Result<Page, ServiceError> {
        Ok(Page {
            keys,
            changed_since: times::since(changed_since, &self.rules.defaults)?,
            changes: None,
            after: cursor.filter(|c| !c.is_empty()),
            limit: page::size(limit),
        })
    }
}

impl Pricing for PricingService {
    type Error = ServiceError;

    async fn upsert_price_entries(
        &self,
        _context: &Context,
        request: UpsertPriceEntries,
    ) -> Result<UpsertPriceEntriesResponse, ServiceError> {
        Ok(UpsertPriceEntriesResponse { result: take(&self.store, &self.rules, request.entry).await? })
    }

    async fn get_price_entry(
        &self,
        _context: &Context,
        request: GetPriceEntry,
    ) -> Result<GetPriceEntryResponse, ServiceError> {
        let entry = self.store.read(move |db| entry(db, &request.key)).await?;
        Ok(GetPriceEntryResponse { entry })
    }

    async fn list_price_entries(
        &self,
        _context: &Context,
        request: ListPriceEntries,
    ) -> Result<ListPriceEntriesResponse, ServiceError> {
        let filter = entries::Filter {
            page: self.page(request.key, request.changed_since, request.cursor, request.limit)?,
            sku: request.sku,
            customer: request.customer,
            price_group: request.price_group,
        };
        let (found, next_cursor) = self.store.read(move |db| entries::list(db, &filter)).await?;
        let entry = found.iter().map(|s| s.record.to_contract(s.version, s.changed_at)).collect();
        Ok(ListPriceEntriesResponse { entry, next_cursor })
    }

    async fn update_price_entry(
        &self,
        _context: &Context,
        request: UpdatePriceEntry,
    ) -> Result<UpdatePriceEntryResponse, ServiceError> {
        let defaults = self.rules.defaults.clone();
        let changed = self.store.write(move |db| {
            let now = Utc::now().naive_utc();
            let key = request.entry.key.clone();
            entry(db, &key)?;
            results::only(entries::upsert(db, vec![request.entry], &defaults, now)?)?;
            entry(db, &key)
        });
        Ok(UpdatePriceEntryResponse { entry: changed.await? })
    }

    async fn delete_price_entries(
        &self,
        _context: &Context,
        request: DeletePriceEntries,
    ) -> Result<DeletePriceEntriesResponse, ServiceError> {
        let keys = request.key.clone();
        let deleted = self.store.write(move |db| entries::delete(db, &keys)).await?;
        Ok(DeletePriceEntriesResponse { result: results::of_deletions(request.key, deleted) })
    }

    async fn upsert_line_discounts(
        &self,
        _context: &Context,
        request: UpsertLineDiscounts,
    ) -> Result<UpsertLineDiscountsResponse, ServiceError> {
        Ok(UpsertLineDiscountsResponse { result: take(&self.store, &self.rules, request.discount).await? })
    }

    async fn get_line_discount(
        &self,
        _context: &Context,
        request: GetLineDiscount,
    ) -> Result<GetLineDiscountResponse, ServiceError> {
        let discount = self.store.read(move |db| discount(db, &request.key)).await?;
        Ok(GetLineDiscountResponse { discount })
    }

    async fn list_line_discounts(
        &self,
        _context: &Context,
        request: ListLineDiscounts,
    ) -> Result<ListLineDiscountsResponse, ServiceError> {
        let filter = discounts::Filter {
            page: self.page(request.key, request.changed_since, request.cursor, request.limit)?,
            customer: request.customer,
            customer_group: request.customer_group,
        };
        let (found, next_cursor) = self.store.read(move |db| discounts::list(db, &filter)).await?;
        let discount = found.iter().map(|s| s.record.to_contract(s.version, s.changed_at)).collect();
        Ok(ListLineDiscountsResponse { discount, next_cursor })
    }

    async fn update_line_discount(
        &self,
        _context: &Context,
        request: UpdateLineDiscount,
    ) -> Result<UpdateLineDiscountResponse, ServiceError> {
        let defaults = self.rules.defaults.clone();
        let changed = self.store.write(move |db| {
            let now = Utc::now().naive_utc();
            let key = request.discount.key.clone();
            discount(db, &key)?;
            results::only(discounts::upsert(db, vec![request.discount], &defaults, now)?)?;
            discount(db, &key)
        });
        Ok(UpdateLineDiscountResponse { discount: changed.await? })
    }

    async fn delete_line_discounts(
        &self,
        _context: &Context,
        request: DeleteLineDiscounts,
    ) -> Result<DeleteLineDiscountsResponse, ServiceError> {
        let keys = request.key.clone();
        let deleted = self.store.write(move |db| discounts::delete(db, &keys)).await?;
        Ok(DeleteLineDiscountsResponse { result: results::of_deletions(request.key, deleted) })
    }

    async fn upsert_vouchers(
        &self,
        _context: &Context,
        request: UpsertVouchers,
    ) -> Result<UpsertVouchersResponse, ServiceError> {
        Ok(UpsertVouchersResponse { result: take(&self.store, &self.rules, request.voucher).await? })
    }

    async fn get_voucher(&self, _context: &Context, request: GetVoucher) -> Result<GetVoucherResponse, ServiceError> {
        let voucher = self.store.read(move |db| voucher(db, &request.code)).await?;
        Ok(GetVoucherResponse { voucher })
    }

    async fn list_vouchers(
        &self,
        _context: &Context,
        request: ListVouchers,
    ) -> Result<ListVouchersResponse, ServiceError> {
        let page = self.page(request.code, request.changed_since, request.cursor, request.limit)?;
        let (found, next_cursor) = self.store.read(move |db| vouchers::list(db, &page)).await?;
        let voucher = found.iter().map(|(s, used)| s.record.to_contract(*used, s.version, s.changed_at)).collect();
        Ok(ListVouchersResponse { voucher, next_cursor })
    }

    async fn update_voucher(
        &self,
        _context: &Context,
        request: UpdateVoucher,
    ) -> Result<UpdateVoucherResponse, ServiceError> {
        let defaults = self.rules.defaults.clone();
        let changed = self.store.write(move |db| {
            let now = Utc::now().naive_utc();
            let code = request.voucher.code.clone();
            voucher(db, &code)?;
            results::only(vouchers::upsert(db, vec![request.voucher], &defaults, now)?)?;
            voucher(db, &code)
        });
        Ok(UpdateVoucherResponse { voucher: changed.await? })
    }

    async fn delete_vouchers(
        &self,
        _context: &Context,
        request: DeleteVouchers,
    ) -> Result<DeleteVouchersResponse, ServiceError> {
        let codes = request.code.clone();
        let deleted = self.store.write(move |db| vouchers::delete(db, &codes)).await?;
        Ok(DeleteVouchersResponse { result: results::of_deletions(request.code, deleted) })
    }

    async fn find_price(&self, _context: &Context, request: FindPrice) -> Result<FindPriceResponse, ServiceError> {
        self.find(request).await
    }

    async fn simulate_basket(
        &self,
        _context: &Context,
        request: SimulateBasket,
    ) -> Result<SimulateBasketResponse, ServiceError> {
        self.simulate(request).await
    }
}
