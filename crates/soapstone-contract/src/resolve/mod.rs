//! From documents to a contract: follow imports, then give every name its meaning.

mod documents;
mod names;
mod references;
mod schema;
mod service;

use crate::model::Contract;
use crate::problem::{Problem, Problems};
use crate::source::Sources;
use crate::xml::Position;

/// Reads, resolves and checks.
pub(crate) fn load(sources: &dyn Sources, entry: &str) -> Result<Contract, Problems> {
    let mut problems = Problems::default();
    let documents = documents::Closure::read(sources, entry, &mut problems);
    let mut contract = Contract {
        entry: documents.entry.clone(),
        documents: documents.all,
        links: documents.links,
        schema_roots: documents.roots,
        ..Contract::default()
    };
    contract.schemas = schema::resolve(&documents.schemas, &mut problems);
    service::resolve(&mut contract, &documents.definitions, &mut problems);
    if contract.documents.is_empty() && problems.0.is_empty() {
        problems.push(Problem::invalid("contract.empty", entry, Position::default(), "nothing was read"));
    }
    if problems.fatal() {
        return Err(problems);
    }
    contract.warnings = problems;
    Ok(contract)
}
