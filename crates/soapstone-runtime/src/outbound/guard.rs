//! The resolver of the HTTP client: it returns only addresses that were checked, and they are the ones that are connected to.

use super::Endpoint;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::sync::Arc;

/// Resolves the host of one endpoint, and no other.
#[derive(Clone, Debug)]
pub struct Guard(Arc<Endpoint>);

impl Endpoint {
    /// The resolver for the client that calls this endpoint.
    pub fn guard(&self) -> Guard {
        Guard(Arc::new(self.clone()))
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let endpoint = self.0.clone();
        Box::pin(async move {
            if !name.as_str().eq_ignore_ascii_case(&endpoint.host) {
                return Err(format!("{} is not the host of this target", name.as_str()).into());
            }
            let resolved = endpoint.clone();
            let addresses = actix_web::rt::task::spawn_blocking(move || resolved.resolve()).await??;
            let addresses = endpoint.permitted(addresses)?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}
