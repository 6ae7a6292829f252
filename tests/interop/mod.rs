//! SOAP clients that others wrote, each doing every case of `cases.txt` and printing what it got; what they print must
//! agree. `make interop` installs those that are not in every test, and writes `docs/interop.md`.

mod clients;
mod openapi;
mod servers;
mod soapui;
mod table;

use crate::support::{Database, Server, Site};
use clients::{Client, GSOAP, PHP, ZEEP};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// What every client must see, whichever SOAP version it speaks.
const CASES: &str = include_str!("cases.txt");

const PASSWORD: &str = "correct horse battery";

/// The cases with what is right.
pub fn cases() -> impl Iterator<Item = (&'static str, &'static str)> {
    CASES.lines().filter_map(|line| line.split_once('\t'))
}

/// What a client printed, by case.
pub type Results = BTreeMap<String, String>;

/// The servers that a client calls: one for everybody, and one by TLS for those who say who they are.
pub struct Stand {
    site: Site,
    secured: Site,
    plain: Server,
    tls: Server,
    secret: String,
}

impl Stand {
    pub fn new() -> Self {
        let site = Site::new(Database::Sqlite);
        let secured = Site::new(Database::Sqlite);
        let certs = secured.folder().join("certs");
        assert_eq!(secured.run(&["cert", "dev", certs.to_str().unwrap(), "--client", "certified"]).code, 0);
        let mut added = secured.command(&["user", "add", "erp", "--role", "viewer", "--stdin"]);
        let mut added = added.stdin(Stdio::piped()).spawn().unwrap();
        added.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).unwrap();
        assert!(added.wait().unwrap().success());
        let certified = secured.run(&["user", "add", "certified", "--role", "viewer", "--certificate", "certified"]);
        assert_eq!(certified.code, 0, "{certified:?}");
        let secret = secured.json(&["user", "digest", "erp"])["password"].as_str().unwrap().to_owned();
        let set = |key: &str, file: &str| format!("{key}={}", certs.join(file).display());
        let tls = secured.serve_with(&[
            &set("tls-certificate", "server.pem"),
            &set("tls-key", "server.key"),
            &set("tls-client-authority", "ca.pem"),
            "tls-client-certificates=optional",
        ]);
        // gSOAP wants both in one file.
        let both = ["client.key", "client.pem"].map(|file| std::fs::read_to_string(certs.join(file)).unwrap()).concat();
        std::fs::write(certs.join("client-with-key.pem"), both).unwrap();
        let plain = site.serve();
        // And Axis its own kind of store.
        if let Some(keytool) = keytool() {
            let (ca, store) = (certs.join("ca.pem"), certs.join("trust.p12"));
            let made = Command::new(keytool)
                .args(["-importcert", "-noprompt", "-alias", "ca", "-storetype", "PKCS12", "-storepass", "soapstone"])
                .arg("-file")
                .arg(ca)
                .arg("-keystore")
                .arg(store)
                .output();
            assert!(made.as_ref().is_ok_and(|output| output.status.success()), "{made:?}");
        }
        Self { site, secured, plain, tls, secret }
    }

    /// Where clients may build.
    pub fn folder(&self) -> PathBuf {
        self.site.folder().to_owned()
    }

    pub fn base(&self) -> &str {
        &self.plain.base
    }

    /// Everything that a client is told.
    pub fn arguments(&self, version: &str) -> Vec<String> {
        // Names are in certificates, and clients look at them.
        let tls = self.tls.base.replace("127.0.0.1", "localhost");
        let certs = self.secured.folder().join("certs").display().to_string();
        vec![self.plain.base.clone(), tls, certs, version.to_owned(), PASSWORD.to_owned(), self.secret.clone()]
    }

    pub fn log(&self) -> String {
        format!("{}\n{}", self.plain.log(), self.tls.log())
    }
}

/// Java's own tool for stores of keys, where there is Java.
fn keytool() -> Option<&'static str> {
    let found = Command::new("keytool").arg("-help").output().is_ok();
    found.then_some("keytool")
}

/// What is not as it should be. A client may say that it cannot do a case, and why.
fn wrong(results: &Results) -> Vec<String> {
    let judge = |(case, right): (&str, &str)| match results.get(case).map(String::as_str) {
        None => Some(format!("{case}: nothing was printed")),
        Some(got) if got == right || got.starts_with("n/a: ") => None,
        Some(got) => Some(format!("{case}: \"{got}\" is not \"{right}\"")),
    };
    cases().filter_map(judge).collect()
}

/// Runs a client in both versions, each against servers of its own; gives what it printed.
fn run(client: &Client) -> Vec<(&'static str, Results)> {
    let mut all = Vec::new();
    for version in client.versions {
        let stand = Stand::new();
        let results = (client.run)(&stand, version);
        let wrong = wrong(&results);
        assert!(wrong.is_empty(), "{} with SOAP {version}:\n{}\n{}", client.name, wrong.join("\n"), stand.log());
        all.push((*version, results));
    }
    all
}

#[test]
fn zeep() {
    run(&ZEEP);
}

#[test]
fn php() {
    run(&PHP);
}

#[test]
fn gsoap() {
    run(&GSOAP);
}

/// CXF secures its messages as the policy in the contract says, by WSS4J.
#[test]
#[ignore = "make interop installs the clients"]
fn cxf_keeps_the_policy() {
    for policy in ["signature", "signature encryption"] {
        let site = Site::new(Database::Sqlite);
        let certs = site.folder().join("certs");
        assert_eq!(site.run(&["cert", "dev", certs.to_str().unwrap(), "--client", "erp"]).code, 0);
        let added = site.run(&["user", "add", "connector", "--role", "operator", "--certificate", "erp"]);
        assert_eq!(added.code, 0, "{added:?}");
        let set = |key: &str, file: &str| format!("{key}={}", certs.join(file).display());
        let server = site.serve_with(&[
            &set("security-certificate", "server.pem"),
            &set("security-key", "server.key"),
            &set("security-authority", "ca.pem"),
            &format!("security-policies=Catalog={policy}"),
        ]);
        let told = clients::cxf_by_policy(site.folder(), &server.base, &certs);
        assert_eq!(told, "created 1\nfault article.not_found\n", "{policy}: {}", server.log());
        assert!(server.logged("caller=connector"), "{}", server.log());
    }
}

/// All of them, and the table of what each can do.
#[test]
#[ignore = "make interop installs the clients"]
fn every_client() {
    let only = std::env::var("CLIENTS").unwrap_or_default();
    let chosen =
        clients::ALL.iter().filter(|client| only.is_empty() || only.split(',').any(|name| name == client.name));
    let results: Vec<_> = chosen.map(|client| (client, run(client))).collect();
    if only.is_empty() {
        table::compare(&results);
    }
}
