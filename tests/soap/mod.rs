//! SOAP messages and what is answered: cases as files, and the few that need more than a file.

mod contract_served;

use crate::support::{on_each_database, run_cases};

on_each_database! {
    fn cases(database) {
        run_cases("tests/soap/cases", database);
    }
}
