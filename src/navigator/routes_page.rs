//! The routes of the server, with the permission that each requires, and the roles that have it.

use super::page;
use super::visitor::Visitor;
use crate::domain::access::covers;
use crate::http::auth::Access;
use crate::http::route::{Permission, RouteInfo};
use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;
use serde_json::json;
use std::sync::Arc;

/// The route table of the server.
pub(crate) struct RouteTable(pub Vec<RouteInfo>);

#[derive(Template)]
#[template(path = "routes.html")]
struct RoutesPage {
    visitor: Visitor,
    roles: Vec<String>,
    rows: Vec<Row>,
}

struct Row {
    method: &'static str,
    pattern: String,
    requires: String,
    has_effect: bool,
    /// Whether each role may use it.
    allowed: Vec<bool>,
}

/// The permission as the page names it.
fn requires(permission: &Permission, visitor: &Visitor) -> String {
    match permission {
        Permission::Public => visitor.t("nothing").to_owned(),
        Permission::Authenticated => visitor.t("a log-in").to_owned(),
        Permission::Operations(operations) => {
            let names: Vec<String> = operations.iter().map(|(service, name)| format!("{service}.{name}")).collect();
            names.join(" ")
        }
        Permission::Message(service) => format!("{service}.…"),
    }
}

pub(super) async fn show(table: Data<RouteTable>, access: Data<Arc<Access>>, visitor: Visitor) -> HttpResponse {
    let roles: Vec<String> = access.roles().names().map(str::to_owned).collect();
    let patterns: Vec<_> = roles.iter().map(|role| access.roles().permissions(role)).collect();
    let is_allowed = |permission: &Permission, role: &Vec<_>| match permission {
        Permission::Public | Permission::Authenticated | Permission::Message(_) => true,
        Permission::Operations(operations) => operations.iter().all(|(service, name)| covers(role, service, name)),
    };
    let row = |route: &RouteInfo| Row {
        method: route.method,
        pattern: route.pattern.clone(),
        requires: requires(&route.permission, &visitor),
        has_effect: route.has_effect,
        allowed: patterns.iter().map(|role| is_allowed(&route.permission, role)).collect(),
    };
    let rows = table.0.iter().map(row).collect();
    page(&RoutesPage { rows, roles, visitor })
}

/// The table for programs.
pub(super) async fn json(table: Data<RouteTable>, _: Visitor) -> HttpResponse {
    HttpResponse::Ok().json(json!({"route": table.0}))
}
