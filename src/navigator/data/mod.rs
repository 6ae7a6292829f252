//! The data as it stands: articles, categories, customers, orders, and the prices that are found for them.

mod article_page;
mod articles_page;
mod categories_page;
mod customer_page;
mod customers_page;
mod flow_picture;
mod order_page;
mod orders_page;
mod prices_page;

use super::not_found;
use super::visitor::Visitor;
use crate::domain::catalog::{Price, Text, TextKind};
use crate::domain::customers::Address;
use crate::http::route::{Permission, Scope};
use actix_web::HttpResponse;
use bigdecimal::BigDecimal;
use chrono::NaiveDateTime;

/// Adds the pages.
pub(super) fn add_routes(routes: &mut Scope<'_>) {
    routes.get("/articles", Permission::page("Catalog", "ListArticles"), articles_page::show);
    routes.get("/article", Permission::page("Catalog", "GetArticle"), article_page::show);
    routes.get("/categories", Permission::page("Catalog", "ListCategories"), categories_page::show);
    routes.get("/customers", Permission::page("Customers", "ListCustomers"), customers_page::show);
    routes.get("/customer", Permission::page("Customers", "GetCustomer"), customer_page::show);
    for (name, operation) in customer_page::ACTIONS {
        let permission = Permission::action("Customers", operation);
        routes.post(&super::action("/customer", name), permission, customer_page::merge);
    }
    routes.get("/orders", Permission::page("Orders", "ListOrders"), orders_page::show);
    routes.get("/order", Permission::page("Orders", "GetOrder"), order_page::show);
    routes.get("/prices", Permission::page("Pricing", "FindPrice"), prices_page::show);
}

/// Records on one page.
const PAGE: i64 = 50;

/// A time for people.
fn time(at: NaiveDateTime) -> String {
    at.format("%Y-%m-%d %H:%M").to_string()
}

/// A number without zeros at its end.
fn plain(number: &BigDecimal) -> String {
    number.normalized().to_plain_string()
}

/// An amount of money: with two decimals, or with those that count.
fn money(amount: &BigDecimal) -> String {
    let plain = amount.normalized();
    if plain.fractional_digit_count() < 2 { plain.with_scale(2).to_plain_string() } else { plain.to_plain_string() }
}

/// A price, and whether tax is in it.
fn price(price: &Price, visitor: &Visitor) -> String {
    let tax = if price.gross { "with tax" } else { "without tax" };
    format!("{} {} {}", price.amount, price.currency, visitor.t(tax))
}

/// The text in the visitor's language, else the first there is.
fn text(texts: &[Text], kind: TextKind, visitor: &Visitor) -> String {
    let of_kind = || texts.iter().filter(|text| text.kind == kind);
    let own = of_kind().find(|text| text.language.starts_with(visitor.language.code()));
    own.or_else(|| of_kind().next()).map(|text| text.text.clone()).unwrap_or_default()
}

/// The name in the visitor's language, else the first there is.
fn name(names: &[(String, String)], visitor: &Visitor) -> String {
    let own = names.iter().find(|(language, _)| language.starts_with(visitor.language.code()));
    own.or_else(|| names.first()).map(|(_, name)| name.clone()).unwrap_or_default()
}

/// What there is of some parts, with blanks between.
fn joined(parts: &[&Option<String>]) -> String {
    parts.iter().filter_map(|part| part.as_deref()).collect::<Vec<_>>().join(" ")
}

/// An address as it stands on a letter.
fn lines(address: &Address) -> Vec<String> {
    let all = [
        joined(&[&address.company]),
        joined(&[&address.salutation, &address.first_name, &address.last_name]),
        joined(&[&address.addition]),
        joined(&[&address.street]),
        joined(&[&address.post_box]),
        joined(&[&address.country, &address.postal_code, &address.city]),
        joined(&[&address.region]),
        joined(&[&address.phone]),
        joined(&[&address.email]),
    ];
    all.into_iter().filter(|line| !line.is_empty()).collect()
}

/// The facts that are known.
fn filled(facts: Vec<(&'static str, String)>) -> Vec<(&'static str, String)> {
    facts.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

/// There is no such record.
fn no_such(visitor: Visitor, what: &str, key: &str) -> HttpResponse {
    let text = format!("{}: {key}", visitor.t(what));
    not_found(visitor, text)
}
