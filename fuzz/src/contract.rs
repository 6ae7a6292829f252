//! Any bytes as a contract: read, resolved, generated from, told.

#![no_main]

use libfuzzer_sys::fuzz_target;
use soapstone_codegen::{Generator, Parts};
use soapstone_contract::{Memory, explain, load, validation_set};
use std::collections::BTreeMap;

fuzz_target!(|bytes: &[u8]| {
    // What imports itself finds itself.
    let documents = BTreeMap::from([("a.wsdl".to_owned(), bytes.to_vec()), ("a.xsd".to_owned(), bytes.to_vec())]);
    let Ok(contract) = load(&Memory(documents), "a.wsdl") else { return };
    let _ = explain::explain(&contract);
    let _ = validation_set(&contract);
    let mut generator = Generator::new();
    generator.add_contract(contract);
    match generator.generate(Parts { server: true, client: true, typed: true }) {
        Ok(code) => assert!(!code.is_empty()),
        Err(problems) => assert!(problems.0.iter().all(|p| p.code != "codegen.syntax"), "{problems}"),
    }
});
