//! `soapstone contract gateway`, and what it has in common with `mock`.

use crate::cli::output::outln;
use crate::cli::{Done, Failure, Global, Outcome, setup};
use crate::dynamic::{self, Handler, Loaded, Options};
use clap::Args;
use soapstone_runtime::client::Client;
use soapstone_runtime::soap::Version;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// A contract and where it is served.
#[derive(Args)]
pub(super) struct Served {
    /// The contract
    pub file: PathBuf,
    /// Address and port to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8081")]
    listen: SocketAddr,
}

impl Served {
    pub fn run(&self, global: &Global, loaded: &Loaded, handler: &Arc<dyn Handler>, kind: &str) -> Outcome {
        let config = setup::config(global, BTreeMap::new())?;
        setup::logging(&config, false);
        let name = self.file.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned());
        let options = Options {
            listen: self.listen,
            title: format!("{name} ({kind})"),
            validate: config.validate_requests,
            limits: config.limits,
        };
        let services = loaded.answered_by(handler);
        let json = global.json;
        let started = |base: &str, endpoints: &[(String, String)]| {
            if json {
                let endpoints: BTreeMap<_, _> = endpoints.iter().cloned().collect();
                outln!("{}", serde_json::json!({"listening": base, "endpoints": endpoints}));
                return;
            }
            outln!("The {kind} of {} is running.", self.file.display());
            for (name, path) in endpoints {
                outln!("  {name}: {base}{path} (contract: {base}{path}?wsdl)");
            }
            outln!("  REST: {base}/api (OpenAPI: {base}/openapi.json)");
        };
        actix_web::rt::System::new().block_on(dynamic::serve(services, options, started))?;
        Ok(Done::Well)
    }
}

/// Give a SOAP service a REST/JSON facade
#[derive(Args)]
#[command(after_help = "\
JSON goes in, SOAP goes out; the answer comes back as JSON, a fault as problem+json (RFC 9457).

Examples:
  soapstone contract gateway erp.wsdl --upstream http://erp.example:8000/soap
  curl -s http://127.0.0.1:8081/api/GetOrder -H 'content-type: application/json' -d '{\"number\": \"4711\"}'

A password is better given as SOAPSTONE_UPSTREAM_BASIC in the environment than on the command line.")]
pub(super) struct Gateway {
    #[command(flatten)]
    served: Served,
    /// The address of the service; without it, the one that the contract names
    #[arg(long, value_name = "URL")]
    upstream: Option<String>,
    /// Speak SOAP 1.2 to it
    #[arg(long)]
    soap12: bool,
    /// Authenticate by HTTP Basic, as USER:PASSWORD
    #[arg(long, value_name = "USER:PASSWORD", env = "SOAPSTONE_UPSTREAM_BASIC", hide_env_values = true)]
    basic: Option<String>,
    /// An HTTP header to send along, as NAME: VALUE; may repeat
    #[arg(long, value_name = "NAME: VALUE")]
    header: Vec<String>,
    /// Seconds that a call may take
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    timeout: u64,
}

impl Gateway {
    pub fn run(&self, global: &Global) -> Outcome {
        let generator = super::generator(&self.served.file)?;
        let declared = generator.contracts().iter().flat_map(|c| &c.services).flat_map(|s| &s.ports);
        let address = match &self.upstream {
            Some(address) => address.clone(),
            None => declared
                .filter_map(|port| port.address.clone())
                .next()
                .ok_or_else(|| Failure("the contract names no address: give --upstream URL".to_owned()))?,
        };
        let mut client = Client::new(&address)?.timeout(Duration::from_secs(self.timeout));
        if self.soap12 {
            client = client.version(Version::Soap12);
        }
        if let Some(pair) = &self.basic {
            let (user, password) = pair.split_once(':').ok_or("--basic: write it as USER:PASSWORD")?;
            client = client.basic(user, password)?;
        }
        for header in &self.header {
            let (name, value) = header.split_once(':').ok_or("--header: write it as NAME: VALUE")?;
            client = client.header(name.trim(), value.trim())?;
        }
        let loaded = Loaded::of(&generator)?;
        let handler: Arc<dyn Handler> = Arc::new(dynamic::Gateway::new(client));
        self.served.run(global, &loaded, &handler, "gateway")
    }
}
