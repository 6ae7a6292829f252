//! Schedules: what is exported, or imported from a file, at which times. A time counts once, whatever the node; times that were
//! missed while nothing was running are made up for once.

use super::claimed::as_io;
use super::status;
use crate::exchange::{Exchange, ExportRequest, Initiator, Request};
use crate::permissions::create_shared_folder;
use crate::reporting::{Direction, RunState};
use crate::store::{Db, StoreError, runs, schedules};
use chrono::{DateTime, NaiveDateTime, Utc};
use chrono_tz::Tz;
use croner::Cron;
use serde::Deserialize;
use soapstone_contracts::exchange::{ArtifactKind, Channel, ExportMode, ImportMode, RunFormat, RunKind};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A schedule, as the file of schedules has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Form {
    name: String,
    /// Minute, hour, day, month and day of the week, as cron has them.
    cron: String,
    /// Such as Europe/Zurich; left out, UTC.
    zone: Option<String>,
    /// The kind of records to write, or to read.
    export: Option<String>,
    import: Option<String>,
    format: Option<String>,
    /// Of an export: only what is new since the last time.
    #[serde(default)]
    incremental: bool,
    consumer: Option<String>,
    #[serde(default)]
    packed: bool,
    /// Of an export: the folder that the file is put into. Of an import: the file that is read.
    path: Option<PathBuf>,
    profile: Option<String>,
    #[serde(default)]
    full: bool,
    #[serde(default)]
    priority: i32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Forms {
    #[serde(default)]
    schedule: Vec<Form>,
}

/// What is done at a time.
#[derive(Clone, Debug)]
enum Work {
    Export { request: ExportRequest, to: Option<PathBuf> },
    Import { request: Request, from: PathBuf },
}

/// What is done when.
#[derive(Clone, Debug)]
pub struct Schedule {
    pub name: String,
    cron: Cron,
    zone: Tz,
    work: Work,
}

/// Reads a file of schedules.
///
/// # Errors
/// What is wrong with it, and where.
pub fn read_schedules(text: &str) -> Result<Vec<Schedule>, String> {
    let forms: Forms = toml::from_str(text).map_err(|e| e.to_string().trim().to_owned())?;
    let mut all: Vec<Schedule> = Vec::new();
    for form in forms.schedule {
        let name = form.name.clone();
        if all.iter().any(|other| other.name == name) {
            return Err(format!("there are two schedules \"{name}\""));
        }
        all.push(Schedule::of(form).map_err(|why| format!("the schedule \"{name}\": {why}"))?);
    }
    Ok(all)
}

fn kind_of(name: &str) -> Result<RunKind, String> {
    let known = || RunKind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ");
    let found = RunKind::ALL.iter().copied().find(|kind| kind.as_str() == name);
    found.ok_or_else(|| format!("there is no kind {name}; there are {}", known()))
}

impl Schedule {
    fn of(form: Form) -> Result<Self, String> {
        let cron = Cron::from_str(&form.cron).map_err(|e| format!("cron = \"{}\": {e}", form.cron))?;
        let zone = form.zone.as_deref().unwrap_or("UTC");
        let zone = zone.parse().map_err(|_| format!("there is no zone {zone}; write it as Europe/Zurich"))?;
        let format = form.format.as_deref().unwrap_or(RunFormat::Auto.as_str());
        let format = RunFormat::ALL.iter().copied().find(|known| known.as_str() == format);
        let format = format.ok_or("there is no such format")?;
        let initiator = Initiator::new(Channel::Schedule, Some(&form.name));
        let work = match (&form.export, &form.import) {
            (Some(kind), None) => Work::Export {
                request: ExportRequest {
                    kind: kind_of(kind)?,
                    format: if format == RunFormat::Auto { RunFormat::Xml } else { format },
                    mode: if form.incremental { ExportMode::Incremental } else { ExportMode::Full },
                    since: None,
                    consumer: form.consumer,
                    lease_seconds: None,
                    warehouse: None,
                    packed: form.packed,
                    priority: form.priority,
                    initiator,
                },
                to: form.path,
            },
            (None, Some(kind)) => Work::Import {
                request: Request {
                    kind: kind_of(kind)?,
                    format,
                    profile: form.profile,
                    source_name: String::new(),
                    dry_run: false,
                    mode: if form.full { ImportMode::Full } else { ImportMode::Partial },
                    delete_at_most: None,
                    retry_of: None,
                    claim: None,
                    priority: form.priority,
                    all_or_nothing: false,
                    initiator,
                },
                from: form.path.ok_or("an import needs the path of its file")?,
            },
            _ => return Err("it has either export or import, with a kind".to_owned()),
        };
        Ok(Self { name: form.name, cron, zone, work })
    }

    /// When it is due, in English.
    pub fn when(&self) -> String {
        self.cron.describe()
    }

    /// The same, as cron has it.
    pub fn cron(&self) -> &str {
        self.cron.as_str()
    }

    pub fn zone(&self) -> &'static str {
        self.zone.name()
    }

    /// What it does, with which kind of records.
    pub fn does(&self) -> (Direction, &'static str) {
        match &self.work {
            Work::Export { request, .. } => (Direction::Export, request.kind.as_str()),
            Work::Import { request, .. } => (Direction::Import, request.kind.as_str()),
        }
    }

    /// The file or folder that it reads or writes.
    pub fn place(&self) -> Option<&Path> {
        match &self.work {
            Work::Export { to, .. } => to.as_deref(),
            Work::Import { from, .. } => Some(from),
        }
    }

    /// Does it now, as if it were due. Gives its run, unless another node was faster.
    ///
    /// # Errors
    /// Why it cannot be done.
    pub fn run_now(&self, exchange: &Exchange) -> io::Result<Option<i64>> {
        self.begin(exchange, Utc::now().naive_utc())
    }

    /// The first time after one.
    pub fn next(&self, after: NaiveDateTime) -> Option<NaiveDateTime> {
        let after: DateTime<Tz> = after.and_utc().with_timezone(&self.zone);
        self.cron.find_next_occurrence(&after, false).ok().map(|at| at.naive_utc())
    }

    /// The last time that is not later than now, if there was one after another one.
    fn latest(&self, after: NaiveDateTime, now: NaiveDateTime) -> Option<NaiveDateTime> {
        let now: DateTime<Tz> = now.and_utc().with_timezone(&self.zone);
        let latest = self.cron.find_previous_occurrence(&now, true).ok()?.naive_utc();
        (latest > after).then_some(latest)
    }

    /// When it is due next.
    pub fn due(&self, now: NaiveDateTime) -> Option<NaiveDateTime> {
        self.next(now)
    }
}

/// When each schedule is due.
pub(super) struct Timetable {
    entries: Vec<Entry>,
}

struct Entry {
    schedule: Schedule,
    /// None: it was not looked up yet.
    next: Option<NaiveDateTime>,
    /// When it was looked at last, by the wall clock.
    looked: Option<NaiveDateTime>,
}

impl Timetable {
    pub fn new(schedules: Vec<Schedule>) -> Self {
        Self { entries: schedules.into_iter().map(|schedule| Entry { schedule, next: None, looked: None }).collect() }
    }

    /// Does what is due. Gives whether there are new runs.
    pub fn look(&mut self, exchange: &Exchange) -> bool {
        let mut found = false;
        for entry in &mut self.entries {
            match entry.look(exchange) {
                Ok(is_new) => found |= is_new,
                Err(error) => log::error!("the schedule \"{}\": {error}", entry.schedule.name),
            }
        }
        found
    }
}

impl Entry {
    fn look(&mut self, exchange: &Exchange) -> io::Result<bool> {
        let now = Utc::now().naive_utc();
        // A clock that was set back makes times come again: those that counted do not count twice, the others are not waited over.
        if self.looked.replace(now).is_some_and(|looked| now < looked) {
            self.next = None;
        }
        let schedule = &self.schedule;
        let due = match self.next {
            None => {
                // What was missed is made up for; of a schedule that is new, nothing was.
                let mut db = exchange.store.connection().map_err(as_io)?;
                let last = schedules::last(&mut db, &schedule.name).map_err(as_io)?;
                if last.is_none() {
                    db.write(|db| schedules::note(db, &schedule.name, now, None, true)).map_err(as_io)?;
                }
                schedule.latest(last.unwrap_or(now), now)
            }
            Some(next) => (next <= now).then_some(next),
        };
        let is_new = match due {
            Some(due) => schedule.begin(exchange, due)?.is_some(),
            None => false,
        };
        if self.next.is_none_or(|next| next <= now) {
            self.next = schedule.next(now);
        }
        if let Work::Export { to: Some(folder), .. } = &schedule.work {
            schedule.deliver(exchange, folder)?;
        }
        Ok(is_new)
    }
}

impl Schedule {
    /// Has the run of a time begun, if no other node has.
    fn begin(&self, exchange: &Exchange, due: NaiveDateTime) -> io::Result<Option<i64>> {
        let mut db = exchange.store.connection().map_err(as_io)?;
        let delivered = !matches!(&self.work, Work::Export { to: Some(_), .. });
        if !db.write(|db| schedules::note(db, &self.name, due, None, delivered)).map_err(as_io)? {
            return Ok(None);
        }
        let accepted = match &self.work {
            Work::Export { request, .. } => exchange.accept_export(&mut db, request),
            Work::Import { request, from } => {
                let source = exchange.spool.store(File::open(from)?)?;
                let source_name = from.file_name().unwrap_or_default().to_string_lossy().into_owned();
                exchange.accept(&mut db, &Request { source_name, ..request.clone() }, &source)
            }
        };
        let run = accepted.map_err(as_io)?.report.run.id;
        let noted = |db: &mut Db| -> Result<(), StoreError> { schedules::begun(db, &self.name, due, run) };
        db.write(noted).map_err(as_io)?;
        log::info!(run = run; "the schedule \"{}\" begins run {run}", self.name);
        Ok(Some(run))
    }

    /// Puts files of exports that are done into their folder.
    fn deliver(&self, exchange: &Exchange, folder: &Path) -> io::Result<()> {
        let mut db = exchange.store.connection().map_err(as_io)?;
        for (due, run) in schedules::undelivered(&mut db, &self.name).map_err(as_io)? {
            let Some(report) = runs::get(&mut db, run).map_err(as_io)? else { continue };
            if !report.run.state().is_final() {
                continue;
            }
            if report.run.state() == RunState::Succeeded {
                // Another node that wrote it has it.
                let Ok((artifact, mut result)) = exchange.artifact(&report, ArtifactKind::Result_) else { continue };
                create_shared_folder(folder)?;
                let name = format!("{}-{}", report.run.id, artifact.name);
                status::put_shared(&folder.join(name), |file| io::copy(&mut result, file).map(drop))?;
            }
            db.write(|db| schedules::delivered(db, &self.name, due)).map_err(as_io)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Schedule {
        let text = format!("[[schedule]]\nname = \"x\"\nexport = \"stock\"\n{text}");
        read_schedules(&text).unwrap().remove(0)
    }

    #[test]
    fn times_are_those_of_the_zone() {
        let at = |text: &str| text.parse::<NaiveDateTime>().unwrap();
        let nightly = one("cron = \"0 2 * * *\"\nzone = \"Europe/Zurich\"\n");
        assert_eq!(nightly.next(at("2026-07-01T00:00:00")), Some(at("2026-07-02T00:00:00")));
        assert_eq!(nightly.next(at("2026-12-01T00:30:00")), Some(at("2026-12-01T01:00:00")));
        // The hour that there is not in spring.
        assert!(nightly.next(at("2027-03-27T12:00:00")).is_some());
        assert_eq!(
            nightly.latest(at("2026-11-20T00:00:00"), at("2026-11-25T10:00:00")),
            Some(at("2026-11-25T01:00:00"))
        );
        assert_eq!(nightly.latest(at("2026-11-25T01:00:00"), at("2026-11-25T10:00:00")), None);
    }

    #[test]
    fn a_wrong_file_of_schedules_is_told() {
        for (text, told) in [
            ("name = \"x\"\ncron = \"61 * * * *\"\nexport = \"stock\"", "cron"),
            ("name = \"x\"\ncron = \"* * * * *\"\nexport = \"colours\"", "colours"),
            ("name = \"x\"\ncron = \"* * * * *\"\nzone = \"Mars\"\nexport = \"stock\"", "Mars"),
            ("name = \"x\"\ncron = \"* * * * *\"\nimport = \"stock\"", "path"),
            ("name = \"x\"\ncron = \"* * * * *\"", "either"),
        ] {
            let wrong = read_schedules(&format!("[[schedule]]\n{text}\n")).unwrap_err();
            assert!(wrong.contains(told), "{wrong}");
        }
    }
}
