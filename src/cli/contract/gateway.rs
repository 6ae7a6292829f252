//! `soapstone contract gateway`, and what it has in common with `mock`.

use crate::cli::output::outln;
use crate::cli::{Done, Failure, Global, Outcome, setup};
use crate::dynamic::{self, Handler, Loaded, Options};
use clap::Args;
use soapstone_codegen::Generator;
use soapstone_contract::model::Protocol;
use soapstone_runtime::client::{CallError, Client};
use soapstone_runtime::outbound::{Denied, Outbound};
use soapstone_runtime::service::ServiceInfo;
use soapstone_runtime::soap::Version;
use soapstone_runtime::soap::security::{Credentials, Identity};
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

A password is better given as SOAPSTONE_UPSTREAM_BASIC or SOAPSTONE_UPSTREAM_USERNAME_TOKEN in the environment than on
the command line, or as the path of a file in SOAPSTONE_UPSTREAM_BASIC_FILE or SOAPSTONE_UPSTREAM_USERNAME_TOKEN_FILE. An address that
only the contract names is called if it is public, or allowed by the setting outbound-allow.")]
pub(super) struct Gateway {
    #[command(flatten)]
    served: Served,
    /// The address of the service, or PORTTYPE=URL for one of several; without it, those that the contract names
    #[arg(long, value_name = "URL")]
    upstream: Vec<String>,
    /// Speak SOAP 1.2 to it, whatever the contract says
    #[arg(long)]
    soap12: bool,
    /// Authenticate by HTTP Basic, as USER:PASSWORD
    #[arg(long, value_name = "USER:PASSWORD", env = "SOAPSTONE_UPSTREAM_BASIC", hide_env_values = true)]
    basic: Option<String>,
    /// Say who you are by WS-Security, as NAME:SECRET
    #[arg(long, value_name = "NAME:SECRET", env = "SOAPSTONE_UPSTREAM_USERNAME_TOKEN", hide_env_values = true)]
    username_token: Option<String>,
    /// Send a digest of that secret, and not itself
    #[arg(long)]
    digest: bool,
    /// PEM file of who issued the service's certificate, where this machine does not trust him
    #[arg(long, value_name = "FILE")]
    authority: Option<PathBuf>,
    /// PEM file of the certificate to show to the service
    #[arg(long, value_name = "FILE", requires = "key")]
    certificate: Option<PathBuf>,
    /// PEM file of its key
    #[arg(long, value_name = "FILE", requires = "certificate")]
    key: Option<PathBuf>,
    /// PEM file of the certificate to sign messages with (WS-Security)
    #[arg(long, value_name = "FILE", requires = "sign_key")]
    sign_certificate: Option<PathBuf>,
    /// PEM file of its key
    #[arg(long, value_name = "FILE", requires = "sign_certificate")]
    sign_key: Option<PathBuf>,
    /// PEM file of the certificate to encrypt messages for (WS-Security)
    #[arg(long, value_name = "FILE")]
    encrypt_for: Option<PathBuf>,
    /// PEM file of those who have to sign answers, or who issue their certificates (WS-Security)
    #[arg(long, value_name = "FILE")]
    signed_by: Option<PathBuf>,
    /// An HTTP header to send along, as NAME: VALUE; may repeat
    #[arg(long, value_name = "NAME: VALUE")]
    header: Vec<String>,
    /// Seconds that a call may take
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    timeout: u64,
}

/// Where a portType is served.
struct Upstream {
    url: String,
    /// By the command line, which may name any address; a contract that others wrote may not.
    is_given: bool,
}

impl Gateway {
    pub fn run(&self, global: &Global) -> Outcome {
        let config = setup::config(global, BTreeMap::new())?;
        let generator = super::generator(&self.served.file)?;
        let loaded = Loaded::of(&generator)?;
        let mut clients = Vec::new();
        for service in loaded.services() {
            let (address, version) = self.upstream(&generator, service)?;
            clients.push((service, self.client(&address, version, &config.sending.outbound)?));
        }
        let handler: Arc<dyn Handler> = Arc::new(dynamic::Gateway::new(clients));
        self.served.run(global, &loaded, &handler, "gateway")
    }

    /// Where a portType is served, and in which version: as the command line has it, or the contract.
    fn upstream(&self, generator: &Generator, service: &ServiceInfo) -> Result<(Upstream, Version), Failure> {
        let is_url = |text: &&String| text.split('=').next().is_some_and(|start| start.contains("://"));
        let named = self.upstream.iter().filter(|text| !is_url(text)).filter_map(|text| text.split_once('='));
        let named = named.filter(|(name, _)| *name == service.name).map(|(_, url)| url.to_owned()).next();
        let given = named.or_else(|| self.upstream.iter().find(is_url).cloned());
        let mut declared = None;
        for contract in generator.contracts() {
            let ports = contract.services.iter().flat_map(|s| &s.ports);
            for (port, binding) in ports.filter_map(|p| Some((p, contract.bindings.get(&p.binding)?))) {
                let own = binding.port_type.local == service.name && *binding.port_type.namespace == *service.namespace;
                let version = match binding.protocol {
                    Protocol::Soap11 => Version::Soap11,
                    Protocol::Soap12 => Version::Soap12,
                    Protocol::Http(_) => continue,
                };
                // SOAP 1.1 first: every server speaks it.
                if own && (declared.is_none() || version == Version::Soap11) {
                    declared = Some((port.address.clone(), version));
                }
            }
        }
        let version = if self.soap12 { Version::Soap12 } else { declared.as_ref().map_or(Version::Soap11, |d| d.1) };
        let given = given.map(|url| Upstream { url, is_given: true });
        let declared = declared.and_then(|(address, _)| address).map(|url| Upstream { url, is_given: false });
        let address = given.or(declared).ok_or_else(|| {
            let name = service.name;
            Failure(format!("the contract names no address for {name}: give --upstream URL, or --upstream {name}=URL"))
        })?;
        Ok((address, version))
    }

    fn client(&self, upstream: &Upstream, version: Version, outbound: &Outbound) -> Result<Client, Failure> {
        let url = &upstream.url;
        let client = if upstream.is_given {
            if let Err(denied @ Denied::Url(_)) = outbound.endpoint(url) {
                return Err(Failure(format!("--upstream {url}: {denied}; a password is given by --basic")));
            }
            Client::new(url)?
        } else {
            let denied =
                |error: CallError| Failure(format!("the contract's address {url}: {error}; give it as --upstream"));
            Client::guarded(url, outbound).map_err(denied)?
        };
        let mut client = client.timeout(Duration::from_secs(self.timeout)).version(version);
        if let Some(pair) = given_or_file(self.basic.as_ref(), "SOAPSTONE_UPSTREAM_BASIC_FILE")? {
            let (user, password) = pair.split_once(':').ok_or("--basic: write it as USER:PASSWORD")?;
            client = client.basic(user, password)?;
        }
        let token = given_or_file(self.username_token.as_ref(), "SOAPSTONE_UPSTREAM_USERNAME_TOKEN_FILE")?;
        if self.digest && token.is_none() {
            return Err(Failure("--digest needs --username-token".to_owned()));
        }
        if let Some(pair) = token {
            let (name, secret) = pair.split_once(':').ok_or("--username-token: write it as NAME:SECRET")?;
            let (name, secret) = (name.to_owned(), secret.to_owned());
            client = client.credentials(Credentials { name, secret, as_digest: self.digest });
        }
        let read = |path: &PathBuf| std::fs::read(path).map_err(|e| Failure(format!("{}: {e}", path.display())));
        if let Some(authority) = &self.authority {
            client = client.authority(&read(authority)?)?;
        }
        if let (Some(certificate), Some(key)) = (&self.certificate, &self.key) {
            client = client.certificate(&read(certificate)?, &read(key)?)?;
        }
        if let (Some(certificate), Some(key)) = (&self.sign_certificate, &self.sign_key) {
            let identity = Identity::from_pem(&read(certificate)?, &read(key)?);
            client = client.signed(identity.map_err(|why| Failure(format!("{}: {why}", certificate.display())))?);
        }
        if let Some(receiver) = &self.encrypt_for {
            client = client.encrypted_for(&read(receiver)?)?;
        }
        if let Some(signers) = &self.signed_by {
            client = client.trusted_signers(&read(signers)?)?;
        }
        for header in &self.header {
            let (name, value) = header.split_once(':').ok_or("--header: write it as NAME: VALUE")?;
            client = client.header(name.trim(), value.trim())?;
        }
        Ok(client)
    }
}

/// A secret that is given, or is in the file that a variable of the environment names.
fn given_or_file(given: Option<&String>, variable: &str) -> Result<Option<String>, Failure> {
    match (given, std::env::var_os(variable)) {
        (Some(given), None) => Ok(Some(given.clone())),
        (None, None) => Ok(None),
        (None, Some(path)) => Ok(Some(crate::config::read_value(std::path::Path::new(&path))?)),
        (Some(_), Some(_)) => Err(Failure(format!("{variable} names a file, but the secret is given as well"))),
    }
}
