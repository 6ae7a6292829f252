//! The jobs of the Caller that give orders. `get_bestellungen` gives what is new: that the ERP removes the file says that it has them.

use super::{Called, Caller, as_io, remove, status};
use crate::exchange::{Exchange, ExportRequest, Initiator};
use crate::permissions::{create_shared_folder, share};
use crate::reporting::{Report, RunState};
use crate::store::{orders, runs};
use chrono::{NaiveDateTime, TimeZone, Utc};
use serde::{Deserialize, Serialize};
use soapstone_contracts::exchange::{ArtifactKind, Channel, ExportMode, RunFormat, RunKind};
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

/// For how long orders are leased: the file lies there until it is fetched.
const LEASE: i32 = 30 * 24 * 3600;

/// What is new, and what there is from a time on.
pub const NEW: &str = "get_bestellungen";
pub const FROM: &str = "get_bestellungen_ab";

/// How far an export is, beside its files.
#[derive(Serialize, Deserialize)]
struct Standing {
    run: i64,
    /// Its file lies there, or did.
    published: bool,
}

impl Caller {
    fn standing_path(&self, job: &str) -> PathBuf {
        self.folder.join(format!(".{job}.json"))
    }

    fn standing(&self, job: &str) -> Option<Standing> {
        serde_json::from_str(&fs::read_to_string(self.standing_path(job)).ok()?).ok()
    }

    fn stand(&self, job: &str, standing: &Standing) -> io::Result<()> {
        let text = serde_json::to_string(standing)?;
        status::put(&self.standing_path(job), |file| file.write_all(text.as_bytes()))
    }

    /// Has orders written: new ones, or those from a time on.
    ///
    /// # Errors
    /// Those of the file system and of the database.
    pub fn export(&self, exchange: &Exchange, job: &'static str, from: Option<&str>) -> io::Result<Called> {
        create_shared_folder(&self.folder)?;
        self.tend_orders(exchange)?;
        if self.path(job, "out", "xml").exists() {
            return Ok(Called::Refused(format!("{job}_out.xml is still there: remove it once it is read")));
        }
        if let Some(standing) = self.standing(job) {
            let report = runs::get(&mut *exchange.store.connection().map_err(as_io)?, standing.run).map_err(as_io)?;
            if let Some(report) = report.filter(|report| !report.run.state().is_final()) {
                return Ok(Called::Run(Box::new(report)));
            }
        }
        let since = match from.map(|text| time(exchange, text)) {
            None => None,
            Some(Some(since)) => Some(since),
            Some(None) => {
                let text = "datetime_ab is the time from which on orders are wanted, as 2026-11-30 08:00:00";
                return Ok(Called::Refused(text.to_owned()));
            }
        };
        let is_new = job == NEW;
        let request = ExportRequest {
            kind: RunKind::Orders,
            format: RunFormat::Caller,
            mode: if is_new { ExportMode::Incremental } else { ExportMode::Full },
            since,
            consumer: None,
            lease_seconds: is_new.then_some(LEASE),
            warehouse: None,
            packed: false,
            priority: 0,
            initiator: Initiator::new(Channel::Caller, None),
        };
        remove(&self.path(job, "err", "xml"))?;
        let accepted =
            exchange.accept_export(&mut *exchange.store.connection().map_err(as_io)?, &request).map_err(as_io)?;
        self.stand(job, &Standing { run: accepted.report.run.id, published: false })?;
        Ok(Called::Run(Box::new(accepted.report)))
    }

    /// Looks after both exports.
    pub(super) fn tend_orders(&self, exchange: &Exchange) -> io::Result<()> {
        for job in [NEW, FROM] {
            if let Some(standing) = self.standing(job) {
                self.tend_export(exchange, job, &standing)?;
            }
        }
        Ok(())
    }

    fn tend_export(&self, exchange: &Exchange, job: &str, standing: &Standing) -> io::Result<()> {
        let mut db = exchange.store.connection().map_err(as_io)?;
        let Some(report) = runs::get(&mut db, standing.run).map_err(as_io)? else {
            return remove(&self.standing_path(job));
        };
        let out = self.path(job, "out", "xml");
        if standing.published {
            if !out.exists() {
                // The ERP has taken it.
                if let Some(export) = report.export.as_ref().and_then(|export| export.export_id) {
                    let confirm = |db: &mut _| orders::confirm(db, &export.to_string(), &[], Utc::now().naive_utc());
                    db.write(confirm).map_err(as_io)?;
                }
                return remove(&self.standing_path(job));
            }
            return Ok(());
        }
        match report.run.state() {
            RunState::Succeeded => {
                self.publish(exchange, job, &report)?;
                self.stand(job, &Standing { run: standing.run, published: true })
            }
            state if state.is_final() => {
                let why = report.run.failure.as_deref().unwrap_or("cancelled");
                let why = quick_xml::escape::escape(why).into_owned();
                let text = format!(
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<FEHLER><LAUF>{}</LAUF><MELDUNG>{why}</MELDUNG></FEHLER>\n",
                    report.run.id
                );
                status::put_shared(&self.path(job, "err", "xml"), |file| file.write_all(text.as_bytes()))?;
                remove(&self.standing_path(job))
            }
            _ => Ok(()),
        }
    }

    /// Puts the file where the ERP looks for it.
    fn publish(&self, exchange: &Exchange, job: &str, report: &Report) -> io::Result<()> {
        let (_, mut result) =
            exchange.artifact(report, ArtifactKind::Result_).map_err(|e| io::Error::other(e.to_string()))?;
        let working = self.path(job, "tmp", "xml");
        let mut file = fs::File::create(&working)?;
        io::copy(&mut result, &mut file)?;
        share(&file)?;
        file.sync_all()?;
        fs::rename(working, self.path(job, "out", "xml"))
    }
}

/// A time as the call has it, in the shop's zone.
fn time(exchange: &Exchange, text: &str) -> Option<NaiveDateTime> {
    let local = NaiveDateTime::parse_from_str(text.trim(), "%Y-%m-%d %H:%M:%S").ok()?;
    Some(exchange.rules.defaults.zone.from_local_datetime(&local).single()?.naive_utc())
}
