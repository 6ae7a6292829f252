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
mod routes_page;
mod run_page;
mod runs_page;
mod source_page;
mod steering;
mod system_page;
mod visitor;

pub(crate) use certificates::certificates;
pub(crate) use contracts_page::Contracts;
pub(crate) use events::Pulse;
pub(crate) use log_in::log_in_first;
pub(crate) use routes_page::RouteTable;

use crate::error::ServiceError;
use crate::http::route::{Permission, Routes, Spec, Surface};
use crate::store::faults::Resource;
use actix_web::http::header::{CACHE_CONTROL, HeaderValue, LOCATION, SET_COOKIE};
use actix_web::http::{Method, StatusCode};
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use language::Language;
use serde::Deserialize;
use soapstone_runtime::soap::Fault;
use std::fmt::Display;
use visitor::Visitor;

const STYLE: &str = include_str!("assets/navigator.css");
const SCRIPT: &str = include_str!("assets/navigator.js");

/// Bytes of a form without a file: a profile, or a request to try.
pub(crate) const MAX_FORM: usize = 1 << 20;

/// Sets up what the pages need.
pub fn configure(config: &mut ServiceConfig) {
    system_page::begin();
    config.app_data(web::FormConfig::default().limit(MAX_FORM));
}

/// Adds the pages, and the actions behind their forms.
pub(crate) fn add_routes(all: &mut Routes) {
    use Permission::{Authenticated, Public};
    let mut routes = all.scope("/navigator", Surface::Navigator);
    let view = Permission::operation("Navigator", "View");
    routes.get("", view.clone(), overview_page::show);
    routes.get("/runs", Permission::page("Exchange", "ListRuns"), runs_page::show);
    routes.get("/runs/{id}", Permission::page("Exchange", "GetRun"), run_page::show);
    routes.get("/runs/{id}/source", Permission::page("Exchange", "GetArtifact"), source_page::show);
    let import = Permission::action("Exchange", "StartImport");
    routes.post("/runs/{id}/corrected", import.clone(), steering::corrected);
    for (name, operation) in steering::actions() {
        routes.post(&action("/runs/{id}", name), Permission::action("Exchange", operation), steering::steer);
    }
    routes.get("/import", import.clone(), import_page::show);
    routes.post("/import", import.clone(), import_page::begin);
    routes.get("/import/{sha256}", import.clone(), import_page::preview_page);
    routes.post("/import/{sha256}", import, import_page::carry_on);
    routes.get("/exports", Permission::page("Exchange", "ListRuns"), exports_page::show);
    routes.post("/exports", Permission::action("Exchange", "StartExport"), exports_page::begin);
    for (name, operation) in exports_page::ACTIONS {
        routes.post(&action("/exports/{id}", name), Permission::action("Orders", operation), exports_page::settle);
    }
    routes.get("/channels", Permission::page("Exchange", "ListRuns"), channels_page::show);
    // What the schedule does decides whether an import or an export is started: the handler asks for it.
    routes.post("/channels/run-now", Permission::operation("Navigator", "Change"), channels_page::run_now);
    data::add_routes(&mut routes);
    let profiles = Permission::operation("Profiles", "Change");
    routes.get("/profiles", view.clone(), profiles_page::list);
    routes.get("/profiles/edit", view.clone(), profiles_page::edit);
    routes.post("/profiles/save", profiles.clone(), profiles_page::save);
    routes.post("/profiles/remove", profiles.clone(), profiles_page::remove);
    routes.post("/profiles/test", profiles.clone(), profiles_page::test);
    routes.post("/profiles/new", profiles, profiles_page::new);
    routes.get("/contracts", view.clone(), contracts_page::list);
    routes.get("/contract", view.clone(), contracts_page::show);
    // The form names the operation that is tried: the handler asks for it.
    routes.post("/contract/try", Permission::operation("Navigator", "Change"), contracts_page::try_it);
    routes.get("/hooks", Permission::page("Signals", "ListTargets"), hooks_page::show);
    // The form says whether a target is changed or deleted: the handler asks for it.
    routes.post("/hooks/target", Permission::operation("Navigator", "Change"), hooks_page::change);
    for (name, operation) in hooks_page::ACTIONS {
        routes.post(&action("/hooks", name), Permission::action("Signals", operation), hooks_page::send);
    }
    let messages = Permission::page("Messages", "Read");
    routes.get("/messages", messages.clone(), messages_page::list);
    routes.get("/messages/{id}", messages.clone(), messages_page::show);
    routes.get("/messages/{id}/call", messages, replay::by_hand);
    let replay = vec![("Messages", "Read"), ("Navigator", "Change"), ("Exchange", "StartImport")];
    routes.post("/messages/{id}/dry-run", Permission::Operations(replay), replay::dry_run);
    routes.get("/system", Permission::page("System", "Read"), system_page::show);
    let access = Permission::operation("Access", "Change");
    routes.get("/access", access.clone(), access_page::show);
    routes.get("/access/routes", access.clone(), routes_page::show);
    routes.get("/access/routes.json", access.clone(), routes_page::json);
    routes.post("/access/{deed}", access, access_page::change);
    routes.get("/events", view, events::listen);
    routes.get("/language/{code}", Public, choose_language);
    routes.get("/login", Public, log_in::ask);
    // Writes the audit log itself, whether the log-in succeeds or not.
    routes.add(Spec::new(Method::POST, "/login", Public).audits_itself(), log_in::log_in);
    routes.post("/logout", Authenticated, log_in::log_out);
    routes.get("/setup", Public, log_in::set_up_page);
    routes.post("/setup", Public, log_in::set_up);
    routes.get("/assets/navigator.css", Public, || asset("text/css; charset=utf-8", STYLE));
    routes.get("/assets/navigator.js", Public, || asset("text/javascript; charset=utf-8", SCRIPT));
    routes.add(Spec::any_method("/{tail:.*}", Authenticated), unknown_page);
}

/// The pattern of an action with a name of its own.
fn action(prefix: &str, name: &str) -> String {
    format!("{prefix}/{{action:{name}}}")
}

async fn unknown_page(visitor: Visitor) -> HttpResponse {
    not_found(visitor, "There is no such page.".to_owned())
}

/// Renders a denial as a page.
pub(crate) fn denied(request: &HttpRequest, fault: Fault) -> HttpResponse {
    let visitor = Visitor::unauthenticated(request);
    let title = if fault.status == 403 { "Not allowed" } else { "That did not work" };
    let status = StatusCode::from_u16(fault.status).unwrap_or(StatusCode::FORBIDDEN);
    let code = fault.subcode.into_owned();
    let mut response = page(&MessagePage { visitor, title, text: fault.message, code });
    *response.status_mut() = status;
    response
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
    // What was asked for is not possible, such as to search for a very long text.
    if let crate::store::StoreError::Refused(error) = error {
        return refused(visitor, ServiceError::clone(error).into());
    }
    log::error!("navigator: {error}");
    if error.missing() == Some(Resource::Space) {
        let text = visitor.t("There is no room to store it. Try again later.").to_owned();
        return message(visitor, StatusCode::INSUFFICIENT_STORAGE, "Not available", text);
    }
    let text = "The database cannot be read. The log has the details.".to_owned();
    message(visitor, StatusCode::SERVICE_UNAVAILABLE, "Not available", text)
}
