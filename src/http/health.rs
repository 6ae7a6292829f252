//! Whether the server lives, and whether it can work.

use crate::store::{Store, articles};
use actix_web::HttpResponse;
use actix_web::web::{self, Data, ServiceConfig};
use serde_json::json;

pub(super) fn configure(config: &mut ServiceConfig) {
    config.route("/health", web::get().to(live)).route("/ready", web::get().to(ready));
}

async fn live() -> HttpResponse {
    HttpResponse::Ok().json(json!({"status": "ok"}))
}

async fn ready(store: Data<Store>) -> HttpResponse {
    match store.read(articles::count).await {
        Ok(count) => HttpResponse::Ok().json(json!({"status": "ready", "articles": count})),
        Err(e) => {
            log::warn!("not ready: {e}");
            HttpResponse::ServiceUnavailable().json(json!({"status": "not ready", "reason": "database"}))
        }
    }
}
