//! Contracts and documents that others wrote: what Soapstone makes of them. The outcome is kept in
//! `docs/conformance.md`; with `UPDATE=1` in the environment it is written anew, to be looked at in the diff.

mod canonical;
mod compile;
mod compiled;
mod loaded;
mod messages;
mod served;
mod wsdl;
mod xsts;

pub use loaded::files;

use crate::support::{project, shared};

const HEAD: &str = "# Conformance

What Soapstone makes of contracts, messages and documents that others wrote. A test makes this page anew and compares;
`UPDATE=1 cargo test --test end_to_end conformance` writes it. Documents are read and written by the same readers and
writers as generated code has, and compared after canonicalisation: namespaces by what they mean, values by their value.

";

#[test]
fn the_page_says_what_is_so() {
    let (Some(corpus), Some(data)) = (shared("corpus"), shared("data")) else { return };
    // What is told must not tell of this machine.
    let (corpus, data) = (corpus.canonicalize().unwrap(), data.canonicalize().unwrap());
    let (contracts, sources) = wsdl::report(&corpus);
    compile::all(&sources);
    let messages = messages::report(&corpus, Some(&data));
    let compiled = compiled::report(&corpus, &data);
    let xsts = xsts::report(&corpus.join("xsts"));
    let found = format!("{HEAD}{contracts}\n{messages}\n{compiled}\n{xsts}");
    let page = project("docs/conformance.md");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&page, &found).unwrap();
    }
    let expected = std::fs::read_to_string(&page).unwrap_or_default();
    let differing = expected.lines().zip(found.lines()).find(|(a, b)| a != b);
    assert!(expected == found, "docs/conformance.md is out of date, first: {differing:?}");
}
