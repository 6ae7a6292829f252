//! The portType Orders.

use super::{page, results, times};
use crate::domain::Rules;
use crate::domain::orders::{Part, Payment};
use crate::error::ServiceError;
use crate::records::take;
use crate::store::orders::{self, Answer, Filed, Loaded, Shipment};
use crate::store::{Db, Store, StoreError};
use chrono::{TimeDelta, Utc};
use soapstone_contracts::orders as contract;
use soapstone_contracts::orders::{
    CancelOrders, CancelOrdersResponse, CloseOrders, CloseOrdersResponse, ConfirmExport, ConfirmExportResponse,
    CreateOrders, CreateOrdersResponse, DeleteOrders, DeleteOrdersResponse, ExportOrders, ExportOrdersResponse,
    GetDocument, GetDocumentResponse, GetOrder, GetOrderResponse, GetPayment, GetPaymentResponse, GetShipment,
    GetShipmentResponse, ListDocuments, ListDocumentsResponse, ListOrders, ListOrdersResponse, ListPayments,
    ListPaymentsResponse, ListShipments, ListShipmentsResponse, Orders, RecordDocuments, RecordDocumentsResponse,
    RecordPayments, RecordPaymentsResponse, RecordShipments, RecordShipmentsResponse, ReleaseOrders,
    ReleaseOrdersResponse, UpdateOrder, UpdateOrderResponse,
};
use soapstone_runtime::service::Context;
use soapstone_runtime::{Base64Binary, Date, DateTime, Decimal};
use std::sync::Arc;

/// For how long orders are leased where nobody says, in seconds.
const LEASE: i32 = 600;

/// Orders, their documents, payments and shipments.
#[derive(Clone)]
pub struct OrdersService {
    pub store: Store,
    pub rules: Arc<Rules>,
}

fn to_contract(loaded: &Loaded) -> contract::Order {
    loaded.order.to_contract(&loaded.standing)
}

fn missing(number: &str) -> ServiceError {
    ServiceError::NotFound { kind: "order", key: number.to_owned() }
}

fn to_parts(parts: &[Part]) -> Vec<contract::Part> {
    let part =
        |(position, quantity): &Part| contract::Part { position: *position, quantity: Decimal(quantity.clone()) };
    parts.iter().map(part).collect()
}

fn document(filed: &Filed, pdf: Option<Vec<u8>>) -> contract::Document {
    let document = &filed.document;
    contract::Document {
        number: document.number.clone(),
        kind: document.kind,
        order: document.order.clone(),
        date: Some(Date::from_naive(document.date)),
        part: to_parts(&document.parts),
        amount: document.amount.clone().map(Decimal),
        text: document.text.clone(),
        pdf: pdf.map(|bytes| Base64Binary(bytes.into())),
        pdf_size: filed.pdf_size,
        recorded_at: Some(DateTime::from_utc(filed.recorded_at)),
    }
}

fn payment(order: String, payment: Payment) -> contract::Payment {
    contract::Payment {
        key: payment.key,
        order,
        method: payment.method,
        state: payment.state,
        amount: Some(Decimal(payment.amount)),
        refunded: Some(Decimal(payment.refunded)),
        transaction: payment.transaction,
        at: Some(DateTime::from_utc(payment.at)),
    }
}

fn shipment(shipment: Shipment) -> contract::Shipment {
    contract::Shipment {
        key: shipment.key,
        order: shipment.order,
        carrier: shipment.carrier,
        tracking_number: shipment.tracking_number,
        tracking_url: shipment.tracking_url,
        part: to_parts(&shipment.parts),
        shipped_at: Some(DateTime::from_utc(shipment.shipped_at)),
    }
}

impl OrdersService {
    /// The PDF of a document.
    ///
    /// # Errors
    /// If there is no such document, or it has none.
    pub async fn pdf(&self, number: String) -> Result<Vec<u8>, ServiceError> {
        let found = self.store.read(move |db| {
            let missing = || ServiceError::NotFound { kind: "document", key: number.clone() };
            orders::get_document(db, &number)?.ok_or_else(missing)?;
            let none = || ServiceError::NotFound { kind: "pdf", key: number.clone() };
            Ok(orders::pdf(db, &number)?.ok_or_else(none)?)
        });
        Ok(found.await?)
    }

    /// Does the same with many orders, each on its own.
    async fn each(
        &self,
        numbers: Vec<String>,
        change: fn(&mut Db, &str, chrono::NaiveDateTime) -> Result<crate::store::batch::Recorded, StoreError>,
    ) -> Result<Vec<soapstone_contracts::common::RecordResult>, ServiceError> {
        let given = numbers.clone();
        let changes = self.store.write(move |db| {
            let now = Utc::now().naive_utc();
            given.iter().map(|number| change(db, number, now)).collect()
        });
        Ok(results::of_changes(numbers, changes.await?))
    }
}

impl Orders for OrdersService {
    type Error = ServiceError;

    async fn create_orders(
        &self,
        _context: &Context,
        request: CreateOrders,
    ) -> Result<CreateOrdersResponse, ServiceError> {
        Ok(CreateOrdersResponse { result: take(&self.store, &self.rules, request.order).await? })
    }

    async fn get_order(&self, _context: &Context, request: GetOrder) -> Result<GetOrderResponse, ServiceError> {
        let order = self.store.read(move |db| {
            Ok(to_contract(&orders::get(db, &request.number)?.ok_or_else(|| missing(&request.number))?))
        });
        Ok(GetOrderResponse { order: order.await? })
    }

    async fn list_orders(&self, _context: &Context, request: ListOrders) -> Result<ListOrdersResponse, ServiceError> {
        let filter = orders::Filter {
            latest_first: false,
            numbers: request.number,
            states: request.state,
            export_state: request.export_state,
            customer: request.customer,
            changed_since: times::since(request.changed_since, &self.rules.defaults)?,
            changes: None,
            text: request.text.filter(|t| !t.is_empty()),
            after: page::number(request.cursor.as_deref())?.unwrap_or(0),
            limit: page::size(request.limit),
        };
        let (found, more) = self.store.read(move |db| orders::list(db, &filter)).await?;
        let next_cursor = found.last().filter(|_| more).map(|loaded| loaded.id.to_string());
        Ok(ListOrdersResponse { order: found.iter().map(to_contract).collect(), next_cursor })
    }

    async fn update_order(
        &self,
        _context: &Context,
        request: UpdateOrder,
    ) -> Result<UpdateOrderResponse, ServiceError> {
        let changed = self.store.write(move |db| {
            let now = Utc::now().naive_utc();
            let number = request.order.number.clone().unwrap_or_default();
            let change = orders::update(db, &number, request.order, now)?;
            results::only([change.ok_or_else(|| missing(&number))?])?;
            Ok(to_contract(&orders::get(db, &number)?.ok_or_else(|| missing(&number))?))
        });
        Ok(UpdateOrderResponse { order: changed.await? })
    }

    async fn cancel_orders(
        &self,
        _context: &Context,
        request: CancelOrders,
    ) -> Result<CancelOrdersResponse, ServiceError> {
        Ok(CancelOrdersResponse { result: self.each(request.number, orders::cancel).await? })
    }

    async fn close_orders(
        &self,
        _context: &Context,
        request: CloseOrders,
    ) -> Result<CloseOrdersResponse, ServiceError> {
        Ok(CloseOrdersResponse { result: self.each(request.number, orders::close).await? })
    }

    async fn delete_orders(
        &self,
        _context: &Context,
        request: DeleteOrders,
    ) -> Result<DeleteOrdersResponse, ServiceError> {
        let numbers = request.number.clone();
        let deleted = self.store.write(move |db| {
            numbers.iter().map(|number| orders::delete(db, number)).collect::<Result<Vec<_>, StoreError>>()
        });
        Ok(DeleteOrdersResponse { result: results::of_deletions(request.number, deleted.await?) })
    }

    async fn export_orders(
        &self,
        _context: &Context,
        request: ExportOrders,
    ) -> Result<ExportOrdersResponse, ServiceError> {
        let limit = page::size(request.limit);
        let seconds = request.lease_seconds.unwrap_or(LEASE);
        let lease = TimeDelta::try_seconds(seconds.into()).filter(|lease| *lease > TimeDelta::zero());
        let lease = lease.ok_or_else(|| {
            ServiceError::invalid("export.lease", "A lease lasts a second at least")
                .of("leaseSeconds", &seconds.to_string())
        })?;
        let export = self
            .store
            .write(move |db| orders::hand_out(db, limit, lease, request.warehouse.as_deref(), Utc::now().naive_utc()));
        let export = export.await?;
        Ok(ExportOrdersResponse {
            export_number: export.as_ref().map(|export| export.id.to_string()),
            leased_until: export.as_ref().map(|export| DateTime::from_utc(export.leased_until)),
            order: export.iter().flat_map(|export| &export.orders).map(to_contract).collect(),
        })
    }

    async fn confirm_export(
        &self,
        _context: &Context,
        request: ConfirmExport,
    ) -> Result<ConfirmExportResponse, ServiceError> {
        let answers: Vec<Answer> = request
            .result
            .into_iter()
            .map(|r| Answer { order: r.order, accepted: r.accepted, message: r.message })
            .collect();
        let number = request.export_number.clone();
        let confirm = move |db: &mut Db| orders::confirm(db, &number, &answers, Utc::now().naive_utc());
        let confirmed = self.store.write(confirm).await?;
        let missing = || ServiceError::NotFound { kind: "export", key: request.export_number };
        let (numbers, changes) = confirmed.ok_or_else(missing)?.into_iter().unzip();
        Ok(ConfirmExportResponse { result: results::of_changes(numbers, changes) })
    }

    async fn release_orders(
        &self,
        _context: &Context,
        request: ReleaseOrders,
    ) -> Result<ReleaseOrdersResponse, ServiceError> {
        Ok(ReleaseOrdersResponse { result: self.each(request.number, orders::release).await? })
    }

    async fn record_documents(
        &self,
        _context: &Context,
        request: RecordDocuments,
    ) -> Result<RecordDocumentsResponse, ServiceError> {
        Ok(RecordDocumentsResponse { result: take(&self.store, &self.rules, request.document).await? })
    }

    async fn get_document(
        &self,
        _context: &Context,
        request: GetDocument,
    ) -> Result<GetDocumentResponse, ServiceError> {
        let found = self.store.read(move |db| {
            let missing = || ServiceError::NotFound { kind: "document", key: request.number.clone() };
            let filed = orders::get_document(db, &request.number)?.ok_or_else(missing)?;
            let pdf = orders::pdf(db, &request.number)?;
            Ok(document(&filed, pdf))
        });
        Ok(GetDocumentResponse { document: found.await? })
    }

    async fn list_documents(
        &self,
        _context: &Context,
        request: ListDocuments,
    ) -> Result<ListDocumentsResponse, ServiceError> {
        let after = page::number(request.cursor.as_deref())?.unwrap_or(0);
        let limit = page::size(request.limit);
        let since = times::since(request.changed_since, &self.rules.defaults)?;
        let found = self
            .store
            .read(move |db| orders::list_documents(db, request.order.as_deref(), request.kind, since, after, limit));
        let (found, more) = found.await?;
        let next_cursor = found.last().filter(|_| more).map(|filed| filed.id.to_string());
        Ok(ListDocumentsResponse { document: found.iter().map(|filed| document(filed, None)).collect(), next_cursor })
    }

    async fn record_payments(
        &self,
        _context: &Context,
        request: RecordPayments,
    ) -> Result<RecordPaymentsResponse, ServiceError> {
        Ok(RecordPaymentsResponse { result: take(&self.store, &self.rules, request.payment).await? })
    }

    async fn list_payments(
        &self,
        _context: &Context,
        request: ListPayments,
    ) -> Result<ListPaymentsResponse, ServiceError> {
        let after = page::number(request.cursor.as_deref())?.unwrap_or(0);
        let limit = page::size(request.limit);
        let since = times::since(request.changed_since, &self.rules.defaults)?;
        let found = self
            .store
            .read(move |db| orders::list_payments(db, request.order.as_deref(), request.state, since, after, limit));
        let (found, more) = found.await?;
        let next_cursor = found.last().filter(|_| more).map(|(id, ..)| id.to_string());
        let payment = found.into_iter().map(|(_, order, found)| payment(order, found)).collect();
        Ok(ListPaymentsResponse { payment, next_cursor })
    }

    async fn record_shipments(
        &self,
        _context: &Context,
        request: RecordShipments,
    ) -> Result<RecordShipmentsResponse, ServiceError> {
        Ok(RecordShipmentsResponse { result: take(&self.store, &self.rules, request.shipment).await? })
    }

    async fn list_shipments(
        &self,
        _context: &Context,
        request: ListShipments,
    ) -> Result<ListShipmentsResponse, ServiceError> {
        let after = page::number(request.cursor.as_deref())?.unwrap_or(0);
        let limit = page::size(request.limit);
        let since = times::since(request.changed_since, &self.rules.defaults)?;
        let found =
            self.store.read(move |db| orders::list_shipments(db, request.order.as_deref(), since, after, limit));
        let (found, more) = found.await?;
        let next_cursor = found.last().filter(|_| more).map(|(id, _)| id.to_string());
        let shipment = found.into_iter().map(|(_, found)| shipment(found)).collect();
        Ok(ListShipmentsResponse { shipment, next_cursor })
    }

    async fn get_payment(&self, _context: &Context, request: GetPayment) -> Result<GetPaymentResponse, ServiceError> {
        let found = self.store.read(move |db| {
            let missing = || ServiceError::NotFound { kind: "payment", key: request.key.clone() };
            let (_, order, found) = orders::get_payment(db, &request.key)?.ok_or_else(missing)?;
            Ok(payment(order, found))
        });
        Ok(GetPaymentResponse { payment: found.await? })
    }

    async fn get_shipment(
        &self,
        _context: &Context,
        request: GetShipment,
    ) -> Result<GetShipmentResponse, ServiceError> {
        let found = self.store.read(move |db| {
            let missing = || ServiceError::NotFound { kind: "shipment", key: request.key.clone() };
            Ok(shipment(orders::get_shipment(db, &request.key)?.ok_or_else(missing)?))
        });
        Ok(GetShipmentResponse { shipment: found.await? })
    }
}
