//! Generates the types, the trait and the server of the contract.

fn main() {
    soapstone_codegen::compile("wsdl/stock.wsdl");
}
