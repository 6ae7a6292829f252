//! Forms with files (`multipart/form-data`), read field by field while they arrive; their number and the texts in them are bounded.

use super::body::{Pieces, pieces};
use crate::attachment::MediaType;
use crate::attachment::multipart::{MultipartError, PartHeaders, Parts, Splitter};
use crate::soap::Fault;
use actix_web::HttpRequest;
use actix_web::http::header::{CONTENT_TYPE, ContentDisposition, HeaderValue};
use actix_web::web::{Bytes, Payload};
use futures_util::{Stream, StreamExt, stream};
use std::collections::VecDeque;
use std::fmt::Display;

/// Maximum length of a boundary; RFC 2046 has 70.
const MAX_BOUNDARY_LEN: usize = 200;

/// Characters of a field's name that are shown.
const SHOWN_CHARS: usize = 100;

/// Bounds of a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FormLimits {
    /// Fields and files.
    pub fields: usize,
    /// Bytes of all fields that are no files.
    pub text: usize,
}

/// A field of a form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FormField {
    pub name: String,
    /// Of a file.
    pub file_name: Option<String>,
}

impl FormField {
    fn of(headers: &PartHeaders) -> Self {
        let disposition = headers.iter().find(|(name, _)| name == "content-disposition").map(|(_, value)| value);
        let disposition = disposition
            .and_then(|value| HeaderValue::from_bytes(value.as_bytes()).ok())
            .and_then(|value| ContentDisposition::from_raw(&value).ok());
        let Some(disposition) = disposition else { return Self::default() };
        Self {
            name: disposition.get_name().unwrap_or("").to_owned(),
            file_name: disposition.get_filename().map(str::to_owned),
        }
    }

    fn shown(&self) -> String {
        self.name.chars().take(SHOWN_CHARS).collect()
    }
}

/// A form on its way.
pub struct Form {
    pieces: Pieces,
    splitter: Splitter,
    found: Found,
    has_ended: bool,
    /// Bytes that texts may still have.
    text_left: usize,
}

enum Event {
    Field(PartHeaders),
    Data(Bytes),
    End,
}

/// Content found in the chunks so far.
struct Found {
    events: VecDeque<Event>,
    fields_left: usize,
}

enum FormError {
    Multipart(MultipartError),
    TooManyFields,
}

impl From<MultipartError> for FormError {
    fn from(error: MultipartError) -> Self {
        Self::Multipart(error)
    }
}

impl Parts for Found {
    type Error = FormError;

    fn begin(&mut self, headers: PartHeaders) -> Result<(), FormError> {
        self.fields_left = self.fields_left.checked_sub(1).ok_or(FormError::TooManyFields)?;
        self.events.push_back(Event::Field(headers));
        Ok(())
    }

    fn data(&mut self, piece: &[u8]) -> Result<(), FormError> {
        self.events.push_back(Event::Data(Bytes::copy_from_slice(piece)));
        Ok(())
    }

    fn end(&mut self) -> Result<(), FormError> {
        self.events.push_back(Event::End);
        Ok(())
    }
}

fn unreadable(why: impl Display) -> Fault {
    Fault::sender("http.form", 400, format!("The form cannot be read: {why}"))
}

impl Form {
    /// Reads the form that is a request's body.
    ///
    /// # Errors
    /// Returns `http.form` if the content type is not that of a form.
    pub fn new(request: &HttpRequest, payload: Payload, limits: FormLimits) -> Result<Self, Fault> {
        let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
        let media = MediaType::parse(content_type);
        let boundary = media.parameter("boundary").filter(|b| !b.is_empty() && b.len() <= MAX_BOUNDARY_LEN);
        let Some(boundary) = boundary.filter(|_| media.essence == "multipart/form-data") else {
            return Err(unreadable("the content type must be multipart/form-data with a boundary"));
        };
        Ok(Self {
            pieces: pieces(request, payload),
            splitter: Splitter::new(boundary),
            found: Found { events: VecDeque::new(), fields_left: limits.fields },
            has_ended: false,
            text_left: limits.text,
        })
    }

    /// The next field, past what is left of the one before; None at the end.
    ///
    /// # Errors
    /// Returns `http.form` if the form cannot be read, or has too many fields.
    pub async fn next_field(&mut self) -> Result<Option<FormField>, Fault> {
        loop {
            match self.event().await? {
                Some(Event::Field(headers)) => return Ok(Some(FormField::of(&headers))),
                Some(Event::Data(_) | Event::End) => {}
                None => return Ok(None),
            }
        }
    }

    /// The next piece of the field; None at its end.
    ///
    /// # Errors
    /// As [`Form::next_field`].
    pub async fn piece(&mut self) -> Result<Option<Bytes>, Fault> {
        match self.event().await? {
            Some(Event::Data(piece)) => Ok(Some(piece)),
            Some(Event::Field(headers)) => {
                self.found.events.push_front(Event::Field(headers));
                Ok(None)
            }
            Some(Event::End) | None => Ok(None),
        }
    }

    /// The pieces of the field.
    pub fn pieces(&mut self) -> impl Stream<Item = Result<Bytes, Fault>> + Unpin {
        Box::pin(stream::unfold(Some(self), |form| async move {
            let form = form?;
            match form.piece().await {
                Ok(piece) => piece.map(|piece| (Ok(piece), Some(form))),
                Err(fault) => Some((Err(fault), None)),
            }
        }))
    }

    /// The text of the field, of at most `limit` bytes.
    ///
    /// # Errors
    /// As [`Form::next_field`]; 413 if this text, or all of them together, are too long.
    pub async fn text(&mut self, field: &FormField, limit: usize) -> Result<String, Fault> {
        let mut text = Vec::new();
        while let Some(piece) = self.piece().await? {
            text.extend_from_slice(&piece);
            if text.len() > limit {
                let message = format!("The field \"{}\" is longer than {limit} bytes", field.shown());
                return Err(Fault::sender("http.form", 413, message));
            }
            self.text_left = self
                .text_left
                .checked_sub(piece.len())
                .ok_or_else(|| Fault::sender("http.form", 413, "The texts of the form are too long together"))?;
        }
        String::from_utf8(text).map_err(|_| unreadable(format!("\"{}\" is not UTF-8", field.shown())))
    }

    async fn event(&mut self) -> Result<Option<Event>, Fault> {
        loop {
            if let Some(event) = self.found.events.pop_front() {
                return Ok(Some(event));
            }
            if self.has_ended {
                return Ok(None);
            }
            match self.pieces.next().await {
                Some(piece) => self.splitter.push(&piece?, &mut self.found).map_err(|error| match error {
                    FormError::Multipart(error) => unreadable(error),
                    FormError::TooManyFields => Fault::sender("http.form", 413, "The form has too many fields"),
                })?,
                None => {
                    self.splitter.finish().map_err(unreadable)?;
                    self.has_ended = true;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::FromRequest;
    use actix_web::test::TestRequest;

    const LIMITS: FormLimits = FormLimits { fields: 3, text: 10 };

    async fn form(body: &str) -> Form {
        let request = TestRequest::default()
            .insert_header((CONTENT_TYPE, "multipart/form-data; boundary=b"))
            .set_payload(body.to_owned());
        let (request, mut payload) = request.to_http_parts();
        let payload = Payload::from_request(&request, &mut payload).await.unwrap();
        Form::new(&request, payload, LIMITS).unwrap()
    }

    fn field(disposition: &str, content: &str) -> String {
        format!("--b\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{content}\r\n")
    }

    async fn read(body: &str) -> Result<Vec<(String, Option<String>, String)>, Fault> {
        let (mut form, mut found) = (form(body).await, Vec::new());
        while let Some(field) = form.next_field().await? {
            let text = form.text(&field, 8).await?;
            found.push((field.name, field.file_name, text));
        }
        Ok(found)
    }

    #[actix_web::test]
    async fn fields_come_one_by_one() {
        let body =
            [field("name=\"kind\"", "a"), field("name=\"file\"; filename=\"ä b.csv\"", "1\r\n2"), "--b--\r\n".into()];
        let found = read(&body.concat()).await.unwrap();
        assert_eq!(found[0], ("kind".to_owned(), None, "a".to_owned()));
        assert_eq!(found[1], ("file".to_owned(), Some("ä b.csv".to_owned()), "1\r\n2".to_owned()));
        // Content of a field that is not read is skipped.
        let mut form = form(&body.concat()).await;
        form.next_field().await.unwrap();
        assert_eq!(form.next_field().await.unwrap().map(|field| field.name), Some("file".to_owned()));
        assert_eq!(form.next_field().await.unwrap(), None);
    }

    #[actix_web::test]
    async fn what_is_too_much_is_rejected() {
        let told = |fault: Fault| (fault.status, fault.message);
        let many = (0..4).map(|n| field(&format!("name=\"{n}\""), "x")).collect::<String>() + "--b--";
        assert_eq!(told(read(&many).await.unwrap_err()), (413, "The form has too many fields".to_owned()));
        let long = field("name=\"n\"", "123456789") + "--b--";
        assert_eq!(told(read(&long).await.unwrap_err()).0, 413);
        let together = field("name=\"n\"", "12345678") + &field("name=\"m\"", "123") + "--b--";
        assert!(told(read(&together).await.unwrap_err()).1.contains("together"));
        let header = format!("--b\r\nContent-Disposition: form-data; name=\"{}\"\r\n", "x".repeat(70_000));
        assert!(told(read(&header).await.unwrap_err()).1.contains("64 KB"));
        assert_eq!(told(read("--b\r\n\r\ncut off").await.unwrap_err()).0, 400);
    }
}
