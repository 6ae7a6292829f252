//! What became of a record that a form was about.

use soapstone_contracts::common::{Outcome, RecordResult};
use soapstone_runtime::soap::Fault;

/// What became of the only record.
///
/// # Errors
/// Why it was refused.
pub(super) fn only(results: Vec<RecordResult>) -> Result<(), Fault> {
    let Some(result) = results.into_iter().find(|result| result.outcome == Outcome::Failed) else { return Ok(()) };
    let Some(message) = result.message.into_iter().next() else { return Ok(()) };
    Err(Fault::sender(message.code, 422, message.text))
}
