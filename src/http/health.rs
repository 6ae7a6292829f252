//! Whether the server lives, and whether it can work.

use super::route::{Permission, Scope};
use crate::store::faults::{self, Resource};
use crate::store::{Store, articles};
use actix_web::HttpResponse;
use actix_web::web::Data;
use serde_json::json;

pub(super) fn add_routes(routes: &mut Scope<'_>) {
    routes.get("/health", Permission::Public, live);
    routes.get("/ready", Permission::Public, ready);
}

async fn live() -> HttpResponse {
    HttpResponse::Ok().json(json!({"status": "ok"}))
}

async fn ready(store: Data<Store>) -> HttpResponse {
    match store.read(articles::count).await {
        // What is there can still be read.
        Ok(count) if faults::missing() == Some(Resource::Space) => {
            HttpResponse::Ok().json(json!({"status": "ready", "articles": count, "missing": "space"}))
        }
        Ok(count) => HttpResponse::Ok().json(json!({"status": "ready", "articles": count})),
        Err(e) => {
            log::warn!("not ready: {e}");
            HttpResponse::ServiceUnavailable().json(json!({"status": "not ready", "reason": "database"}))
        }
    }
}
