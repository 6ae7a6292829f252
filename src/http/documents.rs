//! Documents as files, for those who want neither XML nor JSON around them: `GET /api/v1/documents/NUMBER/pdf` of orders, and
//! `GET /api/v1/article-documents/NAME/file` of articles.

use super::files::{admitted, in_header, tagged};
use super::route::{Permission, Scope};
use crate::services::{MediaService, OrdersService};
use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};
use soapstone_runtime::soap::Fault;

pub(super) fn add_routes(routes: &mut Scope<'_>, orders: &OrdersService, media: &MediaService) {
    let (orders, media) = (orders.clone(), media.clone());
    routes.get(
        "/documents/{number}/pdf",
        Permission::operation("Orders", "GetDocument"),
        move |request: HttpRequest, number: Path<String>| {
            let orders = orders.clone();
            async move { admitted(&request, "Orders", "GetDocument", send(&orders, number.into_inner())).await }
        },
    );
    routes.get(
        "/article-documents/{fileName}/file",
        Permission::operation("Media", "GetArticleDocument"),
        move |request: HttpRequest, name: Path<String>| {
            let media = media.clone();
            let name = name.into_inner();
            async move { admitted(&request, "Media", "GetArticleDocument", send_file(&request, &media, name)).await }
        },
    );
}

async fn send(orders: &OrdersService, number: String) -> Result<HttpResponse, Fault> {
    let name = format!("{}.pdf", in_header(&number));
    let bytes = orders.pdf(number).await?;
    let shown = format!("inline; filename=\"{name}\"");
    Ok(HttpResponse::Ok().insert_header((CONTENT_DISPOSITION, shown)).content_type("application/pdf").body(bytes))
}

async fn send_file(request: &HttpRequest, media: &MediaService, name: String) -> Result<HttpResponse, Fault> {
    let file = media.document(name).await?;
    let mut response = match tagged(request, &file.sha256) {
        Ok(response) => response,
        Err(known) => return Ok(known),
    };
    // Whatever somebody sent us is not run as a page of ours.
    let how = if file.media_type == "application/pdf" { "inline" } else { "attachment" };
    let shown = format!("{how}; filename=\"{}\"", in_header(&file.name));
    let bytes = media.content(&file.sha256).await?;
    let response = response
        .insert_header((CONTENT_DISPOSITION, shown))
        .insert_header(("content-security-policy", "sandbox"))
        .content_type(file.media_type)
        .body(bytes);
    Ok(response)
}

/// Adds the resources to the OpenAPI document.
pub(super) fn describe(document: &mut Value) {
    let resource = json!({
        "get": {
            "operationId": "GetDocumentPdf",
            "tags": ["Orders"],
            "summary": "Gives the PDF of a document, as a file.",
            "parameters": [{
                "name": "number", "in": "path", "required": true,
                "description": "The document's number.", "schema": {"type": "string"}
            }],
            "responses": {
                "200": {"description": "The PDF.", "content": {"application/pdf": {"schema": {"type": "string", "contentMediaType": "application/pdf"}}}},
                "default": {"description": "Why not.", "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}
            }
        }
    });
    let file = json!({
        "get": {
            "operationId": "GetArticleDocumentFile",
            "tags": ["Media"],
            "summary": "Gives a document of articles, as a file.",
            "parameters": [{
                "name": "fileName", "in": "path", "required": true,
                "description": "The name of its file.", "schema": {"type": "string"}
            }],
            "responses": {
                "200": {"description": "The file.", "content": {"*/*": {}}},
                "304": {"description": "It is that of If-None-Match."},
                "default": {"description": "Why not.", "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}
            }
        }
    });
    if let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) {
        paths.insert("/documents/{number}/pdf".to_owned(), resource);
        paths.insert("/article-documents/{fileName}/file".to_owned(), file);
    }
}
