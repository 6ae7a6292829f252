//! What a run said how often: a million complaints of one kind are one line, with examples.

use super::RunMessage;
use crate::store::runs;
use crate::store::{Db, StoreError};
use soapstone_contracts::common::Severity;
use soapstone_contracts::exchange::MessageGroup;

/// Messages of one severity and code.
#[derive(Clone, Debug)]
pub struct Group {
    pub severity: String,
    pub code: String,
    pub count: i64,
    /// The first of them.
    pub examples: Vec<RunMessage>,
}

/// What a run said how often, the most frequent first, each with so many examples.
///
/// # Errors
/// Those of the database.
pub fn groups(connection: &mut Db, run: i64, examples: i64) -> Result<Vec<Group>, StoreError> {
    let codes = runs::message_codes(connection, run)?;
    let group = |(severity, code, count): (String, String, i64)| {
        let examples = match examples {
            0 => Vec::new(),
            most => runs::examples(connection, run, &severity, &code, most)?,
        };
        Ok(Group { severity, code, count, examples })
    };
    codes.into_iter().map(group).collect()
}

impl Group {
    /// The group as the contract has it.
    pub fn to_contract(&self) -> MessageGroup {
        let severity = Severity::ALL.iter().find(|severity| severity.as_str() == self.severity);
        MessageGroup {
            severity: severity.copied().unwrap_or(Severity::Error),
            code: self.code.clone(),
            count: self.count,
            example: self.examples.iter().map(RunMessage::to_contract).collect(),
        }
    }
}
