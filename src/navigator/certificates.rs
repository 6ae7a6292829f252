//! The certificates and revocation lists that the server works with, and until when they are valid.

use crate::config::Config;
use crate::revocation::{self, time};
use chrono::{TimeDelta, Utc};
use openssl::nid::Nid;
use openssl::x509::{X509, X509NameRef};
use std::path::Path;

/// From then on before its end a certificate is marked.
const SOON: TimeDelta = TimeDelta::days(30);

/// The same for a revocation list, which is issued often.
const LIST_SOON: TimeDelta = TimeDelta::days(1);

/// A certificate of a file.
pub(crate) struct Certificate {
    /// What it is for.
    pub purpose: &'static str,
    pub file: String,
    pub subject: String,
    pub issuer: String,
    pub until: String,
    pub is_over: bool,
    pub is_soon: bool,
}

/// The common name, or all of it.
fn named(name: &X509NameRef) -> String {
    let common = name.entries_by_nid(Nid::COMMONNAME).next();
    let text = common.and_then(|entry| entry.data().to_string().ok());
    text.unwrap_or_else(|| format!("{name:?}"))
}

fn of_file(purpose: &'static str, file: &Path, found: &mut Vec<Certificate>) {
    let now = Utc::now().naive_utc();
    let read = std::fs::read(file).ok().and_then(|pem| X509::stack_from_pem(&pem).ok()).unwrap_or_default();
    for certificate in read {
        let until = time(certificate.not_after());
        found.push(Certificate {
            purpose,
            file: file.display().to_string(),
            subject: named(certificate.subject_name()),
            issuer: named(certificate.issuer_name()),
            until: until.map(|until| until.format("%Y-%m-%d").to_string()).unwrap_or_default(),
            is_over: until.is_some_and(|until| until <= now),
            is_soon: until.is_some_and(|until| until > now && until - now < SOON),
        });
    }
}

/// Adds the revocation lists of a file, each with the time when the next one is due.
fn of_revocation_lists(purpose: &'static str, file: &Path, found: &mut Vec<Certificate>) {
    let now = Utc::now().naive_utc();
    for list in revocation::read(file).unwrap_or_default() {
        found.push(Certificate {
            purpose,
            file: file.display().to_string(),
            subject: "–".to_owned(),
            until: list.next_update.map(|until| until.format("%Y-%m-%d").to_string()).unwrap_or_default(),
            is_over: list.is_expired(),
            is_soon: list.next_update.is_some_and(|until| until > now && until - now < LIST_SOON),
            issuer: list.issuer,
        });
    }
}

/// The certificates and revocation lists of the configuration's files.
pub(crate) fn certificates(config: &Config) -> Vec<Certificate> {
    let mut found = Vec::new();
    if let Some(tls) = &config.tls {
        of_file("The server's own", &tls.certificate, &mut found);
        if let Some(authority) = &tls.client_authority {
            of_file("Who signs those of clients", authority, &mut found);
        }
        if let Some(list) = &tls.client_crl {
            of_revocation_lists("Revokes those of clients", list, &mut found);
        }
    }
    let security = &config.message_security;
    if let Some((certificate, _)) = &security.own {
        of_file("Signs and opens messages", certificate, &mut found);
    }
    if let Some(authority) = &security.authority {
        of_file("Who signs those of messages", authority, &mut found);
    }
    if let Some(list) = &security.crl {
        of_revocation_lists("Revokes those of messages", list, &mut found);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use openssl::asn1::Asn1Time;
    use openssl::hash::MessageDigest;
    use openssl::pkey::PKey;
    use openssl::rsa::Rsa;
    use openssl::x509::{X509Builder, X509NameBuilder};

    #[test]
    fn a_certificate_that_ends_is_told_of() {
        let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let tell = |days: i64| {
            let mut name = X509NameBuilder::new().unwrap();
            name.append_entry_by_text("CN", "shop.example").unwrap();
            let name = name.build();
            let mut builder = X509Builder::new().unwrap();
            builder.set_subject_name(&name).unwrap();
            builder.set_issuer_name(&name).unwrap();
            builder.set_pubkey(&key).unwrap();
            let at = |days: i64| Asn1Time::from_unix(Utc::now().timestamp() + days * 86_400).unwrap();
            builder.set_not_before(&at(-400)).unwrap();
            builder.set_not_after(&at(days)).unwrap();
            builder.sign(&key, MessageDigest::sha256()).unwrap();
            let file = folder.path().join(format!("{days}.pem"));
            std::fs::write(&file, builder.build().to_pem().unwrap()).unwrap();
            let mut found = Vec::new();
            of_file("x", &file, &mut found);
            assert_eq!((found.len(), found[0].subject.as_str()), (1, "shop.example"));
            (found[0].is_over, found[0].is_soon)
        };
        assert_eq!([tell(-2), tell(10), tell(90)], [(true, false), (false, true), (false, false)]);
    }
}
