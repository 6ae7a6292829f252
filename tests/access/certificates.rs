//! Client certificates: what they must allow, revocation, the field that users are known by; signers likewise; HSTS and cookies.

use super::authority::{Authority, Wanted};
use super::{PASSWORD, add, soon};
use crate::support::wire::Wire;
use crate::support::{Database, Server, Site};
use chrono::Utc;
use openssl::x509::X509;
use soapstone_runtime::soap::security::{Identity, Protection};
use soapstone_runtime::soap::{Headers, Version};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

const LIST: &str = "<ListCategories xmlns=\"urn:soapstone:catalog/v1\"/>";
const CLIENT: Wanted<'static> = Wanted { subject: &[], emails: &[], purposes: &["clientAuth"], encrypts_only: false };

/// A site with an authority of its own, and a certificate of the server.
struct Certified {
    site: Site,
    certs: PathBuf,
    authority: Authority,
}

impl Certified {
    fn new() -> Self {
        let site = Site::new(Database::Sqlite);
        let certs = site.folder().join("certs");
        // The server's certificate is of another authority than its clients'.
        assert_eq!(site.run(&["cert", "dev", certs.join("own").to_str().unwrap()]).code, 0);
        let authority = Authority::new(&certs);
        Self { site, certs, authority }
    }

    fn user(&self, name: &str, certificate: &str) {
        let added = self.site.run(&["user", "add", name, "--role", "viewer", "--certificate", certificate]);
        assert_eq!(added.code, 0, "{added:?}");
    }

    fn serve(&self, more: &[&str]) -> Server {
        let set = |key: &str, file: &str| format!("{key}={}", self.certs.join(file).display());
        let settings = [
            set("tls-certificate", "own/server.pem"),
            set("tls-key", "own/server.key"),
            set("tls-client-authority", "ca.pem"),
            "tls-client-certificates=optional".to_owned(),
        ];
        let settings: Vec<&str> = settings.iter().map(String::as_str).chain(more.iter().copied()).collect();
        self.site.serve_with(&settings)
    }

    /// The status that a client with a certificate gets; 0: its connection is refused.
    fn status(&self, server: &Server, certificate: &str) -> u16 {
        let mut command = Command::new("curl");
        command.args(["--silent", "--output", "/dev/null", "--write-out", "%{http_code}", "--cacert"]);
        command.arg(self.certs.join("own/ca.pem"));
        command.arg("--cert").arg(self.certs.join(format!("{certificate}.pem")));
        command.arg("--key").arg(self.certs.join(format!("{certificate}.key")));
        let output = command.arg(format!("{}/api/v1/articles", server.base)).output().unwrap();
        String::from_utf8(output.stdout).unwrap().parse().unwrap()
    }

    fn crl(&self, key: &str) -> String {
        format!("{key}={}", self.certs.join("crl.pem").display())
    }

    /// What `doctor` says of certificates, and whether it finds them in order.
    fn doctor(&self, settings: &[&str]) -> (bool, String) {
        let mut arguments = vec!["doctor"];
        settings.iter().for_each(|setting| arguments.extend(["--set", setting]));
        let told = self.site.json(&arguments);
        let checks = told["checks"].as_array().unwrap();
        let check = checks.iter().find(|check| check["check"] == "certificates").unwrap();
        (check["ok"].as_bool().unwrap(), check["text"].as_str().unwrap().to_owned())
    }
}

#[test]
fn a_certificate_must_be_for_clients() {
    let certified = Certified::new();
    for file in ["client", "any", "server", "encrypting"] {
        certified.user(file, file);
    }
    certified.authority.issue("client", &CLIENT);
    certified.authority.issue("any", &Wanted::default());
    certified.authority.issue("server", &Wanted { purposes: &["serverAuth"], ..Wanted::default() });
    certified.authority.issue("encrypting", &Wanted { encrypts_only: true, ..CLIENT });
    let server = certified.serve(&[]);
    let status = |file: &str| certified.status(&server, file);
    assert_eq!([status("client"), status("any"), status("server"), status("encrypting")], [200, 200, 0, 0]);
}

#[test]
fn a_revoked_certificate_is_denied_once_the_list_changes() {
    let certified = Certified::new();
    let [good, bad] = ["good", "bad"].map(|file| {
        certified.user(file, file);
        certified.authority.issue(file, &CLIENT)
    });
    certified.authority.revoke(&[], 3600);
    let list = certified.crl("tls-client-crl");
    let server = certified.serve(&[&list]);
    let status = |file: &str| certified.status(&server, file);
    assert_eq!([status("good"), status("bad")], [200, 200]);
    // A connection that is open goes on, but not for the one that is revoked.
    let trusted = certified.certs.join("own");
    for file in ["bad.pem", "bad.key", "good.pem", "good.key"] {
        std::fs::copy(certified.certs.join(file), trusted.join(file)).unwrap();
    }
    let mut open = ["bad", "good"].map(|name| Wire::tls(&server.base, &trusted, Some(name)));
    for wire in &mut open {
        assert_eq!(wire.send("GET", "/api/v1/articles", &[], "").status, 200);
    }
    certified.authority.revoke(&[&bad], 3600);
    soon("the list is not reloaded", || status("bad") == 0);
    assert_eq!(status("good"), 200);
    let [of_bad, of_good] = &mut open;
    assert_eq!(of_bad.send("GET", "/api/v1/articles", &[], "").status, 401);
    assert_eq!(of_good.send("GET", "/api/v1/articles", &[], "").status, 200);
    // No list is better than one that says nothing any more.
    certified.authority.revoke(&[], -60);
    soon("the list is not reloaded", || status("good") == 0);
    assert!(server.logged("has expired"), "{}", server.log());
    let set = |key: &str, file: &str| format!("{key}={}", certified.certs.join(file).display());
    let (certificate, key, authority) = (
        set("tls-certificate", "own/server.pem"),
        set("tls-key", "own/server.key"),
        set("tls-client-authority", "ca.pem"),
    );
    let (is_well, told) = certified.doctor(&[&certificate, &key, &authority, &list]);
    assert!(!is_well && told.contains("revocation list of CN=Test authority,O=Test has expired"), "{told}");
    certified.authority.revoke(&[&good], 86_400 * 30);
    let (is_well, told) = certified.doctor(&[&certificate, &key, &authority, &list]);
    assert!(is_well && told.contains("revocation of clients is checked"), "{told}");
    let wrong =
        certified.site.run(&["serve", "--listen", "127.0.0.1:0", "--set", &certificate, "--set", &key, "--set", &list]);
    assert!(wrong.code != 0 && wrong.stderr.contains("tls-client-authority"), "{wrong:?}");
}

#[test]
fn users_are_known_by_the_field_that_is_set() {
    let certified = Certified::new();
    let subject = [("O", "Shop, Ltd"), ("CN", "erp")];
    let erp = certified.authority.issue("erp", &Wanted { subject: &subject, emails: &["Erp@shop.example"], ..CLIENT });
    certified.authority.issue("two", &Wanted { emails: &["erp@shop.example", "other@shop.example"], ..CLIENT });
    certified.authority.issue("imitation", &Wanted { subject: &[("CN", "erp")], ..CLIENT });
    certified.user("erp", "nothing yet");
    let file = certified.certs.join("erp.pem");
    for (field, value) in [
        ("common-name", "erp".to_owned()),
        ("subject", "CN=erp,O=Shop\\, Ltd".to_owned()),
        ("email", "erp@shop.example".to_owned()),
        ("fingerprint", fingerprint(&erp)),
    ] {
        let setting = format!("certificate-field={field}");
        let set = ["--set", &setting, "user", "certificate", "erp", "--file", file.to_str().unwrap()];
        assert_eq!(certified.site.run(&set).code, 0);
        assert_eq!(certified.site.json(&["user", "list"])["users"][0]["certificate"], value);
        let server = certified.serve(&[&setting]);
        assert_eq!(certified.status(&server, "erp"), 200, "{field}");
        let imitated = certified.status(&server, "imitation");
        assert_eq!(imitated, if field == "common-name" { 200 } else { 401 }, "{field}");
    }
    // Two users by one certificate are nobody.
    let by_email = ["--set", "certificate-field=email", "user"];
    let run = |more: &[&str]| certified.site.run(&[&by_email[..], more].concat());
    assert_eq!(run(&["certificate", "erp", "ERP@shop.example"]).code, 0);
    let server = certified.serve(&["certificate-field=email"]);
    assert_eq!(certified.status(&server, "two"), 200);
    assert_eq!(run(&["add", "other", "--role", "admin", "--certificate", "other@shop.example"]).code, 0);
    assert_eq!(certified.status(&server, "two"), 401);
    soon("it is not in the audit log", || {
        certified.site.json(&["audit"]).to_string().contains("ambiguous certificate CN=two")
    });
    let taken = run(&["certificate", "other", "erp@shop.example"]);
    assert!(taken.code != 0 && taken.stderr.contains("belongs to the user erp"), "{taken:?}");
    let two = certified.certs.join("two.pem");
    let several = run(&["certificate", "other", "--file", two.to_str().unwrap()]);
    assert!(several.code != 0 && several.stderr.contains("several values of email"), "{several:?}");
    // It is removed, and a password takes its place.
    assert_eq!(run(&["certificate", "erp", "--remove"]).code, 0);
    assert_eq!(certified.status(&server, "erp"), 401);
    let wrong = certified.site.run(&["--set", "certificate-field=cn", "user", "list"]);
    assert!(wrong.code != 0 && wrong.stderr.contains("common-name"), "{wrong:?}");
}

fn fingerprint(certificate: &X509) -> String {
    let digest = certificate.digest(openssl::hash::MessageDigest::sha256()).unwrap();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_signer_must_be_allowed_to_sign_and_not_be_revoked() {
    let certified = Certified::new();
    let purposes: [(&str, Wanted<'_>, bool); 6] = [
        ("plain", Wanted::default(), true),
        ("client", CLIENT, true),
        ("mail", Wanted { purposes: &["emailProtection"], ..Wanted::default() }, true),
        ("server", Wanted { purposes: &["serverAuth"], ..Wanted::default() }, false),
        ("encrypting", Wanted { encrypts_only: true, ..Wanted::default() }, false),
        ("revoked", CLIENT, true),
    ];
    let mut issued = Vec::new();
    for (file, wanted, _) in &purposes {
        certified.user(file, file);
        issued.push(certified.authority.issue(file, wanted));
    }
    certified.authority.revoke(&[], 3600);
    let set = |key: &str, file: &str| format!("{key}={}", certified.certs.join(file).display());
    let server = certified.site.serve_with(&[
        &set("security-certificate", "own/server.pem"),
        &set("security-key", "own/server.key"),
        &set("security-authority", "ca.pem"),
        &certified.crl("security-crl"),
    ]);
    let call = |file: &str| {
        let read = |kind: &str| std::fs::read(certified.certs.join(format!("{file}.{kind}"))).unwrap();
        let signer = Identity::from_pem(&read("pem"), &read("key")).unwrap();
        let protection = Protection { signer: Some(Arc::new(signer)), ..Protection::default() };
        let envelope = protection.applied(&Version::Soap11.wrap_with(&Headers::default(), LIST), Utc::now()).unwrap();
        server.call("POST", "/soap/catalog", &[("content-type", "text/xml; charset=utf-8")], envelope.as_bytes()).body
    };
    for (file, _, is_allowed) in &purposes {
        let answer = call(file);
        assert_eq!(answer.contains("ListCategoriesResponse"), *is_allowed, "{file}: {answer}");
        assert!(*is_allowed || answer.contains("key usage"), "{file}: {answer}");
    }
    certified.authority.revoke(&[issued.last().unwrap()], 3600);
    soon("the list is not reloaded", || call("revoked").contains("certificate revoked"));
    assert!(call("client").contains("ListCategoriesResponse"));
    certified.authority.revoke(&[], -60);
    soon("the list is not reloaded", || call("client").contains("CRL has expired"));
}

#[test]
fn tls_is_remembered_by_browsers_and_cookies_go_over_it_only() {
    let certified = Certified::new();
    add(&certified.site, "anna", "admin");
    let form = "name=anna&password=correct+horse+battery";
    assert_eq!(PASSWORD, "correct horse battery");
    let log_in = |wire: &mut Wire, more: &[(&str, &str)]| {
        let headers = [&[("content-type", "application/x-www-form-urlencoded")], more].concat();
        let answer = wire.send("POST", "/navigator/login", &headers, form);
        assert_eq!(answer.status, 303, "{answer:?}");
        (answer.header("set-cookie").contains("; Secure"), answer.header("strict-transport-security").to_owned())
    };
    let server = certified.serve(&[]);
    let mut wire = Wire::tls(&server.base, &certified.certs.join("own"), None);
    assert_eq!(log_in(&mut wire, &[]), (true, "max-age=31536000".to_owned()));
    let server = certified.serve(&["hsts-seconds=0"]);
    let mut wire = Wire::tls(&server.base, &certified.certs.join("own"), None);
    assert_eq!(log_in(&mut wire, &[]), (true, String::new()));
    let https = [("x-forwarded-proto", "https")];
    // A proxy says that it speaks TLS; anyone else may say so in vain.
    let server = certified.site.serve_with(&["trusted-proxies=127.0.0.1"]);
    assert_eq!(log_in(&mut Wire::plain(&server.base), &https), (true, "max-age=31536000".to_owned()));
    assert_eq!(log_in(&mut Wire::plain(&server.base), &[]), (false, String::new()));
    let server = certified.site.serve();
    assert_eq!(log_in(&mut Wire::plain(&server.base), &https), (false, String::new()));
}
