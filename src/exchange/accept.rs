//! Accepting a run: checked, safe on disk, in the database; only then "accepted" is said.

use super::formats;
use super::{Exchange, Spooled};
use crate::error::ServiceError;
use crate::reporting::{Report, RunState};
use crate::store::runs::{self, NewRun};
use crate::store::{Db, StoreError};
use chrono::Utc;

/// What somebody wants imported, and how.
#[derive(Clone, Debug)]
pub struct Request {
    /// `articles` or `categories`.
    pub kind: String,
    /// `auto`, `xml` or `csv`.
    pub format: String,
    pub profile: Option<String>,
    pub source_name: String,
    pub dry_run: bool,
    /// How it came: `soap`, `rest`, `commandLine` or `navigator`.
    pub channel: &'static str,
}

/// A run, and whether it is a new one.
#[derive(Clone, Debug)]
pub struct Accepted {
    pub report: Report,
    /// The same content was sent again: this is the run of the first time.
    pub again: bool,
}

impl Exchange {
    /// Accepts a run for a source in the spool.
    ///
    /// # Errors
    /// If the profile is not known, the format not recognised, or the database not reached.
    pub fn accept(&self, db: &mut Db, request: &Request, source: &Spooled) -> Result<Accepted, StoreError> {
        let profile = match request.profile.as_deref() {
            None => None,
            Some(name) => Some(self.profiles.text(name).ok_or_else(|| {
                let known = self.profiles.names().join(", ");
                let message = format!("There is no profile \"{name}\"; known are {known}");
                ServiceError::invalid("profile.unknown", message).of("profile", name)
            })?),
        };
        let format = formats::recognise(&request.format, profile.as_deref(), source)?;
        let new = NewRun {
            kind: request.kind.clone(),
            format: format.to_owned(),
            profile: request.profile.clone(),
            profile_text: profile,
            channel: request.channel.to_owned(),
            state: RunState::Queued.as_str().to_owned(),
            source_name: request.source_name.chars().take(1000).collect(),
            source_path: source.path.to_string_lossy().into_owned(),
            source_sha256: source.sha256.clone(),
            source_size: i64::try_from(source.size).unwrap_or(i64::MAX),
            dry_run: request.dry_run,
            batch_size: i32::try_from(self.batch_size).unwrap_or(i32::MAX),
            created_at: Utc::now().naive_utc(),
        };
        db.write(|db| {
            // Sent again while it is still at work: the same run. Done already: what it would find may have changed
            // since, so it is a run of its own, which writes nothing where nothing did.
            let same = runs::same_again(db, &new)?.filter(|run| !run.state().is_final());
            let again = same.is_some();
            let id = match same {
                Some(run) => run.id,
                None => runs::accept(db, &new)?,
            };
            let report = crate::reporting::report(db, id)?
                .ok_or_else(|| ServiceError::internal(format!("run {id} is gone right after it was accepted")))?;
            Ok(Accepted { report, again })
        })
    }
}
