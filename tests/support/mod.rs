//! What the areas share: databases, servers, cases that are files, and input that others wrote.

mod cases;
pub mod catalogue;
pub mod cluster;
mod server;
mod site;
pub mod webdriver;
pub mod wire;

pub use cases::{run_cases, run_cases_of_contract};
pub use server::{Reply, Server, signal};
pub use site::{Output, SECRETS_KEY, Site};

use std::path::PathBuf;

/// Where a test's data is kept.
#[derive(Clone, Copy, Debug)]
pub enum Database {
    Sqlite,
    Postgres,
}

/// The same test on each database.
macro_rules! on_each_database {
    ($($(#[$attribute:meta])* fn $name:ident($database:ident) $body:block)+) => {$(
        mod $name {
            use super::*;
            use $crate::support::Database;

            $(#[$attribute])*
            fn run($database: Database) $body

            #[test]
            fn sqlite() {
                run(Database::Sqlite);
            }

            #[test]
            fn postgres() {
                run(Database::Postgres);
            }
        }
    )+};
}
pub(crate) use on_each_database;

/// A path inside this project.
pub fn project(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The names of our own contracts: the files of `wsdl/` without their REST bindings.
pub fn contracts() -> Vec<String> {
    let files = std::fs::read_dir(project("wsdl")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> =
        names.filter(|name| !name.ends_with(".rest.wsdl")).map(|name| name.replace(".wsdl", "")).collect();
    names.sort();
    names
}

/// Input that others wrote, kept beside the project; without it the test prints that it is skipped.
pub fn shared(path: &str) -> Option<PathBuf> {
    let path = project("../shared").join(path);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: there is no {}", path.display());
    None
}
