//! Pages for a person: one a SOAP endpoint, one for the whole REST API. No asset comes from elsewhere.

use crate::service::{OperationInfo, Service, ServiceInfo};
use crate::soap::Version;
use serde_json::{Map, Value, json};
use std::fmt::Write;
use std::sync::Arc;

const STYLE: &str = include_str!("page.css");
/// How tall a request is shown at once.
const MAX_ROWS: usize = 16;

const SCRIPT: &str = include_str!("page.js");

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    crate::xml::escape_attribute(text, &mut out);
    out.replace("&#10;", "\n").replace("&#9;", "\t").replace("&#13;", "")
}

fn paragraphs(text: &str) -> String {
    text.split("\n\n").filter(|p| !p.trim().is_empty()).fold(String::new(), |mut out, paragraph| {
        let _ = write!(out, "<p>{}</p>", escaped(paragraph.trim()));
        out
    })
}

fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{}</title>\
         <style>{STYLE}</style></head><body><main>{body}</main><script>{SCRIPT}</script></body></html>",
        escaped(title)
    )
}

/// The page of a SOAP endpoint: what it offers, with samples to try.
pub(super) fn service_page(info: &ServiceInfo, address: &str) -> String {
    let mut body = String::new();
    let _ = write!(
        body,
        "<header><p class=\"eyebrow\">SOAP service</p><h1>{}</h1>{}<dl class=\"facts\">\
         <dt>Endpoint</dt><dd><code>{address}</code></dd>\
         <dt>Contract</dt><dd><a href=\"{address}?wsdl\"><code>{address}?wsdl</code></a></dd>\
         <dt>SoapUI</dt><dd><a href=\"{address}?soapui\" download=\"{0}-soapui-project.xml\">a project with every \
         operation</a></dd><dt>Versions</dt><dd>SOAP 1.1 and SOAP 1.2</dd></dl></header>",
        escaped(info.name),
        paragraphs(info.documentation),
        address = escaped(address),
    );
    let _ = write!(body, "<nav aria-label=\"Operations\"><ul>");
    for operation in info.operations {
        let _ = write!(body, "<li><a href=\"#{0}\">{0}</a></li>", escaped(operation.name));
    }
    body.push_str("</ul></nav>");
    for operation in info.operations {
        soap_operation(&mut body, operation, address);
    }
    page(&format!("{} · SOAP", info.name), &body)
}

fn soap_operation(body: &mut String, operation: &OperationInfo, address: &str) {
    let request = Version::Soap11.wrap(&format!("\n{}\n", operation.sample_request.trim_end()));
    let request = request.replacen("?>", "?>\n", 1).replacen("<soap:Body>", "\n<soap:Body>", 1);
    let rows = (request.lines().count() + 1).min(MAX_ROWS);
    let _ = write!(
        body,
        "<section id=\"{name}\"><h2>{name}</h2>{text}<dl class=\"facts\"><dt>SOAPAction</dt><dd><code>{action}</code></dd>{beside}</dl>\
         <form class=\"try\" data-url=\"{address}\" data-method=\"POST\" data-type=\"text/xml; charset=utf-8\">\
         <label>Request<textarea rows=\"{rows}\" spellcheck=\"false\" name=\"body\">{request}</textarea></label>\
         <button>Send</button><output hidden></output></form>\
         <details><summary>Sample response</summary><pre>{response}</pre></details></section>",
        name = escaped(operation.name),
        text = paragraphs(operation.documentation),
        action = escaped(operation.soap_action),
        beside = beside(operation),
        address = escaped(address),
        request = escaped(&request),
        response = escaped(operation.sample_response),
    );
}

/// What travels beside the body, as facts.
fn beside(operation: &OperationInfo) -> String {
    let names = |fields: &[&crate::Field]| fields.iter().map(|f| f.local).collect::<Vec<_>>().join(", ");
    let facts = [
        ("Headers", names(operation.headers)),
        ("Headers of the reply", names(operation.reply_headers)),
        ("Attachments", operation.attachments.join(", ")),
        ("Attachments of the reply", operation.reply_attachments.join(", ")),
    ];
    let facts = facts.iter().filter(|(_, names)| !names.is_empty());
    facts.map(|(title, names)| format!("<dt>{title}</dt><dd><code>{}</code></dd>", escaped(names))).collect()
}

/// The OpenAPI 3.1 document of all services.
pub fn openapi(services: &[Arc<dyn Service>], title: &str, version: &str, server: &str) -> Value {
    let mut paths = Map::new();
    let mut schemas = Map::new();
    let mut tags = Vec::new();
    for service in services {
        let info = service.info();
        tags.push(json!({"name": info.name, "description": info.documentation}));
        let Ok(part) = serde_json::from_str::<Value>(info.openapi) else { continue };
        for (path, item) in part["paths"].as_object().into_iter().flatten() {
            let entry = paths.entry(path.clone()).or_insert_with(|| json!({}));
            if let (Some(entry), Some(item)) = (entry.as_object_mut(), item.as_object()) {
                entry.extend(item.clone());
            }
        }
        schemas.extend(part["components"]["schemas"].as_object().cloned().into_iter().flatten());
    }
    json!({
        "openapi": "3.1.0",
        "info": {"title": title, "version": version},
        "servers": [{"url": server}],
        "tags": tags,
        "paths": paths,
        "components": {"schemas": schemas},
    })
}

/// The page of the REST API.
pub fn api_page(document: &Value) -> String {
    let title = document["info"]["title"].as_str().unwrap_or("REST API");
    let server = document["servers"][0]["url"].as_str().unwrap_or("");
    let mut body = format!(
        "<header><p class=\"eyebrow\">REST API</p><h1>{}</h1><dl class=\"facts\">\
         <dt>Address</dt><dd><code>{server}</code></dd>\
         <dt>OpenAPI 3.1</dt><dd><a href=\"/openapi.json\"><code>/openapi.json</code></a></dd>\
         <dt>Errors</dt><dd><code>application/problem+json</code> with a stable code and pointers into the request</dd>\
         </dl></header>",
        escaped(title),
        server = escaped(server),
    );
    for tag in document["tags"].as_array().into_iter().flatten() {
        let name = tag["name"].as_str().unwrap_or("");
        let _ = write!(
            body,
            "<h2 class=\"tag\">{}</h2>{}",
            escaped(name),
            paragraphs(tag["description"].as_str().unwrap_or(""))
        );
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            for (verb, operation) in item.as_object().into_iter().flatten() {
                if operation["tags"][0] == *name {
                    rest_operation(&mut body, server, path, verb, operation);
                }
            }
        }
    }
    page(title, &body)
}

fn rest_operation(body: &mut String, server: &str, path: &str, verb: &str, operation: &Value) {
    let _ = write!(
        body,
        "<details class=\"operation\"><summary><span class=\"verb {verb}\">{}</span> <code>{}</code> <span>{}</span></summary>\
         <p><small>{}</small></p>{}",
        verb.to_uppercase(),
        escaped(path),
        escaped(operation["summary"].as_str().unwrap_or("")),
        escaped(operation["operationId"].as_str().unwrap_or("")),
        paragraphs(operation["description"].as_str().unwrap_or("")),
    );
    let _ = write!(
        body,
        "<form class=\"try\" data-url=\"{}{}\" data-method=\"{}\" data-type=\"application/json\">",
        escaped(server),
        escaped(path),
        verb.to_uppercase()
    );
    let parameters = operation["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    for parameter in parameters {
        let name = escaped(parameter["name"].as_str().unwrap_or(""));
        let place = escaped(parameter["in"].as_str().unwrap_or("query"));
        let required = parameter["required"].as_bool().unwrap_or(false);
        let _ = write!(
            body,
            "<label>{name}{} <small>{place}</small> <span>{}</span><input name=\"{name}\" data-in=\"{place}\"{}></label>",
            if required { " *" } else { "" },
            escaped(parameter["description"].as_str().unwrap_or("")),
            if required { " required" } else { "" },
        );
    }
    let example = &operation["requestBody"]["content"]["application/json"]["example"];
    if !example.is_null() {
        let text = serde_json::to_string_pretty(example).unwrap_or_default();
        let rows = (text.lines().count() + 1).min(MAX_ROWS);
        let _ = write!(
            body,
            "<label>Body<textarea rows=\"{rows}\" spellcheck=\"false\" name=\"body\">{}</textarea></label>",
            escaped(&text)
        );
    }
    body.push_str("<button>Send</button><output hidden></output></form>");
    let example = &operation["responses"]["200"]["content"]["application/json"]["example"];
    if !example.is_null() {
        let text = serde_json::to_string_pretty(example).unwrap_or_default();
        let _ = write!(body, "<details><summary>Sample response</summary><pre>{}</pre></details>", escaped(&text));
    }
    body.push_str("</details>");
}
