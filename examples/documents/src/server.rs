//! The server: documents live in memory.

use crate::contracts::documents::{
    Caller, Describe, DescribeResponse, Documents, DocumentsServer, Fetch, FetchResponse, Quota, Store, StoreResponse,
};
use actix_web::{App, HttpServer};
use soapstone_runtime::Base64Binary;
use soapstone_runtime::http::{Endpoint, EndpointOptions};
use soapstone_runtime::service::Context;
use soapstone_runtime::soap::Fault;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How many bytes a caller may store.
const QUOTA: u64 = 1 << 30;

#[derive(Default)]
struct Archive(Mutex<BTreeMap<String, Base64Binary>>);

impl Documents for Archive {
    type Error = Fault;

    async fn store(&self, context: &Context, request: Store) -> Result<StoreResponse, Fault> {
        let caller: Caller = context.required_header()?;
        if caller.name.is_empty() {
            return Err(Fault::sender("documents.nobody", 403, "Nobody stores nothing"));
        }
        let size = request.content.0.len();
        let mut archive = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        archive.insert(request.name, request.content);
        let used: u64 = archive.values().map(|content| content.0.len()).sum();
        context.reply_header(&Quota { left: QUOTA.saturating_sub(used) });
        Ok(StoreResponse { size })
    }

    async fn fetch(&self, _context: &Context, request: Fetch) -> Result<FetchResponse, Fault> {
        let archive = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let content = archive.get(&request.name).cloned();
        let content = content.ok_or_else(|| Fault::sender("documents.unknown", 404, "There is no such document"))?;
        Ok(FetchResponse { content })
    }

    async fn describe(&self, context: &Context, request: Describe) -> Result<DescribeResponse, Fault> {
        // The endpoint has seen to it that it is there.
        let picture = context.attachment("picture").cloned().unwrap_or_default();
        context.attach("copy", &picture.media_type, picture.content.clone());
        let text = format!("{}: {}, {} bytes", request.title, picture.media_type, picture.content.len());
        Ok(DescribeResponse { text })
    }
}

pub async fn serve(address: &str) -> Result<(), Box<dyn std::error::Error>> {
    let service = Arc::new(DocumentsServer(Archive::default()));
    let endpoint = Endpoint::new(service, "/soap/documents", EndpointOptions::default())?;
    let server = HttpServer::new(move || {
        let endpoint = endpoint.clone();
        App::new().configure(|config| endpoint.configure(config))
    })
    .bind(address)?;
    for address in server.addrs() {
        println!("http://{address}");
    }
    Ok(server.run().await?)
}
