//! Generates the services from the contracts.

use soapstone_codegen::Parts;

fn main() {
    println!("cargo::rerun-if-changed=../../wsdl");
    // Some clients want types on all elements (soap-output).
    let parts = Parts { server: true, typed: true, ..Parts::default() };
    soapstone_codegen::compile_parts(
        &[
            "../../wsdl/catalog.wsdl",
            "../../wsdl/customers.wsdl",
            "../../wsdl/exchange.wsdl",
            "../../wsdl/pricing.wsdl",
        ],
        parts,
    );
}
