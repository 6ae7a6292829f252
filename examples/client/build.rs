//! Generates the types and the client of the contract; no server.

use soapstone_codegen::Parts;

fn main() {
    soapstone_codegen::compile_parts("../document-server/wsdl/stock.wsdl", Parts { client: true, ..Parts::default() });
}
