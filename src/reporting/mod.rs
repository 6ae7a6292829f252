//! What a run did: counters, messages, times; read by SOAP, REST, command line and Navigator alike.

mod chart;
mod figures;
mod groups;
mod html;
mod messages_csv;
mod pretty;
mod report;
mod summary;

pub use chart::{Chart, draw};
pub use figures::{duration, grouped, size};
pub use groups::{Group, groups};
pub use html::report_html;
pub use messages_csv::{TableError, messages_csv};
pub use pretty::pretty;
pub use report::{Report, kind_of, report};
pub use summary::{Comparison, Summary, change, summary};

use crate::store::schema::run_messages;
use diesel::prelude::*;
use std::time::Duration;

/// How many records met which fate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    pub read: i64,
    pub created: i64,
    pub updated: i64,
    pub unchanged: i64,
    pub skipped: i64,
    pub deleted: i64,
    pub failed: i64,
    pub warnings: i64,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of the source that are done.
    pub bytes: i64,
    pub counters: Counters,
    /// Messages so far.
    pub messages: i64,
    /// How many records a full file lacks; known once it is read.
    pub missing: Option<i64>,
    /// How much of the file of refused records is written for good.
    pub rejected_bytes: u64,
    /// Time spent reading and mapping.
    pub read_time: Duration,
    /// Time spent in filters.
    pub filter_time: Duration,
    /// Time spent comparing and writing.
    pub write_time: Duration,
}

/// Which way a run moves records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Import,
    Export,
}

impl Direction {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Export => "export",
        }
    }

    pub fn parse(text: &str) -> Self {
        if text == Self::Export.as_str() { Self::Export } else { Self::Import }
    }
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    Queued,
    Running,
    /// For somebody to approve what it would delete.
    Waiting,
    /// Somebody halted it.
    Paused,
    Succeeded,
    SucceededWithErrors,
    Failed,
    Cancelled,
}

impl RunState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Paused => "paused",
            Self::Succeeded => "succeeded",
            Self::SucceededWithErrors => "succeededWithErrors",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state of that name; what nobody wrote counts as failed.
    pub fn parse(text: &str) -> Self {
        let all = [
            Self::Queued,
            Self::Running,
            Self::Waiting,
            Self::Paused,
            Self::Succeeded,
            Self::SucceededWithErrors,
            Self::Cancelled,
        ];
        all.into_iter().find(|state| state.as_str() == text).unwrap_or(Self::Failed)
    }

    pub fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Running | Self::Waiting | Self::Paused)
    }

    /// For people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Waiting => "waiting for approval",
            Self::Paused => "paused",
            Self::Succeeded => "succeeded",
            Self::SucceededWithErrors => "succeeded with errors",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// What a run has to say of a record.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = run_messages)]
pub struct RunMessage {
    pub number: i64,
    pub severity: String,
    pub code: String,
    pub record_key: Option<String>,
    pub record: Option<i64>,
    pub line: Option<i64>,
    #[diesel(column_name = col)]
    pub column: Option<i64>,
    pub field: Option<String>,
    pub value: Option<String>,
    pub text: String,
    pub suggestion: Option<String>,
}
