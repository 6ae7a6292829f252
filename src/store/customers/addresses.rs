//! Addresses of customers.

use crate::domain::customers::{Address, Customer};
use crate::store::bulk::{Column, Rows, Table};
use crate::store::children::by_owner;
use crate::store::schema::customer_addresses;
use crate::store::{Db, StoreError};
use diesel::prelude::*;
use std::collections::HashMap;

/// What an address is for.
pub(super) const BILLING: &str = "billing";
pub(super) const DELIVERY: &str = "delivery";

#[derive(Queryable, Selectable)]
#[diesel(table_name = customer_addresses)]
struct Row {
    customer_id: i64,
    kind: String,
    key: String,
    company: Option<String>,
    salutation: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    addition: Option<String>,
    street: Option<String>,
    post_box: Option<String>,
    postal_code: Option<String>,
    city: Option<String>,
    region: Option<String>,
    country: Option<String>,
    phone: Option<String>,
    email: Option<String>,
}

pub(super) const ADDRESSES: Table = Table {
    name: "customer_addresses",
    columns: &[
        Column::Integer("customer_id"),
        Column::Text("kind"),
        Column::Text("key"),
        Column::Integer("position"),
        Column::Text("company"),
        Column::Text("salutation"),
        Column::Text("first_name"),
        Column::Text("last_name"),
        Column::Text("addition"),
        Column::Text("street"),
        Column::Text("post_box"),
        Column::Text("postal_code"),
        Column::Text("city"),
        Column::Text("region"),
        Column::Text("country"),
        Column::Text("phone"),
        Column::Text("email"),
    ],
    key: &[],
};

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
    rows.text(*kind)
        .text(&address.key)
        .integer(position)
        .text_option(address.company.as_deref())
        .text_option(address.salutation.as_deref())
        .text_option(address.first_name.as_deref())
        .text_option(address.last_name.as_deref())
        .text_option(address.addition.as_deref())
        .text_option(address.street.as_deref())
        .text_option(address.post_box.as_deref())
        .text_option(address.postal_code.as_deref())
        .text_option(address.city.as_deref())
        .text_option(address.region.as_deref())
        .text_option(address.country.as_deref())
        .text_option(address.phone.as_deref())
        .text_option(address.email.as_deref());
}

type ByCustomer = HashMap<i64, Vec<Address>>;

/// The billing and the delivery addresses of customers.
pub(super) fn of(connection: &mut Db, ids: &[i64]) -> Result<(ByCustomer, ByCustomer), StoreError> {
    let rows: Vec<Row> = customer_addresses::table
        .filter(customer_addresses::customer_id.eq_any(ids))
        .order((customer_addresses::customer_id, customer_addresses::position, customer_addresses::id))
        .select(Row::as_select())
        .load(connection)?;
    let (billing, delivery): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| row.kind == BILLING);
    let owned = |rows: Vec<Row>| by_owner(rows.into_iter().map(|row| (row.customer_id, row.into_address())));
    Ok((owned(billing), owned(delivery)))
}

impl Row {
    fn into_address(self) -> Address {
        Address {
            key: self.key,
            company: self.company,
            salutation: self.salutation,
            first_name: self.first_name,
            last_name: self.last_name,
            addition: self.addition,
            street: self.street,
            post_box: self.post_box,
            postal_code: self.postal_code,
            city: self.city,
            region: self.region,
            country: self.country,
            phone: self.phone,
            email: self.email,
        }
    }
}
