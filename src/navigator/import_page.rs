//! A new import: a file is dropped; what it holds is recognised and its first records are shown; then it is tried, or written.

use super::forms::with_file;
use super::query::address;
use super::visitor::Visitor;
use super::{broken, may_not, moved, not_found, not_ours, page, refused};
use crate::domain::Issue;
use crate::exchange::{Exchange, Filter, Guess, Kind, Origin, Previewed, Spooled, guess, preview, recognise};
use crate::http::auth::Access;
use crate::http::upload::{Fields, MAX_FIELD, Upload, wanted};
use crate::reporting::size;
use actix_web::web::{self, Data, Form, Path, Payload, Query};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;
use serde_json::Value;
use soapstone_contracts::exchange::{RunFormat, RunKind};
use std::sync::Arc;

/// Records that are shown before an import.
const SHOWN: usize = 10;

/// Columns of the table that shows them.
const COLUMNS: usize = 12;

/// How much of a value is shown.
const LETTERS: usize = 120;

#[derive(Template)]
#[template(path = "import.html")]
struct ImportPage {
    visitor: Visitor,
    kinds: Vec<&'static str>,
    formats: Vec<&'static str>,
    profiles: Vec<String>,
}

fn formats() -> Vec<&'static str> {
    RunFormat::ALL.iter().filter(|format| **format != RunFormat::Auto).map(|format| format.as_str()).collect()
}

pub(super) async fn show(upload: Data<Upload>, visitor: Visitor) -> HttpResponse {
    let kinds = RunKind::ALL.iter().map(|kind| kind.as_str()).collect();
    let profiles = upload.service.exchange.profiles.names();
    page(&ImportPage { visitor, kinds, formats: formats(), profiles })
}

/// Takes a file; shows what is in it, or begins at once if the form says so.
pub(super) async fn begin(
    request: HttpRequest,
    upload: Data<Upload>,
    access: Data<Arc<Access>>,
    visitor: Visitor,
    payload: Payload,
) -> HttpResponse {
    if !visitor.may("Exchange", "StartImport") {
        return may_not(visitor, "Exchange.StartImport");
    }
    let (source, mut fields, visitor) = match with_file(&upload, &request, payload, visitor, MAX_FIELD).await {
        Ok(taken) => taken,
        Err(response) => return response,
    };
    if fields.remove("look").is_none() {
        return start(&upload, &access, visitor, fields, source).await;
    }
    let given = |name: &str| fields.get(name).map_or("", String::as_str);
    let asked = [
        ("name", given("sourceName")),
        ("kind", given("kind")),
        ("format", given("format")),
        ("profile", given("profile")),
    ];
    moved(&address(&format!("/navigator/import/{}", source.sha256), &asked))
}

/// Begins the run that a form asks for.
async fn start(
    upload: &Upload,
    access: &Access,
    visitor: Visitor,
    mut fields: Fields,
    source: Spooled,
) -> HttpResponse {
    // A box that is not ticked is not sent.
    for (name, ticked, other) in
        [("mode", "full", "partial"), ("dryRun", "true", "false"), ("allOrNothing", "true", "false")]
    {
        let value = if fields.remove(name).is_some() { ticked } else { other };
        fields.insert(name.to_owned(), value.to_owned());
    }
    let request = match wanted(fields, visitor.initiator()) {
        Ok(request) => request,
        Err(fault) => return refused(visitor, fault),
    };
    let what = format!("Exchange.StartImport {}", request.source_name);
    let accepted = upload.service.accept(request, source).await;
    visitor.note(access, what, accepted.is_ok());
    match accepted {
        Ok(accepted) => moved(&format!("/navigator/runs/{}", accepted.report.run.id)),
        Err(error) => refused(visitor, error.into()),
    }
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    name: String,
    kind: String,
    format: String,
    profile: Option<String>,
}

#[derive(Template)]
#[template(path = "import_preview.html")]
struct PreviewPage {
    visitor: Visitor,
    sha256: String,
    name: String,
    size: String,
    kinds: Vec<(&'static str, bool)>,
    formats: Vec<(&'static str, bool)>,
    profiles: Vec<(String, bool)>,
    kind: &'static str,
    format: String,
    profile: String,
    /// Whether nobody could tell what it holds.
    is_unknown: bool,
    can_be_full: bool,
    columns: Vec<String>,
    more_columns: usize,
    records: Vec<Record>,
    wrong: Option<String>,
}

/// A record that was read.
pub(super) struct Record {
    pub line: String,
    pub cells: Vec<String>,
    pub issues: Vec<String>,
    pub categories: String,
    pub is_skipped: bool,
    pub warnings: Vec<String>,
}

/// What is read of a file, and how.
struct Looked {
    kind: &'static Kind,
    is_unknown: bool,
    profile: Option<String>,
    format: String,
    records: Result<Vec<Previewed>, String>,
}

/// What is against a record, with the field and what is in it.
fn told(issue: &Issue) -> String {
    let place = match (&issue.field, &issue.value) {
        (Some(field), Some(value)) => format!("{field} \"{value}\": "),
        (Some(field), None) => format!("{field}: "),
        _ => String::new(),
    };
    let hint = issue.suggestion.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
    format!("{place}{}{hint}", issue.text)
}

/// The first records of a source, as they are once a filter saw them.
///
/// # Errors
/// Why they cannot be read, or the filter not be run.
pub(super) fn first_records(
    exchange: &Exchange,
    origin: &Origin<'_>,
    kind: &'static Kind,
    script: Option<&str>,
) -> Result<Vec<Previewed>, String> {
    let filter = script.map(Filter::compile).transpose().map_err(|error| error.to_string())?;
    let filter = filter.map(|filter| (filter, &exchange.store));
    preview(origin, kind, &exchange.rules, SHOWN, filter).map_err(|broken| told(&broken.issue))
}

fn look(upload: &Upload, source: &Spooled, asked: &Asked) -> Looked {
    let exchange = &upload.service.exchange;
    let guessed = guess(source, &asked.name, &exchange.profiles);
    let given = Kind::find(&asked.kind);
    let is_unknown = given.is_none() && guessed.is_none();
    let kind = given.or_else(|| guessed.as_ref().and_then(|guess| Kind::find(guess.kind.as_str())));
    let kind = kind.or_else(|| Kind::find(RunKind::Articles.as_str())).unwrap_or(&crate::exchange::KINDS[0]);
    // A profile was chosen, or none; or nobody said.
    let of_guess = || guessed.filter(|guess: &Guess| guess.kind == kind.of).and_then(|guess| guess.profile);
    let profile = match &asked.profile {
        Some(name) => Some(name.clone()).filter(|name| !name.is_empty()),
        None => of_guess(),
    };
    let text = profile.as_deref().and_then(|name| exchange.profiles.text(name));
    let wanted = if asked.format.is_empty() { RunFormat::Auto.as_str() } else { &asked.format };
    let format = match recognise(wanted, text.as_deref(), kind, source) {
        Ok(format) => format,
        Err(error) => {
            return Looked { kind, is_unknown, profile, format: String::new(), records: Err(error.to_string()) };
        }
    };
    let origin = Origin { path: &source.path, size: source.size, format, profile: text.as_deref() };
    let script = profile.as_deref().and_then(|name| exchange.profiles.filter(name));
    let records = first_records(exchange, &origin, kind, script.as_deref());
    Looked { kind, is_unknown, profile, format: format.to_owned(), records }
}

/// A value in a cell.
fn compact(value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(all) => all.iter().map(compact).collect::<Vec<_>>().join(", "),
        Value::Object(members) => {
            // What it is first, then of what; whether tax is in it is seen elsewhere.
            let (own, of): (Vec<_>, Vec<_>) = members.iter().partition(|(name, _)| *name == "value");
            let parts = own.into_iter().chain(of).map(|(_, value)| value).filter(|value| !value.is_boolean());
            parts.map(compact).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
        }
        other => other.to_string(),
    };
    if text.chars().count() > LETTERS { text.chars().take(LETTERS - 1).chain(['…']).collect() } else { text }
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}

/// The records as a table: the members that any of them has.
pub(super) fn table(records: &[Previewed], kind: &Kind) -> (Vec<String>, usize, Vec<Record>) {
    let mut columns: Vec<String> = Vec::new();
    let members = |record: &Previewed| match &record.record {
        Ok(Value::Object(members)) => members.clone(),
        _ => serde_json::Map::new(),
    };
    for record in records {
        for (name, value) in members(record) {
            if !is_empty(&value) && !columns.contains(&name) {
                columns.push(name);
            }
        }
    }
    // Keys first.
    columns.sort_by_key(|name| !kind.keys.contains(&name.as_str()));
    let more = columns.len().saturating_sub(COLUMNS);
    columns.truncate(COLUMNS);
    let row = |record: &Previewed| {
        let members = members(record);
        Record {
            line: record.line.map(|line| line.to_string()).unwrap_or_default(),
            cells: columns.iter().map(|name| members.get(name).map(compact).unwrap_or_default()).collect(),
            issues: match &record.record {
                Ok(_) => Vec::new(),
                Err(issues) => issues.iter().map(told).collect(),
            },
            categories: record.categories.join(", "),
            is_skipped: record.is_skipped,
            warnings: record.warnings.iter().map(told).collect(),
        }
    };
    let rows = records.iter().map(row).collect();
    (columns, more, rows)
}

/// A source that was taken.
fn taken(upload: &Upload, sha256: &str) -> Option<Spooled> {
    let is_hash = sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
    let path = is_hash.then(|| upload.service.exchange.spool.source(sha256))?;
    let size = std::fs::metadata(&path).ok()?.len();
    Some(Spooled { path, sha256: sha256.to_owned(), size })
}

fn gone(visitor: Visitor) -> HttpResponse {
    let text = visitor.t("The file is not here any more: send it again.").to_owned();
    not_found(visitor, text)
}

/// Shows what is in a file.
pub(super) async fn preview_page(
    upload: Data<Upload>,
    visitor: Visitor,
    sha256: Path<String>,
    asked: Query<Asked>,
) -> HttpResponse {
    if !visitor.may("Exchange", "StartImport") {
        return may_not(visitor, "Exchange.StartImport");
    }
    let Some(source) = taken(&upload, &sha256) else { return gone(visitor) };
    let asked = asked.into_inner();
    let (looking, looked_at, how) = (upload.clone(), source.clone(), asked.clone());
    let looked = match web::block(move || look(&looking, &looked_at, &how)).await {
        Ok(looked) => looked,
        Err(error) => return broken(visitor, error),
    };
    let (records, wrong) = match looked.records {
        Ok(records) => (records, None),
        Err(why) => (Vec::new(), Some(why)),
    };
    let (columns, more_columns, records) = table(&records, looked.kind);
    let profile = looked.profile.unwrap_or_default();
    page(&PreviewPage {
        visitor,
        sha256: source.sha256,
        name: asked.name,
        size: size(i64::try_from(source.size).unwrap_or(i64::MAX)),
        kinds: RunKind::ALL.iter().map(|kind| (kind.as_str(), *kind == looked.kind.of)).collect(),
        formats: formats().into_iter().map(|format| (format, format == looked.format)).collect(),
        profiles: upload
            .service
            .exchange
            .profiles
            .names()
            .into_iter()
            .map(|name| (name.clone(), name == profile))
            .collect(),
        kind: looked.kind.of.as_str(),
        format: looked.format,
        profile,
        is_unknown: looked.is_unknown,
        can_be_full: looked.kind.place.is_some(),
        columns,
        more_columns,
        records,
        wrong,
    })
}

/// Begins the run of a file that was looked at.
pub(super) async fn carry_on(
    upload: Data<Upload>,
    access: Data<Arc<Access>>,
    visitor: Visitor,
    sha256: Path<String>,
    shown: Form<Fields>,
) -> HttpResponse {
    if !visitor.may("Exchange", "StartImport") {
        return may_not(visitor, "Exchange.StartImport");
    }
    let mut fields = shown.into_inner();
    if !visitor.gave(&fields.remove("form").unwrap_or_default()) {
        return not_ours(visitor);
    }
    match taken(&upload, &sha256) {
        Some(source) => start(&upload, &access, visitor, fields, source).await,
        None => gone(visitor),
    }
}
