//! The web pages where a person sees what the runs did, and steers them. They work without script; with it, a run at work moves.

mod access_page;
mod certificates;
mod channels_page;
mod contracts_page;
mod data;
mod events;
mod exports_page;
mod forms;
mod hooks_page;
mod import_page;
mod language;
mod log_in;
mod messages_page;
mod outcome;
mod overview_page;
mod profiles_page;
mod query;
mod replay;
mod run_page;
mod runs_page;
mod source_page;
mod steering;
mod system_page;
mod visitor;

pub(crate) use contracts_page::Contracts;
pub(crate) use events::Pulse;
pub(crate) use log_in::log_in_first;

use crate::error::ServiceError;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, HeaderValue, LOCATION, SET_COOKIE};
use actix_web::web::{self, ServiceConfig};
use askama::Template;
use language::Language;
use serde::Deserialize;
use soapstone_runtime::soap::Fault;
use std::fmt::Display;
use visitor::Visitor;

const STYLE: &str = include_str!("assets/navigator.css");
const SCRIPT: &str = include_str!("assets/navigator.js");

/// Bytes of a form without a file: a profile, or a request to try.
const MAX_FORM: usize = 1 << 20;

/// Adds the pages and what they are drawn with.
pub fn configure(config: &mut ServiceConfig) {
    system_page::begin();
    config
        .app_data(web::FormConfig::default().limit(MAX_FORM))
        .route("/navigator", web::get().to(overview_page::show))
        .route("/navigator/runs", web::get().to(runs_page::show))
        .route("/navigator/runs/{id}", web::get().to(run_page::show))
        .route("/navigator/runs/{id}/source", web::get().to(source_page::show))
        .route("/navigator/runs/{id}/corrected", web::post().to(steering::corrected))
        .route("/navigator/runs/{id}/{deed}", web::post().to(steering::steer))
        .route("/navigator/import", web::get().to(import_page::show))
        .route("/navigator/import", web::post().to(import_page::begin))
        .configure(data::configure)
        .route("/navigator/events", web::get().to(events::listen))
        .route("/navigator/language/{code}", web::get().to(choose_language))
        .route("/navigator/import/{sha256}", web::get().to(import_page::preview_page))
        .route("/navigator/import/{sha256}", web::post().to(import_page::carry_on))
        .route("/navigator/access", web::get().to(access_page::show))
        .route("/navigator/access/{deed}", web::post().to(access_page::change))
        .route("/navigator/exports", web::get().to(exports_page::show))
        .route("/navigator/exports", web::post().to(exports_page::begin))
        .route("/navigator/exports/{id}/{deed}", web::post().to(exports_page::settle))
        .route("/navigator/channels", web::get().to(channels_page::show))
        .route("/navigator/channels/run-now", web::post().to(channels_page::run_now))
        .route("/navigator/profiles", web::get().to(profiles_page::list))
        .route("/navigator/profiles/edit", web::get().to(profiles_page::edit))
        .route("/navigator/profiles/save", web::post().to(profiles_page::save))
        .route("/navigator/profiles/remove", web::post().to(profiles_page::remove))
        .route("/navigator/profiles/test", web::post().to(profiles_page::test))
        .route("/navigator/profiles/new", web::post().to(profiles_page::new))
        .route("/navigator/contracts", web::get().to(contracts_page::list))
        .route("/navigator/contract", web::get().to(contracts_page::show))
        .route("/navigator/contract/try", web::post().to(contracts_page::try_it))
        .route("/navigator/hooks", web::get().to(hooks_page::show))
        .route("/navigator/hooks/target", web::post().to(hooks_page::change))
        .route("/navigator/hooks/{deed}", web::post().to(hooks_page::send))
        .route("/navigator/messages", web::get().to(messages_page::list))
        .route("/navigator/messages/{id}/dry-run", web::post().to(replay::dry_run))
        .route("/navigator/messages/{id}/call", web::get().to(replay::by_hand))
        .route("/navigator/messages/{id}", web::get().to(messages_page::show))
        .route("/navigator/system", web::get().to(system_page::show))
        .route("/navigator/login", web::get().to(log_in::ask))
        .route("/navigator/login", web::post().to(log_in::log_in))
        .route("/navigator/logout", web::post().to(log_in::log_out))
        .route("/navigator/setup", web::get().to(log_in::set_up_page))
        .route("/navigator/setup", web::post().to(log_in::set_up))
        .route("/navigator/assets/navigator.css", web::get().to(|| asset("text/css; charset=utf-8", STYLE)))
        .route("/navigator/assets/navigator.js", web::get().to(|| asset("text/javascript; charset=utf-8", SCRIPT)));
}

/// Keeps a language that somebody chose, and goes back to where he was.
async fn choose_language(code: web::Path<String>, back: web::Query<Back>) -> HttpResponse {
    let mut response = moved(log_in::place(&back.to));
    if let Some(language) = Language::parse(&code) {
        response.headers_mut().append(SET_COOKIE, HeaderValue::from_static(language.cookie()));
    }
    response
}

#[derive(Deserialize)]
struct Back {
    #[serde(default)]
    to: String,
}

async fn asset(media_type: &'static str, text: &'static str) -> HttpResponse {
    HttpResponse::Ok().content_type(media_type).insert_header(("cache-control", "max-age=300")).body(text)
}

/// Draws a page. Nothing on it comes from another host.
fn page(template: &impl Template) -> HttpResponse {
    match template.render() {
        Ok(html) => HttpResponse::Ok()
            .content_type("text/html; charset=utf-8")
            .insert_header((
                "content-security-policy",
                "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; \
                 form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
            ))
            .insert_header(("cache-control", "no-store"))
            .body(html),
        Err(e) => {
            log::error!("page: {e}");
            HttpResponse::InternalServerError()
                .content_type("text/plain; charset=utf-8")
                .body("The page cannot be drawn.\n")
        }
    }
}

/// The next page, after a form.
fn moved(to: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, to)).insert_header((CACHE_CONTROL, "no-store")).finish()
}

/// Says that something is not there, or does not work.
#[derive(Template)]
#[template(path = "message.html")]
struct MessagePage {
    visitor: Visitor,
    title: &'static str,
    text: String,
    code: String,
}

fn message(visitor: Visitor, status: StatusCode, title: &'static str, text: String) -> HttpResponse {
    let mut response = page(&MessagePage { visitor, title, text, code: String::new() });
    *response.status_mut() = status;
    response
}

fn not_found(visitor: Visitor, text: String) -> HttpResponse {
    message(visitor, StatusCode::NOT_FOUND, "Not found", text)
}

/// What was asked for is not done; why.
fn refused(visitor: Visitor, fault: Fault) -> HttpResponse {
    let status = StatusCode::from_u16(fault.status).unwrap_or(StatusCode::BAD_REQUEST);
    let code = fault.subcode.into_owned();
    let mut response = page(&MessagePage { visitor, title: "That did not work", text: fault.message, code });
    *response.status_mut() = status;
    response
}

/// He may not do it; who might.
fn may_not(visitor: Visitor, operation: &str) -> HttpResponse {
    let text = visitor.tell("You may not do this; a role that may do {} would.", operation);
    message(visitor, StatusCode::FORBIDDEN, "Not allowed", text)
}

/// He may not see it; who might.
fn may_not_see(visitor: Visitor, operation: &str) -> HttpResponse {
    let text = visitor.tell("You may not see this; a role that may do {} would.", operation);
    message(visitor, StatusCode::FORBIDDEN, "Not allowed", text)
}

/// Something of ours went wrong: the log has it, under the reference that he sees.
fn broken(visitor: Visitor, why: impl Display) -> HttpResponse {
    refused(visitor, ServiceError::internal(why).into())
}

/// A form that no page of ours gave to him, or of a session that is over.
fn not_ours(visitor: Visitor) -> HttpResponse {
    let text = "The form is not of this session. Open the page again, and send it again.".to_owned();
    message(visitor, StatusCode::FORBIDDEN, "Not done", text)
}

fn unavailable(visitor: Visitor, error: &crate::store::StoreError) -> HttpResponse {
    log::error!("navigator: {error}");
    let text = "The database cannot be read. The log has the details.".to_owned();
    message(visitor, StatusCode::SERVICE_UNAVAILABLE, "Not available", text)
}
