//! TLS: with certificates for development, as curl speaks it.

use crate::support::{Database, Server, Site};
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

const LIST: &str = "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><ListCategories xmlns=\"urn:soapstone:catalog/v1\"/></s:Body></s:Envelope>";

/// A site with certificates in `certs`.
pub(super) fn site() -> Site {
    let site = Site::new(Database::Sqlite);
    make(&site);
    site
}

fn make(site: &Site) {
    let made = site.run(&["cert", "dev", site.folder().join("certs").to_str().unwrap(), "--client", "erp"]);
    assert_eq!(made.code, 0, "{made:?}");
}

pub(super) fn serve(site: &Site, more: &[&str]) -> Server {
    let certs = site.folder().join("certs");
    let set = |key: &str, file: &str| format!("{key}={}", certs.join(file).display());
    let settings =
        [set("tls-certificate", "server.pem"), set("tls-key", "server.key"), set("tls-client-authority", "ca.pem")];
    let settings: Vec<&str> = settings.iter().map(String::as_str).chain(more.iter().copied()).collect();
    site.serve_with(&settings)
}

fn curl(certs: &Path, server: &Server, arguments: &[&str]) -> Output {
    Command::new("curl")
        .args(["--silent", "--show-error", "--max-time", "30", "--cacert"])
        .arg(certs.join("ca.pem"))
        .args(arguments)
        .args(["--header", "content-type: text/xml", "--data", LIST])
        .arg(format!("{}/soap/catalog", server.base))
        .output()
        .unwrap_or_else(|e| panic!("curl: {e}; `make tools` installs it"))
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn http_2_and_1_1_are_spoken_over_tls() {
    let site = site();
    let server = serve(&site, &["http2=true"]);
    let certs = site.folder().join("certs");
    assert!(server.base.starts_with("https://"), "{}", server.base);
    for (flag, version) in [("--http2", "HTTP/2 200"), ("--http1.1", "HTTP/1.1 200")] {
        let answer = text(&curl(&certs, &server, &[flag, "--include"]));
        assert!(answer.starts_with(version) && answer.contains("ListCategoriesResponse"), "{answer}");
    }
    let old = curl(&certs, &server, &["--tls-max", "1.1", "--tlsv1.1"]);
    assert!(!old.status.success(), "{}", text(&old));
    let contract = Command::new("curl")
        .args(["--silent", "--cacert"])
        .arg(certs.join("ca.pem"))
        .arg(format!("{}/soap/catalog?wsdl", server.base))
        .output()
        .unwrap();
    assert!(text(&contract).contains(&format!("location=\"{}/soap/catalog\"", server.base)), "{}", text(&contract));
}

#[test]
fn clients_show_certificates_where_they_must() {
    let site = site();
    let server = serve(&site, &["tls-client-certificates=required"]);
    let certs = site.folder().join("certs");
    let without = curl(&certs, &server, &[]);
    assert!(!without.status.success(), "{}", text(&without));
    let (certificate, key) = (certs.join("client.pem"), certs.join("client.key"));
    let own = ["--cert", certificate.to_str().unwrap(), "--key", key.to_str().unwrap()];
    let answer = text(&curl(&certs, &server, &own));
    assert!(answer.contains("ListCategoriesResponse"), "{answer}");
    assert!(server.logged("caller=erp"), "{}", server.log());
    // A certificate of another authority is none.
    let other = Site::new(Database::Sqlite);
    make(&other);
    let (certificate, key) = (other.folder().join("certs/client.pem"), other.folder().join("certs/client.key"));
    let foreign = curl(&certs, &server, &["--cert", certificate.to_str().unwrap(), "--key", key.to_str().unwrap()]);
    assert!(!foreign.status.success(), "{}", text(&foreign));
}

#[test]
fn new_certificates_are_taken_while_it_runs() {
    let site = site();
    let server = serve(&site, &[]);
    let certs = site.folder().join("certs");
    let serial = || {
        let address = server.base.trim_start_matches("https://");
        let shown = Command::new("sh")
            .args([
                "-c",
                &format!("openssl s_client -connect {address} </dev/null 2>/dev/null | openssl x509 -noout -serial"),
            ])
            .output()
            .unwrap();
        text(&shown)
    };
    let first = serial();
    assert!(first.starts_with("serial="), "{first}");
    std::fs::write(certs.join("server.pem"), "nonsense").unwrap();
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(serial(), first);
    make(&site);
    let deadline = Instant::now() + Duration::from_secs(30);
    while serial() == first {
        assert!(Instant::now() < deadline, "{}", server.log());
        std::thread::sleep(Duration::from_millis(200));
    }
    let answer = text(&curl(&certs, &server, &[]));
    assert!(answer.contains("ListCategoriesResponse"), "{answer}");
}

#[test]
fn what_is_wrong_with_certificates_is_told_before_it_starts() {
    let site = site();
    let certs = site.folder().join("certs");
    let start = |settings: &[String]| {
        let mut arguments = vec!["serve".to_owned(), "--listen".to_owned(), "127.0.0.1:0".to_owned()];
        settings.iter().for_each(|setting| arguments.extend(["--set".to_owned(), setting.clone()]));
        site.run(&arguments).stderr
    };
    let set = |key: &str, file: &str| format!("{key}={}", certs.join(file).display());
    let missing = start(&[set("tls-certificate", "none.pem"), set("tls-key", "server.key")]);
    assert!(missing.contains("none.pem"), "{missing}");
    let other = start(&[set("tls-certificate", "server.pem"), set("tls-key", "client.key")]);
    assert!(other.contains("client.key is not that of the certificate"), "{other}");
    let alone = start(&[set("tls-certificate", "server.pem")]);
    assert!(alone.contains("tls-key"), "{alone}");
}

#[test]
fn nobody_else_is_let_in_as_long_as_nobody_logs_in() {
    let site = Site::new(Database::Sqlite);
    let refused = site.run(&["serve", "--listen", "0.0.0.0:0"]);
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("insecure=true"), "{}", refused.stderr);
}
