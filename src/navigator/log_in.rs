//! Logging in and out, and the first user.

use super::forms::Bare;
use super::visitor::Visitor;
use super::{message, moved, page, refused, unavailable};
use crate::domain::access::{SHORTEST_PASSWORD, check_name};
use crate::http::auth::{Access, COOKIE, session};
use crate::store::{Store, StoreError, sessions};
use actix_web::dev::ServiceRequest;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, SET_COOKIE};
use actix_web::web::{Data, Form, Query};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;
use soapstone_runtime::http::{client_address, is_secure};
use std::sync::Arc;

#[derive(Template)]
#[template(path = "login.html")]
struct LogInPage {
    visitor: Visitor,
    name: String,
    next: String,
    wrong: bool,
}

#[derive(Template)]
#[template(path = "setup.html")]
struct SetUpPage {
    visitor: Visitor,
    name: String,
    wrong: Option<String>,
    shortest: usize,
}

#[derive(Default, Deserialize)]
pub(super) struct Next {
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
pub(super) struct Credentials {
    name: String,
    password: String,
    #[serde(default)]
    next: String,
}

/// A place of the Navigator to go to: never another site's.
pub(super) fn place(next: &str) -> &str {
    let is_ours = next == "/navigator" || next.starts_with("/navigator/") || next.starts_with("/navigator?");
    if is_ours && !next.contains(['\\', '\r', '\n']) { next } else { "/navigator" }
}

/// Where somebody is sent who has to log in first; what is no page is refused.
pub(crate) fn log_in_first(request: &ServiceRequest) -> HttpResponse {
    if !request.method().is_safe() {
        return HttpResponse::Unauthorized()
            .content_type("text/plain; charset=utf-8")
            .body("Log in again, and send it again.\n");
    }
    let wanted = request.uri().path_and_query().map_or("/navigator", |wanted| wanted.as_str());
    let next: String = url::form_urlencoded::byte_serialize(place(wanted).as_bytes()).collect();
    moved(&format!("/navigator/login?next={next}"))
}

pub(super) async fn ask(visitor: Visitor, next: Query<Next>) -> HttpResponse {
    page(&LogInPage { visitor, name: String::new(), next: place(&next.next).to_owned(), wrong: false })
}

/// The cookie of a session, as no script and no other site gets it; an empty one is forgotten.
fn cookie(request: &HttpRequest, secret: &str) -> String {
    let secure = if is_secure(request) { "; Secure" } else { "" };
    let end = if secret.is_empty() { "; Max-Age=0" } else { "" };
    format!("{COOKIE}={secret}; Path=/; HttpOnly; SameSite=Strict{secure}{end}")
}

pub(super) async fn log_in(
    request: HttpRequest,
    access: Data<Arc<Access>>,
    visitor: Visitor,
    shown: Form<Credentials>,
) -> HttpResponse {
    let Credentials { name, password, next } = shown.into_inner();
    match access.begin(name.clone(), password, client_address(&request)).await {
        Err(fault) => refused(visitor, *fault),
        Ok(None) => {
            let mut response = page(&LogInPage { visitor, name, next: place(&next).to_owned(), wrong: true });
            *response.status_mut() = StatusCode::UNAUTHORIZED;
            response
        }
        Ok(Some(secret)) => moved_with(place(&next), cookie(&request, secret.text())),
    }
}

/// The next page, with a cookie.
fn moved_with(to: &str, cookie: String) -> HttpResponse {
    let mut response = moved(to);
    match HeaderValue::try_from(cookie) {
        Ok(cookie) => response.headers_mut().append(SET_COOKIE, cookie),
        Err(error) => log::error!("navigator: {error}"),
    }
    response
}

pub(super) async fn log_out(
    request: HttpRequest,
    store: Data<Store>,
    visitor: Visitor,
    shown: Form<Bare>,
) -> HttpResponse {
    if !visitor.gave(&shown.form) {
        return super::not_ours(visitor);
    }
    if let Some(secret) = session(request.headers())
        && let Err(error) = store.write(move |db| sessions::end(db, &secret.hash())).await
    {
        return unavailable(visitor, &error);
    }
    moved_with("/navigator/login", cookie(&request, ""))
}

pub(super) async fn set_up_page(access: Data<Arc<Access>>, visitor: Visitor) -> HttpResponse {
    match access.has_users().await {
        Err(error) => unavailable(visitor, &error),
        Ok(true) => moved("/navigator/login"),
        Ok(false) => page(&SetUpPage { visitor, name: "admin".to_owned(), wrong: None, shortest: SHORTEST_PASSWORD }),
    }
}

#[derive(Deserialize)]
pub(super) struct First {
    name: String,
    password: String,
    again: String,
}

pub(super) async fn set_up(
    request: HttpRequest,
    access: Data<Arc<Access>>,
    visitor: Visitor,
    shown: Form<First>,
) -> HttpResponse {
    let First { name, password, again } = shown.into_inner();
    let wrong = if let Err(why) = check_name(&name) {
        Some(why)
    } else if password != again {
        Some("The passwords are not the same.".to_owned())
    } else {
        match access.add_first(name.clone(), &password).await {
            Ok(true) => None,
            Ok(false) => return moved("/navigator/login"),
            Err(StoreError::Refused(error)) => Some(error.to_string()),
            Err(error) => return unavailable(visitor, &error),
        }
    };
    if wrong.is_some() {
        let mut response = page(&SetUpPage { visitor, name, wrong, shortest: SHORTEST_PASSWORD });
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
        return response;
    }
    match access.begin(name, password, client_address(&request)).await {
        Ok(Some(secret)) => moved_with("/navigator", cookie(&request, secret.text())),
        Ok(None) => message(visitor, StatusCode::CONFLICT, "Log in", "The user is there; log in.".to_owned()),
        Err(fault) => refused(visitor, *fault),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_to_another_site() {
        for (next, to) in [
            ("/navigator/runs/3?after=2", "/navigator/runs/3?after=2"),
            ("//evil.example/navigator", "/navigator"),
            ("https://evil.example", "/navigator"),
            ("/navigator.evil", "/navigator"),
            ("/navigator/\\evil", "/navigator"),
        ] {
            assert_eq!(place(next), to);
        }
    }
}
