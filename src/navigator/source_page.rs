//! The lines of a run's source around a place.

use super::visitor::Visitor;
use super::{broken, may_not_see, not_found, page, refused, unavailable};
use crate::exchange::{Kind, Origin, SourceLine, lines_around};
use crate::http::upload::Upload;
use crate::reporting::{Direction, Report};
use crate::store::{Store, runs};
use actix_web::HttpResponse;
use actix_web::web::{self, Data, Path, Query};
use askama::Template;
use serde::Deserialize;
use soapstone_runtime::soap::Fault;

/// Lines before and after the one that is asked for.
const AROUND: u64 = 12;

#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default = "first")]
    line: u64,
    /// Characters, from 1.
    column: Option<usize>,
}

fn first() -> u64 {
    1
}

#[derive(Template)]
#[template(path = "source.html")]
struct SourcePage {
    visitor: Visitor,
    id: i64,
    source: String,
    line: u64,
    lines: Vec<Line>,
    before: Option<u64>,
    after: Option<u64>,
}

struct Line {
    number: u64,
    /// The text to the place, and from it on.
    parts: (String, String),
    is_it: bool,
    is_cut: bool,
}

impl Line {
    fn of(line: SourceLine, wanted: &Wanted) -> Self {
        let is_it = line.number == wanted.line;
        let place = wanted.column.filter(|_| is_it).map_or(0, |column| column.saturating_sub(1));
        let before: String = line.text.chars().take(place).collect();
        let after = line.text.get(before.len()..).unwrap_or_default().to_owned();
        Self { number: line.number, parts: (before, after), is_it, is_cut: line.is_cut }
    }
}

pub(super) async fn show(
    store: Data<Store>,
    upload: Data<Upload>,
    visitor: Visitor,
    id: Path<i64>,
    wanted: Query<Wanted>,
) -> HttpResponse {
    if !visitor.may("Exchange", "GetArtifact") {
        return may_not_see(visitor, "Exchange.GetArtifact");
    }
    let (id, wanted) = (id.into_inner(), wanted.into_inner());
    let report: Report = match store.read(move |db| runs::get(db, id)).await {
        Ok(Some(report)) => report,
        Ok(None) => return not_found(visitor, format!("There is no run {id}.")),
        Err(error) => return unavailable(visitor, &error),
    };
    let kind = Kind::find(&report.run.kind).filter(|_| report.run.direction() == Direction::Import);
    let (Some(kind), false) = (kind, report.run.source_path.is_empty()) else {
        let text = visitor.t("The run has no source, or it is not kept any more.").to_owned();
        return not_found(visitor, text);
    };
    let (exchange, run, line) = (upload.service.exchange.clone(), report.run.clone(), wanted.line.max(1));
    let read = web::block(move || {
        let path = exchange.at_hand(&run.source_path, &run.source_sha256);
        let path = path.map_err(|e| crate::store::StoreError::from(e).to_string())?;
        lines_around(&Origin::of(&run, &path), kind, &exchange.rules, line, AROUND).map_err(|b| b.issue.text)
    });
    let lines = match read.await {
        Ok(Ok(lines)) => lines,
        Ok(Err(why)) => return refused(visitor, Fault::sender("source.unreadable", 404, why)),
        Err(error) => return broken(visitor, error),
    };
    if lines.is_empty() {
        let text = visitor.tell("The source has no line {}.", line);
        return not_found(visitor, text);
    }
    let last = lines.last().map_or(line, |line| line.number);
    page(&SourcePage {
        visitor,
        id,
        source: report.run.source_name.clone(),
        line,
        before: (line > AROUND + 1).then(|| line.saturating_sub(2 * AROUND).max(1)),
        after: (last == line + AROUND).then_some(line + 2 * AROUND),
        lines: lines.into_iter().map(|line| Line::of(line, &wanted)).collect(),
    })
}
