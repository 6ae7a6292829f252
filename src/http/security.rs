//! What SOAP messages are signed and encrypted with, from the files that the configuration names.

use super::reload::follow;
use crate::config::MessageSecurity;
use crate::revocation::Revoked;
use soapstone_runtime::soap::security::{Identity, Keys, Policy, Trust};
use std::path::Path;
use std::sync::Arc;

/// Keys, and what each service wants.
pub(super) struct Security<'a> {
    pub keys: Keys,
    config: &'a MessageSecurity,
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|e| format!("{}: {e}", path.display()))
}

/// The trusted signers of a file, for as long as the process runs: reloaded when it changes, or the revocation list.
fn followed(path: &Path, crl: Option<&Path>) -> Result<Trust, String> {
    let wrong = |path: &Path, why: String| format!("{}: {why}", path.display());
    let load = move |path: &Path, crl: Option<&Path>| -> Result<Vec<u8>, String> {
        // It logs what has expired.
        crl.map_or(Ok(()), |list| Revoked::default().reload(list))?;
        read(path)
    };
    let trust = Trust::load(&load(path, crl)?, crl).map_err(|why| wrong(path, why))?;
    let (path, crl, current) = (path.to_owned(), crl.map(Path::to_owned), trust.clone());
    let files = [path.clone()].into_iter().chain(crl.clone()).collect();
    follow("the trusted signers", files, move || {
        current.reload(&load(&path, crl.as_deref())?, crl.as_deref()).map_err(|why| wrong(&path, why))
    });
    Ok(trust)
}

impl<'a> Security<'a> {
    /// Reads the files.
    ///
    /// # Errors
    /// Which file is wrong, and why.
    pub fn of(config: &'a MessageSecurity) -> Result<Self, String> {
        let own = match &config.own {
            None => None,
            Some((certificate, key)) => {
                let identity = Identity::from_pem(&read(certificate)?, &read(key)?);
                Some(Arc::new(
                    identity.map_err(|why| format!("{} and {}: {why}", certificate.display(), key.display()))?,
                ))
            }
        };
        let trust = match &config.authority {
            None => None,
            Some(path) => Some(followed(path, config.crl.as_deref())?),
        };
        Ok(Self { keys: Keys { own, trust }, config })
    }

    /// What a portType wants: by its name, or else by `*`.
    pub fn policy(&self, service: &str) -> Policy {
        super::of_service(&self.config.policies, service).copied().unwrap_or_default()
    }
}
