//! Addresses, in whatever table they are kept.

use super::bulk::Rows;
use crate::domain::customers::Address;
use diesel::prelude::*;

/// What an address is for.
pub(super) const BILLING: &str = "billing";
pub(super) const DELIVERY: &str = "delivery";

/// An address of a table that has these columns.
#[derive(Queryable)]
pub(super) struct AddressRow {
    /// The id of whom it is of.
    pub owner: i64,
    pub kind: String,
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

/// The columns of a table, in the order of an [`AddressRow`].
macro_rules! address_columns {
    ($table:ident, $owner:ident) => {
        (
            $table::$owner,
            $table::kind,
            $table::key,
            $table::company,
            $table::salutation,
            $table::first_name,
            $table::last_name,
            $table::addition,
            $table::street,
            $table::post_box,
            $table::postal_code,
            $table::city,
            $table::region,
            $table::country,
            $table::phone,
            $table::email,
        )
    };
}
pub(super) use address_columns;

/// A table of addresses: first its own columns, then those that [`put`] fills.
macro_rules! address_table {
    ($name:literal, $($own:expr),+) => {
        $crate::store::bulk::Table {
            name: $name,
            columns: &[
                $($own,)+
                $crate::store::bulk::Column::Text("kind"),
                $crate::store::bulk::Column::Text("key"),
                $crate::store::bulk::Column::Text("company"),
                $crate::store::bulk::Column::Text("salutation"),
                $crate::store::bulk::Column::Text("first_name"),
                $crate::store::bulk::Column::Text("last_name"),
                $crate::store::bulk::Column::Text("addition"),
                $crate::store::bulk::Column::Text("street"),
                $crate::store::bulk::Column::Text("post_box"),
                $crate::store::bulk::Column::Text("postal_code"),
                $crate::store::bulk::Column::Text("city"),
                $crate::store::bulk::Column::Text("region"),
                $crate::store::bulk::Column::Text("country"),
                $crate::store::bulk::Column::Text("phone"),
                $crate::store::bulk::Column::Text("email"),
            ],
            key: &[],
        }
    };
}
pub(super) use address_table;

/// The cells of an address, after the table's own.
pub(super) fn put<'a>(rows: &mut Rows<'a>, kind: &'static str, address: &'a Address) {
    rows.text(kind)
        .text(&address.key)
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

impl AddressRow {
    pub fn into_address(self) -> Address {
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
