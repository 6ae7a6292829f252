//! Generates the services from the contracts.

fn main() {
    println!("cargo::rerun-if-changed=../../wsdl");
    soapstone_codegen::compile(&["../../wsdl/catalog.wsdl", "../../wsdl/exchange.wsdl"]);
}
