//! Headers, MTOM and attachments, on both sides.
//!
//! `cargo run -p example-documents -- serve 127.0.0.1:9000`, and then
//! `cargo run -p example-documents -- call http://127.0.0.1:9000/soap/documents FILE`

mod client;
mod server;

mod contracts {
    include!(concat!(env!("OUT_DIR"), "/contracts.rs"));
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["serve", address] => server::serve(address).await,
        ["call", address, file] => client::call(address, file).await,
        _ => Err("example-documents serve ADDRESS | call ADDRESS FILE".into()),
    }
}
