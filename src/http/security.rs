//! What SOAP messages are signed and encrypted with, from the files that the configuration names.

use crate::config::MessageSecurity;
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
            Some(path) => Some(Trust::from_pem(&read(path)?).map_err(|why| format!("{}: {why}", path.display()))?),
        };
        Ok(Self { keys: Keys { own, trust }, config })
    }

    /// What a portType wants: by its name, or else by `*`.
    pub fn policy(&self, service: &str) -> Policy {
        super::of_service(&self.config.policies, service).copied().unwrap_or_default()
    }
}
