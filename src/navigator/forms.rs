//! What forms have in common.

use super::visitor::Visitor;
use super::{not_ours, refused};
use crate::exchange::Spooled;
use crate::http::upload::{Fields as Beside, Upload};
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;

/// A form that has nothing but what shows that it is ours.
#[derive(Deserialize)]
pub(super) struct Bare {
    #[serde(default)]
    pub form: String,
}

/// A form's fields, of which some come more than once.
pub(super) type Fields = Vec<(String, String)>;

/// The first field of that name.
pub(super) fn field<'a>(fields: &'a Fields, name: &str) -> &'a str {
    fields.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
}

/// All fields of that name.
pub(super) fn all<'a>(fields: &'a Fields, name: &'a str) -> impl Iterator<Item = &'a str> {
    fields.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// Takes a form with a file, and with fields that are not longer than that: the file, the fields beside it, and who sent it.
///
/// # Errors
/// The page that says why it is not taken.
pub(super) async fn with_file(
    upload: &Upload,
    request: &HttpRequest,
    payload: Payload,
    visitor: Visitor,
    longest: usize,
) -> Result<(Spooled, Beside, Visitor), HttpResponse> {
    let mut fields = Beside::new();
    let source = match upload.form(request, payload, &mut fields, longest).await {
        Ok(source) => source,
        Err(fault) => return Err(refused(visitor, fault)),
    };
    if !visitor.gave(&fields.remove("form").unwrap_or_default()) {
        return Err(not_ours(visitor));
    }
    Ok((source, fields, visitor))
}
