//! The portType Customers.

use super::{page, results, times};
use crate::domain::customers::Money;
use crate::domain::{Rules, compared};
use crate::error::ServiceError;
use crate::records::take;
use crate::store::{Db, Store, StoreError, customers};
use chrono::Utc;
use soapstone_contracts::customers::{
    AllocateNumbers, AllocateNumbersResponse, AssignNumbers, AssignNumbersResponse, BookCredits, BookCreditsResponse,
    CreditBooking, Customer, Customers, DeleteCustomers, DeleteCustomersResponse, DeleteGroups, DeleteGroupsResponse,
    GetCustomer, GetCustomerResponse, GetGroup, GetGroupResponse, Group, GroupKind, ListCredits, ListCreditsResponse,
    ListCustomers, ListCustomersResponse, ListGroups, ListGroupsResponse, ListMerges, ListMergesResponse,
    MergeCustomers, MergeCustomersResponse, MergeRecord, UndoMerges, UndoMergesResponse, UpdateCustomer,
    UpdateCustomerResponse, UpdateGroup, UpdateGroupResponse, UpsertCustomers, UpsertCustomersResponse,
    UpsertDeliveryAddresses, UpsertDeliveryAddressesResponse, UpsertGroups, UpsertGroupsResponse,
};
use soapstone_runtime::DateTime;
use soapstone_runtime::service::Context;
use std::sync::Arc;

/// Customers, their numbers and their credit.
pub struct CustomersService {
    pub store: Store,
    pub rules: Arc<Rules>,
}

impl CustomersService {
    async fn get(&self, number: String) -> Result<Customer, ServiceError> {
        let key = number.clone();
        let found = self.store.read(move |db| customers::get(db, &key)).await?;
        let (customer, standing) = found.ok_or(ServiceError::NotFound { kind: "customer", key: number })?;
        Ok(customer.to_contract(&standing))
    }
}

fn group(db: &mut Db, kind: GroupKind, key: &str) -> Result<Group, StoreError> {
    let found = customers::get_group(db, kind, key)?;
    let stored = found.ok_or_else(|| ServiceError::NotFound { kind: "group", key: key.to_owned() })?;
    Ok(stored.record.to_contract(stored.version, stored.changed_at))
}

impl Customers for CustomersService {
    type Error = ServiceError;

    async fn upsert_customers(
        &self,
        _context: &Context,
        request: UpsertCustomers,
    ) -> Result<UpsertCustomersResponse, ServiceError> {
        Ok(UpsertCustomersResponse { result: take(&self.store, &self.rules, request.customer).await? })
    }

    async fn get_customer(
        &self,
        _context: &Context,
        request: GetCustomer,
    ) -> Result<GetCustomerResponse, ServiceError> {
        Ok(GetCustomerResponse { customer: self.get(request.number).await? })
    }

    async fn list_customers(
        &self,
        _context: &Context,
        request: ListCustomers,
    ) -> Result<ListCustomersResponse, ServiceError> {
        let filter = customers::Filter {
            numbers: request.number,
            changed_since: times::since(request.changed_since, &self.rules.defaults)?,
            changes: None,
            price_group: request.price_group,
            text: request.text.filter(|t| !t.is_empty()),
            after: request.cursor.filter(|c| !c.is_empty()),
            limit: page::size(request.limit),
        };
        let (found, next_cursor) = self.store.read(move |db| customers::list(db, &filter)).await?;
        let customer = found.iter().map(|(customer, standing)| customer.to_contract(standing)).collect();
        Ok(ListCustomersResponse { customer, next_cursor })
    }

    async fn update_customer(
        &self,
        _context: &Context,
        request: UpdateCustomer,
    ) -> Result<UpdateCustomerResponse, ServiceError> {
        let number = request.customer.number.clone().ok_or_else(|| {
            ServiceError::invalid("customer.no_number", "A change names the number of its customer").of("number", "")
        })?;
        let (numbering, defaults) = (self.rules.numbering.clone(), self.rules.defaults.clone());
        let changed = self.store.write(move |db| {
            let now = Utc::now().naive_utc();
            let missing = || ServiceError::NotFound { kind: "customer", key: number.clone() };
            // Only what is there is changed.
            customers::resolve(db, &[compared(&number)])?.into_values().next().ok_or_else(missing)?;
            let changes = customers::upsert(db, vec![request.customer], &numbering, &defaults, now)?;
            results::only(changes.into_iter().map(|(_, change)| change))?;
            let (customer, standing) = customers::get(db, &number)?.ok_or_else(missing)?;
            Ok(customer.to_contract(&standing))
        });
        Ok(UpdateCustomerResponse { customer: changed.await? })
    }

    async fn delete_customers(
        &self,
        _context: &Context,
        request: DeleteCustomers,
    ) -> Result<DeleteCustomersResponse, ServiceError> {
        let numbers = request.number.clone();
        let deleted = self.store.write(move |db| customers::delete(db, &numbers)).await?;
        Ok(DeleteCustomersResponse { result: results::of_deletions(request.number, deleted) })
    }

    async fn allocate_numbers(
        &self,
        _context: &Context,
        request: AllocateNumbers,
    ) -> Result<AllocateNumbersResponse, ServiceError> {
        let range = self.rules.numbering.own.clone();
        let count = usize::try_from(request.count.unwrap_or(1)).unwrap_or(1);
        let number = self.store.write(move |db| customers::allocate(db, &range, count)).await?;
        Ok(AllocateNumbersResponse { number })
    }

    async fn assign_numbers(
        &self,
        _context: &Context,
        request: AssignNumbers,
    ) -> Result<AssignNumbersResponse, ServiceError> {
        let keys = request.assignment.iter().map(|a| a.number.clone()).collect();
        let numbering = self.rules.numbering.clone();
        let changes = self.store.write(move |db| {
            let now = Utc::now().naive_utc();
            let given = request.assignment.iter();
            given
                .map(|a| customers::assign(db, &a.number, &a.to, &numbering, now))
                .collect::<Result<Vec<_>, StoreError>>()
        });
        Ok(AssignNumbersResponse { result: results::of_changes(keys, changes.await?) })
    }

    async fn merge_customers(
        &self,
        _context: &Context,
        request: MergeCustomers,
    ) -> Result<MergeCustomersResponse, ServiceError> {
        Ok(MergeCustomersResponse { result: take(&self.store, &self.rules, request.merge).await? })
    }

    async fn undo_merges(&self, _context: &Context, request: UndoMerges) -> Result<UndoMergesResponse, ServiceError> {
        let keys = request.number.clone();
        let changes = self.store.write(move |db| {
            let now = Utc::now().naive_utc();
            request.number.iter().map(|n| customers::undo(db, n, now)).collect::<Result<Vec<_>, StoreError>>()
        });
        Ok(UndoMergesResponse { result: results::of_changes(keys, changes.await?) })
    }

    async fn list_merges(&self, _context: &Context, request: ListMerges) -> Result<ListMergesResponse, ServiceError> {
        let (before, limit) = (page::number(request.cursor.as_deref())?, page::size(request.limit));
        let found = self.store.read(move |db| customers::list_merges(db, request.number.as_deref(), before, limit));
        let (found, more) = found.await?;
        let next_cursor = found.last().filter(|_| more).map(|m| m.id.to_string());
        let merge = found.into_iter().map(|m| MergeRecord {
            number: m.number,
            into: m.into,
            merged_at: DateTime::from_utc(m.merged_at),
            undoable_until: DateTime::from_utc(m.undoable_until),
            undone_at: m.undone_at.map(DateTime::from_utc),
        });
        Ok(ListMergesResponse { merge: merge.collect(), next_cursor })
    }

    async fn book_credits(
        &self,
        _context: &Context,
        request: BookCredits,
    ) -> Result<BookCreditsResponse, ServiceError> {
        Ok(BookCreditsResponse { result: take(&self.store, &self.rules, request.booking).await? })
    }

    async fn list_credits(
        &self,
        _context: &Context,
        request: ListCredits,
    ) -> Result<ListCreditsResponse, ServiceError> {
        let (before, limit) = (page::number(request.cursor.as_deref())?, page::size(request.limit));
        let asked = request.customer.clone();
        let found = self.store.read(move |db| {
            let key = compared(&asked);
            let Some(customer) = customers::resolve(db, &[key])?.into_values().next() else { return Ok(None) };
            let balance = customers::balances(db, &[customer.id])?.remove(&customer.id).unwrap_or_default();
            let (bookings, more) = customers::list_credits(db, (customer.id, &customer.number), before, limit)?;
            Ok(Some((balance, bookings, more)))
        });
        let missing = ServiceError::NotFound { kind: "customer", key: request.customer };
        let (balance, bookings, more) = found.await?.ok_or(missing)?;
        let next_cursor = bookings.last().filter(|_| more).map(|(id, ..)| id.to_string());
        let booking = bookings.into_iter().map(|(_, credit, at)| CreditBooking {
            key: credit.key,
            customer: credit.customer,
            amount: credit.money.to_contract(),
            reason: credit.reason,
            booked_at: Some(DateTime::from_utc(at)),
        });
        let balance = balance.iter().map(Money::to_contract).collect();
        Ok(ListCreditsResponse { balance, booking: booking.collect(), next_cursor })
    }

    async fn upsert_delivery_addresses(
        &self,
        _context: &Context,
        request: UpsertDeliveryAddresses,
    ) -> Result<UpsertDeliveryAddressesResponse, ServiceError> {
        Ok(UpsertDeliveryAddressesResponse { result: take(&self.store, &self.rules, request.delivery_address).await? })
    }

    async fn upsert_groups(
        &self,
        _context: &Context,
        request: UpsertGroups,
    ) -> Result<UpsertGroupsResponse, ServiceError> {
        Ok(UpsertGroupsResponse { result: take(&self.store, &self.rules, request.group).await? })
    }

    async fn list_groups(&self, _context: &Context, request: ListGroups) -> Result<ListGroupsResponse, ServiceError> {
        let cursor = request.cursor.filter(|c| !c.is_empty());
        // A cursor is the last group: its kind, a blank, its key.
        let split =
            |c: String| c.split_once(' ').map(|(k, key)| (k.to_owned(), key.to_owned())).unwrap_or((c, String::new()));
        let filter = customers::GroupFilter {
            kind: request.kind,
            changed_since: times::since(request.changed_since, &self.rules.defaults)?,
            text: request.text.filter(|t| !t.is_empty()),
            after: cursor.map(split),
            limit: page::size(request.limit),
        };
        let (found, more) = self.store.read(move |db| customers::list_groups(db, &filter)).await?;
        let cursor = |kind: GroupKind, key: &str| format!("{} {key}", kind.as_str());
        let next_cursor = found.last().filter(|_| more).map(|g| cursor(g.record.kind, &g.record.key));
        let group = found.iter().map(|g| g.record.to_contract(g.version, g.changed_at)).collect();
        Ok(ListGroupsResponse { group, next_cursor })
    }

    async fn get_group(&self, _context: &Context, request: GetGroup) -> Result<GetGroupResponse, ServiceError> {
        Ok(GetGroupResponse { group: self.store.read(move |db| group(db, request.kind, &request.key)).await? })
    }

    async fn update_group(
        &self,
        _context: &Context,
        request: UpdateGroup,
    ) -> Result<UpdateGroupResponse, ServiceError> {
        let defaults = self.rules.defaults.clone();
        let changed = self.store.write(move |db| {
            let now = Utc::now().naive_utc();
            let (kind, key) = (request.group.kind, request.group.key.clone());
            group(db, kind, &key)?;
            results::only(customers::upsert_groups(db, vec![request.group], &defaults, now)?)?;
            group(db, kind, &key)
        });
        Ok(UpdateGroupResponse { group: changed.await? })
    }

    async fn delete_groups(
        &self,
        _context: &Context,
        request: DeleteGroups,
    ) -> Result<DeleteGroupsResponse, ServiceError> {
        let keys = request.key.clone();
        let deleted = self.store.write(move |db| customers::delete_groups(db, request.kind, &request.key)).await?;
        Ok(DeleteGroupsResponse { result: results::of_deletions(keys, deleted) })
    }
}
