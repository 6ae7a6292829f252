//! `soapstone cert`: certificates for trying TLS out.

use super::output::outln;
use super::{Done, Failure, Outcome};
use clap::{Args, Subcommand};
use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::extension::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName, SubjectKeyIdentifier,
};
use openssl::x509::{X509, X509Builder, X509NameBuilder};
use std::io::Write;
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Old clients know no other keys.
const BITS: u32 = 2048;

/// Make certificates for development
#[derive(Args)]
pub(super) struct Cert {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Make an authority, a server certificate and a client certificate
    Dev(Dev),
}

/// Make an authority, a server certificate and a client certificate, for a year
#[derive(Args)]
#[command(after_help = "\
Writes ca.pem, server.pem, client.pem with their keys, and client.p12 for Windows and Java (password: the one given).
An authority that is in the folder already is used again, so that clients need not be told of another.

Examples:
  soapstone cert dev certs
  soapstone serve --set tls-certificate=certs/server.pem --set tls-key=certs/server.key
  curl --cacert certs/ca.pem https://localhost:8080/soap/catalog?wsdl

With --set tls-client-authority=certs/ca.pem --set tls-client-certificates=required only those are answered who have
a certificate: curl --cacert certs/ca.pem --cert certs/client.pem --key certs/client.key …")]
struct Dev {
    /// Where to write them
    #[arg(default_value = "certs")]
    folder: PathBuf,
    /// Another name or address of the server; may repeat
    #[arg(long, value_name = "HOST")]
    host: Vec<String>,
    /// The name of the client
    #[arg(long, value_name = "NAME", default_value = "client")]
    client: String,
    /// The password of client.p12
    #[arg(long, value_name = "PASSWORD", default_value = "soapstone")]
    password: String,
}

struct Pair {
    certificate: X509,
    key: PKey<Private>,
}

/// What a certificate is for.
enum Use<'a> {
    Authority,
    Server(&'a [String]),
    Client,
}

impl Cert {
    pub fn run(&self) -> Outcome {
        let What::Dev(dev) = &self.what;
        dev.run()
    }
}

impl Dev {
    fn run(&self) -> Outcome {
        let made = |e: ErrorStack| Failure(format!("the certificates cannot be made: {e}"));
        std::fs::create_dir_all(&self.folder).map_err(|e| Failure(format!("{}: {e}", self.folder.display())))?;
        let authority = match self.known_authority() {
            Some(authority) => authority,
            None => {
                let authority = issue("Soapstone development CA", &Use::Authority, None).map_err(made)?;
                self.write("ca", &authority)?;
                authority
            }
        };
        let mut hosts = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
        hosts.extend(self.host.iter().cloned());
        let server = issue(&hosts[hosts.len() - 1], &Use::Server(&hosts), Some(&authority)).map_err(made)?;
        self.write("server", &server)?;
        let client = issue(&self.client, &Use::Client, Some(&authority)).map_err(made)?;
        self.write("client", &client)?;
        let mut bundle = Pkcs12::builder();
        // What old Windows, Java and Mono can read as well: for development it is good enough.
        let algorithm = Nid::PBE_WITHSHA1AND3_KEY_TRIPLEDES_CBC;
        bundle.key_algorithm(algorithm).cert_algorithm(algorithm).mac_md(MessageDigest::sha1());
        bundle.name(&self.client).pkey(&client.key).cert(&client.certificate);
        let bundle = bundle.build2(&self.password).and_then(|bundle| bundle.to_der()).map_err(made)?;
        save(&self.folder.join("client.p12"), &bundle)?;
        let folder = self.folder.display();
        outln!("Certificates for development are in {folder}: ca.pem, server.pem, client.pem, client.p12 and keys.");
        outln!("  soapstone serve --set tls-certificate={folder}/server.pem --set tls-key={folder}/server.key");
        Ok(Done::Well)
    }

    fn known_authority(&self) -> Option<Pair> {
        let read = |name: &str| std::fs::read(self.folder.join(name)).ok();
        let certificate = X509::from_pem(&read("ca.pem")?).ok()?;
        let key = PKey::private_key_from_pem(&read("ca.key")?).ok()?;
        Some(Pair { certificate, key })
    }

    fn write(&self, name: &str, pair: &Pair) -> Result<(), Failure> {
        let made = |e: ErrorStack| Failure(format!("{name}: {e}"));
        save(&self.folder.join(format!("{name}.pem")), &pair.certificate.to_pem().map_err(made)?)?;
        save(&self.folder.join(format!("{name}.key")), &pair.key.private_key_to_pem_pkcs8().map_err(made)?)
    }
}

/// Writes a file that only its owner may read.
fn save(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let mut options = std::fs::OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(content)).map_err(|e| Failure(format!("{}: {e}", path.display())))
}

fn issue(name: &str, purpose: &Use<'_>, authority: Option<&Pair>) -> Result<Pair, ErrorStack> {
    let key = PKey::from_rsa(Rsa::generate(BITS)?)?;
    let mut subject = X509NameBuilder::new()?;
    subject.append_entry_by_text("CN", name)?;
    let subject = subject.build();
    let mut builder = X509::builder()?;
    builder.set_version(2)?;
    let mut serial = BigNum::new()?;
    serial.rand(127, MsbOption::MAYBE_ZERO, false)?;
    let serial = serial.to_asn1_integer()?;
    builder.set_serial_number(&serial)?;
    builder.set_subject_name(&subject)?;
    builder.set_issuer_name(authority.map_or(&*subject, |a| a.certificate.subject_name()))?;
    builder.set_pubkey(&key)?;
    let (begin, end) = (Asn1Time::days_from_now(0)?, Asn1Time::days_from_now(365)?);
    builder.set_not_before(&begin)?;
    builder.set_not_after(&end)?;
    extend(&mut builder, purpose, authority)?;
    builder.sign(authority.map_or(&key, |a| &a.key), MessageDigest::sha256())?;
    Ok(Pair { certificate: builder.build(), key })
}

fn extend(builder: &mut X509Builder, purpose: &Use<'_>, authority: Option<&Pair>) -> Result<(), ErrorStack> {
    let issuer = authority.map(|a| &*a.certificate);
    let identifier = SubjectKeyIdentifier::new().build(&builder.x509v3_context(issuer, None))?;
    builder.append_extension(identifier)?;
    if let Use::Authority = purpose {
        builder.append_extension(BasicConstraints::new().critical().ca().build()?)?;
        return builder.append_extension(KeyUsage::new().critical().key_cert_sign().crl_sign().build()?);
    }
    let issued = AuthorityKeyIdentifier::new().keyid(true).build(&builder.x509v3_context(issuer, None))?;
    builder.append_extension(issued)?;
    builder.append_extension(BasicConstraints::new().critical().build()?)?;
    builder.append_extension(KeyUsage::new().critical().digital_signature().key_encipherment().build()?)?;
    let Use::Server(hosts) = purpose else {
        return builder.append_extension(ExtendedKeyUsage::new().client_auth().build()?);
    };
    builder.append_extension(ExtendedKeyUsage::new().server_auth().build()?)?;
    let mut names = SubjectAlternativeName::new();
    for host in *hosts {
        if host.parse::<IpAddr>().is_ok() {
            names.ip(host)
        } else {
            names.dns(host)
        };
    }
    let names = names.build(&builder.x509v3_context(issuer, None))?;
    builder.append_extension(names)
}
