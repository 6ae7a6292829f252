//! Soapstone's server, as the client calls it: by REST, files up in parts that go on after a cut.

use super::Trouble;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use openssl::sha::Sha256;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, LOCATION};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use soapstone_contracts::exchange::{ArtifactKind, GetRunResponse, Run, StartExport, StartExportResponse};
use soapstone_runtime::json;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};

/// Bytes of a part: what a cut may cost.
const PART: u64 = 4 << 20;

/// How the client calls itself; the server tells its runs by it.
pub const NAME: &str = "soapstone-client/";

/// The same, with its version.
pub(super) const AGENT: &str = concat!("soapstone-client/", env!("CARGO_PKG_VERSION"));

/// How much of an answer that is no success is read.
const TEXT: usize = 4096;

/// Bytes of an answer that is kept in memory.
const MAX_ANSWER: u64 = 64 << 20;

const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");

/// A way to the server.
pub struct Server {
    http: Client,
    /// Without `/` at its end.
    address: String,
    headers: HeaderMap,
}

/// Where an upload stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Uploaded {
    /// So many bytes are there.
    UpTo(u64),
    /// All; it is that run.
    Run(i64),
    /// The server does not know it any more.
    Gone,
}

impl Server {
    pub(super) fn new(http: Client, address: &str, headers: HeaderMap) -> Self {
        Self { http, address: address.trim_end_matches('/').to_owned(), headers }
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.address)).headers(self.headers.clone())
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, Trouble> {
        let response = request.send().await.map_err(|e| self.unreached(&e))?;
        let status = response.status();
        if status.is_success() || status == StatusCode::NOT_FOUND {
            return Ok(response);
        }
        let text = said(response).await;
        Err(match status {
            StatusCode::BAD_REQUEST
            | StatusCode::PAYLOAD_TOO_LARGE
            | StatusCode::UNSUPPORTED_MEDIA_TYPE
            | StatusCode::UNPROCESSABLE_ENTITY => Trouble::Refused(text),
            StatusCode::UNAUTHORIZED => Trouble::Later(format!(
                "the server does not know who we are: set token-file, or user and password-file ({text})"
            )),
            _ => Trouble::Later(text),
        })
    }

    fn unreached(&self, error: &reqwest::Error) -> Trouble {
        let mut why = if error.is_timeout() { "no answer in time".to_owned() } else { error.to_string() };
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            why = cause.to_string();
            source = cause.source();
        }
        Trouble::Later(format!("{} is not reached: {why}", self.address))
    }

    /// Sees whether the server is there, and knows us.
    ///
    /// # Errors
    /// What is in the way.
    pub async fn greet(&self) -> Result<(), Trouble> {
        let response = self.send(self.request(Method::GET, "/api/v1/runs?limit=1")).await?;
        if response.status() == StatusCode::NOT_FOUND {
            return Err(Trouble::Later(format!("there is a server at {}, but it is not Soapstone", self.address)));
        }
        Ok(())
    }

    /// Begins an upload; gives its address.
    pub(super) async fn begin(&self, fields: &[(&str, String)], length: u64) -> Result<String, Trouble> {
        let pairs: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name} {}", STANDARD.encode(value))).collect();
        let request = self
            .request(Method::POST, "/api/v1/uploads")
            .header("tus-resumable", "1.0.0")
            .header("upload-length", length)
            .header("upload-metadata", pairs.join(","));
        let response = self.send(request).await?;
        let place = response.headers().get(LOCATION).and_then(|place| place.to_str().ok());
        // A path: anything else would send what we log in with to another server.
        let place = place.filter(|place| place.starts_with('/') && !place.starts_with("//"));
        place.map(str::to_owned).ok_or_else(|| self.foreign(&response))
    }

    fn foreign(&self, response: &Response) -> Trouble {
        Trouble::Later(format!("{} does not answer as Soapstone does: {}", self.address, response.status()))
    }

    /// Where an upload stands.
    pub(super) async fn stands(&self, upload: &str) -> Result<Uploaded, Trouble> {
        let response = self.send(self.request(Method::HEAD, upload).header("tus-resumable", "1.0.0")).await?;
        self.told(&response)
    }

    fn told(&self, response: &Response) -> Result<Uploaded, Trouble> {
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(Uploaded::Gone);
        }
        let header = |name: &HeaderName| response.headers().get(name).and_then(|value| value.to_str().ok());
        let run = header(&LOCATION).and_then(|place| place.rsplit('/').next()?.parse().ok());
        if let Some(run) = run {
            return Ok(Uploaded::Run(run));
        }
        let offset = header(&UPLOAD_OFFSET).and_then(|offset| offset.parse().ok());
        offset.map(Uploaded::UpTo).ok_or_else(|| self.foreign(response))
    }

    /// Sends the next part of an upload.
    pub(super) async fn go_on(&self, upload: &str, file: &mut File, offset: u64) -> Result<Uploaded, Trouble> {
        let mut part = Vec::new();
        file.seek(SeekFrom::Start(offset))?;
        file.take(PART).read_to_end(&mut part)?;
        let request = self
            .request(Method::PATCH, upload)
            .header("tus-resumable", "1.0.0")
            .header(UPLOAD_OFFSET, offset)
            .header(CONTENT_TYPE, "application/offset+octet-stream");
        let response = self.send(request.body(part)).await?;
        self.told(&response)
    }

    /// A run; None: the server does not have it any more.
    pub(super) async fn run(&self, id: i64) -> Result<Option<Run>, Trouble> {
        let response = self.send(self.request(Method::GET, &format!("/api/v1/runs/{id}"))).await?;
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let bytes = self.body(response).await?;
        let answer: GetRunResponse = json::from_slice(&bytes).map_err(|e| self.unread(&e.message))?;
        Ok(Some(answer.run))
    }

    /// The body of an answer.
    async fn body(&self, mut response: Response) -> Result<Vec<u8>, Trouble> {
        let mut bytes = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|e| self.unreached(&e))? {
            bytes.extend_from_slice(&piece);
            if bytes.len() as u64 > MAX_ANSWER {
                return Err(self.unread(&format!("it is larger than {MAX_ANSWER} bytes")));
            }
        }
        Ok(bytes)
    }

    fn unread(&self, why: &str) -> Trouble {
        Trouble::Later(format!("an answer of {} cannot be read: {why}", self.address))
    }

    /// Starts an export; with the same key once, however often it is asked.
    pub(super) async fn export(&self, key: &str, wanted: &StartExport) -> Result<i64, Trouble> {
        let request = self
            .request(Method::POST, "/api/v1/exports")
            .header("idempotency-key", key)
            .header(CONTENT_TYPE, "application/json");
        let response = self.send(request.body(json::to_string(wanted))).await?;
        if response.status() == StatusCode::NOT_FOUND {
            return Err(self.foreign(&response));
        }
        let bytes = self.body(response).await?;
        let answer: StartExportResponse = json::from_slice(&bytes).map_err(|e| self.unread(&e.message))?;
        Ok(answer.run.id)
    }

    /// Copies a file of a run into memory.
    pub(super) async fn text_artifact(&self, run: i64, kind: ArtifactKind) -> Result<Vec<u8>, Trouble> {
        let path = format!("/api/v1/runs/{run}/artifacts/{kind}/file");
        let response = self.send(self.request(Method::GET, &path)).await?;
        if response.status() == StatusCode::NOT_FOUND { Ok(Vec::new()) } else { self.body(response).await }
    }

    /// Copies a file of a run; gives its SHA-256. None: it is not there.
    pub(super) async fn artifact(
        &self,
        run: i64,
        kind: ArtifactKind,
        to: &mut impl Write,
    ) -> Result<Option<[u8; 32]>, Trouble> {
        let path = format!("/api/v1/runs/{run}/artifacts/{kind}/file");
        let mut response = self.send(self.request(Method::GET, &path)).await?;
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let mut hash = Sha256::new();
        while let Some(piece) = response.chunk().await.map_err(|e| self.unreached(&e))? {
            hash.update(&piece);
            to.write_all(&piece)?;
        }
        Ok(Some(hash.finish()))
    }

    /// Says that the orders of an export have arrived.
    pub(super) async fn confirm(&self, export: &str) -> Result<(), Trouble> {
        let body = serde_json::json!({ "exportNumber": export }).to_string();
        let request =
            self.request(Method::POST, "/api/v1/orders/confirm-export").header(CONTENT_TYPE, "application/json");
        self.send(request.body(body)).await.map(drop)
    }
}

/// What an answer that is no success says: what problem+json has of it, or how it begins.
async fn said(mut response: Response) -> String {
    let status = response.status();
    let mut bytes = Vec::new();
    while bytes.len() < TEXT
        && let Ok(Some(piece)) = response.chunk().await
    {
        bytes.extend_from_slice(&piece);
    }
    let problem: Option<serde_json::Value> = serde_json::from_slice(&bytes).ok();
    let member = |name: &str| problem.as_ref()?.get(name)?.as_str().map(str::to_owned);
    match (member("code"), member("detail").or_else(|| member("title"))) {
        (Some(code), Some(text)) => format!("{text} ({code})"),
        (None, Some(text)) => text,
        _ => {
            let text: String = String::from_utf8_lossy(&bytes).chars().take(200).collect();
            format!("{status} {}", text.split_whitespace().collect::<Vec<_>>().join(" ")).trim().to_owned()
        }
    }
}

/// The header that says who we are by name and password.
pub(super) fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

/// Where it goes.
pub(super) const WHO: HeaderName = AUTHORIZATION;
