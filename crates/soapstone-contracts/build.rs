//! Generates the services from the contracts.

use soapstone_codegen::Parts;

fn main() {
    println!("cargo::rerun-if-changed=../../wsdl");
    // Some clients want types on all elements (soap-output).
    let parts = Parts { server: true, typed: true, ..Parts::default() };
    let names = ["catalog", "customers", "exchange", "inventory", "listener", "media", "orders", "pricing", "signals"];
    soapstone_codegen::compile_parts(&names.map(|name| format!("../../wsdl/{name}.wsdl")), parts);
}
