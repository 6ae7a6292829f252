//! The web page where a person sees what the runs did. Works without script; with it, a run at work moves.

mod run_page;
mod runs_page;

use actix_web::HttpResponse;
use actix_web::web::{self, ServiceConfig};
use askama::Template;

const STYLE: &str = include_str!("assets/navigator.css");
const SCRIPT: &str = include_str!("assets/navigator.js");

/// Adds the pages and what they are drawn with.
pub fn configure(config: &mut ServiceConfig) {
    config
        .route("/navigator", web::get().to(runs_page::show))
        .route("/navigator/runs/{id}", web::get().to(run_page::show))
        .route("/navigator/assets/navigator.css", web::get().to(|| asset("text/css; charset=utf-8", STYLE)))
        .route("/navigator/assets/navigator.js", web::get().to(|| asset("text/javascript; charset=utf-8", SCRIPT)));
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
                "default-src 'self'; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'",
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

/// Says that something is not there, or does not work.
#[derive(Template)]
#[template(path = "message.html")]
struct MessagePage {
    title: &'static str,
    text: String,
}

fn not_found(text: String) -> HttpResponse {
    let mut response = page(&MessagePage { title: "Not found", text });
    *response.status_mut() = actix_web::http::StatusCode::NOT_FOUND;
    response
}

fn unavailable(error: &crate::store::StoreError) -> HttpResponse {
    log::error!("navigator: {error}");
    let text = "The database cannot be read. The log has the details.".to_owned();
    let mut response = page(&MessagePage { title: "Not available", text });
    *response.status_mut() = actix_web::http::StatusCode::SERVICE_UNAVAILABLE;
    response
}
