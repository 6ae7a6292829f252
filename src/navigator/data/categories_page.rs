//! The categories, as the tree that they are.

use super::super::query::{address, said};
use super::super::visitor::Visitor;
use super::super::{may_not_see, page, unavailable};
use super::name;
use crate::domain::catalog::Category;
use crate::reporting::grouped;
use crate::store::Store;
use crate::store::categories::{self, Filter};
use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use askama::Template;
use serde::Deserialize;
use std::collections::HashSet;

/// Categories on one page.
const MOST: usize = 2_000;

/// Trees of that many categories are shown open.
const OPEN: usize = 60;

#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    text: String,
    #[serde(default)]
    after: String,
}

#[derive(Template)]
#[template(path = "data/categories.html")]
struct CategoriesPage {
    visitor: Visitor,
    text: String,
    count: String,
    pieces: Vec<Piece>,
    next: Option<String>,
}

/// The tree, from top to bottom.
enum Piece {
    /// One with others below it, which come next.
    Begin {
        node: Node,
        is_open: bool,
    },
    Leaf(Node),
    /// The end of those below one.
    End,
}

struct Node {
    key: String,
    name: String,
    active: bool,
}

/// Lays out categories that come parents first; those whose parent is not among them are at the top.
fn laid_out(found: &[Category], visitor: &Visitor) -> Vec<Piece> {
    let parents: HashSet<&str> = found.iter().filter_map(|category| category.parent.as_deref()).collect();
    let is_open = found.len() <= OPEN;
    let mut pieces = Vec::with_capacity(found.len() * 2);
    let mut above: Vec<&str> = Vec::new();
    for category in found {
        while above.last().is_some_and(|key| category.parent.as_deref() != Some(key)) {
            above.pop();
            pieces.push(Piece::End);
        }
        let node = Node { key: category.key.clone(), name: name(&category.names, visitor), active: category.active };
        if parents.contains(category.key.as_str()) {
            pieces.push(Piece::Begin { node, is_open });
            above.push(&category.key);
        } else {
            pieces.push(Piece::Leaf(node));
        }
    }
    pieces.extend(above.iter().map(|_| Piece::End));
    pieces
}

pub(super) async fn show(store: Data<Store>, visitor: Visitor, wanted: Query<Wanted>) -> HttpResponse {
    if !visitor.may("Catalog", "ListCategories") {
        return may_not_see(visitor, "Catalog.ListCategories");
    }
    let Wanted { text, after } = wanted.into_inner();
    let filter = Filter { text: said(&text), after: said(&after), limit: MOST, ..Filter::default() };
    let (found, next) = match store.read(move |db| categories::list(db, &filter)).await {
        Ok(found) => found,
        Err(error) => return unavailable(visitor, &error),
    };
    let found: Vec<Category> = found.into_iter().map(|stored| stored.record).collect();
    page(&CategoriesPage {
        pieces: laid_out(&found, &visitor),
        visitor,
        count: grouped(i64::try_from(found.len()).unwrap_or(i64::MAX)),
        next: next.map(|after| address("/navigator/categories", &[("text", &text), ("after", &after)])),
        text,
    })
}
