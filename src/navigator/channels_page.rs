//! Folders that are watched, and schedules: what comes in by itself, and when.

use super::language::Language;
use super::runs_page::Row as Run;
use super::visitor::Visitor;
use super::{may_not, message, moved, not_found, not_ours, page, unavailable};
use crate::config::Config;
use crate::exchange::channels::{Channels, HotFolder, Schedule};
use crate::http::auth::Access;
use crate::http::upload::Upload;
use crate::reporting::{Direction, Report, grouped};
use crate::store::{Db, Store, StoreError, runs, schedules};
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Form};
use askama::Template;
use chrono::{NaiveDateTime, Utc};
use serde::Deserialize;
use soapstone_contracts::exchange::Channel;
use std::sync::Arc;

/// Runs that are shown.
const RUNS: i64 = 10;

/// Times that are shown of a schedule.
const TIMES: usize = 3;

#[derive(Template)]
#[template(path = "channels.html")]
struct ChannelsPage {
    visitor: Visitor,
    folders: Vec<Folder>,
    schedules: Vec<Timed>,
    caller: String,
    rows: Vec<Run>,
    may_run: bool,
}

struct Folder {
    path: String,
    pattern: String,
    takes: String,
    is_full: bool,
    waiting: String,
    working: String,
    trouble: Option<String>,
}

struct Timed {
    name: String,
    when: String,
    zone: &'static str,
    does: String,
    next: Vec<String>,
    /// When it began a run last, and which.
    last: Option<(String, i64)>,
}

fn time(at: NaiveDateTime) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}

fn folder(folder: &HotFolder) -> Folder {
    let (there, trouble) = match folder.glance() {
        Ok(there) => (there, None),
        Err(error) => (Default::default(), Some(error.to_string())),
    };
    let how = [folder.profile.as_deref(), folder.format.as_deref()];
    let takes: Vec<&str> = std::iter::once(folder.kind.as_str()).chain(how.into_iter().flatten()).collect();
    Folder {
        path: folder.path.display().to_string(),
        pattern: folder.pattern.clone(),
        takes: takes.join(", "),
        is_full: folder.full,
        waiting: grouped(there.waiting),
        working: grouped(there.working),
        trouble,
    }
}

fn timed(schedule: &Schedule, last: Option<(NaiveDateTime, i64)>, now: NaiveDateTime, visitor: &Visitor) -> Timed {
    let (direction, kind) = schedule.does();
    let does = match direction {
        Direction::Export => visitor.tell("exports {}", kind),
        Direction::Import => visitor.tell("imports {}", kind),
    };
    let place = schedule.place().map(|place| format!(" ({})", place.display()));
    let when = match visitor.language {
        Language::English => schedule.when(),
        Language::German => schedule.cron().to_owned(),
    };
    let next = std::iter::successors(schedule.next(now), |at| schedule.next(*at));
    Timed {
        name: schedule.name.clone(),
        when,
        zone: schedule.zone(),
        does: does + place.unwrap_or_default().as_str(),
        next: next.take(TIMES).map(time).collect(),
        last: last.map(|(at, run)| (time(at), run)),
    }
}

type Last = Vec<Option<(NaiveDateTime, i64)>>;

fn look(db: &mut Db, names: &[String]) -> Result<(Last, Vec<Report>), StoreError> {
    let last = names.iter().map(|name| schedules::last_run(db, name)).collect::<Result<_, _>>()?;
    let filter =
        runs::Filter { channel: Some(Channel::HotFolder.as_str().to_owned()), limit: RUNS, ..runs::Filter::default() };
    Ok((last, runs::list(db, &filter)?.0))
}

pub(super) async fn show(
    store: Data<Store>,
    channels: Data<Channels>,
    config: Data<Config>,
    visitor: Visitor,
) -> HttpResponse {
    let names: Vec<String> = channels.schedules.iter().map(|schedule| schedule.name.clone()).collect();
    let (last, found) = match store.read(move |db| look(db, &names)).await {
        Ok(found) => found,
        Err(error) => return unavailable(visitor, &error),
    };
    let watched = channels.folders.clone();
    let folders = web::block(move || watched.iter().map(folder).collect()).await.unwrap_or_default();
    let now = Utc::now().naive_utc();
    let schedules = channels.schedules.iter().zip(last).map(|(schedule, last)| timed(schedule, last, now, &visitor));
    page(&ChannelsPage {
        folders,
        schedules: schedules.collect(),
        caller: config.caller_folder.display().to_string(),
        rows: found.iter().map(Run::of).collect(),
        may_run: visitor.may_change() && visitor.may("Exchange", "StartExport"),
        visitor,
    })
}

#[derive(Deserialize)]
pub(super) struct Shown {
    #[serde(default)]
    form: String,
    name: String,
}

/// Does what a schedule does, now.
pub(super) async fn run_now(
    channels: Data<Channels>,
    upload: Data<Upload>,
    access: Data<Arc<Access>>,
    visitor: Visitor,
    shown: Form<Shown>,
) -> HttpResponse {
    if !visitor.gave(&shown.form) {
        return not_ours(visitor);
    }
    let Some(schedule) = channels.schedules.iter().find(|schedule| schedule.name == shown.name).cloned() else {
        let text = visitor.tell("There is no schedule {}.", &shown.name);
        return not_found(visitor, text);
    };
    let operation = match schedule.does().0 {
        Direction::Export => "StartExport",
        Direction::Import => "StartImport",
    };
    if !visitor.may("Exchange", operation) {
        return may_not(visitor, &format!("Exchange.{operation}"));
    }
    let exchange = upload.service.exchange.clone();
    let begun = web::block(move || schedule.run_now(&exchange)).await;
    let done = match begun {
        Ok(Ok(run)) => Ok(run),
        Ok(Err(error)) => Err(error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    visitor.note(&access, format!("Exchange.{operation} schedule {}", shown.name), done.is_ok());
    match done {
        Ok(Some(run)) => {
            upload.service.queue.wake();
            moved(&format!("/navigator/runs/{run}"))
        }
        // Another node was faster.
        Ok(None) => moved("/navigator/channels"),
        Err(why) => message(visitor, StatusCode::UNPROCESSABLE_ENTITY, "That did not work", why),
    }
}
