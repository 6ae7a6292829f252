//! The web page where a person sees what the runs did. Works without script; with it, a run at work moves.

mod chart;
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

/// A number with thin gaps between thousands.
fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut out = if number < 0 { "−".to_owned() } else { String::new() };
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

/// A size in bytes, for people.
fn size(bytes: i64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "shown with one decimal place")]
    let value = bytes as f64;
    match bytes {
        ..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", value / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", value / 1e6),
        _ => format!("{:.1} GB", value / 1e9),
    }
}

/// Seconds, for people.
fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 10.0 => format!("{s:.1} s"),
        s if s < 60.0 => format!("{s:.0} s"),
        s if s < 3600.0 => format!("{:.0} min {:.0} s", (s / 60.0).floor(), s % 60.0),
        s => format!("{:.0} h {:.0} min", (s / 3600.0).floor(), (s % 3600.0) / 60.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_for_people() {
        assert_eq!(grouped(1_994), "1\u{202f}994");
        assert_eq!(grouped(999), "999");
        assert_eq!(size(98_765_432), "98.8 MB");
        assert_eq!(duration(4.25), "4.2 s");
        assert_eq!(duration(75.0), "1 min 15 s");
    }
}
