//! What articles name beside categories: manufacturers, units, accounting groups. All have a key, names and two details.

use super::change::{as_given, change};
use super::names::{Names, names, texts};
use super::{Defaults, Issue, compared};
use chrono::NaiveDateTime;
use soapstone_contracts::catalog as contract;
use soapstone_contracts::common::Text;
use soapstone_runtime::{DateTime, Nillable};

/// How many decimals quantities may have.
const MOST_DECIMALS: i32 = 12;

/// Which of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Manufacturer,
    Unit,
    AccountingGroup,
}

/// One of them, as it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Master {
    pub key: String,
    pub names: Names,
    pub details: [Option<String>; 2],
}

/// A change of one.
pub struct Given {
    pub key: String,
    pub name: Vec<Text>,
    pub details: [Option<Nillable<String>>; 2],
    pub if_version: Option<i64>,
}

impl Master {
    /// Applies a change, or makes a new one; `issues` gets everything that the rules have against it.
    pub fn apply(
        existing: Option<Self>,
        kind: Kind,
        given: Given,
        defaults: &Defaults,
        issues: &mut Vec<Issue>,
    ) -> Option<Self> {
        let mut master = existing.unwrap_or_else(|| Self { key: compared(&given.key), ..Self::default() });
        if !given.name.is_empty() {
            master.names = names(given.name, "master.duplicate_language", "name", defaults, issues);
        }
        let [first, second] = given.details;
        change(&mut master.details[0], first, as_given, issues);
        let checked = |value| if kind == Kind::Unit { decimals(value) } else { Ok(value) };
        change(&mut master.details[1], second, checked, issues);
        issues.is_empty().then_some(master)
    }
}

fn decimals(value: String) -> Result<String, Issue> {
    if value.parse().is_ok_and(|count: i32| (0..=MOST_DECIMALS).contains(&count)) {
        return Ok(value);
    }
    let issue = Issue::error("unit.decimals", format!("quantities have 0 to {MOST_DECIMALS} decimals"));
    Err(issue.of("decimals", &value).suggest("give 0 for what is counted whole"))
}

/// A record of a contract that is one of them.
pub trait Record: Sized {
    const KIND: Kind;

    fn into_given(self) -> Given;

    fn of(master: &Master, version: i64, changed_at: NaiveDateTime) -> Self;
}

fn nillable(value: Option<&String>) -> Option<Nillable<String>> {
    value.cloned().map(Nillable::Value)
}

impl Record for contract::Manufacturer {
    const KIND: Kind = Kind::Manufacturer;

    fn into_given(self) -> Given {
        Given { key: self.key, name: self.name, details: [self.website, self.country], if_version: self.if_version }
    }

    fn of(master: &Master, version: i64, changed_at: NaiveDateTime) -> Self {
        let [website, country] = &master.details;
        Self {
            version: Some(version),
            changed_at: Some(DateTime::from_utc(changed_at)),
            if_version: None,
            key: master.key.clone(),
            name: texts(&master.names),
            website: nillable(website.as_ref()),
            country: nillable(country.as_ref()),
        }
    }
}

impl Record for contract::Unit {
    const KIND: Kind = Kind::Unit;

    fn into_given(self) -> Given {
        let decimals = self.decimals.map(|decimals| match decimals {
            Nillable::Nil => Nillable::Nil,
            Nillable::Value(count) => Nillable::Value(count.to_string()),
        });
        Given { key: self.key, name: self.name, details: [self.code, decimals], if_version: self.if_version }
    }

    fn of(master: &Master, version: i64, changed_at: NaiveDateTime) -> Self {
        let [code, decimals] = &master.details;
        Self {
            version: Some(version),
            changed_at: Some(DateTime::from_utc(changed_at)),
            if_version: None,
            key: master.key.clone(),
            name: texts(&master.names),
            code: nillable(code.as_ref()),
            decimals: decimals.as_ref().and_then(|count| count.parse().ok()).map(Nillable::Value),
        }
    }
}

impl Record for contract::AccountingGroup {
    const KIND: Kind = Kind::AccountingGroup;

    fn into_given(self) -> Given {
        let details = [self.revenue_account, self.expense_account];
        Given { key: self.key, name: self.name, details, if_version: self.if_version }
    }

    fn of(master: &Master, version: i64, changed_at: NaiveDateTime) -> Self {
        let [revenue, expense] = &master.details;
        Self {
            version: Some(version),
            changed_at: Some(DateTime::from_utc(changed_at)),
            if_version: None,
            key: master.key.clone(),
            name: texts(&master.names),
            revenue_account: nillable(revenue.as_ref()),
            expense_account: nillable(expense.as_ref()),
        }
    }
}
