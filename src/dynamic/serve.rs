//! The server around a dynamic service: SOAP endpoints, REST facade, OpenAPI, pages.

use actix_web::middleware::from_fn;
use actix_web::web::{self, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use soapstone_runtime::http::{
    BaseAddress, Endpoint, EndpointOptions, Rest, Sibling, TrustedProxies, api_page, head_as_get, openapi,
    without_upgrade,
};
use soapstone_runtime::service::Service;
use soapstone_runtime::soap::Limits;
use std::net::SocketAddr;
use std::sync::Arc;

/// How a dynamic service is served.
pub struct Options {
    pub listen: SocketAddr,
    pub title: String,
    /// Whether requests are validated by libxml2 as well.
    pub validate: bool,
    pub limits: Limits,
}

/// Where the REST facade is.
const API: &str = "/api";

#[derive(Clone)]
struct State {
    rest: Rest,
    title: Arc<str>,
    endpoints: Arc<[(String, String)]>,
}

/// Serves until a signal ends it; `started` hears the base address and, for each service, its name and path.
///
/// # Errors
/// A sentence on what is in the way.
#[expect(clippy::disallowed_methods, reason = "a mock or gateway has no users")]
pub async fn serve(
    services: Vec<Arc<dyn Service>>,
    options: Options,
    started: impl FnOnce(&str, &[(String, String)]),
) -> Result<(), String> {
    let paths = paths(&services);
    let siblings = services.iter().zip(&paths).map(|(service, (_, path))| Sibling {
        namespace: service.info().namespace.to_owned(),
        port_type: service.info().name.to_owned(),
        path: path.clone(),
    });
    let settings = EndpointOptions {
        limits: options.limits,
        skip_validation: !options.validate,
        siblings: siblings.collect(),
        rest_path: Some(API.to_owned()),
        ..EndpointOptions::default()
    };
    let mut endpoints = Vec::new();
    for (service, (name, path)) in services.iter().zip(&paths) {
        let endpoint = Endpoint::new(service.clone(), path, settings.clone()).or_else(|why| {
            // What libxml2 does not take, our own readers check.
            log::warn!("libxml2 does not take the schemas of {name}, so that only the reader checks requests: {why}");
            Endpoint::new(service.clone(), path, EndpointOptions { skip_validation: true, ..settings.clone() })
        })?;
        endpoints.push(endpoint);
    }
    let rest = Rest::new(services, options.limits);
    let state = State { rest: rest.clone(), title: options.title.into(), endpoints: paths.clone().into() };
    let server = HttpServer::new(move || {
        let (endpoints, rest) = (endpoints.clone(), rest.clone());
        App::new()
            .wrap(from_fn(head_as_get))
            .wrap(from_fn(without_upgrade))
            .app_data(Data::new(state.clone()))
            .configure(|config| endpoints.iter().for_each(|endpoint| endpoint.configure(config)))
            .route("/", web::get().to(home))
            .route("/openapi.json", web::get().to(document))
            .route(API, web::get().to(page))
            .service(web::scope(API).configure(|config| rest.configure(config)))
    })
    .shutdown_timeout(20)
    .bind(options.listen)
    .map_err(|e| format!("cannot listen on {}: {e}; choose another address with --listen", options.listen))?;
    let address = server.addrs().first().copied().unwrap_or(options.listen);
    started(&format!("http://{address}"), &paths);
    server.run().await.map_err(|e| e.to_string())
}

/// The name and path of each service; portTypes of two namespaces may share a name.
fn paths(services: &[Arc<dyn Service>]) -> Vec<(String, String)> {
    let mut paths: Vec<(String, String)> = Vec::new();
    for service in services {
        let name = service.info().name;
        let mut path = format!("/soap/{name}");
        while paths.iter().any(|(_, known)| *known == path) {
            path.push('_');
        }
        paths.push((name.to_owned(), path));
    }
    paths
}

fn described(request: &HttpRequest, state: &State) -> serde_json::Value {
    let base = BaseAddress::of(request, &TrustedProxies::default()).0;
    openapi(state.rest.services(), &state.title, "1", &format!("{base}{API}"))
}

async fn document(request: HttpRequest, state: Data<State>) -> HttpResponse {
    HttpResponse::Ok().json(described(&request, &state))
}

async fn page(request: HttpRequest, state: Data<State>) -> HttpResponse {
    HttpResponse::Ok().content_type("text/html; charset=utf-8").body(api_page(&described(&request, &state)))
}

/// One service is shown at once; several are listed.
async fn home(state: Data<State>) -> HttpResponse {
    match &*state.endpoints {
        [(_, path)] => HttpResponse::Found().insert_header(("location", path.as_str())).finish(),
        several => {
            let links: String =
                several.iter().map(|(name, path)| format!("<li><a href=\"{path}\">{name}</a></li>")).collect();
            let title = &state.title;
            HttpResponse::Ok().content_type("text/html; charset=utf-8").body(format!(
                "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title><h1>{title}</h1><ul>{links}</ul>\
                 <p><a href=\"{API}\">REST</a></p></html>"
            ))
        }
    }
}
