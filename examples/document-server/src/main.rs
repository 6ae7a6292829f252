//! A server from a contract of one's own: SOAP 1.1 and 1.2 at `/soap/stock`, REST at `/api/stock?sku=AB-123`.
//!
//! `cargo run -p example-document-server -- 127.0.0.1:9000`

use actix_web::{App, HttpServer, web};
use contracts::stock::{GetStock, GetStockResponse, Stock, StockService, StockServiceServer, UnknownArticle};
use soapstone_runtime::Decimal;
use soapstone_runtime::http::{Endpoint, EndpointOptions, Rest};
use soapstone_runtime::service::{Context, Service};
use soapstone_runtime::soap::{Fault, Limits};
use std::sync::Arc;

mod contracts {
    include!(concat!(env!("OUT_DIR"), "/contracts.rs"));
}

/// What is there: a database in a real program.
const SHELF: &[(&str, i64)] = &[("AB-123", 7), ("AB-124", 0)];

struct Shelf;

impl StockService for Shelf {
    type Error = Fault;

    async fn get_stock(&self, _context: &Context, request: GetStock) -> Result<GetStockResponse, Fault> {
        let mut stock = Vec::new();
        for sku in request.sku {
            let Some((_, quantity)) = SHELF.iter().find(|(known, _)| *known == sku) else {
                let fault = Fault::sender("stock.unknown_article", 404, format!("There is no article {sku}"));
                return Err(fault.detail(&UnknownArticle { sku }));
            };
            stock.push(Stock { sku, quantity: Decimal::from(*quantity) });
        }
        Ok(GetStockResponse { stock })
    }
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9000".to_owned());
    let service: Arc<dyn Service> = Arc::new(StockServiceServer(Shelf));
    let endpoint = Endpoint::new(service.clone(), "/soap/stock", EndpointOptions::default())?;
    let rest = Rest::new(vec![service], Limits::default());
    let server = HttpServer::new(move || {
        let (endpoint, rest) = (endpoint.clone(), rest.clone());
        App::new()
            .configure(|config| endpoint.configure(config))
            .service(web::scope("/api").configure(|config| rest.configure(config)))
    })
    .bind(address)?;
    for address in server.addrs() {
        println!("http://{address}");
    }
    Ok(server.run().await?)
}
