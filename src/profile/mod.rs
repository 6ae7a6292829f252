//! The WS-I Basic Profile: what contracts and messages have to keep so that all stacks understand them, told by the
//! numbers of the requirements. Bindings and envelopes of SOAP 1.1 are judged by the profiles 1.1 and 1.2, those of
//! SOAP 1.2 by the profile 2.0, which has the same numbers.

mod description;
mod envelope;
mod requirements;
mod schema;
mod tree;

pub use envelope::{Recorded, envelope};
pub use requirements::{REQUIREMENTS, Requirement};

use soapstone_contract::Contract;
use std::fmt;

/// Where something does not keep the profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub requirement: &'static Requirement,
    /// A file, or what was recorded.
    pub place: String,
    /// From 1.
    pub line: u32,
    pub told: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Requirement { number, must, text } = self.requirement;
        let weight = if *must { "must" } else { "should" };
        write!(f, "{}:{}: {number} ({weight}): {}\n  {text}", self.place, self.line, self.told)
    }
}

/// Findings about one document.
struct Findings<'a> {
    place: &'a str,
    found: Vec<Finding>,
}

impl<'a> Findings<'a> {
    fn new(place: &'a str) -> Self {
        Self { place, found: Vec::new() }
    }

    fn add(&mut self, number: &str, line: u32, told: impl Into<String>) {
        // A number without a text would be a mistake of ours, which the tests find.
        if let Some(requirement) = REQUIREMENTS.iter().find(|r| r.number == number) {
            self.found.push(Finding { requirement, place: self.place.to_owned(), line, told: told.into() });
        }
    }

    /// Adds a finding unless something is so.
    fn expect(&mut self, is_so: bool, number: &str, line: u32, told: impl FnOnce() -> String) {
        if !is_so {
            self.add(number, line, told());
        }
    }
}

/// What in a contract does not keep the profile.
pub fn contract(contract: &Contract) -> Vec<Finding> {
    let trees: Vec<_> =
        contract.documents.iter().filter_map(|d| Some((d.name.as_str(), tree::parse(&d.text)?))).collect();
    let mut found = Vec::new();
    for (document, (name, root)) in contract.documents.iter().zip(&trees) {
        let mut findings = Findings::new(name);
        if root.is(tree::WSDL, "definitions") {
            description::check(&document.text, root, contract, &trees, &mut findings);
        }
        schema::check(root, contract, &trees, &mut findings);
        found.extend(findings.found);
    }
    found
}
