//! The REST facade: cases as files, uploads, the OpenAPI document.

mod conditional;
mod customers;
mod idempotency;
mod idempotency_faults;
mod metrics;
mod openapi;
mod orders;
mod pictures;
mod runs;
mod statements;
mod upload;

use crate::support::{on_each_database, run_cases};

on_each_database! {
    fn cases(database) {
        run_cases("tests/rest/cases", database);
    }
}
