//! The list of articles.

use super::super::query::{address, said};
use super::super::visitor::Visitor;
use super::super::{may_not_see, page, unavailable};
use super::{PAGE, plain, price, text, time};
use crate::domain::catalog::{Article, TextKind};
use crate::reporting::grouped;
use crate::store::articles::{self, Filter};
use crate::store::batch::Stored;
use crate::store::{Db, Store, StoreError, pictures};
use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use askama::Template;
use bigdecimal::BigDecimal;
use serde::Deserialize;
use std::collections::HashMap;

/// Of more articles than that not all names are gone through at once: numbers are found by how they begin.
const LARGE: i64 = 50_000;

/// Of how many articles the names are looked at together, if somebody wants that.
const TOGETHER: i64 = 25_000;

#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    text: String,
    #[serde(default)]
    category: String,
    #[serde(default)]
    after: String,
    /// In names too, however many there are.
    names: Option<String>,
}

#[derive(Template)]
#[template(path = "data/articles.html")]
struct ArticlesPage {
    visitor: Visitor,
    text: String,
    category: String,
    count: String,
    is_large: bool,
    names: bool,
    rows: Vec<Row>,
    next: Option<String>,
}

/// An article in a list.
pub(super) struct Row {
    pub sku: String,
    pub name: String,
    pub picture: Option<String>,
    pub price: String,
    pub stock: String,
    pub active: bool,
    pub changed: String,
}

/// The articles with their pictures.
pub(super) fn rows(stored: &[Stored<Article>], shown: &HashMap<String, String>, visitor: &Visitor) -> Vec<Row> {
    let row = |stored: &Stored<Article>| {
        let article = &stored.record;
        let stock: BigDecimal = article.stocks.iter().map(|stock| &stock.quantity.0).sum();
        Row {
            sku: article.sku.clone(),
            name: text(&article.texts, TextKind::Name, visitor),
            picture: shown.get(&article.sku).cloned(),
            price: article.list_price.as_ref().map(|list| price(list, visitor)).unwrap_or_default(),
            stock: if article.stocks.is_empty() { String::new() } else { plain(&stock) },
            active: article.active,
            changed: time(stored.changed_at),
        }
    };
    stored.iter().map(row).collect()
}

type Found = (i64, Vec<Stored<Article>>, Option<String>, HashMap<String, String>);

fn look(db: &mut Db, mut filter: Filter, names: bool) -> Result<Found, StoreError> {
    let count = articles::count(db)?;
    if count > LARGE && filter.text.is_some() {
        if names {
            filter.within = Some(TOGETHER);
        } else {
            filter.begins = filter.text.take();
        }
    }
    let (found, next) = articles::list(db, &filter)?;
    let shown = pictures::first_of(db, found.iter().map(|stored| &stored.record))?;
    Ok((count, found, next, shown))
}

pub(super) async fn show(store: Data<Store>, visitor: Visitor, wanted: Query<Wanted>) -> HttpResponse {
    if !visitor.may("Catalog", "ListArticles") {
        return may_not_see(visitor, "Catalog.ListArticles");
    }
    let Wanted { text, category, after, names } = wanted.into_inner();
    let names = names.is_some();
    let filter =
        Filter { text: said(&text), category: said(&category), after: said(&after), limit: PAGE, ..Filter::default() };
    let (count, found, next, shown) = match store.read(move |db| look(db, filter, names)).await {
        Ok(found) => found,
        Err(error) => return unavailable(visitor, &error),
    };
    page(&ArticlesPage {
        rows: rows(&found, &shown, &visitor),
        visitor,
        count: grouped(count),
        is_large: count > LARGE,
        names,
        next: next.map(|after| {
            let names = if names { "on" } else { "" };
            let said = [("text", &text[..]), ("category", &category), ("after", &after), ("names", names)];
            address("/navigator/articles", &said)
        }),
        text,
        category,
    })
}
