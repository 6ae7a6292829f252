//! Pieces of articles, by their serial numbers.

use super::change::{Time, as_given, change};
use super::{Defaults, Issue, compared};
use chrono::{NaiveDate, NaiveDateTime};
use soapstone_contracts::catalog as contract;
use soapstone_runtime::{Date, DateTime, Nillable};

/// A piece as it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Serial {
    /// The article's number.
    pub sku: String,
    pub number: String,
    pub warehouse: Option<String>,
    /// The order that it was sold with.
    pub order: Option<String>,
    pub sold_at: Option<NaiveDateTime>,
    pub warranty_until: Option<NaiveDate>,
    pub note: Option<String>,
}

impl Serial {
    /// Applies a change to a piece, or makes a new one; `issues` gets everything that the rules have against it.
    pub fn apply(
        existing: Option<Self>,
        sku: &str,
        given: contract::SerialNumber,
        defaults: &Defaults,
        issues: &mut Vec<Issue>,
    ) -> Option<Self> {
        let new = || Self { sku: sku.to_owned(), number: compared(&given.number), ..Self::default() };
        let mut serial = existing.unwrap_or_else(new);
        let time = Time { code: "serial_number.time", zone: defaults.zone };
        change(&mut serial.warehouse, given.warehouse, as_given, issues);
        change(&mut serial.order, given.order, as_given, issues);
        change(&mut serial.sold_at, given.sold_at, |at| time.instant(at, "soldAt"), issues);
        change(&mut serial.warranty_until, given.warranty_until, day, issues);
        change(&mut serial.note, given.note, as_given, issues);
        if let (Some(sold), Some(until)) = (serial.sold_at.map(|at| at.date()), serial.warranty_until)
            && until < sold
        {
            let text = format!("the warranty ends on {until}, before it was sold on {sold}");
            let issue = Issue::error("serial_number.warranty", text).of("warrantyUntil", &until.to_string());
            issues.push(issue.suggest("give the last day of the warranty"));
        }
        issues.is_empty().then_some(serial)
    }

    /// The piece as the contract has it.
    pub fn to_contract(&self, version: i64, changed_at: NaiveDateTime) -> contract::SerialNumber {
        let text = |value: &Option<String>| value.clone().map(Nillable::Value);
        contract::SerialNumber {
            version: Some(version),
            changed_at: Some(DateTime::from_utc(changed_at)),
            if_version: None,
            sku: self.sku.clone(),
            number: self.number.clone(),
            warehouse: text(&self.warehouse),
            order: text(&self.order),
            sold_at: self.sold_at.map(|at| Nillable::Value(DateTime::from_utc(at))),
            warranty_until: self.warranty_until.map(|day| Nillable::Value(Date::from_naive(day))),
            note: text(&self.note),
        }
    }
}

fn day(given: Date) -> Result<NaiveDate, Issue> {
    given.to_naive().ok_or_else(|| {
        Issue::error("serial_number.time", "warrantyUntil is beyond the days that can be kept")
            .of("warrantyUntil", &given.to_string())
            .suggest("leave it out to mean for ever")
    })
}
