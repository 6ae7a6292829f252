//! Certificate revocation lists.

use chrono::{DateTime, NaiveDateTime, Utc};
use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::x509::X509Crl;
use soapstone_runtime::service::{Certificate, distinguished_name, serial_number};
use std::collections::HashSet;
use std::path::Path;
use std::sync::{PoisonError, RwLock};

const END: &str = "-----END X509 CRL-----";

/// A time of a certificate or a revocation list.
pub fn time(at: &Asn1TimeRef) -> Option<NaiveDateTime> {
    let epoch = Asn1Time::from_unix(0).ok()?;
    let since = epoch.diff(at).ok()?;
    let seconds = i64::from(since.days) * 86_400 + i64::from(since.secs);
    DateTime::from_timestamp(seconds, 0).map(|at| at.naive_utc())
}

/// A revocation list, as far as it is shown and looked up.
pub struct RevocationList {
    pub issuer: String,
    /// When the next list is due; after that the list has expired.
    pub next_update: Option<NaiveDateTime>,
    serials: Vec<String>,
}

impl RevocationList {
    pub fn is_expired(&self) -> bool {
        self.next_update.is_some_and(|at| at <= Utc::now().naive_utc())
    }
}

/// Reads the lists of a PEM file.
///
/// # Errors
/// Returns a sentence on the file if it cannot be read or has none.
pub fn read(path: &Path) -> Result<Vec<RevocationList>, String> {
    let wrong = |why: &str| format!("the revocation list {}: {why}", path.display());
    let text = std::fs::read_to_string(path).map_err(|e| wrong(&e.to_string()))?;
    let mut lists = Vec::new();
    for block in text.split_inclusive(END).filter(|block| block.contains(END)) {
        let list = X509Crl::from_pem(block.as_bytes()).map_err(|_| wrong("it cannot be read"))?;
        let serials =
            list.get_revoked().into_iter().flatten().filter_map(|revoked| serial_number(revoked.serial_number()));
        lists.push(RevocationList {
            issuer: distinguished_name(list.issuer_name()),
            next_update: list.next_update().and_then(time),
            serials: serials.collect(),
        });
    }
    if lists.is_empty() { Err(wrong("there is no X509 CRL in it")) } else { Ok(lists) }
}

/// The certificates that the current lists name. TLS checks them in its handshake; here they are looked up for connections that are
/// open while a list changes.
#[derive(Debug, Default)]
pub struct Revoked(RwLock<HashSet<(String, String)>>);

impl Revoked {
    /// Replaces what is known by the lists of a file.
    ///
    /// # Errors
    /// Returns a sentence on the file if it cannot be read.
    pub fn reload(&self, path: &Path) -> Result<(), String> {
        let lists = read(path)?;
        for list in lists.iter().filter(|list| list.is_expired()) {
            log::warn!("The revocation list of {} has expired: certificates of this issuer are rejected", list.issuer);
        }
        let all = lists.into_iter().flat_map(|list| {
            let issuer = list.issuer;
            list.serials.into_iter().map(move |serial| (issuer.clone(), serial))
        });
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = all.collect();
        Ok(())
    }

    pub fn contains(&self, certificate: &Certificate) -> bool {
        let revoked = self.0.read().unwrap_or_else(PoisonError::into_inner);
        !revoked.is_empty() && revoked.contains(&(certificate.issuer.clone(), certificate.serial.clone()))
    }
}
