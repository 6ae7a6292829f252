//! What SOAP has beside the body, over REST: header blocks are HTTP headers with JSON in them (`Soap-Header-NAME`),
//! attachments are members of `@attachments`.

use crate::attachment::{Attachment, Attachments};
use crate::service::{Beside, OperationInfo};
use crate::soap::{Fault, HeaderBlock, HeaderContent, Headers};
use actix_web::HttpResponse;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// The member of a request or reply that has its attachments.
pub const ATTACHMENTS: &str = "@attachments";

/// The HTTP header that carries a header block of that name.
pub fn header_name(local: &str) -> String {
    format!("Soap-Header-{local}")
}

/// The header blocks of an operation's request.
///
/// # Errors
/// If one is not JSON.
pub(super) fn headers(operation: &OperationInfo, headers: &HeaderMap) -> Result<Headers, Fault> {
    let mut found = Headers::default();
    for field in operation.headers {
        let name = header_name(field.local);
        let Some(value) = headers.get(&name) else { continue };
        let value = crate::json::parse(value.as_bytes()).map_err(|mut error| {
            error.message = format!("the HTTP header {name}: {}", error.message);
            Fault::invalid(vec![*error])
        })?;
        found.0.push(HeaderBlock::of(field.namespace, field.local, HeaderContent::Json(value)));
    }
    Ok(found)
}

/// Takes the attachments out of a request's members.
///
/// # Errors
/// If one is missing, or not what it must be.
pub(super) fn attachments(
    operation: &OperationInfo,
    members: Option<&mut Map<String, Value>>,
) -> Result<Attachments, Fault> {
    if operation.attachments.is_empty() {
        return Ok(Attachments::default());
    }
    let given = members.and_then(|members| members.remove(ATTACHMENTS)).unwrap_or_default();
    let mut found = Vec::new();
    for part in operation.attachments {
        let attachment = &given[*part];
        let Some(content) = attachment["content"].as_str() else {
            let message = format!(
                "The attachment \"{part}\" is missing: {{\"{ATTACHMENTS}\": {{\"{part}\": {{\"mediaType\": \"…\", \"content\": \"base64\"}}}}}}"
            );
            return Err(Fault::sender("soap.attachment_missing", 422, message));
        };
        let content = STANDARD.decode(content.split_ascii_whitespace().collect::<String>()).map_err(|_| {
            let message = format!("The content of the attachment \"{part}\" is not base64");
            Fault::sender("message.invalid", 422, message)
        })?;
        found.push(Attachment::new(part, attachment["mediaType"].as_str().unwrap_or_default(), content));
    }
    Ok(found.into())
}

/// The reply with what goes beside it.
pub(super) fn reply(text: String, beside: Beside) -> Result<HttpResponse, Fault> {
    let unreadable = |e: std::io::Error| {
        log::error!("an attachment cannot be read: {e}");
        Fault::receiver("server.internal", 500, "An attachment cannot be read")
    };
    let mut text = text;
    if !beside.attachments.is_empty() {
        let mut members = Map::new();
        for attachment in beside.attachments {
            let content = STANDARD.encode(attachment.content.bytes().map_err(unreadable)?);
            members.insert(attachment.part, json!({"mediaType": attachment.media_type, "content": content}));
        }
        text.truncate(text.trim_end().len().saturating_sub(1));
        let separator = if text == "{" { "" } else { "," };
        text.push_str(&format!("{separator}\"{ATTACHMENTS}\":{}}}", Value::Object(members)));
    }
    let mut response = HttpResponse::Ok().content_type("application/json").body(text);
    add_headers(&mut response, &beside.headers);
    Ok(response)
}

/// Adds header blocks as HTTP headers.
pub(super) fn add_headers(response: &mut HttpResponse, headers: &Headers) {
    for block in &headers.0 {
        let HeaderContent::Json(value) = &block.content else { continue };
        let name = HeaderName::try_from(header_name(&block.local));
        if let (Ok(name), Ok(value)) = (name, HeaderValue::try_from(ascii(&value.to_string()))) {
            response.headers_mut().append(name, value);
        }
    }
}

/// JSON with nothing but ASCII in it.
fn ascii(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for character in json.chars() {
        if character.is_ascii() {
            out.push(character);
        } else {
            character.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}")));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attachments_join_the_other_members() {
        let beside = |part: &str| Beside {
            attachments: vec![Attachment::new(part, "text/plain", b"abc".to_vec())],
            ..Beside::default()
        };
        let text = |response: HttpResponse| {
            use actix_web::body::MessageBody;
            String::from_utf8(response.into_body().try_into_bytes().unwrap().to_vec()).unwrap()
        };
        let wanted = "\"@attachments\":{\"p\":{\"mediaType\":\"text/plain\",\"content\":\"YWJj\"}}}";
        assert_eq!(text(reply("{}".to_owned(), beside("p")).unwrap()), format!("{{{wanted}"));
        assert_eq!(text(reply("{\"a\":{}}".to_owned(), beside("p")).unwrap()), format!("{{\"a\":{{}},{wanted}"));
    }

    #[test]
    fn headers_are_ascii() {
        assert_eq!(ascii("\"ü😀a\""), "\"\\u00fc\\ud83d\\ude00a\"");
    }
}
