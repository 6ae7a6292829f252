//! Documents as files: `GET /api/v1/documents/NUMBER/pdf`, for those who want neither XML nor JSON around a PDF.

use crate::services::OrdersService;
use actix_web::guard;
use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::web::{self, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};
use soapstone_runtime::http::{problem_response, request_id};
use soapstone_runtime::service::{Channel, Context};
use soapstone_runtime::soap::Fault;

pub(super) fn configure(config: &mut ServiceConfig, orders: &OrdersService) {
    let orders = orders.clone();
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
}

async fn send(orders: &OrdersService, number: String) -> Result<HttpResponse, Fault> {
    let file: String = number.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
    let bytes = orders.pdf(number).await?;
    let shown = format!("inline; filename=\"{file}.pdf\"");
    Ok(HttpResponse::Ok().insert_header((CONTENT_DISPOSITION, shown)).content_type("application/pdf").body(bytes))
}

/// Adds the resource to the OpenAPI document.
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
    if let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) {
        paths.insert("/documents/{number}/pdf".to_owned(), resource);
    }
}
