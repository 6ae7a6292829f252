//! A typed client: asks the server of `example-document-server` for the stock of articles.
//!
//! `cargo run -p example-client -- http://127.0.0.1:9000/soap/stock AB-123`

use contracts::stock::{GetStock, StockServiceClient, UnknownArticle};
use soapstone_runtime::client::{CallError, Client};
use std::process::ExitCode;
use std::time::Duration;

mod contracts {
    include!(concat!(env!("OUT_DIR"), "/contracts.rs"));
}

#[actix_web::main]
async fn main() -> ExitCode {
    match ask().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn ask() -> Result<(), CallError> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "http://127.0.0.1:9000/soap/stock".to_owned());
    // To ask for a stock changes nothing, so that it may be asked again.
    let client = Client::new(&address)?.timeout(Duration::from_secs(10)).retries(2);
    let stock = StockServiceClient(client);
    match stock.get_stock(&GetStock { sku: arguments.collect() }).await {
        Ok(answer) => {
            for stock in answer.stock {
                println!("{}: {}", stock.sku, stock.quantity);
            }
            Ok(())
        }
        Err(CallError::Fault(fault)) => match fault.detail::<UnknownArticle>() {
            Some(Ok(unknown)) => {
                println!("{}: unknown", unknown.sku);
                Ok(())
            }
            _ => Err(CallError::Fault(fault)),
        },
        Err(other) => Err(other),
    }
}
