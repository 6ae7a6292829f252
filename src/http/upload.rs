//! Files uploaded to `POST /api/v1/imports`: as a form (`multipart/form-data`) or as the bare body, streamed to disk.

use super::files::admitted;
use super::route::{Permission, Scope, Spec};
use crate::error::ServiceError;
use crate::exchange::{Initiator, Request};
use crate::services::{ExchangeService, initiator};
use actix_web::guard::GuardContext;
use actix_web::http::Method;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{self, Payload, Query};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::{Stream, StreamExt};
use serde_json::{Map, Value, json};
use soapstone_contracts::exchange::{ImportMode, RunFormat, RunKind, StartImportResponse};
use soapstone_runtime::http::{Form, FormLimits, body_pieces};
use soapstone_runtime::service::{Channel, Context};
use soapstone_runtime::soap::Fault;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// How long a form's plain field may be.
pub(crate) const MAX_FIELD: usize = 4096;

/// How many fields a form may have, and how many bytes they may have together, beside one that may be longer.
pub(super) const MAX_FORM_FIELDS: usize = 1_000;
const MAX_FORM_TEXT: usize = 64 << 10;

#[derive(Clone)]
pub(crate) struct Upload {
    pub(crate) service: ExchangeService,
    pub(crate) limit: u64,
}

pub(crate) type Fields = BTreeMap<String, String>;

impl Upload {
    pub fn add_routes(&self, routes: &mut Scope<'_>) {
        let upload = self.clone();
        let permission = Permission::operation("Exchange", "StartImport");
        routes.add(
            Spec::new(Method::POST, "/imports", permission).guard(is_file),
            move |request: HttpRequest, payload: Payload| {
                let upload = upload.clone();
                async move { admitted(&request, "Exchange", "StartImport", upload.receive(&request, payload)).await }
            },
        );
    }

    async fn receive(&self, request: &HttpRequest, payload: Payload) -> Result<HttpResponse, Fault> {
        let mut fields: Fields = Query::<Fields>::from_query(request.query_string())
            .map_err(|e| Fault::sender("http.query", 400, format!("The query cannot be read: {e}")))?
            .into_inner();
        let source = if content_type(request).starts_with("multipart/form-data") {
            self.form(request, payload, &mut fields, MAX_FIELD).await?
        } else {
            self.bare(request, payload).await?
        };
        let wanted = wanted(fields, initiator(&Context::of(Channel::Rest, request)))?;
        let accepted = self.service.accept(wanted, source).await?;
        let id = accepted.report.run.id;
        let response = StartImportResponse { run: self.service.exchange.shown(&accepted.report) };
        Ok(HttpResponse::Accepted()
            .insert_header(("location", format!("{}/runs/{id}", super::API)))
            .content_type("application/json")
            .body(soapstone_runtime::json::to_string(&response)))
    }

    /// Reads a form: its plain fields, none longer than that, and the file.
    pub(crate) async fn form(
        &self,
        request: &HttpRequest,
        payload: Payload,
        fields: &mut Fields,
        longest: usize,
    ) -> Result<crate::exchange::Spooled, Fault> {
        let limits = FormLimits { fields: MAX_FORM_FIELDS, text: longest + MAX_FORM_TEXT };
        let mut form = Form::new(request, payload, limits)?;
        let mut source: Option<crate::exchange::Spooled> = None;
        while let Some(field) = form.next_field().await? {
            if field.name != "file" && field.file_name.is_none() {
                let text = form.text(&field, longest).await?;
                fields.insert(field.name, text);
                continue;
            }
            if let Some(file_name) = field.file_name {
                fields.entry("sourceName".to_owned()).or_insert(file_name);
            }
            if source.as_ref().is_some_and(|source| source.size > 0) {
                return Err(Fault::sender("http.form", 422, "The form has more than one file; send each on its own"));
            }
            source = Some(self.spool(form.pieces()).await?);
        }
        source
            .ok_or_else(|| Fault::sender("import.no_file", 422, "The form has no file; send it in the field \"file\""))
    }

    async fn bare(&self, request: &HttpRequest, payload: Payload) -> Result<crate::exchange::Spooled, Fault> {
        let spooled = self.spool(body_pieces(request, payload)).await?;
        if spooled.size == 0 {
            return Err(Fault::sender("import.no_file", 422, "The body is empty; send the file in it"));
        }
        Ok(spooled)
    }

    /// Writes a stream to the spool, piece by piece.
    async fn spool(
        &self,
        mut pieces: impl Stream<Item = Result<web::Bytes, Fault>> + Unpin,
    ) -> Result<crate::exchange::Spooled, Fault> {
        let failed = |e: std::io::Error| Fault::from(ServiceError::of_file("the source cannot be stored", &e));
        let mut incoming = self.service.exchange.spool.begin().map_err(failed)?;
        while let Some(piece) = pieces.next().await {
            let piece = piece?;
            if incoming.size() + piece.len() as u64 > self.limit {
                return Err(Fault::sender(
                    "http.too_large",
                    413,
                    format!("The file is larger than {} bytes", self.limit),
                ));
            }
            incoming.write(&piece).map_err(failed)?;
        }
        let finished = web::block(move || incoming.finish()).await;
        finished.map_err(|e| Fault::from(ServiceError::internal(e)))?.map_err(failed)
    }
}

/// Adds to the OpenAPI document what the contract does not say: that the file may also be a form's or the bare body.
pub(super) fn describe(document: &mut Value) {
    let operation = &mut document["paths"]["/imports"]["post"];
    if operation.is_null() {
        return;
    }
    let text = |description: &str| json!({"type": "string", "description": description});
    let one_of =
        |values: Vec<&str>, description: &str| json!({"type": "string", "enum": values, "description": description});
    let fields = [
        (
            "kind",
            one_of(RunKind::ALL.iter().map(|k| k.as_str()).collect(), "What the file holds; articles by default."),
        ),
        ("format", one_of(RunFormat::ALL.iter().map(|f| f.as_str()).collect(), "Its form; recognised by default.")),
        ("profile", text("The mapping profile to read it with.")),
        ("sourceName", text("Its name, for people.")),
        ("dryRun", one_of(vec!["true", "false"], "Whether to tell only what would be done.")),
        (
            "mode",
            one_of(
                ImportMode::ALL.iter().map(|m| m.as_str()).collect(),
                "Whether the file has some records, or all of them; some by default.",
            ),
        ),
        ("deleteAtMost", text("Of a full file: percent of the records that it may delete without being approved.")),
        ("priority", text("Which of the runs that wait goes first: the highest, from -9 to 9; 0 by default.")),
        (
            "allOrNothing",
            one_of(vec!["true", "false"], "Whether to write nothing if a record is refused; no by default."),
        ),
    ];
    let mut form: Map<String, Value> =
        fields.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    form.insert("file".to_owned(), json!({"description": "The file."}));
    let content = &mut operation["requestBody"]["content"];
    content["multipart/form-data"] = json!({"schema": {"type": "object", "properties": form, "required": ["file"]}});
    for media in ["application/xml", "text/csv", "application/octet-stream"] {
        content[media] = json!({});
    }
    let parameters = fields.into_iter().map(|(name, mut schema)| {
        let description = schema.as_object_mut().and_then(|s| s.remove("description"));
        let description =
            format!("{} For a file that is the bare body.", description.as_ref().and_then(Value::as_str).unwrap_or(""));
        json!({"name": name, "in": "query", "schema": schema, "description": description})
    });
    operation["parameters"] = parameters.collect();
    operation["responses"]["202"] = operation["responses"]["200"].clone();
    operation["responses"]["202"]["description"] = json!("The file was taken; the run begins when it is its turn.");
}

pub(super) fn content_type(request: &HttpRequest) -> &str {
    request.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("")
}

/// Whatever is not JSON is a file.
pub(super) fn is_file(context: &GuardContext<'_>) -> bool {
    let media = context.head().headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("");
    !media.is_empty() && !media.starts_with("application/json")
}

/// What the fields ask for; a wrong one is told.
///
/// # Errors
/// The field that is wrong.
pub(crate) fn wanted(mut fields: Fields, initiator: Initiator) -> Result<Request, Fault> {
    let mut take = |name: &str| fields.remove(name).filter(|value| !value.is_empty());
    let request = Request {
        kind: one_of("kind", take("kind"), RunKind::ALL.iter().map(|k| (k.as_str(), *k)))?.unwrap_or(RunKind::Articles),
        format: one_of("format", take("format"), RunFormat::ALL.iter().map(|f| (f.as_str(), *f)))?
            .unwrap_or(RunFormat::Auto),
        profile: take("profile"),
        source_name: take("sourceName").unwrap_or_else(|| "upload".to_owned()),
        dry_run: one_of("dryRun", take("dryRun"), [("true", true), ("false", false)])?.unwrap_or(false),
        mode: one_of("mode", take("mode"), ImportMode::ALL.iter().map(|m| (m.as_str(), *m)))?
            .unwrap_or(ImportMode::Partial),
        delete_at_most: take("deleteAtMost").map(|value| number("deleteAtMost", value, 0..=100)).transpose()?,
        retry_of: None,
        claim: None,
        priority: take("priority").map(|value| number("priority", value, -9..=9)).transpose()?.unwrap_or(0),
        all_or_nothing: one_of("allOrNothing", take("allOrNothing"), [("true", true), ("false", false)])?
            .unwrap_or(false),
        initiator,
    };
    match fields.into_keys().next() {
        None => Ok(request),
        Some(name) => {
            let message = format!(
                "The field \"{name}\" is not known; there are kind, format, profile, sourceName, dryRun, mode, \
                 deleteAtMost, priority, allOrNothing, file"
            );
            Err(ServiceError::invalid("import.unknown_field", message).of(&name, "").into())
        }
    }
}

/// What a field says, of what it may say.
fn one_of<T>(
    name: &str,
    value: Option<String>,
    known: impl IntoIterator<Item = (&'static str, T)>,
) -> Result<Option<T>, ServiceError> {
    let Some(value) = value else { return Ok(None) };
    let mut names = Vec::new();
    for (known, meaning) in known {
        if known == value {
            return Ok(Some(meaning));
        }
        names.push(known);
    }
    let message = format!("\"{name}\" is \"{value}\", but must be one of {}", names.join(", "));
    Err(ServiceError::invalid("import.unknown_value", message).of(name, &value))
}

fn number(name: &str, value: String, known: RangeInclusive<i32>) -> Result<i32, ServiceError> {
    value.parse().ok().filter(|number| known.contains(number)).ok_or_else(|| {
        let message =
            format!("\"{name}\" is \"{value}\", but must be a whole number from {} to {}", known.start(), known.end());
        ServiceError::invalid("import.unknown_value", message).of(name, &value)
    })
}
