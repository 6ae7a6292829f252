//! An authority for tests: certificates as no one should issue them, too, and revocation lists.

use openssl::asn1::{Asn1Object, Asn1OctetString, Asn1Time};
use openssl::bn::{BigNum, MsbOption};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::extension::{
    BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName, SubjectKeyIdentifier,
};
use openssl::x509::{X509, X509Builder, X509CrlBuilder, X509Extension, X509NameBuilder, X509RevokedBuilder};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

pub struct Authority {
    folder: PathBuf,
    certificate: X509,
    key: PKey<Private>,
}

/// What a certificate is to have.
#[derive(Default)]
pub struct Wanted<'a> {
    /// Attributes of the subject; none: the name of the file as its common name.
    pub subject: &'a [(&'a str, &'a str)],
    pub emails: &'a [&'a str],
    /// OIDs or short names; none: no such extension.
    pub purposes: &'a [&'a str],
    /// Whether its key usage is for encryption only.
    pub encrypts_only: bool,
}

fn key() -> PKey<Private> {
    // Elliptic keys are made at once.
    let group = openssl::ec::EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    PKey::from_ec_key(openssl::ec::EcKey::generate(&group).unwrap()).unwrap()
}

fn name(entries: &[(&str, &str)]) -> openssl::x509::X509Name {
    let mut builder = X509NameBuilder::new().unwrap();
    entries.iter().for_each(|(kind, text)| builder.append_entry_by_text(kind, text).unwrap());
    builder.build()
}

fn begin(subject: &[(&str, &str)], key: &PKey<Private>) -> X509Builder {
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    let mut serial = BigNum::new().unwrap();
    serial.rand(120, MsbOption::MAYBE_ZERO, false).unwrap();
    builder.set_serial_number(&serial.to_asn1_integer().unwrap()).unwrap();
    builder.set_subject_name(&name(subject)).unwrap();
    builder.set_pubkey(key).unwrap();
    builder.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::days_from_now(300).unwrap()).unwrap();
    builder
}

impl Authority {
    /// Writes `ca.pem` into a folder.
    pub fn new(folder: &Path) -> Self {
        let (key, subject) = (key(), [("O", "Test"), ("CN", "Test authority")]);
        let mut builder = begin(&subject, &key);
        builder.set_issuer_name(&name(&subject)).unwrap();
        builder.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
        builder.append_extension(KeyUsage::new().critical().key_cert_sign().crl_sign().build().unwrap()).unwrap();
        let identifier = SubjectKeyIdentifier::new().build(&builder.x509v3_context(None, None)).unwrap();
        builder.append_extension(identifier).unwrap();
        builder.sign(&key, MessageDigest::sha256()).unwrap();
        let certificate = builder.build();
        std::fs::create_dir_all(folder).unwrap();
        std::fs::write(folder.join("ca.pem"), certificate.to_pem().unwrap()).unwrap();
        Self { folder: folder.to_owned(), certificate, key }
    }

    /// Issues a certificate as FILE.pem, with its key in FILE.key.
    pub fn issue(&self, file: &str, wanted: &Wanted<'_>) -> X509 {
        let key = key();
        let own = [("CN", file)];
        let mut builder = begin(if wanted.subject.is_empty() { &own } else { wanted.subject }, &key);
        builder.set_issuer_name(self.certificate.subject_name()).unwrap();
        if !wanted.emails.is_empty() {
            let mut names = SubjectAlternativeName::new();
            for email in wanted.emails {
                names.email(email);
            }
            let names = names.build(&builder.x509v3_context(Some(&self.certificate), None)).unwrap();
            builder.append_extension(names).unwrap();
        }
        let mut usage = KeyUsage::new();
        if wanted.encrypts_only {
            usage.key_encipherment()
        } else {
            usage.digital_signature()
        };
        builder.append_extension(usage.critical().build().unwrap()).unwrap();
        if !wanted.purposes.is_empty() {
            let mut purposes = ExtendedKeyUsage::new();
            for purpose in wanted.purposes {
                purposes.other(purpose);
            }
            builder.append_extension(purposes.build().unwrap()).unwrap();
        }
        builder.sign(&self.key, MessageDigest::sha256()).unwrap();
        let certificate = builder.build();
        std::fs::write(self.folder.join(format!("{file}.pem")), certificate.to_pem().unwrap()).unwrap();
        std::fs::write(self.folder.join(format!("{file}.key")), key.private_key_to_pem_pkcs8().unwrap()).unwrap();
        certificate
    }

    /// Writes `crl.pem`: a list of what is revoked, that expires after so many seconds.
    pub fn revoke(&self, revoked: &[&X509], seconds: i64) {
        let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
        let at = |seconds: i64| Asn1Time::from_unix(now + seconds).unwrap();
        let mut list = X509CrlBuilder::new().unwrap();
        list.set_issuer_name(self.certificate.subject_name()).unwrap();
        list.set_last_update(&at(-7200)).unwrap();
        list.set_next_update(&at(seconds)).unwrap();
        let identifier = self.certificate.subject_key_id().unwrap().as_slice();
        let length = u8::try_from(identifier.len()).unwrap();
        let identifier = [&[0x30, length + 2, 0x80, length], identifier].concat();
        for (kind, value) in [("2.5.29.35", identifier.as_slice()), ("2.5.29.20", &[2, 1, 1])] {
            let (kind, value) = (Asn1Object::from_str(kind).unwrap(), Asn1OctetString::new_from_bytes(value).unwrap());
            list.append_extension(X509Extension::new_from_der(&kind, false, &value).unwrap()).unwrap();
        }
        // A list that names none cannot be made.
        let none = BigNum::from_u32(1).unwrap().to_asn1_integer().unwrap();
        for serial in revoked.iter().map(|certificate| certificate.serial_number()).chain([&*none]) {
            let mut one = X509RevokedBuilder::new().unwrap();
            one.set_serial_number(serial).unwrap();
            one.set_revocation_date(&at(-3600)).unwrap();
            list.add_revoked(one.build()).unwrap();
        }
        list.sort().unwrap();
        list.sign(&self.key, MessageDigest::sha256()).unwrap();
        // Written beside and renamed, as a careful program does.
        let file = self.folder.join("crl.pem");
        std::fs::write(file.with_extension("new"), list.build().unwrap().to_pem().unwrap()).unwrap();
        std::fs::rename(file.with_extension("new"), file).unwrap();
    }
}
