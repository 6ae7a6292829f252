//! `docs/interop.md`: which client can do what.

use super::clients::Client;
use super::{Results, cases};
use crate::support::project;
use std::fmt::Write;

/// Compares the page with what was found; `UPDATE=1` writes it.
pub fn compare(results: &[(&Client, Vec<(&'static str, Results)>)]) {
    let page = page(results);
    let path = project("docs/interop.md");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, page).unwrap();
        return;
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap_or_default(), page, "UPDATE=1 make interop writes it anew");
}

fn page(results: &[(&Client, Vec<(&'static str, Results)>)]) -> String {
    let mut page = String::from(
        "# Clients that were tried\n\n`make interop` builds each client from the served contract, runs every case against the running server, and writes\nthis page. `ok`: as it should be; `n/a`: the client cannot do it, for the reason below the table. CXF also signs and\nencrypts as the policy in the contract says; zeep signs, and verifies answers. Soapstone's own generated client calls\nservers made with PHP, gSOAP, Metro and Node's soap.\n\n| client | SOAP |",
    );
    cases().for_each(|(case, _)| write!(page, " {case} |").unwrap());
    page.push_str("\n| --- | --- |");
    cases().for_each(|_| page.push_str(" --- |"));
    page.push('\n');
    let mut reasons: Vec<String> = Vec::new();
    for (client, runs) in results {
        for (version, run) in runs {
            write!(page, "| {} | {version} |", client.name).unwrap();
            for (case, _) in cases() {
                let Some(reason) = run.get(case).and_then(|result| result.strip_prefix("n/a: ")) else {
                    page.push_str(" ok |");
                    continue;
                };
                page.push_str(" n/a |");
                let reason = format!("- {}, {case}: {reason}", client.name);
                if !reasons.contains(&reason) {
                    reasons.push(reason);
                }
            }
            page.push('\n');
        }
    }
    page.push_str("\nWhere they are from:\n\n");
    results.iter().for_each(|(client, _)| writeln!(page, "- {}: {}", client.name, client.about).unwrap());
    page.push_str("\nWhat they cannot do:\n\n");
    reasons.iter().for_each(|reason| writeln!(page, "{reason}").unwrap());
    page
}
