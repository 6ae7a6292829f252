//! `soapstone serve`

use super::output::outln;
use super::{Done, Global, Outcome, setup};
use crate::http::Server;
use clap::Args;
use std::collections::BTreeMap;

/// Start the server: SOAP, REST and the Navigator on one address
#[derive(Args)]
pub(super) struct Serve {
    /// Address and port; port 0 takes a free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
}

impl Serve {
    pub fn run(&self, global: &Global) -> Outcome {
        let mut own = BTreeMap::new();
        if let Some(listen) = &self.listen {
            own.insert("listen", listen.clone());
        }
        let config = setup::config(global, own)?;
        setup::logging(&config, false);
        let store = setup::store(&config)?;
        let exchange = setup::exchange(&config, store)?;
        actix_web::rt::System::new().block_on(async {
            let server = Server::bind(&config, exchange)?;
            let base = format!("{}://{}", server.scheme, server.address);
            if global.json {
                outln!("{}", serde_json::json!({"listening": base}));
            } else {
                outln!("Soapstone is listening.");
                outln!("  Navigator      {base}/navigator");
                outln!("  SOAP contract  {base}/soap/catalog?wsdl");
                outln!("  REST API       {base}/api");
            }
            server.run().await?;
            Ok(Done::Well)
        })
    }
}
