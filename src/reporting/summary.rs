//! What a run said, how long it took for what, and how that compares with the runs of its kind before it.

use super::{Group, Report, groups};
use crate::store::runs::{self, Change};
use crate::store::{Db, StoreError};
use bigdecimal::BigDecimal;
use chrono::NaiveDateTime;
use soapstone_contracts::common::Outcome;
use soapstone_contracts::exchange as contract;
use soapstone_runtime::{DateTime, Decimal};

/// How many earlier runs one is compared with.
const EARLIER: i64 = 20;

/// With fewer of them, nothing is called unusual.
const ENOUGH: usize = 3;

/// A duration that differs by less is never unusual, in milliseconds.
const SLIGHT_MILLIS: i64 = 10_000;

/// A run, with what can be said of it as a whole.
#[derive(Clone, Debug)]
pub struct Summary {
    pub report: Report,
    pub groups: Vec<Group>,
    pub samples: Vec<(NaiveDateTime, i64)>,
    pub comparison: Option<Comparison>,
}

/// A run beside those of its kind before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    pub runs: usize,
    /// Medians.
    pub millis: i64,
    pub records: i64,
    /// Thousandths of a percent.
    pub failed: i64,
    /// In which way the run is out of the ordinary.
    pub unusual: Vec<String>,
}

/// What a run comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Figures {
    millis: i64,
    records: i64,
    /// Thousandths of a percent.
    failed: i64,
}

impl Figures {
    fn of(report: &Report) -> Option<Self> {
        let (start, end) = (report.run.started_at?, report.run.finished_at?);
        let counters = report.progress.counters;
        Some(Self {
            millis: (end - start).num_milliseconds().max(0),
            records: counters.read,
            failed: (counters.failed.saturating_mul(100_000)).checked_div(counters.read).unwrap_or(0),
        })
    }
}

/// All that can be said of a run; None if there is none.
///
/// # Errors
/// Those of the database.
pub fn summary(db: &mut Db, run: i64, examples: i64) -> Result<Option<Summary>, StoreError> {
    let Some(report) = runs::get(db, run)? else { return Ok(None) };
    let groups = groups(db, run, examples)?;
    let samples = runs::samples(db, run)?;
    let comparison = match Figures::of(&report) {
        Some(own) if report.run.state().is_final() => {
            let earlier = runs::before(db, &report.run, EARLIER)?;
            compare(own, &earlier.iter().filter_map(Figures::of).collect::<Vec<_>>())
        }
        _ => None,
    };
    Ok(Some(Summary { report, groups, samples, comparison }))
}

fn median(figures: &[Figures], of: impl Fn(&Figures) -> i64) -> i64 {
    let mut values: Vec<i64> = figures.iter().map(of).collect();
    values.sort_unstable();
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or(0)
}

fn compare(own: Figures, earlier: &[Figures]) -> Option<Comparison> {
    if earlier.is_empty() {
        return None;
    }
    let (millis, records) = (median(earlier, |f| f.millis), median(earlier, |f| f.records));
    let failed = median(earlier, |f| f.failed);
    let mut unusual = Vec::new();
    if earlier.len() >= ENOUGH {
        if own.millis > millis.saturating_mul(3) && own.millis - millis > SLIGHT_MILLIS {
            unusual.push(format!("it took {} s, where {} s are usual", own.millis / 1000, millis / 1000));
        }
        if own.records < records / 2 || own.records > records.saturating_mul(2).max(10) {
            unusual.push(format!("it had {} records, where {records} are usual", own.records));
        }
        if own.failed > failed.saturating_mul(2) && own.failed - failed > 5_000 {
            unusual.push(format!(
                "it refused {} % of its records, where {} % are usual",
                percent(own.failed),
                percent(failed)
            ));
        }
    }
    Some(Comparison { runs: earlier.len(), millis, records, failed, unusual })
}

fn percent(thousandths: i64) -> BigDecimal {
    BigDecimal::new(thousandths.into(), 3).normalized()
}

impl Summary {
    /// How long the run was at what, in milliseconds.
    pub fn stages(&self) -> Vec<(&'static str, i64)> {
        let progress = &self.report.progress;
        let millis = |time: std::time::Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        let all =
            [("reading", progress.read_time), ("filtering", progress.filter_time), ("writing", progress.write_time)];
        all.into_iter().map(|(name, time)| (name, millis(time))).collect()
    }

    /// The summary as the contract has it.
    pub fn to_contract(&self) -> contract::GetRunSummaryResponse {
        let stage = |(name, milliseconds): (&str, i64)| contract::Stage { name: name.to_owned(), milliseconds };
        let sample = |&(at, records): &(NaiveDateTime, i64)| contract::Sample { at: DateTime::from_utc(at), records };
        contract::GetRunSummaryResponse {
            group: self.groups.iter().map(Group::to_contract).collect(),
            stage: self.stages().into_iter().map(stage).collect(),
            sample: self.samples.iter().map(sample).collect(),
            comparison: self.comparison.as_ref().map(Comparison::to_contract),
        }
    }
}

impl Comparison {
    /// The usual share of refused records, in percent.
    pub fn failed_percent(&self) -> BigDecimal {
        percent(self.failed)
    }

    fn to_contract(&self) -> contract::Comparison {
        contract::Comparison {
            runs: i32::try_from(self.runs).unwrap_or(i32::MAX),
            milliseconds: self.millis,
            records: self.records,
            failed_percent: Decimal(self.failed_percent()),
            unusual: self.unusual.clone(),
        }
    }
}

/// What a dry run would change, as the contract has it.
pub fn change(change: Change) -> contract::RunChange {
    let field = |field: runs::FieldChange| contract::FieldChange {
        field: field.field,
        before: field.before,
        after: field.after,
    };
    contract::RunChange {
        number: change.number,
        record: change.record,
        record_key: change.key,
        outcome: if change.outcome == "created" { Outcome::Created } else { Outcome::Updated },
        field: change.fields.into_iter().map(field).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(millis: i64, records: i64, failed: i64) -> Figures {
        Figures { millis, records, failed }
    }

    #[test]
    fn what_is_out_of_the_ordinary_is_told() {
        let usual = [figures(10_000, 1000, 0), figures(12_000, 1100, 1_000), figures(9_000, 900, 0)];
        let unusual = |own| compare(own, &usual).map(|comparison| comparison.unusual).unwrap_or_default();
        assert_eq!(unusual(figures(15_000, 1200, 2_000)), Vec::<String>::new());
        assert_eq!(unusual(figures(45_000, 1000, 0)), ["it took 45 s, where 10 s are usual"]);
        assert_eq!(unusual(figures(10_000, 400, 0)), ["it had 400 records, where 1000 are usual"]);
        assert_eq!(unusual(figures(10_000, 1000, 12_500)), ["it refused 12.5 % of its records, where 0 % are usual"]);
    }

    #[test]
    fn with_few_earlier_ones_nothing_is_unusual() {
        assert_eq!(compare(figures(1, 1, 1), &[]), None);
        let one = compare(figures(99_000, 1, 100_000), &[figures(1000, 100, 0)]);
        assert_eq!(one.map(|comparison| comparison.unusual), Some(Vec::new()));
    }
}
