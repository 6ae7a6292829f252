//! The system: what runs here, what it holds, and each setting with where it is from.

use super::visitor::Visitor;
use super::{page, unavailable};
use crate::config::{Config, Told};
use crate::exchange::node_name;
use crate::reporting::{RunState, grouped, size};
use crate::store::{Db, Engine, Store, StoreError, articles, orders, runs, size as room, statements};
use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;
use std::sync::LazyLock;
use std::time::Instant;

/// When the program began.
static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Begins to count how long the program runs.
pub(super) fn begin() {
    LazyLock::force(&BEGAN);
}

#[derive(Template)]
#[template(path = "system.html")]
struct SystemPage {
    visitor: Visitor,
    facts: Vec<(&'static str, String)>,
    holds: Vec<(&'static str, String)>,
    runs: Vec<(&'static str, String)>,
    settings: Vec<Told>,
}

struct Found {
    engine: Engine,
    bytes: i64,
    articles: i64,
    orders: (i64, i64),
    by_state: Vec<(String, i64)>,
}

fn look(db: &mut Db) -> Result<Found, StoreError> {
    Ok(Found {
        engine: db.engine(),
        bytes: room::bytes(db)?,
        articles: articles::count(db)?,
        orders: orders::to_export(db)?,
        by_state: runs::by_state(db)?,
    })
}

fn since(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours) {
        (0, 0) => format!("{minutes} min"),
        (0, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

pub(super) async fn show(store: Data<Store>, config: Data<Config>, visitor: Visitor) -> HttpResponse {
    let (connections, idle) = store.connections();
    let found = match store.read(look).await {
        Ok(found) => found,
        Err(error) => return unavailable(visitor, &error),
    };
    let engine = match found.engine {
        Engine::Sqlite => "SQLite, embedded",
        Engine::Postgres => "PostgreSQL",
    };
    let statements = i64::try_from(statements()).unwrap_or(i64::MAX);
    let facts = vec![
        ("Version", env!("CARGO_PKG_VERSION").to_owned()),
        ("Node", node_name()),
        ("Up for", since(BEGAN.elapsed().as_secs())),
        ("Database", engine.to_owned()),
        ("Connections", format!("{connections}, of which {idle} idle")),
        ("Statements so far", grouped(statements)),
        ("Data folder", config.data_dir.display().to_string()),
    ];
    let holds = vec![
        ("Database", size(found.bytes)),
        ("Articles", grouped(found.articles)),
        ("Orders not handed out", grouped(found.orders.0)),
        ("Orders handed out, not confirmed", grouped(found.orders.1)),
    ];
    let runs = found.by_state.iter().map(|(state, count)| (RunState::parse(state).label(), grouped(*count))).collect();
    page(&SystemPage { visitor, facts, holds, runs, settings: config.told() })
}
