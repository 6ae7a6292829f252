//! Attributes: what their values are, and which articles are looked for by them.

use super::change::{as_given, change, repeated};
use super::names::{Names, names, texts};
use super::{Defaults, Issue, Named, compared};
use chrono::{NaiveDate, NaiveDateTime};
use soapstone_contracts::catalog as contract;
use soapstone_contracts::catalog::AttributeType;
use soapstone_runtime::{DateTime, Decimal, Nillable};
use std::collections::HashMap;

/// The code of two names in one language.
const DUPLICATE_LANGUAGE: &str = "attribute.duplicate_language";

/// A value that an attribute of choices can have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    pub value: String,
    pub names: Names,
}

/// What an attribute is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    pub code: String,
    pub kind: AttributeType,
    pub unit: Option<String>,
    pub filterable: bool,
    pub names: Names,
    pub choices: Vec<Choice>,
}

impl Definition {
    /// Applies a change to a definition, or makes a new one; `issues` gets everything that the rules have against it.
    pub fn apply(
        existing: Option<Self>,
        given: contract::AttributeDefinition,
        defaults: &Defaults,
        issues: &mut Vec<Issue>,
    ) -> Option<Self> {
        let mut definition = existing.unwrap_or_else(|| Self {
            code: compared(&given.code),
            kind: AttributeType::Text,
            unit: None,
            filterable: false,
            names: Vec::new(),
            choices: Vec::new(),
        });
        definition.kind = given.type_.unwrap_or(definition.kind);
        change(&mut definition.unit, given.unit, as_given, issues);
        definition.filterable = given.filterable.unwrap_or(definition.filterable);
        if !given.name.is_empty() {
            definition.names = names(given.name, DUPLICATE_LANGUAGE, "name", defaults, issues);
        }
        if !given.choice.is_empty() {
            let mut choices = Vec::with_capacity(given.choice.len());
            for choice in given.choice {
                let names = names(choice.name, DUPLICATE_LANGUAGE, "choice/name", defaults, issues);
                choices.push(Choice { value: choice.value, names });
            }
            definition.choices = choices;
            if let Some(value) = repeated(definition.choices.iter().map(|c| c.value.as_str())) {
                let text = format!("the choice {value} is there twice");
                issues.push(Issue::error("attribute.duplicate_choice", text).of("choice", value));
            }
        }
        let is_choice = definition.kind == AttributeType::Choice;
        if is_choice && definition.choices.is_empty() {
            let issue = Issue::error("attribute.no_choices", "a choice must have choices").of("type", "choice");
            issues.push(issue.suggest("give them, or another type"));
        } else if !is_choice {
            definition.choices.clear();
        }
        issues.is_empty().then_some(definition)
    }

    /// What there is against a value.
    fn against(&self, value: &str) -> Option<Issue> {
        let (is_right, wanted) = match self.kind {
            AttributeType::Text => (true, String::new()),
            AttributeType::Number => {
                (value.parse::<Decimal>().is_ok(), "a number with a point, such as 12.5".to_owned())
            }
            AttributeType::Boolean => (matches!(value, "true" | "false"), "true or false".to_owned()),
            AttributeType::Date => (value.parse::<NaiveDate>().is_ok(), "a day, such as 2026-11-30".to_owned()),
            AttributeType::Choice => {
                let values: Vec<&str> = self.choices.iter().map(|choice| choice.value.as_str()).collect();
                (values.contains(&value), format!("one of {}", values.join(", ")))
            }
        };
        if is_right {
            return None;
        }
        let text = format!("{} is \"{value}\", but must be {wanted}", self.code);
        let issue = Issue::error("article.attribute", text).of(&format!("attribute[{}]", self.code), value);
        Some(issue.suggest("correct the value, or change the definition (UpsertAttributes)"))
    }

    /// The definition as the contract has it.
    pub fn to_contract(&self, version: i64, changed_at: NaiveDateTime) -> contract::AttributeDefinition {
        contract::AttributeDefinition {
            version: Some(version),
            if_version: None,
            changed_at: Some(DateTime::from_utc(changed_at)),
            code: self.code.clone(),
            type_: Some(self.kind),
            name: texts(&self.names),
            unit: self.unit.clone().map(Nillable::Value),
            filterable: Some(self.filterable),
            choice: self
                .choices
                .iter()
                .map(|choice| contract::AttributeChoice { value: choice.value.clone(), name: texts(&choice.names) })
                .collect(),
        }
    }
}

/// Definitions by their codes.
#[derive(Clone, Debug, Default)]
pub struct Definitions(pub HashMap<String, Definition>);

impl Definitions {
    /// Looks whether values are as they are defined; what is not defined may be anything.
    pub fn check(&self, attributes: &[Named], issues: &mut Vec<Issue>) {
        let defined = attributes.iter().filter_map(|a| Some((self.0.get(&compared(&a.name))?, a)));
        issues.extend(defined.filter_map(|(definition, attribute)| definition.against(&attribute.value)));
    }
}

/// How a value is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    AtLeast,
    AtMost,
}

/// What the value of an attribute must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    pub code: String,
    pub comparison: Comparison,
    pub value: String,
}

impl Filter {
    /// Reads `colour=red`, `width>=20` or `width<=30.5`.
    pub fn read(text: &str) -> Option<Self> {
        let (place, comparison, length) =
            [(">=", Comparison::AtLeast), ("<=", Comparison::AtMost), ("=", Comparison::Equal)]
                .into_iter()
                .find_map(|(sign, comparison)| Some((text.find(sign)?, comparison, sign.len())))?;
        Some(Self { code: text[..place].to_owned(), comparison, value: text[place + length..].to_owned() })
    }
}

/// The value as a number that others can be compared with, if it is one.
pub fn number(value: &str) -> Option<f64> {
    let is_plain = value.parse::<Decimal>().is_ok();
    value.parse().ok().filter(|number: &f64| is_plain && number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_as_they_are_defined() {
        let of = |kind, choices: &[&str]| Definition {
            code: "x".to_owned(),
            kind,
            unit: None,
            filterable: false,
            names: Vec::new(),
            choices: choices.iter().map(|c| Choice { value: (*c).to_owned(), ..Choice::default() }).collect(),
        };
        for (definition, right, wrong) in [
            (of(AttributeType::Number, &[]), vec!["12.5", "-3"], vec!["", "1,5", "1e3", "12 mm"]),
            (of(AttributeType::Boolean, &[]), vec!["true", "false"], vec!["yes", "1", "True"]),
            (of(AttributeType::Date, &[]), vec!["2026-11-30"], vec!["30.11.2026", "2026-02-30"]),
            (of(AttributeType::Choice, &["red", "blue"]), vec!["red"], vec!["green", "Red"]),
            (of(AttributeType::Text, &[]), vec!["", "anything"], vec![]),
        ] {
            right.iter().for_each(|value| assert_eq!(definition.against(value), None, "{value}"));
            wrong.iter().for_each(|value| assert!(definition.against(value).is_some(), "{value}"));
        }
    }

    #[test]
    fn filters_are_read() {
        let read = |text: &str| Filter::read(text).map(|f| (f.code, f.comparison, f.value));
        let filter = |code: &str, comparison, value: &str| Some((code.to_owned(), comparison, value.to_owned()));
        assert_eq!(read("colour=red"), filter("colour", Comparison::Equal, "red"));
        assert_eq!(read("width>=20"), filter("width", Comparison::AtLeast, "20"));
        assert_eq!(read("width<=30.5"), filter("width", Comparison::AtMost, "30.5"));
        assert_eq!(read("width"), None);
    }

    #[test]
    fn only_plain_numbers_are_numbers() {
        assert_eq!(number("12.50"), Some(12.5));
        for text in ["", "1e3", "NaN", "inf", "12 mm"] {
            assert_eq!(number(text), None, "{text}");
        }
    }
}
