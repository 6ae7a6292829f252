//! An rpc/encoded service, as old PHP and Magento clients speak it: `xsi:type` on every element, SOAP-ENC arrays,
//! references by `href` and `id`. The handlers see none of it.
//!
//! `cargo run -p example-rpc-encoded -- 127.0.0.1:9001`

use actix_web::{App, HttpServer};
use contracts::shop::{
    ArrayOfString, LoginRequest, LoginResponse, Product, ProductArray, ProductListRequest, ProductListResponse,
    ShopPortType, ShopPortTypeServer,
};
use soapstone_runtime::http::{Endpoint, EndpointOptions};
use soapstone_runtime::service::Context;
use soapstone_runtime::soap::Fault;
use soapstone_runtime::{Decimal, Nillable};
use std::sync::Arc;

mod contracts {
    include!(concat!(env!("OUT_DIR"), "/contracts.rs"));
}

/// A password of an example; a real one is not in the code.
const API_KEY: &str = "secret";
const SESSION: &str = "8f1c";

struct Shop;

fn product(product_id: i32, sku: &str, price: &str, categories: &[&str]) -> Product {
    let item = categories.iter().map(|id| Nillable::Value((*id).to_owned())).collect();
    Product {
        product_id,
        sku: sku.to_owned(),
        price: price.parse::<Decimal>().ok(),
        category_ids: Some(ArrayOfString { item }),
    }
}

impl ShopPortType for Shop {
    type Error = Fault;

    async fn login(&self, _context: &Context, request: LoginRequest) -> Result<LoginResponse, Fault> {
        if request.api_key != API_KEY {
            return Err(Fault::sender("shop.access_denied", 403, "Access denied."));
        }
        Ok(LoginResponse { login_return: SESSION.to_owned() })
    }

    async fn product_list(
        &self,
        _context: &Context,
        request: ProductListRequest,
    ) -> Result<ProductListResponse, Fault> {
        if request.session_id != SESSION {
            return Err(Fault::sender("shop.session_expired", 403, "Session expired. Try to relogin."));
        }
        let wanted: Vec<String> =
            request.skus.into_option().into_iter().flat_map(|s| s.item).filter_map(Nillable::into_option).collect();
        let all = [product(1, "MÜ-1", "12.50", &["3", "7"]), product(2, "MÜ-2", "0.333333333333333333", &[])];
        let item =
            all.into_iter().filter(|p| wanted.is_empty() || wanted.contains(&p.sku)).map(Nillable::Value).collect();
        Ok(ProductListResponse { store_view: Nillable::Value(ProductArray { item }) })
    }
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9001".to_owned());
    let endpoint = Endpoint::new(Arc::new(ShopPortTypeServer(Shop)), "/soap/shop", EndpointOptions::default())?;
    let server = HttpServer::new(move || {
        let endpoint = endpoint.clone();
        App::new().configure(|config| endpoint.configure(config))
    })
    .bind(address)?;
    for address in server.addrs() {
        println!("http://{address}");
    }
    Ok(server.run().await?)
}
