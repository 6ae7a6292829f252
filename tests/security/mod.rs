//! Signed and encrypted messages (WS-Security 1.1), by our own client and by those of others; and hostile ones.

mod hostile;

use crate::support::{Database, Server, Site, on_each_database, project};
use chrono::Utc;
use soapstone_runtime::soap::security::{Identity, Protection};
use soapstone_runtime::soap::{Headers, Version};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

const LIST: &str = "<ListCategories xmlns=\"urn:soapstone:catalog/v1\"/>";

/// A site that signs and encrypts, with the certificates of `soapstone cert dev`; the client's is the user "connector".
struct Secured {
    site: Site,
    certs: PathBuf,
}

impl Secured {
    fn new(database: Database) -> Self {
        let site = Site::new(database);
        let certs = site.folder().join("certs");
        // The certificate of another client of the same authority is kept under another name.
        assert_eq!(site.run(&["cert", "dev", certs.to_str().unwrap(), "--client", "other"]).code, 0);
        for kind in ["pem", "key"] {
            std::fs::rename(certs.join(format!("client.{kind}")), certs.join(format!("other.{kind}"))).unwrap();
        }
        assert_eq!(site.run(&["cert", "dev", certs.to_str().unwrap(), "--client", "erp"]).code, 0);
        let added = site.run(&["user", "add", "connector", "--role", "operator", "--certificate", "erp"]);
        assert_eq!(added.code, 0, "{added:?}");
        Self { site, certs }
    }

    fn path(&self, file: &str) -> String {
        self.certs.join(file).display().to_string()
    }

    fn serve(&self, more: &[&str]) -> Server {
        let set = |key: &str, file: &str| format!("{key}={}", self.path(file));
        let settings = [
            set("security-certificate", "server.pem"),
            set("security-key", "server.key"),
            set("security-authority", "ca.pem"),
        ];
        let settings: Vec<&str> = settings.iter().map(String::as_str).chain(more.iter().copied()).collect();
        self.site.serve_with(&settings)
    }

    fn identity(&self, name: &str) -> Identity {
        let read = |kind: &str| std::fs::read(self.certs.join(format!("{name}.{kind}"))).unwrap();
        Identity::from_pem(&read("pem"), &read("key")).unwrap()
    }

    /// A signed envelope.
    fn signed(&self, headers: &Headers, body: &str) -> String {
        let protection = Protection { signer: Some(Arc::new(self.identity("client"))), ..Protection::default() };
        protection.applied(&Version::Soap11.wrap_with(headers, body), Utc::now()).unwrap()
    }
}

fn call(server: &Server, envelope: &str) -> String {
    server.call("POST", "/soap/catalog", &[("content-type", "text/xml; charset=utf-8")], envelope.as_bytes()).body
}

on_each_database! {
    fn a_signature_is_a_name(database) {
        let secured = Secured::new(database);
        let server = secured.serve(&[]);
        let refused = call(&server, &Version::Soap11.wrap(LIST));
        assert!(refused.contains("access.unknown"), "{refused}");
        let message = secured.signed(&Headers::default(), LIST);
        let answer = call(&server, &message);
        assert!(answer.contains("ListCategoriesResponse") && answer.contains("SignatureValue"), "{answer}");
        assert!(server.logged("caller=connector"), "{}", server.log());
        // The same again is a replay, on another node of the same database too.
        let other = secured.serve(&[]);
        for server in [&server, &other] {
            let again = call(server, &message);
            assert!(again.contains("wsse:InvalidSecurity") && again.contains("was there before"), "{again}");
        }
    }
}

/// A gateway before the server: the typed client is in it.
fn gateway(secured: &Secured, server: &Server, options: &[(&str, &str)]) -> (u16, String) {
    let upstream = format!("{}/soap/catalog", server.base);
    let mut arguments = vec!["--upstream".to_owned(), upstream];
    for (option, file) in options {
        arguments.extend([(*option).to_owned(), secured.path(file)]);
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let gateway = secured.site.serve_contract("gateway", &project("wsdl/catalog.wsdl"), &arguments);
    let reply = gateway.post_json("/api/ListCategories", &serde_json::json!({}));
    (reply.status, reply.body)
}

#[test]
fn our_own_client_signs_and_encrypts() {
    let secured = Secured::new(Database::Sqlite);
    let server = secured.serve(&["security-policies=Catalog=signature encryption"]);
    let sign = [("--sign-certificate", "client.pem"), ("--sign-key", "client.key")];
    let signed_by = ("--signed-by", "ca.pem");
    let encrypt = ("--encrypt-for", "server.pem");
    let (status, body) = gateway(&secured, &server, &[&sign[..], &[signed_by, encrypt]].concat());
    assert_eq!(status, 200, "{body}");
    let (_, body) = gateway(&secured, &server, &[&sign[..], &[signed_by]].concat());
    assert!(body.contains("wants an encrypted body"), "{body}");
    let (_, body) = gateway(&secured, &server, &[encrypt, signed_by]);
    assert!(body.contains("wants a signature"), "{body}");
    // An answer by somebody else is none.
    let (status, body) = gateway(&secured, &server, &[&sign[..], &[encrypt, ("--signed-by", "client.pem")]].concat());
    assert!(status == 502 && body.contains("not trusted"), "{status} {body}");
    let plain = Secured { site: Site::new(Database::Sqlite), certs: secured.certs.clone() };
    let (status, body) = gateway(&secured, &plain.site.serve(), &[signed_by]);
    assert!(status == 502 && body.contains("not signed"), "{status} {body}");
}

#[test]
fn a_policy_is_in_the_contract_and_is_kept() {
    let secured = Secured::new(Database::Sqlite);
    let server = secured.serve(&["security-policies=Catalog=signature digest, Exchange=encryption"]);
    let contract = server.get("/soap/catalog?wsdl").body;
    for part in ["<sp:AsymmetricBinding>", "<sp:SignedSupportingTokens>", "<sp:HashPassword/>"] {
        assert!(contract.contains(part), "{part}: {contract}");
    }
    assert_eq!(contract.matches("<wsp:PolicyReference").count(), 2, "one for each SOAP binding: {contract}");
    assert!(server.get("/soap/catalog?wsdl&flat").body.contains("<sp:AsymmetricBinding>"));
    let exchange = server.get("/soap/exchange?wsdl").body;
    assert!(exchange.contains("CustomAlgorithmSuite") && exchange.contains("<sp:EncryptedParts>"), "{exchange}");
    let answer = call(&server, &secured.signed(&Headers::default(), LIST));
    assert!(answer.contains("wants a UsernameToken with a digest"), "{answer}");
    let answer = call(&server, &Version::Soap11.wrap(LIST));
    // Even that is signed: a client that wants signatures reads no other fault.
    assert!(answer.contains("wsse:InvalidSecurity") && answer.contains("SignatureValue"), "{answer}");
}

#[test]
fn a_wrong_policy_is_told_at_the_start() {
    let secured = Secured::new(Database::Sqlite);
    let run = |settings: &[&str]| {
        let mut arguments = vec!["serve", "--listen", "127.0.0.1:0"];
        settings.iter().for_each(|setting| arguments.extend(["--set", setting]));
        let output = secured.site.run(&arguments);
        assert_ne!(output.code, 0, "{output:?}");
        output.stderr
    };
    assert!(run(&["security-policies=Catalog=signature"]).contains("security-certificate"));
    assert!(run(&["security-policies=Catalogue=digest"]).contains("there is no service Catalogue"));
    assert!(run(&["security-policies=Catalog=magic"]).contains("\"magic\" is no policy"));
    let key = format!("security-key={}", secured.path("client.key"));
    let certificate = format!("security-certificate={}", secured.path("server.pem"));
    assert!(run(&[&certificate, &key]).contains("the key is not that of the certificate"));
}

/// Debian's own Python, which has Debian's zeep, and xmlsec by libxmlsec1.
#[test]
fn zeep_signs_and_verifies() {
    let secured = Secured::new(Database::Sqlite);
    let server = secured.serve(&["security-policies=Catalog=signature"]);
    let output = Command::new("/usr/bin/python3")
        .arg(project("tests/security/zeep_signed.py"))
        .args([&server.base, &secured.path("client.key"), &secured.path("client.pem"), &secured.path("server.pem")])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(told, "done\nverified\n", "{}{}", String::from_utf8_lossy(&output.stderr), server.log());
}

/// `xmlsec1`, the program of libxmlsec1, on what we sign and encrypt.
#[test]
fn xmlsec_verifies_and_opens() {
    let secured = Secured::new(Database::Sqlite);
    let protection = Protection { signer: Some(Arc::new(secured.identity("client"))), ..Protection::default() };
    let text = protection.applied(&Version::Soap12.wrap("<o:x xmlns:o='urn:o'>ä</o:x>"), Utc::now()).unwrap();
    let signed = secured.site.file("signed.xml", &text);
    let xmlsec = |arguments: &[&str], file: &Path| {
        let output = Command::new("xmlsec1").args(arguments).arg(file).output();
        let output = output.unwrap_or_else(|e| panic!("xmlsec1: {e}; `make tools` installs it"));
        (
            output.status.success(),
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)),
        )
    };
    let wsu = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";
    let ids: Vec<String> = ["Body:http://www.w3.org/2003/05/soap-envelope", &format!("Timestamp:{wsu}")]
        .iter()
        .map(|element| {
            let (local, namespace) = element.split_once(':').unwrap();
            format!("{namespace}:{local}")
        })
        .chain([
            "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd:BinarySecurityToken"
                .to_owned(),
        ])
        .collect();
    let key = secured.path("client.pem");
    let mut arguments = vec!["--verify", "--pubkey-cert-pem", &key];
    for id in &ids {
        arguments.extend(["--id-attr:Id", id]);
    }
    let (is_right, told) = xmlsec(&arguments, &signed);
    assert!(is_right, "{told}");
    let changed = secured.site.file("changed.xml", text.replace(">ä<", ">a<"));
    let (is_right, told) = xmlsec(&arguments, &changed);
    assert!(!is_right, "{told}");
}
