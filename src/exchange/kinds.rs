//! What runs move: each kind of record, with the operation that takes such records. A file of a kind says what a request of that
//! operation says.

use crate::domain::{Rules, compared};
use crate::records::{Digests, Listed, Record, Taken, Wanted};
use crate::store::batch::Deletion;
use crate::store::prices::{discounts, entries, vouchers};
use crate::store::{Db, StoreError, articles, attributes, categories, customers, inventory, masters};
use chrono::NaiveDateTime;
use serde_json::Value;
use soapstone_contracts::exchange::RunKind;
use soapstone_contracts::{
    catalog as cat, customers as cus, inventory as inv, media as med, orders as ord, pricing as pri,
};
use soapstone_runtime::records::{Record as XmlRecord, Records};
use soapstone_runtime::service::ServiceInfo;
use soapstone_runtime::xml::Scope;
use soapstone_runtime::{Field, Message, Namespace, ReadError, json, xml};
use std::fs::File;
use std::io::BufReader;

/// Records of one kind that were read, and are still to be taken.
pub trait Batch: Send {
    /// Reads one more from XML; with the digest of its text it is known the next time.
    ///
    /// # Errors
    /// Where and why it is not such a record.
    fn read_xml(
        &mut self,
        scope: &Scope<'static>,
        record: &XmlRecord,
        element: &'static Field,
        digest: Option<String>,
    ) -> Result<(), Box<ReadError>>;

    /// Reads one more from JSON; with the digest of its text it is known the next time.
    ///
    /// # Errors
    /// Where and why it is not such a record.
    fn read_json(&mut self, members: Value, digest: Option<String>) -> Result<(), Box<ReadError>>;

    /// Takes a file as one more; false: files are no records of this kind.
    fn read_file(&mut self, name: String, content: Vec<u8>) -> bool;

    /// The record at a place, as REST shows it.
    fn at(&self, place: usize) -> Option<Value>;

    /// Puts another record into a place.
    ///
    /// # Errors
    /// Where and why it is not such a record.
    fn put(&mut self, place: usize, members: Value) -> Result<(), Box<ReadError>>;

    /// Takes a record out.
    fn remove(&mut self, place: usize);

    /// Takes them, in the transaction that is open.
    ///
    /// # Errors
    /// Those of the database; nothing is written then.
    fn take(self: Box<Self>, db: &mut Db, rules: &Rules, now: NaiveDateTime) -> Taken;
}

/// Records, each with the digest of its text, if that is to be remembered.
struct Of<R>(Vec<(R, Option<String>)>);

impl<R: Record> Of<R> {
    fn begin() -> Box<dyn Batch> {
        Box::new(Self(Vec::new()))
    }
}

impl<R: Record> Batch for Of<R> {
    fn read_xml(
        &mut self,
        scope: &Scope<'static>,
        record: &XmlRecord,
        element: &'static Field,
        digest: Option<String>,
    ) -> Result<(), Box<ReadError>> {
        self.0.push((Records::<BufReader<File>>::parse(scope, record, element)?, digest));
        Ok(())
    }

    fn read_json(&mut self, members: Value, digest: Option<String>) -> Result<(), Box<ReadError>> {
        self.0.push((json::from_value(members)?, digest));
        Ok(())
    }

    fn read_file(&mut self, name: String, content: Vec<u8>) -> bool {
        let record = R::of_file(name, content);
        let is_one = record.is_some();
        self.0.extend(record.map(|record| (record, None)));
        is_one
    }

    fn at(&self, place: usize) -> Option<Value> {
        serde_json::from_str(&json::to_string(&self.0.get(place)?.0)).ok()
    }

    fn put(&mut self, place: usize, members: Value) -> Result<(), Box<ReadError>> {
        let record = json::from_value(members)?;
        if let Some(there) = self.0.get_mut(place) {
            *there = (record, None);
        }
        Ok(())
    }

    fn remove(&mut self, place: usize) {
        if place < self.0.len() {
            self.0.remove(place);
        }
    }

    fn take(self: Box<Self>, db: &mut Db, rules: &Rules, now: NaiveDateTime) -> Taken {
        R::take_read(db, self.0, rules, now)
    }
}

/// Where the records of a kind are kept, so that those that a full file lacks can be found and deleted.
pub struct Place {
    pub table: &'static str,
    /// The column of the key, as it is compared.
    pub column: &'static str,
    pub key: fn(&str) -> String,
    pub delete: fn(&mut Db, &[String]) -> Result<Vec<Deletion>, StoreError>,
}

/// How records are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    Xml,
    Json,
}

/// A page of records, spelled out, and where the next one begins.
type Pages = fn(&mut Db, &Kind, &Wanted, Spelling) -> Result<(Vec<String>, Option<String>), StoreError>;

fn pages<R: Listed>(
    db: &mut Db,
    kind: &Kind,
    wanted: &Wanted,
    spelling: Spelling,
) -> Result<(Vec<String>, Option<String>), StoreError> {
    let (records, next) = R::page(db, wanted)?;
    let spelled = |record: &R| match spelling {
        Spelling::Xml => xml::element_to_string(kind.element, record),
        Spelling::Json => json::to_string(record),
    };
    Ok((records.iter().map(spelled).collect(), next))
}

/// A kind of records.
pub struct Kind {
    pub of: RunKind,
    service: &'static ServiceInfo,
    /// What its type is called in the service's OpenAPI document.
    schema: &'static str,
    /// A record's element.
    pub element: &'static Field,
    /// The members by which a person names a record.
    pub keys: &'static [&'static str],
    begin: fn() -> Box<dyn Batch>,
    /// The request that takes such records, with the namespaces that it declares.
    request: (&'static Field, &'static [Namespace]),
    /// None: they cannot be listed.
    pub pages: Option<Pages>,
    /// The member of which each item has a row of its own in a table.
    pub rows: Option<&'static str>,
    /// Who remembers which texts records are from; None: nobody.
    pub digests: Option<Digests>,
    /// None: files of that kind are never full.
    pub place: Option<&'static Place>,
}

impl Kind {
    /// The kind of that name.
    pub fn find(name: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.of.as_str() == name)
    }

    /// A batch without records.
    pub fn begin(&self) -> Box<dyn Batch> {
        (self.begin)()
    }

    /// The start and end tag of a file's root.
    pub fn root(&self) -> (String, String) {
        let (root, namespaces) = self.request;
        let declared: String =
            namespaces.iter().map(|namespace| format!(" xmlns:{}=\"{}\"", namespace.prefix, namespace.uri)).collect();
        let xsi = xml::XSI;
        (format!("<{}{declared} xmlns:xsi=\"{xsi}\">", root.tag), format!("</{}>", root.tag))
    }

    /// What the request is called that takes such records.
    pub fn request_name(&self) -> &'static str {
        self.request.0.local
    }

    /// The schema that says what records may hold.
    pub fn schema_file(&self) -> String {
        let mut parts = self.element.namespace.split([':', '/']);
        format!("xsd/{}.xsd", parts.nth(2).unwrap_or("common"))
    }

    /// The service's OpenAPI document, and the schema of a record in it.
    pub fn schema(&self) -> (Value, Value) {
        let document: Value = serde_json::from_str(self.service.openapi).unwrap_or_default();
        let schema = document["components"]["schemas"][self.schema].clone();
        (document, schema)
    }
}

macro_rules! kinds {
    ($($of:ident: $type:ty => $request:ty, $info:path, $schema:literal, $namespace:literal $tag:literal $local:literal, $keys:expr, $place:expr, $pages:expr;)+) => {
        /// All of them.
        pub static KINDS: &[Kind] = &[$(Kind {
            of: RunKind::$of,
            service: &$info,
            schema: $schema,
            element: &Field::new(concat!("urn:soapstone:", $namespace, "/v1"), $local, concat!($tag, ":", $local)),
            keys: &$keys,
            begin: Of::<$type>::begin,
            digests: <$type as Record>::DIGESTS,
            place: $place,
            request: (<$request as Message>::ELEMENT, <$request as Message>::NAMESPACES),
            pages: $pages,
            rows: if matches!(RunKind::$of, RunKind::Orders) { Some("position") } else { None },
        }),+];
    };
}

kinds! {
    Articles: cat::Article => cat::UpsertArticles, cat::CATALOG_INFO, "Article", "catalog" "cat" "article", ["sku"], Some(&ARTICLES), Some(pages::<cat::Article>);
    Categories: cat::Category => cat::UpsertCategories, cat::CATALOG_INFO, "Category", "catalog" "cat" "category", ["id"], Some(&CATEGORIES), Some(pages::<cat::Category>);
    Attributes: cat::AttributeDefinition => cat::UpsertAttributes, cat::CATALOG_INFO, "AttributeDefinition", "catalog" "cat" "definition", ["code"], Some(&ATTRIBUTES), Some(pages::<cat::AttributeDefinition>);
    Manufacturers: cat::Manufacturer => cat::UpsertManufacturers, cat::CATALOG_INFO, "Manufacturer", "catalog" "cat" "manufacturer", ["key"], Some(&MANUFACTURERS), Some(pages::<cat::Manufacturer>);
    Units: cat::Unit => cat::UpsertUnits, cat::CATALOG_INFO, "Unit", "catalog" "cat" "unit", ["key"], Some(&UNITS), Some(pages::<cat::Unit>);
    AccountingGroups: cat::AccountingGroup => cat::UpsertAccountingGroups, cat::CATALOG_INFO, "AccountingGroup", "catalog" "cat" "accountingGroup", ["key"], Some(&ACCOUNTING_GROUPS), Some(pages::<cat::AccountingGroup>);
    SerialNumbers: cat::SerialNumber => cat::UpsertSerialNumbers, cat::CATALOG_INFO, "SerialNumber", "catalog" "cat" "serialNumber", ["number"], None, None;
    OptionArticles: cat::OptionArticle => cat::LinkOptionArticles, cat::CATALOG_INFO, "OptionArticle", "catalog" "cat" "optionArticle", ["sku"], None, None;
    Customers: cus::Customer => cus::UpsertCustomers, cus::CUSTOMERS_INFO, "Customer", "customers" "cus" "customer", ["number", "email"], Some(&CUSTOMERS), Some(pages::<cus::Customer>);
    CustomerGroups: cus::Group => cus::UpsertGroups, cus::CUSTOMERS_INFO, "Group", "customers" "cus" "group", ["key"], None, None;
    CustomerMerges: cus::Merge => cus::MergeCustomers, cus::CUSTOMERS_INFO, "Merge", "customers" "cus" "merge", ["number"], None, None;
    DeliveryAddresses: cus::DeliveryAddress => cus::UpsertDeliveryAddresses, cus::CUSTOMERS_INFO, "DeliveryAddress", "customers" "cus" "deliveryAddress", ["customer"], None, None;
    Credits: cus::CreditBooking => cus::BookCredits, cus::CUSTOMERS_INFO, "CreditBooking", "customers" "cus" "booking", ["key"], None, None;
    PriceEntries: pri::PriceEntry => pri::UpsertPriceEntries, pri::PRICING_INFO, "PriceEntry", "pricing" "pri" "entry", ["key"], Some(&PRICE_ENTRIES), Some(pages::<pri::PriceEntry>);
    LineDiscounts: pri::LineDiscount => pri::UpsertLineDiscounts, pri::PRICING_INFO, "LineDiscount", "pricing" "pri" "discount", ["key"], Some(&LINE_DISCOUNTS), Some(pages::<pri::LineDiscount>);
    Vouchers: pri::Voucher => pri::UpsertVouchers, pri::PRICING_INFO, "Voucher", "pricing" "pri" "voucher", ["code"], Some(&VOUCHERS), Some(pages::<pri::Voucher>);
    Stock: inv::Booking => inv::BookStock, inv::INVENTORY_INFO, "Booking", "inventory" "inv" "booking", ["key", "sku"], None, Some(pages::<inv::Booking>);
    Warehouses: inv::Warehouse => inv::UpsertWarehouses, inv::INVENTORY_INFO, "Warehouse", "inventory" "inv" "warehouse", ["key"], Some(&WAREHOUSES), Some(pages::<inv::Warehouse>);
    Orders: ord::Order => ord::CreateOrders, ord::ORDERS_INFO, "Order", "orders" "ord" "order", ["number", "reference"], None, Some(pages::<ord::Order>);
    DeliveryStatus: ord::Shipment => ord::RecordShipments, ord::ORDERS_INFO, "Shipment", "orders" "ord" "shipment", ["key"], None, None;
    Documents: ord::Document => ord::RecordDocuments, ord::ORDERS_INFO, "Document", "orders" "ord" "document", ["number"], None, None;
    Payments: ord::Payment => ord::RecordPayments, ord::ORDERS_INFO, "Payment", "orders" "ord" "payment", ["key"], None, None;
    Pictures: med::Picture => med::UpsertPictures, med::MEDIA_INFO, "Picture", "media" "med" "picture", ["fileName"], None, None;
    ArticleDocuments: med::ArticleDocument => med::UpsertArticleDocuments, med::MEDIA_INFO, "ArticleDocument", "media" "med" "articleDocument", ["fileName"], None, None;
}

macro_rules! places {
    ($($name:ident: $table:literal, $column:literal, $key:expr, $delete:expr;)+) => {$(
        static $name: Place = Place { table: $table, column: $column, key: $key, delete: $delete };
    )+};
}

fn deletions(found: Result<Vec<bool>, StoreError>) -> Result<Vec<Deletion>, StoreError> {
    Ok(found?.into_iter().map(Deletion::from).collect())
}

places! {
    ARTICLES: "articles", "sku_key", compared, |db, keys| deletions(articles::delete(db, keys));
    CATEGORIES: "categories", "key", compared, categories::delete;
    ATTRIBUTES: "attribute_definitions", "code", compared, |db, keys| deletions(attributes::delete(db, keys));
    MANUFACTURERS: "manufacturers", "key", compared, |db, keys| deletions(masters::delete(db, crate::domain::masters::Kind::Manufacturer, keys));
    UNITS: "units", "key", compared, |db, keys| deletions(masters::delete(db, crate::domain::masters::Kind::Unit, keys));
    ACCOUNTING_GROUPS: "accounting_groups", "key", compared, |db, keys| deletions(masters::delete(db, crate::domain::masters::Kind::AccountingGroup, keys));
    CUSTOMERS: "customers", "number_key", compared, customers::delete;
    PRICE_ENTRIES: "price_entries", "key", compared, |db, keys| deletions(entries::delete(db, keys));
    LINE_DISCOUNTS: "line_discounts", "key", compared, |db, keys| deletions(discounts::delete(db, keys));
    VOUCHERS: "vouchers", "code_key", crate::domain::pricing::records::code_key, |db, keys| deletions(vouchers::delete(db, keys));
    WAREHOUSES: "warehouses", "key", compared, inventory::delete_warehouses;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_the_contract_is_known_with_its_schema() {
        for of in RunKind::ALL {
            let kind = Kind::find(of.as_str()).unwrap_or_else(|| panic!("{of} is no kind"));
            let (_, schema) = kind.schema();
            assert!(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(kind.schema_file()).is_file());
            assert!(schema["properties"].is_object(), "{of} has no schema {}", kind.schema);
            for key in kind.keys {
                assert!(schema["properties"][key].is_object(), "{of} has no member {key}");
            }
        }
    }
}
