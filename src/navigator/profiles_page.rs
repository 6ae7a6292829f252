//! Mapping profiles and filters: written, tried on a file, and kept with what they were before.

use super::forms::with_file;
use super::import_page::{Record, first_records, table};
use super::query::address;
use super::visitor::Visitor;
use super::{broken, may_not, moved, not_found, not_ours, page, refused};
use crate::exchange::{
    Exchange, Filter, Kind, Origin, Previewed, Profile, Profiles, Sort, Spooled, form, guess, propose, recognise,
};
use crate::http::auth::Access;
use crate::http::upload::Upload;
use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Form, Payload, Query};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;
use soapstone_contracts::exchange::{RunFormat, RunKind};
use soapstone_runtime::soap::Fault;
use std::sync::Arc;

/// Bytes of a profile or filter.
const MAX_TEXT: usize = 256 << 10;

/// What a new filter begins with.
const NEW_FILTER: &str = "// Sees each record once it is mapped; docs/files.md says what it can call.\n\
    // record.name, record.listPrice.value, … look as the REST API has them.\n\n\
    // if record.weight == () { warn(\"weight\", \"it has no weight\"); }\n";

/// What a new profile begins with.
const NEW_PROFILE: &str = "description = \"\"\n\n[fields]\nsku = \"Artikelnummer\"\n\
    name = { column = \"Bezeichnung\", language = \"de\" }\n";

#[derive(Template)]
#[template(path = "profiles.html")]
struct ProfilesPage {
    visitor: Visitor,
    may_change: bool,
    files: Vec<Row>,
    kinds: Vec<&'static str>,
}

struct Row {
    name: String,
    ending: &'static str,
    description: String,
    is_own: bool,
    versions: usize,
}

fn rows(profiles: &Profiles) -> Vec<Row> {
    let mut rows = Vec::new();
    for name in profiles.names() {
        for sort in Sort::ALL {
            let text = match sort {
                Sort::Profile => profiles.text(&name),
                Sort::Filter => profiles.filter(&name),
            };
            let Some(text) = text else { continue };
            let description = match sort {
                Sort::Profile => match Profile::parse(&text) {
                    Ok(profile) => profile.description,
                    Err(error) => error.to_string(),
                },
                Sort::Filter => {
                    let first = text.lines().find_map(|line| line.strip_prefix("//"));
                    first.unwrap_or_default().trim().to_owned()
                }
            };
            rows.push(Row {
                is_own: profiles.own(&name, sort).is_some(),
                versions: profiles.versions(&name, sort).len(),
                ending: sort.ending(),
                name: name.clone(),
                description,
            });
        }
    }
    rows
}

pub(super) async fn list(upload: Data<Upload>, visitor: Visitor) -> HttpResponse {
    page(&ProfilesPage {
        may_change: visitor.may("Profiles", "Change"),
        files: rows(&upload.service.exchange.profiles),
        kinds: RunKind::ALL.iter().map(|kind| kind.as_str()).collect(),
        visitor,
    })
}

#[derive(Template)]
#[template(path = "profile.html")]
struct EditorPage {
    visitor: Visitor,
    may_change: bool,
    name: String,
    sort: Sort,
    text: String,
    /// Whether it is as it is kept.
    is_kept: bool,
    is_own: bool,
    versions: Vec<(String, String)>,
    version: Option<String>,
    kinds: Vec<(&'static str, bool)>,
    wrong: Option<String>,
    tried: Option<Tried>,
}

/// What a try on a file gave.
struct Tried {
    file: String,
    columns: Vec<String>,
    more_columns: usize,
    records: Vec<Record>,
}

struct Edited {
    name: String,
    sort: Sort,
    text: String,
    is_kept: bool,
    version: Option<String>,
    kind: Option<RunKind>,
    wrong: Option<String>,
    tried: Option<Tried>,
}

fn editor(visitor: Visitor, profiles: &Profiles, edited: Edited) -> HttpResponse {
    let Edited { name, sort, text, is_kept, version, kind, wrong, tried } = edited;
    let versions = profiles.versions(&name, sort);
    let wrong = wrong.or_else(|| check(sort, &text).err());
    let status = if wrong.is_some() && !is_kept { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let mut response = page(&EditorPage {
        may_change: visitor.may("Profiles", "Change"),
        is_own: profiles.own(&name, sort).is_some(),
        versions: versions.into_iter().map(|v| (v.stamp, v.at.format("%Y-%m-%d %H:%M:%S UTC").to_string())).collect(),
        kinds: RunKind::ALL.iter().map(|of| (of.as_str(), kind == Some(*of))).collect(),
        visitor,
        name,
        sort,
        text,
        is_kept,
        version,
        wrong,
        tried,
    });
    *response.status_mut() = status;
    response
}

/// Whether a text is a profile, or a filter.
fn check(sort: Sort, text: &str) -> Result<(), String> {
    match sort {
        Sort::Profile => Profile::parse(text).map(drop).map_err(|error| error.to_string()),
        Sort::Filter => Filter::compile(text).map(drop).map_err(|error| error.to_string()),
    }
}

#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    name: String,
    #[serde(default)]
    ending: String,
    version: Option<String>,
}

pub(super) async fn edit(upload: Data<Upload>, visitor: Visitor, wanted: Query<Wanted>) -> HttpResponse {
    let profiles = &upload.service.exchange.profiles;
    let Wanted { name, ending, version } = wanted.into_inner();
    let sort = Sort::of_ending(&ending).unwrap_or(Sort::Profile);
    let kept = match sort {
        Sort::Profile => profiles.text(&name),
        Sort::Filter => profiles.filter(&name),
    };
    let (text, is_kept) = match &version {
        Some(stamp) => match profiles.version(&name, sort, stamp) {
            Some(text) => (text, false),
            None => return not_found(visitor, "There is no such version.".to_owned()),
        },
        None => match kept {
            Some(text) => (text, true),
            None if name.is_empty() => (if sort == Sort::Profile { NEW_PROFILE } else { NEW_FILTER }.to_owned(), false),
            None => return not_found(visitor, format!("There is no {name}.{}.", sort.ending())),
        },
    };
    editor(visitor, profiles, Edited { name, sort, text, is_kept, version, kind: None, wrong: None, tried: None })
}

#[derive(Deserialize)]
pub(super) struct Shown {
    #[serde(default)]
    form: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    ending: String,
    #[serde(default)]
    text: String,
}

fn place(name: &str, sort: Sort) -> String {
    address("/navigator/profiles/edit", &[("name", name), ("ending", sort.ending())])
}

pub(super) async fn save(
    upload: Data<Upload>,
    access: Data<Arc<Access>>,
    visitor: Visitor,
    shown: Form<Shown>,
) -> HttpResponse {
    if !visitor.gave(&shown.form) {
        return not_ours(visitor);
    }
    if !visitor.may("Profiles", "Change") {
        return may_not(visitor, "Profiles.Change");
    }
    let Shown { name, ending, text, .. } = shown.into_inner();
    let profiles = upload.service.exchange.profiles.clone();
    let Some(sort) = Sort::of_ending(&ending) else {
        return not_found(visitor, "There is nothing here.".to_owned());
    };
    // As files have it.
    let (name, text) = (name.trim().to_owned(), text.replace("\r\n", "\n"));
    let wrong = if profiles.is_name(&name) {
        check(sort, &text).err()
    } else {
        Some(visitor.t("A name is of letters, digits, dashes, dots and underscores.").to_owned())
    };
    if wrong.is_some() {
        let (version, kind, tried) = (None, None, None);
        return editor(visitor, &profiles, Edited { name, sort, text, is_kept: false, version, kind, wrong, tried });
    }
    let (saved, written) = (profiles.clone(), name.clone());
    let done = web::block(move || saved.save(&written, sort, &text)).await;
    let done = done.map_err(|e| e.to_string()).and_then(|done| done.map_err(|e| e.to_string()));
    visitor.note(&access, format!("Profiles.Change {name}.{}", sort.ending()), done.is_ok());
    match done {
        Ok(()) => moved(&place(&name, sort)),
        Err(why) => broken(visitor, why),
    }
}

pub(super) async fn remove(
    upload: Data<Upload>,
    access: Data<Arc<Access>>,
    visitor: Visitor,
    shown: Form<Shown>,
) -> HttpResponse {
    if !visitor.gave(&shown.form) {
        return not_ours(visitor);
    }
    if !visitor.may("Profiles", "Change") {
        return may_not(visitor, "Profiles.Change");
    }
    let profiles = &upload.service.exchange.profiles;
    let own = Sort::of_ending(&shown.ending).filter(|sort| profiles.own(&shown.name, *sort).is_some());
    let Some(sort) = own else {
        return not_found(visitor, "There is no such file that could be removed.".to_owned());
    };
    let done = profiles.remove(&shown.name, sort);
    visitor.note(&access, format!("Profiles.Change {}.{} removed", shown.name, sort.ending()), done.is_ok());
    match done {
        Ok(()) => moved("/navigator/profiles"),
        Err(error) => broken(visitor, error),
    }
}

/// What is needed to try a text on a file.
struct Trial {
    name: String,
    sort: Sort,
    text: String,
    kind: Option<RunKind>,
    file: String,
    source: Spooled,
}

impl Trial {
    /// The first records as the text makes them; with their kind.
    fn run(&self, exchange: &Exchange) -> Result<(&'static Kind, Vec<Previewed>), String> {
        let profiles = &exchange.profiles;
        // A filter sees what the profile of its name makes; a profile's records go through its filter.
        let (profile, script) = match self.sort {
            Sort::Profile => (Some(self.text.clone()), profiles.filter(&self.name)),
            Sort::Filter => (profiles.text(&self.name), Some(self.text.clone())),
        };
        let known = || guess(&self.source, &self.file, profiles).map(|guess| guess.kind);
        let of = self.kind.or_else(known).unwrap_or(RunKind::Articles);
        let kind = Kind::find(of.as_str()).ok_or_else(|| format!("there are no files of {of}"))?;
        let format =
            recognise(RunFormat::Auto.as_str(), profile.as_deref(), kind, &self.source).map_err(|e| e.to_string())?;
        let origin = Origin { path: &self.source.path, size: self.source.size, format, profile: profile.as_deref() };
        Ok((kind, first_records(exchange, &origin, kind, script.as_deref())?))
    }
}

/// Tries a text that need not be kept yet.
pub(super) async fn test(
    request: HttpRequest,
    upload: Data<Upload>,
    visitor: Visitor,
    payload: Payload,
) -> HttpResponse {
    let (source, mut fields, visitor) = match with_file(&upload, &request, payload, visitor, MAX_TEXT).await {
        Ok(taken) => taken,
        Err(response) => return response,
    };
    let mut take = |name: &str| fields.remove(name).unwrap_or_default();
    let sort = Sort::of_ending(&take("ending")).unwrap_or(Sort::Profile);
    let kind = take("kind");
    let kind = RunKind::ALL.iter().find(|of| of.as_str() == kind).copied();
    let (name, text, file) = (take("name"), take("text").replace("\r\n", "\n"), take("sourceName"));
    let profiles = upload.service.exchange.profiles.clone();
    let exchange = upload.service.exchange.clone();
    let trial = Trial { name: name.clone(), sort, text: text.clone(), kind, file: file.clone(), source };
    let tried = match web::block(move || trial.run(&exchange)).await {
        Ok(tried) => tried,
        Err(error) => return broken(visitor, error),
    };
    let is_kept = profiles.own(&name, sort).is_some_and(|kept| kept == text);
    let (kind, wrong, tried) = match tried {
        Ok((kind, records)) => {
            let (columns, more_columns, records) = table(&records, kind);
            (Some(kind.of), None, Some(Tried { file, columns, more_columns, records }))
        }
        Err(why) => (kind, Some(format!("{file}: {why}")), None),
    };
    editor(visitor, &profiles, Edited { name, sort, text, is_kept, version: None, kind, wrong, tried })
}

/// Proposes a profile for a table.
pub(super) async fn new(
    request: HttpRequest,
    upload: Data<Upload>,
    visitor: Visitor,
    payload: Payload,
) -> HttpResponse {
    let (source, mut fields, visitor) = match with_file(&upload, &request, payload, visitor, MAX_TEXT).await {
        Ok(taken) => taken,
        Err(response) => return response,
    };
    let mut take = |name: &str| fields.remove(name).unwrap_or_default();
    let (asked, file) = (take("kind"), take("sourceName"));
    let profiles = upload.service.exchange.profiles.clone();
    let of = RunKind::ALL.iter().find(|of| of.as_str() == asked).copied().unwrap_or(RunKind::Articles);
    let named = file.clone();
    let proposed = web::block(move || {
        let table = form(&source.path).map_err(|issue| (issue.code, issue.text))?;
        let unknown = || ("import.unknown_kind", format!("there are no files of {of}"));
        Ok::<_, (&str, String)>(propose(Kind::find(of.as_str()).ok_or_else(unknown)?, &table, &named))
    });
    let text = match proposed.await {
        Ok(Ok(text)) => text,
        Ok(Err((code, why))) => return refused(visitor, Fault::sender(code, 422, format!("{file}: {why}"))),
        Err(error) => return broken(visitor, error),
    };
    let stem = file.split('.').next().unwrap_or_default().to_lowercase();
    let name = if profiles.is_name(&stem) { stem } else { String::new() };
    let (version, wrong, tried) = (None, None, None);
    let edited = Edited { name, sort: Sort::Profile, text, is_kept: false, version, kind: Some(of), wrong, tried };
    editor(visitor, &profiles, edited)
}
