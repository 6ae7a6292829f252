//! Large files that come in parts, and go on after a cut: the protocol of tus.io, version 1.0.0 with creation and termination. What the
//! import is to do is told as the upload's metadata, by the names of the fields of `POST /api/v1/imports`; with the last part its run
//! is accepted, and told by `Location`.

use super::files::admitted;
use super::route::{Permission, Scope, Spec};
use super::upload::{Upload, wanted};
use super::upload_metadata;
use crate::domain::hex;
use crate::error::ServiceError;
use crate::exchange::{Initiator, Request};
use crate::services::initiator;
use crate::store::runs::{self, Run};
use actix_web::http::header::{CACHE_CONTROL, HeaderMap, LOCATION};
use actix_web::http::{Method, StatusCode};
use actix_web::rt::{spawn, time::sleep};
use actix_web::web::{self, Path, Payload};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use soapstone_contracts::exchange::Channel as Way;
use soapstone_runtime::http::plain_pieces;
use soapstone_runtime::service::{Channel, Context};
use soapstone_runtime::soap::Fault;
use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::future::Future;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// The version that both sides have to speak.
const VERSION: &str = "1.0.0";

/// Uploads that nobody goes on with for that long are forgotten.
const FORGOTTEN: Duration = Duration::from_secs(7 * 24 * 3600);

/// For how long who asks where an upload stands waits for the part that just comes, and how often he looks.
const PATIENCE: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_millis(50);

/// An upload, beside its file.
#[derive(Serialize, Deserialize)]
struct About {
    length: u64,
    fields: BTreeMap<String, String>,
}

#[derive(Clone)]
pub(super) struct Resumable {
    upload: Upload,
    folder: PathBuf,
    limits: UploadLimits,
    /// Held while an upload is created.
    creating: Arc<Mutex<()>>,
    /// Uploads that a part comes for just now.
    busy: Arc<Mutex<HashSet<String>>>,
}

/// How many uploads may be unfinished, and how many bytes they may announce together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct UploadLimits {
    pub uploads: usize,
    pub bytes: u64,
}

/// Held as long as a part comes.
struct Busy {
    all: Arc<Mutex<HashSet<String>>>,
    id: String,
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

fn failed(error: io::Error) -> Fault {
    ServiceError::of_file("the upload cannot be stored", &error).into()
}

fn missing(id: &str) -> Fault {
    ServiceError::NotFound { kind: "upload", key: id.chars().take(64).collect() }.into()
}

/// What the run of an upload is found again by.
fn claim(id: &str) -> String {
    format!("upload {id}")
}

fn place(run: &Run) -> String {
    format!("{}/runs/{}", super::API, run.id)
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

fn answer(status: StatusCode) -> HttpResponseBuilder {
    let mut answer = HttpResponse::build(status);
    answer.insert_header(("tus-resumable", VERSION)).insert_header((CACHE_CONTROL, "no-store"));
    answer
}

impl Resumable {
    pub fn new(upload: Upload, folder: PathBuf, limits: UploadLimits) -> Self {
        Self { upload, folder, limits, creating: Arc::default(), busy: Arc::default() }
    }

    pub fn add_routes(&self, routes: &mut Scope<'_>) {
        let start = Permission::operation("Exchange", "StartImport");
        let limit = self.upload.limit;
        routes.add(Spec::new(Method::OPTIONS, "/uploads", start.clone()).with_effect(false), move || async move {
            answer(StatusCode::NO_CONTENT)
                .insert_header(("tus-version", VERSION))
                .insert_header(("tus-extension", "creation,termination"))
                .insert_header(("tus-max-size", limit))
                .finish()
        });
        let (create, head, patch, delete) = (self.clone(), self.clone(), self.clone(), self.clone());
        routes.post("/uploads", start.clone(), move |request: HttpRequest| {
            let own = create.clone();
            async move { own.answer(&request, async { own.create(request.headers()) }).await }
        });
        routes.get("/uploads/{id}", start.clone(), move |request: HttpRequest, id: Path<String>| {
            let own = head.clone();
            async move { own.answer(&request, own.told(&id)).await }
        });
        routes.add(
            Spec::new(Method::PATCH, "/uploads/{id}", start.clone()),
            move |request: HttpRequest, id: Path<String>, payload: Payload| {
                let own = patch.clone();
                async move { own.answer(&request, own.go_on(&request, id.into_inner(), payload)).await }
            },
        );
        routes.add(Spec::new(Method::DELETE, "/uploads/{id}", start), move |request: HttpRequest, id: Path<String>| {
            let own = delete.clone();
            async move { own.answer(&request, async { own.forget(&id) }).await }
        });
    }

    /// Answers who may start imports, and speaks the version.
    async fn answer(
        &self,
        request: &HttpRequest,
        work: impl Future<Output = Result<HttpResponse, Fault>>,
    ) -> HttpResponse {
        let version = request.headers().get("tus-resumable").and_then(|version| version.to_str().ok());
        if version.is_some_and(|version| version != VERSION) {
            return answer(StatusCode::PRECONDITION_FAILED).insert_header(("tus-version", VERSION)).finish();
        }
        admitted(request, "Exchange", "StartImport", work).await
    }

    fn path(&self, id: &str) -> PathBuf {
        self.folder.join(id)
    }

    fn about(&self, id: &str) -> Result<About, Fault> {
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(missing(id));
        }
        let text = fs::read_to_string(self.path(&format!("{id}.json"))).map_err(|_| missing(id))?;
        serde_json::from_str(&text).map_err(|_| missing(id))
    }

    /// How much of an upload is there.
    fn offset(&self, id: &str) -> Result<u64, Fault> {
        match fs::metadata(self.path(id)) {
            Ok(about) => Ok(about.len()),
            // Cut off before its run was accepted: it is to be sent anew.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(missing(id)),
            Err(error) => Err(failed(error)),
        }
    }

    /// The run that an upload became, where the answer to its last part was lost.
    async fn run(&self, id: &str) -> Result<Option<Run>, Fault> {
        let claim = claim(id);
        let found = self
            .upload
            .service
            .exchange
            .store
            .read(move |db| runs::claimed(db, &claim))
            .await
            .map_err(ServiceError::from)?;
        Ok(found.map(|report| report.run))
    }

    fn create(&self, headers: &HeaderMap) -> Result<HttpResponse, Fault> {
        let length = number(headers, "upload-length")
            .ok_or_else(|| Fault::sender("http.header", 400, "Upload-Length says how many bytes the file has"))?;
        if length > self.upload.limit {
            let message = format!("The file is larger than {} bytes", self.upload.limit);
            return Err(Fault::sender("http.too_large", 413, message));
        }
        let text = headers.get("upload-metadata").and_then(|text| text.to_str().ok()).unwrap_or("");
        let fields = upload_metadata::parse(text)?;
        // What is wrong is told before anything is sent.
        wanted(fields.clone(), Initiator::new(Way::Rest, None))?;
        let mut random = [0; 16];
        openssl::rand::rand_bytes(&mut random).map_err(ServiceError::internal)?;
        let id = hex(&random);
        // One after another, so that all count.
        let _creating = self.creating.lock().unwrap_or_else(PoisonError::into_inner);
        self.tidy();
        fs::create_dir_all(&self.folder).map_err(failed)?;
        self.check_space(length)?;
        File::create(self.path(&id)).map_err(failed)?;
        let about = serde_json::to_string(&About { length, fields }).map_err(ServiceError::internal)?;
        fs::write(self.path(&format!("{id}.json")), about).map_err(failed)?;
        Ok(answer(StatusCode::CREATED).insert_header((LOCATION, format!("{}/uploads/{id}", super::API))).finish())
    }

    /// Checks that there is room for another upload among those that are not finished.
    fn check_space(&self, length: u64) -> Result<(), Fault> {
        let (mut uploads, mut bytes) = (0, length);
        for entry in fs::read_dir(&self.folder).map_err(failed)?.flatten() {
            let name = entry.file_name();
            let Some(id) = name.to_str().and_then(|name| name.strip_suffix(".json")) else { continue };
            if let Ok(about) = self.about(id) {
                uploads += 1;
                bytes = bytes.saturating_add(about.length);
            }
        }
        if uploads < self.limits.uploads && bytes <= self.limits.bytes {
            return Ok(());
        }
        let message = format!(
            "{uploads} uploads are not finished, and may be {} with {} bytes in all; finish or delete some, or try \
             again later",
            self.limits.uploads, self.limits.bytes
        );
        Err(Fault::receiver("upload.too_many", 503, message))
    }

    async fn told(&self, id: &str) -> Result<HttpResponse, Fault> {
        let began = Instant::now();
        let mut is_second_look = false;
        loop {
            // Asked before the run is looked for: what becomes one after that is not busy any more, or found.
            let is_busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner).contains(id);
            if let Some(run) = self.run(id).await? {
                return Ok(answer(StatusCode::OK)
                    .insert_header(("upload-offset", run.source_size))
                    .insert_header(("upload-length", run.source_size))
                    .insert_header((LOCATION, place(&run)))
                    .finish());
            }
            match self.about(id).and_then(|about| Ok((about.length, self.offset(id)?))) {
                // Its run is just being accepted: it is not there any more, or will be whole.
                Err(_) if is_busy && began.elapsed() < PATIENCE => sleep(LOOK).await,
                Ok((length, offset)) if is_busy && offset == length && began.elapsed() < PATIENCE => sleep(LOOK).await,
                // It may have become one since it was looked for.
                Err(_) if !is_second_look => is_second_look = true,
                Err(fault) => return Err(fault),
                Ok((length, offset)) => {
                    return Ok(answer(StatusCode::OK)
                        .insert_header(("upload-offset", offset))
                        .insert_header(("upload-length", length))
                        .finish());
                }
            }
        }
    }

    fn forget(&self, id: &str) -> Result<HttpResponse, Fault> {
        let _busy = self.busy(id)?;
        self.about(id)?;
        self.remove(id);
        Ok(answer(StatusCode::NO_CONTENT).finish())
    }

    fn remove(&self, id: &str) {
        for path in [self.path(id), self.path(&format!("{id}.json"))] {
            if let Err(error) = fs::remove_file(&path)
                && error.kind() != io::ErrorKind::NotFound
            {
                log::warn!("{}: {error}", path.display());
            }
        }
    }

    /// Removes uploads that nobody goes on with.
    fn tidy(&self) {
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let changed = entry.metadata().and_then(|about| about.modified());
            let age = changed.ok().and_then(|changed| SystemTime::now().duration_since(changed).ok());
            if age.is_some_and(|age| age > FORGOTTEN) {
                self.remove(entry.file_name().to_string_lossy().trim_end_matches(".json"));
            }
        }
    }

    fn busy(&self, id: &str) -> Result<Busy, Fault> {
        let is_free = self.busy.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned());
        if !is_free {
            return Err(Fault::sender(
                "upload.busy",
                423,
                "Another part of it comes just now; ask where it stands and go on",
            ));
        }
        Ok(Busy { all: self.busy.clone(), id: id.to_owned() })
    }

    /// Takes a part; with the last one the run is accepted.
    async fn go_on(&self, request: &HttpRequest, id: String, payload: Payload) -> Result<HttpResponse, Fault> {
        let busy = self.busy(&id)?;
        if let Some(run) = self.run(&id).await? {
            return Ok(answer(StatusCode::NO_CONTENT)
                .insert_header(("upload-offset", run.source_size))
                .insert_header((LOCATION, place(&run)))
                .finish());
        }
        let about = self.about(&id)?;
        if super::upload::content_type(request) != "application/offset+octet-stream" {
            let message = "A part is sent as application/offset+octet-stream";
            return Err(Fault::sender("http.media_type", 415, message));
        }
        let path = self.path(&id);
        let mut offset = self.offset(&id)?;
        if number(request.headers(), "upload-offset") != Some(offset) {
            let message = format!("The upload stands at {offset}: send what is from there on");
            return Err(Fault::sender("upload.offset", 409, message));
        }
        let mut file = OpenOptions::new().append(true).open(&path).map_err(failed)?;
        let (mut pieces, mut rejected) = (plain_pieces(request, payload), None);
        while let Some(piece) = pieces.next().await {
            let piece = match piece {
                Ok(piece) => piece,
                // What came before a cut is kept.
                Err(fault) => {
                    rejected = Some(fault).filter(|fault| fault.subcode != "http.body");
                    break;
                }
            };
            offset += piece.len() as u64;
            if offset > about.length {
                let message = format!("The upload was to have {} bytes, and has more", about.length);
                return Err(Fault::sender("upload.length", 413, message));
            }
            file.write_all(&piece).map_err(failed)?;
        }
        let synced = web::block(move || file.sync_all()).await;
        synced.map_err(|e| Fault::from(ServiceError::internal(e)))?.map_err(failed)?;
        if let Some(fault) = rejected {
            return Err(fault);
        }
        let mut told = answer(StatusCode::NO_CONTENT);
        told.insert_header(("upload-offset", offset));
        if offset == about.length {
            let wanted = wanted(about.fields, initiator(&Context::of(Channel::Rest, request)))?;
            let own = self.clone();
            // To its end, also if nobody waits for the answer any more.
            let accepted = spawn(async move { own.accept(busy, &id, wanted).await }).await;
            told.insert_header((LOCATION, place(&accepted.map_err(ServiceError::internal)??)));
        }
        Ok(told.finish())
    }

    /// Accepts the run of an upload that is whole.
    async fn accept(&self, _busy: Busy, id: &str, wanted: Request) -> Result<Run, Fault> {
        let (service, path) = (self.upload.service.clone(), self.path(id));
        let source = web::block(move || service.exchange.spool.adopt(&path)).await;
        let source = source.map_err(ServiceError::internal)?.map_err(failed)?;
        let accepted = self.upload.service.accept(Request { claim: Some(claim(id)), ..wanted }, source).await;
        // Refused: it would be again.
        self.remove(id);
        Ok(accepted?.report.run)
    }
}
