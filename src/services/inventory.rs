//! The portType Inventory.

use super::{page, results, times};
use crate::domain::inventory::{Wanted, availability};
use crate::domain::{Rules, compared};
use crate::error::ServiceError;
use crate::records::take;
use crate::store::inventory::{self, Filter, Stock};
use crate::store::{Db, Store, StoreError};
use chrono::Utc;
use soapstone_contracts::inventory as contract;
use soapstone_contracts::inventory::{
    BookStock, BookStockResponse, CheckAvailability, CheckAvailabilityResponse, DeleteWarehouses,
    DeleteWarehousesResponse, GetStock, GetStockResponse, GetWarehouse, GetWarehouseResponse, Inventory,
    ListStockBookings, ListStockBookingsResponse, ListStocks, ListStocksResponse, ListWarehouses,
    ListWarehousesResponse, UpdateWarehouse, UpdateWarehouseResponse, UpsertWarehouses, UpsertWarehousesResponse,
};
use soapstone_runtime::service::Context;
use soapstone_runtime::{DateTime, Decimal};
use std::sync::Arc;

/// Stocks and warehouses.
pub struct InventoryService {
    pub store: Store,
    pub rules: Arc<Rules>,
}

fn to_contract(stock: &Stock) -> contract::Stock {
    let warehouse = |(warehouse, quantity): &(String, bigdecimal::BigDecimal)| contract::WarehouseStock {
        warehouse: warehouse.clone(),
        quantity: Decimal(quantity.clone()),
    };
    contract::Stock {
        sku: stock.sku.clone(),
        warehouse: stock.warehouses.iter().map(warehouse).collect(),
        total: Decimal(stock.total.clone()),
        reserved: Decimal(stock.reserved.clone()),
        available: Decimal(stock.available()),
        changed_at: Some(DateTime::from_utc(stock.changed_at)),
    }
}

fn warehouse(db: &mut Db, key: &str) -> Result<contract::Warehouse, StoreError> {
    let found = inventory::get_warehouse(db, key)?;
    let stored = found.ok_or_else(|| ServiceError::NotFound { kind: "warehouse", key: key.to_owned() })?;
    Ok(stored.record.to_contract(stored.version, stored.changed_at))
}

impl Inventory for InventoryService {
    type Error = ServiceError;

    async fn book_stock(&self, _context: &Context, request: BookStock) -> Result<BookStockResponse, ServiceError> {
        Ok(BookStockResponse { result: take(&self.store, &self.rules, request.booking).await? })
    }

    async fn list_stock_bookings(
        &self,
        _context: &Context,
        request: ListStockBookings,
    ) -> Result<ListStockBookingsResponse, ServiceError> {
        let (before, limit) = (page::number(request.cursor.as_deref())?, page::size(request.limit));
        let found = self.store.read(move |db| {
            inventory::list_bookings(db, request.sku.as_deref(), request.warehouse.as_deref(), before, limit)
        });
        let (found, more) = found.await?;
        let next_cursor = found.last().filter(|_| more).map(|booked| booked.id.to_string());
        let booking = found.into_iter().map(|booked| contract::BookingRecord {
            key: booked.key,
            sku: booked.sku,
            warehouse: booked.warehouse,
            before: Decimal(booked.before),
            after: Decimal(booked.after),
            reason: booked.reason,
            booked_at: DateTime::from_utc(booked.at),
        });
        Ok(ListStockBookingsResponse { booking: booking.collect(), next_cursor })
    }

    async fn get_stock(&self, _context: &Context, request: GetStock) -> Result<GetStockResponse, ServiceError> {
        let sku = request.sku.clone();
        let found = self.store.read(move |db| Ok(inventory::stocks_of(db, &[sku])?.pop())).await?;
        let stock = found.ok_or(ServiceError::NotFound { kind: "article", key: request.sku })?;
        Ok(GetStockResponse { stock: to_contract(&stock) })
    }

    async fn list_stocks(&self, _context: &Context, request: ListStocks) -> Result<ListStocksResponse, ServiceError> {
        let filter = Filter {
            skus: request.sku,
            warehouse: request.warehouse,
            changed_since: times::since(request.changed_since, &self.rules.defaults)?,
            changes: None,
            after: request.cursor.filter(|c| !c.is_empty()),
            limit: page::size(request.limit),
        };
        let (found, next_cursor) = self.store.read(move |db| inventory::list_stocks(db, &filter)).await?;
        Ok(ListStocksResponse { stock: found.iter().map(to_contract).collect(), next_cursor })
    }

    async fn check_availability(
        &self,
        _context: &Context,
        request: CheckAvailability,
    ) -> Result<CheckAvailabilityResponse, ServiceError> {
        let skus: Vec<String> = request.line.iter().map(|line| line.sku.clone()).collect();
        let stocks = self.store.read(move |db| inventory::stocks_of(db, &skus)).await?;
        let now = Utc::now().naive_utc();
        let line = request.line.into_iter().map(|line| {
            let key = compared(&line.sku);
            let stock = stocks.iter().find(|stock| stock.key == key);
            let available = stock.map(Stock::available);
            let availability = stock.zip(available.as_ref()).map(|(stock, available)| {
                let (quantity, active) = (&line.quantity.0, stock.is_active(now));
                availability(&Wanted { quantity, available, rule: stock.rule, active })
            });
            contract::AvailableLine {
                availability,
                available: available.map(Decimal),
                delivery_time: stock.and_then(|stock| stock.delivery_time.clone()),
                error: stock.is_none().then(|| "article.not_found".to_owned()),
                sku: line.sku,
                quantity: line.quantity,
            }
        });
        Ok(CheckAvailabilityResponse { line: line.collect() })
    }

    async fn upsert_warehouses(
        &self,
        _context: &Context,
        request: UpsertWarehouses,
    ) -> Result<UpsertWarehousesResponse, ServiceError> {
        Ok(UpsertWarehousesResponse { result: take(&self.store, &self.rules, request.warehouse).await? })
    }

    async fn list_warehouses(
        &self,
        _context: &Context,
        request: ListWarehouses,
    ) -> Result<ListWarehousesResponse, ServiceError> {
        let filter = inventory::WarehouseFilter {
            keys: request.key,
            changed_since: times::since(request.changed_since, &self.rules.defaults)?,
            changes: None,
            text: request.text.filter(|t| !t.is_empty()),
            after: request.cursor.filter(|c| !c.is_empty()),
            limit: page::size(request.limit),
        };
        let (found, next_cursor) = self.store.read(move |db| inventory::list_warehouses(db, &filter)).await?;
        let warehouse = found.iter().map(|w| w.record.to_contract(w.version, w.changed_at)).collect();
        Ok(ListWarehousesResponse { warehouse, next_cursor })
    }

    async fn get_warehouse(
        &self,
        _context: &Context,
        request: GetWarehouse,
    ) -> Result<GetWarehouseResponse, ServiceError> {
        Ok(GetWarehouseResponse { warehouse: self.store.read(move |db| warehouse(db, &request.key)).await? })
    }

    async fn update_warehouse(
        &self,
        _context: &Context,
        request: UpdateWarehouse,
    ) -> Result<UpdateWarehouseResponse, ServiceError> {
        let defaults = self.rules.defaults.clone();
        let changed = self.store.write(move |db| {
            let now = Utc::now().naive_utc();
            let key = request.warehouse.key.clone();
            warehouse(db, &key)?;
            results::only(inventory::upsert_warehouses(db, vec![request.warehouse], &defaults, now)?)?;
            warehouse(db, &key)
        });
        Ok(UpdateWarehouseResponse { warehouse: changed.await? })
    }

    async fn delete_warehouses(
        &self,
        _context: &Context,
        request: DeleteWarehouses,
    ) -> Result<DeleteWarehousesResponse, ServiceError> {
        let keys = request.key.clone();
        let deleted = self.store.write(move |db| inventory::delete_warehouses(db, &keys)).await?;
        Ok(DeleteWarehousesResponse { result: results::of_deletions(request.key, deleted) })
    }
}
