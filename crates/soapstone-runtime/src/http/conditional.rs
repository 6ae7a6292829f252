//! Conditional requests (RFC 9110, section 13) and preferences (RFC 7240): the version of a record is its entity tag.

use crate::service::OperationInfo;
use crate::soap::Fault;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::HashMap;

/// The member of a request that says of which version its record must be.
const IF_VERSION: &str = "ifVersion";

/// What a request asks for beside its members.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Conditions {
    /// The version that it must have; none: whatever its version.
    if_match: Option<String>,
    if_none_match: Vec<String>,
    minimal: bool,
}

/// The tags that a header lists, without quotes and marks of weakness.
fn tags(headers: &HeaderMap, name: HeaderName) -> Vec<String> {
    let values = headers.get_all(name).filter_map(|value| value.to_str().ok());
    let tag = |tag: &str| tag.trim().trim_start_matches("W/").trim_matches('"').to_owned();
    values.flat_map(|value| value.split(',')).map(tag).filter(|tag| !tag.is_empty()).collect()
}

impl Conditions {
    /// Reads what a request asks for.
    ///
    /// # Errors
    /// If it cannot be done here.
    pub fn of(request: &HttpRequest, operation: &OperationInfo) -> Result<Self, Fault> {
        let headers = request.headers();
        let mut if_match = tags(headers, header::IF_MATCH);
        // Whatever version there is.
        if_match.retain(|tag| tag != "*");
        let if_match = match (if_match.len(), operation.conditional) {
            (0, _) => None,
            (1, true) => if_match.pop().map(Some).unwrap_or_default(),
            (_, true) => return Err(refused("If-Match names more than one version; a change is based on one")),
            (_, false) => return Err(refused("If-Match is for changes of one record; this resource has none")),
        };
        if if_match.as_ref().is_some_and(|tag| tag.parse::<i64>().is_err()) {
            return Err(refused("If-Match is not a tag that was given out; it is that of the ETag header"));
        }
        let prefer = headers.get_all("prefer").filter_map(|value| value.to_str().ok());
        let minimal = prefer.flat_map(|value| value.split([',', ';'])).any(|one| one.trim() == "return=minimal");
        Ok(Self { if_match, if_none_match: tags(headers, header::IF_NONE_MATCH), minimal })
    }

    /// Adds the version that a record must have to the members of the request.
    pub fn add_to(&self, members: &mut Value) {
        if let (Some(version), Value::Object(members)) = (&self.if_match, members) {
            members.entry(IF_VERSION).or_insert_with(|| Value::String(version.clone()));
        }
    }

    /// A conflict is a condition that failed, if there was one.
    pub fn failed(&self, mut fault: Fault) -> Fault {
        if self.if_match.is_some() && fault.status == 409 {
            fault.status = 412;
        }
        fault
    }

    /// The answer as it was asked for: with the version as its tag, and without a body if nobody needs it.
    pub fn answer(&self, mut response: HttpResponse, version: Option<i64>, verb: &str) -> HttpResponse {
        let Some(version) = version.map(|version| version.to_string()) else { return response };
        let tag = HeaderValue::try_from(format!("\"{version}\""));
        let unchanged = verb == "GET" && self.if_none_match.iter().any(|tag| tag == "*" || *tag == version);
        let short = verb != "GET" && self.minimal;
        if unchanged {
            response = HttpResponse::NotModified().finish();
        } else if short {
            let applied = (HeaderName::from_static("preference-applied"), "return=minimal");
            response = HttpResponse::NoContent().insert_header(applied).finish();
        }
        if let Ok(tag) = tag {
            response.headers_mut().insert(header::ETAG, tag);
        }
        response
    }
}

fn refused(message: &str) -> Fault {
    Fault::sender("http.condition", 400, message)
}

/// A record of which only the version is wanted.
#[derive(Deserialize)]
struct Versioned {
    version: i64,
}

/// The version of the one record of a reply.
pub(super) fn version(text: &str) -> Option<i64> {
    let reply: HashMap<Cow<'_, str>, Versioned> = serde_json::from_str(text).ok()?;
    reply.into_values().next().map(|record| record.version)
}
