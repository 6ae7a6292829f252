//! The files of runs, as files: `GET /api/v1/runs/ID/artifacts/rejected/file`.

use super::files::{admitted, in_header};
use super::route::{Permission, Scope};
use crate::error::ServiceError;
use crate::services::ExchangeService;
use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::web::{self, Bytes, Path};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::stream;
use serde_json::{Value, json};
use soapstone_contracts::exchange::ArtifactKind;
use soapstone_runtime::soap::Fault;
use std::fs::File;
use std::io::Read;

/// Bytes that are read at a time.
const PIECE: usize = 256 << 10;

pub(super) fn add_routes(routes: &mut Scope<'_>, service: &ExchangeService) {
    let service = service.clone();
    routes.get(
        "/runs/{id}/artifacts/{kind}/file",
        Permission::operation("Exchange", "GetArtifact"),
        move |request: HttpRequest, path: Path<(String, String)>| {
            let service = service.clone();
            let (id, kind) = path.into_inner();
            async move { admitted(&request, "Exchange", "GetArtifact", send(&service, id, kind)).await }
        },
    );
}

async fn send(service: &ExchangeService, id: String, kind: String) -> Result<HttpResponse, Fault> {
    let missing = || ServiceError::NotFound { kind: "artifact", key: format!("{id}/{kind}") };
    let number = id.parse().map_err(|_| missing())?;
    let kind = ArtifactKind::ALL.iter().find(|known| known.as_str() == kind).ok_or_else(missing)?;
    let (artifact, file) = service.artifact(number, *kind).await?;
    let shown = format!("attachment; filename=\"{}\"", in_header(&artifact.name));
    let length = u64::try_from(artifact.size).unwrap_or(0);
    let response = HttpResponse::Ok()
        .insert_header((CONTENT_DISPOSITION, shown))
        .insert_header(("content-security-policy", "sandbox"))
        .content_type("application/octet-stream")
        .no_chunking(length)
        .streaming(stream::try_unfold(file, piece));
    Ok(response)
}

/// The next piece of a file, read on a thread that may wait.
async fn piece(mut file: File) -> std::io::Result<Option<(Bytes, File)>> {
    let read = web::block(move || {
        let mut piece = vec![0; PIECE];
        let length = file.read(&mut piece)?;
        piece.truncate(length);
        Ok::<_, std::io::Error>((piece, file))
    });
    let (piece, file) = read.await.map_err(std::io::Error::other)??;
    Ok((!piece.is_empty()).then(|| (piece.into(), file)))
}

/// Adds the resource to the OpenAPI document.
pub(super) fn describe(document: &mut Value) {
    let kinds: Vec<&str> = ArtifactKind::ALL.iter().map(|kind| kind.as_str()).collect();
    let file = json!({
        "get": {
            "operationId": "GetArtifactFile",
            "tags": ["Exchange"],
            "summary": "Gives a file of a run, as a file.",
            "parameters": [
                {"name": "id", "in": "path", "required": true, "description": "The run's key.", "schema": {"type": "string"}},
                {"name": "kind", "in": "path", "required": true, "description": "Which file.", "schema": {"type": "string", "enum": kinds}}
            ],
            "responses": {
                "200": {"description": "The file.", "content": {"*/*": {}}},
                "default": {"description": "Why not.", "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}
            }
        }
    });
    if let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) {
        paths.insert("/runs/{id}/artifacts/{kind}/file".to_owned(), file);
    }
}
