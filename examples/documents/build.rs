//! Generates types, server and client of the contract.

use soapstone_codegen::Parts;

fn main() {
    soapstone_codegen::compile_parts("wsdl/documents.wsdl", Parts { server: true, client: true, ..Parts::default() });
}
