//! Addresses of customers.

use crate::domain::customers::{Address, Customer};
use crate::store::addresses::{self, AddressRow, BILLING, DELIVERY, address_columns, address_table};
use crate::store::bulk::{Column, Rows, Table};
use crate::store::children::by_owner;
use crate::store::schema::customer_addresses;
use crate::store::{Db, StoreError};
use diesel::prelude::*;
use std::collections::HashMap;

pub(super) const ADDRESSES: Table =
    address_table!("customer_addresses", Column::Integer("customer_id"), Column::Integer("position"));

/// The addresses of a customer, each with what it is for.
#[derive(Default)]
pub(super) struct Both<'a>(pub Vec<(&'static str, &'a Address)>);

impl<'a> Both<'a> {
    pub fn of(customer: &'a Customer) -> Self {
        let billing = customer.billing.iter().map(|address| (BILLING, address));
        Self(billing.chain(customer.delivery.iter().map(|address| (DELIVERY, address))).collect())
    }
}

/// A row's cells, after the customer's id.
pub(super) fn put<'a>(rows: &mut Rows<'a>, position: i64, (kind, address): &(&'static str, &'a Address)) {
    rows.integer(position);
    addresses::put(rows, kind, address);
}

type ByCustomer = HashMap<i64, Vec<Address>>;

/// The billing and the delivery addresses of customers.
pub(super) fn of(connection: &mut Db, ids: &[i64]) -> Result<(ByCustomer, ByCustomer), StoreError> {
    let rows: Vec<AddressRow> = customer_addresses::table
        .filter(customer_addresses::customer_id.eq_any(ids))
        .order((customer_addresses::customer_id, customer_addresses::position, customer_addresses::id))
        .select(address_columns!(customer_addresses, customer_id))
        .load(connection)?;
    let (billing, delivery): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.kind == BILLING);
    let owned = |rows: Vec<AddressRow>| by_owner(rows.into_iter().map(|row| (row.owner, row.into_address())));
    Ok((owned(billing), owned(delivery)))
}
