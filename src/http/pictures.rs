//! Pictures as files, for those who want neither XML nor JSON around them: `GET /api/v1/pictures/NAME/400.webp` and
//! `…/original`, `PUT /api/v1/pictures/NAME`, and many at once to `POST /api/v1/pictures`, as a form or as a ZIP.

use super::files::{admitted, tagged};
use super::route::{Permission, Scope, Spec};
use super::upload::{content_type, is_file};
use crate::domain::Issue;
use crate::domain::pictures::{SIZES, Taking};
use crate::error::ServiceError;
use crate::pictures::{PictureFile, too_large, unpacked};
use crate::services::{MediaService, results};
use crate::store::StoreError;
use crate::store::batch::Recorded;
use crate::store::pictures::Filled;
use actix_web::http::Method;
use actix_web::web::{Bytes, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::{Stream, StreamExt};
use serde_json::{Value, json};
use soapstone_contracts::media::{RenditionFormat, UpsertPicturesResponse};
use soapstone_runtime::http::{Form, FormLimits, body_pieces, reserve_memory};
use soapstone_runtime::soap::Fault;
use std::io::{Seek, SeekFrom, Write};
use std::path::PathBuf;

/// Pictures that a form may have; texts beside them are of no use.
const LIMITS: FormLimits = FormLimits { fields: 10_000, text: 0 };

/// Characters of a field's name that are shown.
const SHOWN_CHARS: usize = 100;

/// What is called with each picture.
type Take<'a> = &'a mut dyn FnMut(PictureFile) -> Result<(), StoreError>;

/// Hands pictures over to be taken.
trait HandOver: FnOnce(&Taking, Take<'_>) -> Result<(), StoreError> + Send + 'static {}

impl<F: FnOnce(&Taking, Take<'_>) -> Result<(), StoreError> + Send + 'static> HandOver for F {}

#[derive(Clone)]
pub(super) struct Pictures {
    pub service: MediaService,
    /// Where archives lie while they are unpacked.
    pub folder: PathBuf,
    /// Bytes of an archive.
    pub limit: u64,
}

impl Pictures {
    pub fn add_routes(&self, routes: &mut Scope<'_>) {
        let (getter, putter, poster) = (self.clone(), self.clone(), self.clone());
        routes.get(
            "/pictures/{fileName}/{file}",
            Permission::operation("Media", "GetRendition"),
            move |request: HttpRequest, path: Path<(String, String)>| {
                let pictures = getter.clone();
                let (name, file) = path.into_inner();
                async move { admitted(&request, "Media", "GetRendition", pictures.send(&request, name, file)).await }
            },
        );
        let upsert = Permission::operation("Media", "UpsertPictures");
        routes.add(
            Spec::new(Method::PUT, "/pictures/{fileName}", upsert.clone()),
            move |request: HttpRequest, name: Path<String>, payload: Payload| {
                let pictures = putter.clone();
                async move {
                    admitted(&request, "Media", "UpsertPictures", pictures.one(&request, name.into_inner(), payload))
                        .await
                }
            },
        );
        routes.add(
            Spec::new(Method::POST, "/pictures", upsert).guard(is_file),
            move |request: HttpRequest, payload: Payload| {
                let pictures = poster.clone();
                async move { admitted(&request, "Media", "UpsertPictures", pictures.many(&request, payload)).await }
            },
        );
    }

    /// Sends a picture as a file.
    async fn send(&self, request: &HttpRequest, name: String, file: String) -> Result<HttpResponse, Fault> {
        let (size, format) = wanted(&file)?;
        let file = self.service.file(name, size, format).await?;
        let mut response = match tagged(request, &file.sha256) {
            Ok(response) => response,
            Err(known) => return Ok(known),
        };
        Ok(response.content_type(file.media_type).body(self.service.content(&file.sha256).await?))
    }

    /// Takes the body as a picture.
    async fn one(&self, request: &HttpRequest, name: String, payload: Payload) -> Result<HttpResponse, Fault> {
        let content = gathered(request, body_pieces(request, payload), &self.service.rules.pictures).await?;
        if content.as_ref().is_ok_and(Bytes::is_empty) {
            return Err(Fault::sender("picture.no_content", 422, "The body is empty; send the picture in it"));
        }
        self.taken(&mut Filled::default(), move |_, take| take((name, content))).await.map(answer)
    }

    /// Takes the files of a form, or of an archive that is the body.
    async fn many(&self, request: &HttpRequest, payload: Payload) -> Result<HttpResponse, Fault> {
        let mut filled = Filled::default();
        if !content_type(request).starts_with("multipart/form-data") {
            let archive = self.stored(body_pieces(request, payload)).await?;
            return self.taken(&mut filled, move |taking, take| unpacked(archive, taking, take)).await.map(answer);
        }
        let mut form = Form::new(request, payload, LIMITS)?;
        let mut response = UpsertPicturesResponse::default();
        while let Some(field) = form.next_field().await? {
            let Some(name) = field.file_name else {
                let field: String = field.name.chars().take(SHOWN_CHARS).collect();
                let message = format!("The field \"{field}\" is no file; send pictures, or a ZIP of them");
                return Err(Fault::sender("http.form", 422, message));
            };
            let is_archive = name.to_ascii_lowercase().ends_with(".zip");
            let more = if is_archive {
                let archive = self.stored(form.pieces()).await?;
                self.taken(&mut filled, move |taking, take| unpacked(archive, taking, take)).await?
            } else {
                let content = gathered(request, form.pieces(), &self.service.rules.pictures).await?;
                self.taken(&mut filled, move |_, take| take((name, content))).await?
            };
            response.result.extend(more.result);
        }
        Ok(answer(response))
    }

    /// Takes the pictures that `hand_over` has, one by one.
    async fn taken(&self, filled: &mut Filled, hand_over: impl HandOver) -> Result<UpsertPicturesResponse, Fault> {
        let service = self.service.clone();
        let mut own = std::mem::take(filled);
        let done = self.service.store.read(move |db| {
            let mut results = Vec::new();
            hand_over(&service.rules.pictures, &mut |file| {
                results.push(service.take_file(db, file, &mut own)?);
                Ok(())
            })?;
            Ok((results, own))
        });
        let (results, own) = done.await.map_err(ServiceError::from)?;
        *filled = own;
        self.service.bell.ring();
        Ok(response(results))
    }

    /// Writes a body to a file that is gone with the request.
    async fn stored(
        &self,
        mut pieces: impl Stream<Item = Result<Bytes, Fault>> + Unpin,
    ) -> Result<std::fs::File, Fault> {
        let failed = |e: std::io::Error| Fault::from(ServiceError::of_file("an archive", &e));
        let mut file = tempfile::tempfile_in(&self.folder).map_err(failed)?;
        let mut size = 0;
        while let Some(piece) = pieces.next().await {
            let piece = piece?;
            size += piece.len() as u64;
            if size > self.limit {
                let message = format!("The archive is larger than {} bytes", self.limit);
                return Err(Fault::sender("http.too_large", 413, message));
            }
            file.write_all(&piece).map_err(failed)?;
        }
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        Ok(file)
    }
}

/// The size, none for the original, and the format that the name of a file asks for.
fn wanted(file: &str) -> Result<(Option<i32>, RenditionFormat), Fault> {
    let unknown = || {
        let message =
            format!("There is no file {file} of a picture; there are original, 400.jpg, 400.webp and other sizes");
        Fault::sender("picture.unknown_file", 404, message)
    };
    if file == "original" {
        return Ok((None, RenditionFormat::Jpeg));
    }
    let (size, ending) = file.split_once('.').ok_or_else(unknown)?;
    let format = match ending {
        "jpg" | "jpeg" => RenditionFormat::Jpeg,
        "webp" => RenditionFormat::Webp,
        _ => return Err(unknown()),
    };
    Ok((Some(size.parse().map_err(|_| unknown())?), format))
}

fn answer(response: UpsertPicturesResponse) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(soapstone_runtime::json::to_string(&response))
}

fn response(results: Vec<(String, Recorded)>) -> UpsertPicturesResponse {
    let (names, recorded) = results.into_iter().unzip();
    UpsertPicturesResponse { result: results::of_changes(names, recorded) }
}

/// A picture in memory; one that is too large is read to its end, but not kept.
async fn gathered(
    request: &HttpRequest,
    mut pieces: impl Stream<Item = Result<Bytes, Fault>> + Unpin,
    taking: &Taking,
) -> Result<Result<Bytes, Issue>, Fault> {
    let (mut bytes, mut size) = (Vec::new(), 0);
    while let Some(piece) = pieces.next().await {
        let piece = piece?;
        size += piece.len() as u64;
        if size <= taking.most_bytes {
            bytes.extend_from_slice(&piece);
            reserve_memory(request, bytes.capacity() as u64).await?;
        }
    }
    Ok(if size > taking.most_bytes { Err(too_large(taking)) } else { Ok(bytes.into()) })
}

/// Adds to the OpenAPI document what the contract does not say.
pub(super) fn describe(document: &mut Value) {
    let parameter = |name: &str, text: &str, schema: Value| json!({"name": name, "in": "path", "required": true, "description": text, "schema": schema});
    let name = parameter("fileName", "The name of its file.", json!({"type": "string"}));
    let problem = json!({"description": "Why not.", "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}});
    let picture = |types: &[&str]| {
        let content: serde_json::Map<String, Value> =
            types.iter().map(|media| ((*media).to_owned(), json!({}))).collect();
        json!({"200": {"description": "The picture.", "content": content}, "304": {"description": "It is that of If-None-Match."}, "default": problem})
    };
    let files: Vec<String> =
        SIZES.iter().flat_map(|size| ["jpg", "webp"].map(|ending| format!("{size}.{ending}"))).collect();
    let rendition = json!({
        "get": {
            "operationId": "GetRenditionFile",
            "tags": ["Media"],
            "summary": "Gives a picture in a size, as a file; the next larger size, if it was not made in that one.",
            "parameters": [name, parameter("file", "The longer side in pixels, and what it is to be written in.", json!({"type": "string", "enum": files}))],
            "responses": picture(&["image/jpeg", "image/webp"])
        }
    });
    let original = json!({
        "get": {
            "operationId": "GetOriginalFile",
            "tags": ["Media"],
            "summary": "Gives a picture as it was taken, as a file.",
            "parameters": [name],
            "responses": picture(&["image/*"])
        }
    });
    let put = json!({
        "operationId": "PutPicture",
        "tags": ["Media"],
        "summary": "Takes a picture: the body is the file.",
        "parameters": [name],
        "requestBody": {"required": true, "content": {"image/*": {}}},
        "responses": {"200": document["paths"]["/pictures"]["post"]["responses"]["200"].clone(), "default": problem}
    });
    let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) else { return };
    paths.insert("/pictures/{fileName}/{file}".to_owned(), rendition);
    paths.insert("/pictures/{fileName}/original".to_owned(), original);
    if let Some(picture) = paths.get_mut("/pictures/{fileName}").and_then(Value::as_object_mut) {
        picture.insert("put".to_owned(), put);
    }
    if let Some(content) = paths.get_mut("/pictures").map(|p| &mut p["post"]["requestBody"]["content"]) {
        let files = json!({"type": "array", "items": {}, "description": "Pictures, or ZIPs of pictures."});
        content["multipart/form-data"] = json!({"schema": {"type": "object", "properties": {"file": files}}});
        content["application/zip"] = json!({});
    }
}
