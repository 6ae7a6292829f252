//! SOAP messages and what is answered: cases as files, and the few that need more than a file.

mod addressing;
mod attachments;
mod captured;
mod contract_served;
mod http;
mod http2;
mod idempotency;
mod output;
mod streamed;
mod tls;

use crate::support::{on_each_database, project, run_cases, run_cases_of_contract};

#[test]
fn what_travels_beside_the_body() {
    run_cases_of_contract("tests/soap/beside", &project("examples/documents/wsdl/documents.wsdl"));
}

on_each_database! {
    fn cases(database) {
        run_cases("tests/soap/cases", database);
    }
}
