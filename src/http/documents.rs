//! Documents as files, for those who want neither XML nor JSON around them: `GET /api/v1/documents/NUMBER/pdf` of orders, and
//! `GET /api/v1/article-documents/NAME/file` of articles.

use crate::services::{MediaService, OrdersService};
use actix_web::guard;
use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::web::{self, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};
use soapstone_runtime::http::{problem_response, request_id};
use soapstone_runtime::service::{Channel, Context};
use soapstone_runtime::soap::Fault;

pub(super) fn configure(config: &mut ServiceConfig, orders: &OrdersService, media: &MediaService) {
    let (orders, media) = (orders.clone(), media.clone());
    config.service(web::resource("/documents/{number}/pdf").guard(guard::Any(guard::Get()).or(guard::Head())).to(
        move |request: HttpRequest, number: Path<String>| {
            let orders = orders.clone();
            async move {
                let context = Context::of(Channel::Rest, &request);
                let answer = match context.admit("Orders", "GetDocument") {
                    Ok(()) => send(&orders, number.into_inner()).await,
                    Err(fault) => Err(*fault),
                };
                answer.unwrap_or_else(|fault| problem_response(&fault, &request_id()))
            }
        },
    ));
    let file = web::resource("/article-documents/{name}/file").guard(guard::Any(guard::Get()).or(guard::Head()));
    config.service(file.to(move |request: HttpRequest, name: Path<String>| {
        let media = media.clone();
        async move {
            let context = Context::of(Channel::Rest, &request);
            let answer = match context.admit("Media", "GetArticleDocument") {
                Ok(()) => send_file(&media, name.into_inner()).await,
                Err(fault) => Err(*fault),
            };
            answer.unwrap_or_else(|fault| problem_response(&fault, &request_id()))
        }
    }));
}

async fn send(orders: &OrdersService, number: String) -> Result<HttpResponse, Fault> {
    let name = format!("{}.pdf", in_header(&number));
    let bytes = orders.pdf(number).await?;
    let shown = format!("inline; filename=\"{name}\"");
    Ok(HttpResponse::Ok().insert_header((CONTENT_DISPOSITION, shown)).content_type("application/pdf").body(bytes))
}

async fn send_file(media: &MediaService, name: String) -> Result<HttpResponse, Fault> {
    let (document, bytes) = media.document(name).await?;
    let media_type = document.media_type.unwrap_or_default();
    // Whatever somebody sent us is not run as a page of ours.
    let how = if media_type == "application/pdf" { "inline" } else { "attachment" };
    let shown = format!("{how}; filename=\"{}\"", in_header(&document.file_name));
    let response = HttpResponse::Ok()
        .insert_header((CONTENT_DISPOSITION, shown))
        .insert_header(("content-security-policy", "sandbox"))
        .content_type(media_type)
        .body(bytes);
    Ok(response)
}

/// A name as it can stand in a header.
fn in_header(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || "-.".contains(c) { c } else { '_' }).collect()
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
                "default": {"description": "Why not.", "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}
            }
        }
    });
    if let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) {
        paths.insert("/documents/{number}/pdf".to_owned(), resource);
        paths.insert("/article-documents/{fileName}/file".to_owned(), file);
    }
}
