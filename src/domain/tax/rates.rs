//! Rates as data: by country, class and day.

use super::{TaxError, TaxRate};
use bigdecimal::BigDecimal;
use chrono::NaiveDate;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The rates that come along.
const SHIPPED: &str = include_str!("rates.toml");

/// The rates of a class of a country, by the day from which on they hold.
type Steps = BTreeMap<NaiveDate, BigDecimal>;

/// A table of rates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rates(BTreeMap<String, BTreeMap<String, Steps>>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    rate: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    country: String,
    class: String,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    from: toml::value::Datetime,
    percent: String,
}

impl Rates {
    /// The rates that come along: CH, LI, DE, AT, FR and IT.
    ///
    /// # Errors
    /// None that a build with passing tests can have.
    pub fn shipped() -> Result<Self, TaxError> {
        Self::read(SHIPPED)
    }

    /// Reads a table: `[[rate]]` with `country`, `class` and `steps` of `from` and `percent`.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn read(text: &str) -> Result<Self, TaxError> {
        let table: Table = toml::from_str(text).map_err(|e| TaxError::Rates(e.to_string()))?;
        let mut rates = Self::default();
        for row in table.rate {
            let wrong = |why: String| TaxError::Rates(format!("{} {}: {why}", row.country, row.class));
            let mut steps = Steps::new();
            for step in &row.steps {
                let from = step.from.to_string();
                let day = from.parse().map_err(|_| wrong(format!("from = {from} is no day, such as 2024-01-01")))?;
                let percent: Option<BigDecimal> = step.percent.parse().ok();
                let is_sound = |p: &BigDecimal| (BigDecimal::default()..=BigDecimal::from(100)).contains(p);
                let percent = percent
                    .filter(is_sound)
                    .ok_or_else(|| wrong(format!("percent = \"{}\" is no number from 0 to 100", step.percent)))?;
                if steps.insert(day, percent).is_some() {
                    return Err(wrong(format!("two rates hold from {day} on")));
                }
            }
            if steps.is_empty() {
                return Err(wrong("it has no steps".to_owned()));
            }
            let country = rates.0.entry(row.country.clone()).or_default();
            if country.insert(row.class.clone(), steps).is_some() {
                return Err(wrong("it is there twice".to_owned()));
            }
        }
        Ok(rates)
    }

    /// The rate of a class in a country on a day.
    ///
    /// # Errors
    /// If the country, or the class then, is not known.
    pub fn on(&self, country: &str, class: &str, day: NaiveDate) -> Result<TaxRate, TaxError> {
        let classes = self.0.get(country).ok_or_else(|| TaxError::UnknownCountry {
            country: country.to_owned(),
            known: self.0.keys().cloned().collect(),
        })?;
        let then = |steps: &Steps| steps.range(..=day).next_back().map(|(_, percent)| percent.clone());
        classes.get(class).and_then(then).map(TaxRate::of).ok_or_else(|| TaxError::UnknownClass {
            country: country.to_owned(),
            class: class.to_owned(),
            known: classes.iter().filter(|(_, steps)| then(steps).is_some()).map(|(name, _)| name.clone()).collect(),
        })
    }

    /// The class of a country that has this rate on a day.
    pub fn class_of(&self, country: &str, percent: &BigDecimal, day: NaiveDate) -> Option<String> {
        let holds = |steps: &Steps| steps.range(..=day).next_back().is_some_and(|(_, rate)| rate == percent);
        self.0.get(country)?.iter().find(|(_, steps)| holds(steps)).map(|(class, _)| class.clone())
    }
}
