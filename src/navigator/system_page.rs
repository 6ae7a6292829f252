//! The system: what runs here, what it holds, and each setting with where it is from.

use super::visitor::Visitor;
use super::{page, unavailable};
use crate::config::{Config, Told};
use crate::exchange::node_name;
use crate::http::metrics::{Metrics, Minute};
use crate::reporting::{RunState, grouped, size};
use crate::store::{Db, Engine, Store, StoreError, articles, orders, runs, size as room, statements};
use actix_web::HttpResponse;
use actix_web::web::{self, Data};
use askama::Template;
use std::fs::Metadata;
use std::path::Path;
use std::sync::{Arc, LazyLock};
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
    charts: Vec<Bars>,
}

/// Figures by the minute, as a picture.
struct Bars {
    name: &'static str,
    /// The latest, and the most.
    now: String,
    most: String,
    bars: Vec<Bar>,
}

struct Bar {
    x: usize,
    y: i64,
    height: i64,
    told: String,
}

/// Minutes on a chart.
const MINUTES: u64 = 60;

/// How wide the place of a bar is, in the picture's units.
const STEP: usize = 10;

/// Draws a figure of each minute.
fn bars(name: &'static str, minutes: &[Minute], figure: impl Fn(&Minute) -> f64, told: impl Fn(f64) -> String) -> Bars {
    let figures: Vec<f64> = minutes.iter().map(figure).collect();
    let most = figures.iter().copied().fold(0.0, f64::max);
    let bar = |(place, value): (usize, &f64)| {
        #[expect(clippy::cast_possible_truncation, reason = "a height of a hundred")]
        let height = if most > 0.0 { (value * 100.0 / most).ceil() as i64 } else { 0 };
        let at = chrono::DateTime::from_timestamp(i64::try_from(minutes[place].number * 60).unwrap_or(0), 0);
        let at = at.map(|at| at.format("%H:%M UTC").to_string()).unwrap_or_default();
        Bar { x: place * STEP, y: 100 - height, height, told: format!("{at}: {}", told(*value)) }
    };
    Bars {
        name,
        now: told(figures.last().copied().unwrap_or(0.0)),
        most: told(most),
        bars: figures.iter().enumerate().map(bar).collect(),
    }
}

fn charts(minutes: &[Minute]) -> Vec<Bars> {
    #[expect(clippy::cast_precision_loss, reason = "figures of a minute")]
    let number = |count: u64| count as f64;
    let whole = |value: f64| format!("{value:.0}");
    vec![
        bars("Requests a minute", minutes, |minute| number(minute.requests), whole),
        bars("Refused a minute", minutes, |minute| number(minute.refused), whole),
        bars(
            "95 % were answered within",
            minutes,
            |minute| minute.slow_millis().unwrap_or(0.0),
            |value| format!("{value:.1} ms"),
        ),
    ]
}

/// How many bytes the files of a folder have.
fn bytes_in(folder: &Path) -> i64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.filter_map(|entry| entry.metadata().ok()).filter(Metadata::is_file).map(|about| about.len());
    i64::try_from(sizes.sum::<u64>()).unwrap_or(i64::MAX)
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

pub(super) async fn show(
    store: Data<Store>,
    config: Data<Config>,
    metrics: Data<Arc<Metrics>>,
    visitor: Visitor,
) -> HttpResponse {
    let (connections, idle) = store.connections();
    let found = match store.read(look).await {
        Ok(found) => found,
        Err(error) => return unavailable(visitor, &error),
    };
    let (asked, folder) = (store.clone(), config.data_dir.clone());
    let there = web::block(move || {
        (asked.applied_migrations(), bytes_in(&folder.join("sources")), bytes_in(&folder.join("results")))
    });
    let (migrations, sources, results) = match there.await {
        Ok((Ok(migrations), sources, results)) => (migrations, sources, results),
        Ok((Err(error), ..)) => return unavailable(visitor, &error),
        Err(_) => Default::default(),
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
        ("Schema", visitor.tell_two("{}, after {} migrations", &migrations.0, migrations.1)),
        ("Data folder", config.data_dir.display().to_string()),
    ];
    let holds = vec![
        ("Database", size(found.bytes)),
        ("Files that were sent", size(sources)),
        ("Files that were written", size(results)),
        ("Articles", grouped(found.articles)),
        ("Orders not handed out", grouped(found.orders.0)),
        ("Orders handed out, not confirmed", grouped(found.orders.1)),
    ];
    let runs = found.by_state.iter().map(|(state, count)| (RunState::parse(state).label(), grouped(*count))).collect();
    let charts = charts(&metrics.minutes().last(MINUTES));
    page(&SystemPage { visitor, facts, holds, runs, settings: config.told(), charts })
}
