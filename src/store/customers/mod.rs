//! Customers with all that hangs on them.

mod addresses;
mod credits;
mod groups;
mod merges;
mod numbers;

pub use credits::{Credit, balances, book, list as list_credits};
pub use groups::{
    Filter as GroupFilter, Group, delete as delete_groups, get as get_group, list as list_groups,
    upsert as upsert_groups,
};
pub use merges::{MergeRecord, list as list_merges, merge, undo};
pub use numbers::{Resolved, allocate, assign, resolve};

use super::batch::{Batch, Changed, Deletion, Recorded, Stored};
use super::bulk::{Column, Rows, Table};
use super::children::{Children, by_owner};
use super::schema::{
    customer_attributes, customer_campaigns, customer_consents, customer_payment_methods, customers, orders,
};
use super::search::{Search, check_keys};
use super::{ChangeRange, Db, LOOKUP, StoreError, lock, page};
use crate::domain::customers::{Consent, Customer, Money, Numbering, Standing, email_key};
use crate::domain::{Defaults, Issue, Named, compared};
use crate::store::keys::ids_by_key;
use chrono::NaiveDateTime;
use diesel::prelude::*;
use soapstone_contracts::customers as contract;
use std::collections::HashMap;

/// A row of `customers`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = customers)]
struct Row {
    id: i64,
    number: String,
    number_key: String,
    email: Option<String>,
    company: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    language: Option<String>,
    currency: Option<String>,
    tax_id: Option<String>,
    price_group: Option<String>,
    discount_group: Option<String>,
    payment_terms: Option<String>,
    credit_limit: Option<String>,
    credit_limit_currency: Option<String>,
    blocked: bool,
    version: i64,
    changed_at: NaiveDateTime,
}

impl Row {
    fn into_stored(self) -> Stored<Customer> {
        let credit_limit = self.credit_limit.and_then(|amount| amount.parse().ok()).zip(self.credit_limit_currency);
        Stored {
            id: self.id,
            version: self.version,
            changed_at: self.changed_at,
            record: Customer {
                number: self.number,
                email: self.email,
                company: self.company,
                first_name: self.first_name,
                last_name: self.last_name,
                language: self.language,
                currency: self.currency,
                tax_id: self.tax_id,
                price_group: self.price_group,
                discount_group: self.discount_group,
                payment_terms: self.payment_terms,
                credit_limit: credit_limit.map(|(amount, currency)| Money { amount, currency }),
                blocked: self.blocked,
                ..Customer::default()
            },
        }
    }
}

const CUSTOMERS: Table = Table {
    name: "customers",
    columns: &[
        Column::Text("number"),
        Column::Text("number_key"),
        Column::Text("email"),
        Column::Text("email_key"),
        Column::Text("company"),
        Column::Text("first_name"),
        Column::Text("last_name"),
        Column::Text("language"),
        Column::Text("currency"),
        Column::Text("tax_id"),
        Column::Text("price_group"),
        Column::Text("discount_group"),
        Column::Text("payment_terms"),
        Column::Text("credit_limit"),
        Column::Text("credit_limit_currency"),
        Column::Boolean("blocked"),
        Column::Integer("version"),
        Column::Time("changed_at"),
    ],
    key: &["number_key"],
};
const CAMPAIGNS: Table = Table {
    name: "customer_campaigns",
    columns: &[Column::Integer("customer_id"), Column::Text("campaign")],
    key: &[],
};
const PAYMENT_METHODS: Table = Table {
    name: "customer_payment_methods",
    columns: &[Column::Integer("customer_id"), Column::Integer("position"), Column::Text("method")],
    key: &[],
};
const CONSENTS: Table = Table {
    name: "customer_consents",
    columns: &[Column::Integer("customer_id"), Column::Text("purpose"), Column::Boolean("given"), Column::Time("at")],
    key: &[],
};
const ATTRIBUTES: Table = Table {
    name: "customer_attributes",
    columns: &[
        Column::Integer("customer_id"),
        Column::Integer("position"),
        Column::Text("code"),
        Column::Text("value"),
    ],
    key: &[],
};

/// The customers of these ids, by their number's key.
pub(super) fn by_ids(connection: &mut Db, ids: &[i64]) -> Result<HashMap<String, Stored<Customer>>, StoreError> {
    let mut found = HashMap::with_capacity(ids.len());
    for ids in ids.chunks(LOOKUP) {
        let rows: Vec<Row> =
            customers::table.filter(customers::id.eq_any(ids)).select(Row::as_select()).load(connection)?;
        let keys: Vec<String> = rows.iter().map(|r| r.number_key.clone()).collect();
        let mut stored: Vec<Stored<Customer>> = rows.into_iter().map(Row::into_stored).collect();
        add_children(connection, &mut stored)?;
        found.extend(keys.into_iter().zip(stored));
    }
    Ok(found)
}

/// Loads what hangs on some customers: one query a table, however many customers.
fn add_children(connection: &mut Db, stored: &mut [Stored<Customer>]) -> Result<(), StoreError> {
    if stored.is_empty() {
        return Ok(());
    }
    let ids: Vec<i64> = stored.iter().map(|s| s.id).collect();
    let (mut billing, mut delivery) = addresses::of(connection, &ids)?;
    let campaigns: Vec<(i64, String)> = customer_campaigns::table
        .filter(customer_campaigns::customer_id.eq_any(&ids))
        .order((customer_campaigns::customer_id, customer_campaigns::campaign))
        .load(connection)?;
    let mut campaigns = by_owner(campaigns);
    let methods: Vec<(i64, String)> = customer_payment_methods::table
        .filter(customer_payment_methods::customer_id.eq_any(&ids))
        .order((customer_payment_methods::customer_id, customer_payment_methods::position))
        .select((customer_payment_methods::customer_id, customer_payment_methods::method))
        .load(connection)?;
    let mut methods = by_owner(methods);
    let consents: Vec<(i64, String, bool, Option<NaiveDateTime>)> = customer_consents::table
        .filter(customer_consents::customer_id.eq_any(&ids))
        .order((customer_consents::customer_id, customer_consents::purpose))
        .load(connection)?;
    let mut consents =
        by_owner(consents.into_iter().map(|(id, purpose, given, at)| (id, Consent { purpose, given, at })));
    let attributes: Vec<(i64, i32, String, String)> = customer_attributes::table
        .filter(customer_attributes::customer_id.eq_any(&ids))
        .order((customer_attributes::customer_id, customer_attributes::position))
        .load(connection)?;
    let mut attributes = by_owner(attributes.into_iter().map(|(id, _, name, value)| (id, Named { name, value })));
    for one in stored {
        let (id, record) = (one.id, &mut one.record);
        record.billing = billing.remove(&id).and_then(|mut addresses| addresses.pop());
        record.delivery = delivery.remove(&id).unwrap_or_default();
        record.campaigns = campaigns.remove(&id).unwrap_or_default();
        record.payment_methods = methods.remove(&id).unwrap_or_default();
        record.consents = consents.remove(&id).unwrap_or_default();
        record.attributes = attributes.remove(&id).unwrap_or_default();
    }
    Ok(())
}

/// Applies changes to customers, each on its own; those without a number get one. Gives the number and what became of it.
///
/// # Errors
/// Those of the database; nothing is written then.
pub fn upsert(
    connection: &mut Db,
    mut changes: Vec<contract::Customer>,
    numbering: &Numbering,
    defaults: &Defaults,
    now: NaiveDateTime,
) -> Result<Vec<(String, Recorded)>, StoreError> {
    let new = changes.iter().filter(|c| c.number.is_none()).count();
    let mut allocated = allocate(connection, &numbering.own, new)?.into_iter();
    for change in changes.iter_mut().filter(|c| c.number.is_none()) {
        // There are as many as were wanted.
        change.number = Some(allocated.next().unwrap_or_default());
    }
    let given: Vec<String> = changes.iter().filter_map(|c| c.number.clone()).collect();
    let keys: Vec<String> = given.iter().map(|number| compared(number)).collect();
    let resolved = resolve(connection, &keys)?;
    let held = keys
        .iter()
        .zip(&changes)
        .map(|(key, change)| (resolved.get(key).map_or(key.as_str(), |r| r.key.as_str()), change.if_version));
    lock::records(connection, "customers", "number_key", &held.collect::<Vec<_>>())?;
    // Once more: one may have been made while another transaction held its key.
    let resolved = resolve(connection, &keys)?;
    let ids: Vec<i64> = resolved.values().map(|r| r.id).collect();
    let next = super::numbers::next(connection, &numbering.own)?;
    let mut batch = Batch::of(by_ids(connection, &ids)?);
    for ((key, number), change) in keys.into_iter().zip(&given).zip(changes) {
        let current = resolved.get(&key).map_or(key, |r| r.key.clone());
        batch.apply(current, change.if_version, |existing, issues| {
            if existing.is_none() {
                issues.extend(numbering.against(number, next));
            }
            Customer::apply(existing, number.clone(), change, defaults, issues)
        });
    }
    write(connection, &batch.changed(), now)?;
    let mut results = batch.into_results();
    warn_of_emails(connection, &mut results, &given)?;
    Ok(given.into_iter().zip(results).collect())
}

/// Customers with the same e-mail are allowed, as companies share one; but somebody should look.
fn warn_of_emails(connection: &mut Db, results: &mut [Recorded], given: &[String]) -> Result<(), StoreError> {
    use super::batch::Outcome;
    let is_written = |r: &Recorded| matches!(r.outcome, Outcome::Created | Outcome::Updated);
    let written: Vec<String> =
        results.iter().zip(given).filter(|(r, _)| is_written(r)).map(|(_, number)| compared(number)).collect();
    let own: HashMap<String, Resolved> = resolve(connection, &written)?;
    let ids: Vec<i64> = own.values().map(|r| r.id).collect();
    let mut twins: HashMap<i64, (String, String)> = HashMap::new();
    for ids in ids.chunks(LOOKUP) {
        let emails: Vec<(i64, Option<String>)> = customers::table
            .filter(customers::id.eq_any(ids))
            .filter(customers::email_key.is_not_null())
            .select((customers::id, customers::email_key))
            .load(connection)?;
        let wanted: Vec<&String> = emails.iter().filter_map(|(_, email)| email.as_ref()).collect();
        let holders: Vec<(i64, String, Option<String>)> = customers::table
            .filter(customers::email_key.eq_any(wanted))
            .filter(customers::merged_into.is_null())
            .order(customers::id)
            .select((customers::id, customers::number, customers::email_key))
            .load(connection)?;
        for (id, email) in &emails {
            let twin = holders.iter().find(|(other, _, key)| other != id && key == email);
            if let (Some((_, number, _)), Some(email)) = (twin, email) {
                twins.insert(*id, (number.clone(), email.clone()));
            }
        }
    }
    for (result, number) in results.iter_mut().zip(given).filter(|(r, _)| is_written(r)) {
        let twin = own.get(&compared(number)).and_then(|r| twins.get(&r.id));
        if let Some((twin, email)) = twin {
            let issue = Issue::warning("customer.duplicate_email", format!("customer {twin} has the same e-mail"));
            let issue = issue.of("email", email);
            result.issues.push(issue.suggest("merge the two, if they are one (MergeCustomers)"));
        }
    }
    Ok(())
}

fn write(connection: &mut Db, changed: &[Changed<'_, Customer>], now: NaiveDateTime) -> Result<(), StoreError> {
    if changed.is_empty() {
        return Ok(());
    }
    let mut rows = Rows::default();
    for change in changed {
        let customer = change.now;
        let limit = customer.credit_limit.as_ref();
        rows.text(&customer.number)
            .text(change.key)
            .text_option(customer.email.as_deref())
            .text_option(customer.email.as_deref().map(email_key))
            .text_option(customer.company.as_deref())
            .text_option(customer.first_name.as_deref())
            .text_option(customer.last_name.as_deref())
            .text_option(customer.language.as_deref())
            .text_option(customer.currency.as_deref())
            .text_option(customer.tax_id.as_deref())
            .text_option(customer.price_group.as_deref())
            .text_option(customer.discount_group.as_deref())
            .text_option(customer.payment_terms.as_deref())
            .text_option(limit.map(|m| m.amount.to_string()))
            .text_option(limit.map(|m| m.currency.as_str()))
            .boolean(customer.blocked)
            .integer(change.version)
            .time(now);
    }
    CUSTOMERS.put(connection, &rows)?;
    let new: Vec<&String> = changed.iter().filter(|c| c.before.is_none()).map(|c| c.key).collect();
    let ids = ids_by_key!(connection, customers, number_key, new);
    let [mut campaigns, mut methods, mut consents, mut attributes, mut places] =
        [CAMPAIGNS, PAYMENT_METHODS, CONSENTS, ATTRIBUTES, addresses::ADDRESSES]
            .map(|table| Children::of(table, "customer_id"));
    let no_addresses = addresses::Both::default();
    let sets: Vec<(addresses::Both, Option<addresses::Both>)> = changed
        .iter()
        .map(|c| (addresses::Both::of(c.now), c.before.map(|b| addresses::Both::of(&b.record))))
        .collect();
    for (change, (address_now, address_before)) in changed.iter().zip(&sets) {
        let (customer, before) = (change.now, change.before.map(|b| &b.record));
        let id = change.before.map(|b| b.id).or_else(|| ids.get(change.key).copied());
        let Some(id) = id else { continue };
        campaigns.put(id, &customer.campaigns, before.map(|b| &b.campaigns[..]), |rows, _, campaign| {
            rows.text(campaign);
        });
        methods.put(id, &customer.payment_methods, before.map(|b| &b.payment_methods[..]), |rows, position, method| {
            rows.integer(position).text(method);
        });
        consents.put(id, &customer.consents, before.map(|b| &b.consents[..]), |rows, _, consent| {
            rows.text(&consent.purpose).boolean(consent.given).time_option(consent.at);
        });
        attributes.put(id, &customer.attributes, before.map(|b| &b.attributes[..]), |rows, position, named| {
            rows.integer(position).text(&named.name).text(&named.value);
        });
        let before = address_before.as_ref().or(before.map(|_| &no_addresses));
        places.put(id, &address_now.0, before.map(|b| &b.0[..]), addresses::put);
    }
    for children in [campaigns, methods, consents, attributes, places] {
        children.write(connection)?;
    }
    Ok(())
}

/// A customer with what the database adds.
pub type Standed = (Customer, Standing);

fn with_standing(connection: &mut Db, stored: Vec<Stored<Customer>>) -> Result<Vec<Standed>, StoreError> {
    let ids: Vec<i64> = stored.iter().map(|s| s.id).collect();
    let mut aliases = numbers::aliases(connection, &ids)?;
    let mut credit = balances(connection, &ids)?;
    let standed = stored.into_iter().map(|one| {
        let standing = Standing {
            version: one.version,
            changed_at: one.changed_at,
            aliases: aliases.remove(&one.id).unwrap_or_default(),
            credit: credit.remove(&one.id).unwrap_or_default(),
        };
        (one.record, standing)
    });
    Ok(standed.collect())
}

/// A customer by number or alias.
///
/// # Errors
/// Those of the database.
pub fn get(connection: &mut Db, number: &str) -> Result<Option<Standed>, StoreError> {
    let key = compared(number);
    let Some(found) = resolve(connection, &[key])?.into_values().next() else { return Ok(None) };
    let stored = by_ids(connection, &[found.id])?.into_values().collect();
    Ok(with_standing(connection, stored)?.pop())
}

/// What a list of customers is narrowed by.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub numbers: Vec<String>,
    pub changed_since: Option<NaiveDateTime>,
    pub changes: Option<ChangeRange>,
    pub price_group: Option<String>,
    pub text: Option<String>,
    /// The key after which the page begins.
    pub after: Option<String>,
    pub limit: i64,
}

/// A page of customers in the order of their numbers, and where the next one begins.
///
/// # Errors
/// Those of the database.
pub fn list(connection: &mut Db, filter: &Filter) -> Result<(Vec<Standed>, Option<String>), StoreError> {
    let mut query = customers::table
        .filter(customers::merged_into.is_null())
        .select(Row::as_select())
        .order(customers::number_key)
        .limit(filter.limit + 1)
        .into_boxed();
    if let Some(after) = &filter.after {
        query = query.filter(customers::number_key.gt(after.clone()));
    }
    if !filter.numbers.is_empty() {
        check_keys(filter.numbers.len())?;
        let keys: Vec<String> = filter.numbers.iter().map(|number| compared(number)).collect();
        let ids: Vec<i64> = resolve(connection, &keys)?.values().map(|r| r.id).collect();
        query = query.filter(customers::id.eq_any(ids));
    }
    if let Some(since) = filter.changed_since {
        query = query.filter(customers::changed_at.ge(since));
    }
    if let Some(range) = filter.changes {
        query = query.filter(range.of_table("customers"));
    }
    if let Some(group) = &filter.price_group {
        query = query.filter(customers::price_group.eq(group.clone()));
    }
    if let Some(text) = &filter.text {
        let search = Search::new(text)?;
        let [number, company, first, last, email] =
            ["number", "company", "first_name", "last_name", "email"].map(|column| search.is_in(column));
        query = query.filter(number.or(company).or(first).or(last).or(email));
    }
    let mut rows: Vec<Row> = query.load(connection)?;
    let more = page::cut(&mut rows, filter.limit);
    let next = rows.last().filter(|_| more).map(|r| r.number_key.clone());
    let mut stored: Vec<Stored<Customer>> = rows.into_iter().map(Row::into_stored).collect();
    add_children(connection, &mut stored)?;
    Ok((with_standing(connection, stored)?, next))
}

/// Deletes customers by number or alias, with those that were merged into them. One with orders stays.
///
/// # Errors
/// Those of the database; nothing is deleted then.
pub fn delete(connection: &mut Db, given: &[String]) -> Result<Vec<Deletion>, StoreError> {
    let keys: Vec<String> = given.iter().map(|number| compared(number)).collect();
    let resolved = resolve(connection, &keys)?;
    let mut deletions = Vec::with_capacity(given.len());
    for (key, number) in keys.iter().zip(given) {
        deletions.push(match resolved.get(key) {
            None => Deletion::NotFound,
            Some(customer) => delete_one(connection, customer.id, number)?,
        });
    }
    Ok(deletions)
}

fn delete_one(connection: &mut Db, id: i64, number: &str) -> Result<Deletion, StoreError> {
    let mut ids = vec![id];
    ids.extend(numbers::merged_into(connection, &ids)?.iter().map(|(id, ..)| *id));
    let with_orders: i64 = orders::table.filter(orders::customer_id.eq_any(&ids)).count().get_result(connection)?;
    if with_orders > 0 {
        let issue = Issue::error("customer.has_orders", format!("there are orders of customer {number}"));
        return Ok(Deletion::Refused(issue.of("number", number).suggest("block the customer instead")));
    }
    // None of them leads to another any more, so that they can go in any order.
    let all = customers::table.filter(customers::id.eq_any(&ids));
    diesel::update(all).set(customers::merged_into.eq(None::<i64>)).execute(connection)?;
    let deleted = diesel::delete(customers::table.filter(customers::id.eq_any(&ids))).execute(connection)?;
    // The same customer may be named twice.
    Ok((deleted > 0).into())
}
