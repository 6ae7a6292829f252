//! Contracts of several documents as one: nothing that counts may change.

use crate::support::{Database, Site, project, shared};
use soapstone_contract::diff::{Impact, compare};
use soapstone_contract::{Contract, Files, Memory, flat, load};
use std::path::Path;

fn changes(contract: &Contract) -> Result<(), String> {
    let text = match flat(contract) {
        Ok(text) => text,
        // In one contract a binding is declared twice.
        Err(why) if why.contains("two declarations") => return Ok(()),
        Err(why) => return Err(why),
    };
    let memory = Memory([("flat.wsdl".to_owned(), text.clone().into_bytes())].into());
    let again = load(&memory, "flat.wsdl").map_err(|problems| format!("{problems} in {text}"))?;
    if [contract, &again]
        .iter()
        .any(|c| c.port_types.keys().chain(c.bindings.keys()).any(|name| *name.namespace != *contract.target_namespace))
    {
        // What is in other namespaces moves to that of the contract, and is all there.
        let operations = |c: &Contract| -> Vec<String> {
            c.port_types.values().flat_map(|p| &p.operations).map(|o| o.name.clone()).collect()
        };
        let (mut old, mut new) = (operations(contract), operations(&again));
        old.sort();
        new.sort();
        assert!(again.port_types.keys().all(|name| *name.namespace == *contract.target_namespace));
        return if old == new { Ok(()) } else { Err(format!("{old:?} became {new:?}")) };
    }
    match compare(contract, &again).into_iter().find(|change| change.impact > Impact::Cosmetic) {
        None => Ok(()),
        Some(change) => Err(format!("{}: {} in {text}", change.place, change.text)),
    }
}

#[test]
fn a_flat_contract_says_the_same() {
    let Some(corpus) = shared("corpus") else { return };
    let mut failed = Vec::new();
    let (mut good, mut several) = (0, 0);
    for path in crate::conformance::files(&corpus.join("wsdl"), "wsdl") {
        let Ok(contract) = load(&Files, &path.to_string_lossy()) else { continue };
        several += usize::from(contract.documents.len() > 1);
        match changes(&contract) {
            Ok(()) => good += 1,
            Err(why) => failed.push(format!("{}: {}", path.display(), why.chars().take(700).collect::<String>())),
        }
    }
    assert!(failed.is_empty(), "{} of {}:\n{}", failed.len(), good + failed.len(), failed.join("\n"));
    assert!(several > 20, "{several}");
}

#[test]
fn it_is_served_and_printed() {
    let site = Site::new(Database::Sqlite);
    let server = site.serve();
    let flat = server.get("/soap/catalog?wsdl&flat").body;
    assert!(!flat.contains("schemaLocation"), "{flat}");
    assert_eq!(flat, server.get("/soap/catalog?singleWsdl").body);
    assert!(flat.contains(&format!("location=\"{}/soap/catalog\"", server.base)), "{flat}");
    let printed = site.run(&["contract", "flat", project("wsdl/catalog.wsdl").to_str().unwrap()]);
    assert_eq!(printed.code, 0, "{printed:?}");
    let file = site.file("flat.wsdl", &printed.stdout);
    let same = site.run(&["contract", "diff", project("wsdl/catalog.wsdl").to_str().unwrap(), file.to_str().unwrap()]);
    assert_eq!(same.code, 0, "{same:?}");
    assert!(Path::new(&file).exists());
}
