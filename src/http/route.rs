//! The route table: every route of the server with the permission that it requires. Routes can be registered in no other way
//! (`clippy.toml` forbids actix-web's own), and each is wrapped by the check of its permission.

use super::auth;
use super::idempotency;
use actix_web::guard::{Guard, GuardContext};
use actix_web::http::Method;
use actix_web::http::header::ALLOW;
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use actix_web::{FromRequest, Handler, HttpRequest, HttpResponse, Responder, Route};
use serde::Serialize;
use soapstone_runtime::soap::Fault;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

/// The permission that a route requires.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Permission {
    /// Everyone may, without authentication.
    Public,
    /// Every authenticated caller may.
    Authenticated,
    /// Callers may whose roles and scopes cover each of these operations.
    Operations(Vec<(&'static str, &'static str)>),
    /// The message names an operation of this service; the SOAP endpoint authorizes it, with the caller that HTTP or the message
    /// itself (WS-Security) authenticates.
    Message(&'static str),
}

impl Permission {
    /// The permission to call one operation.
    pub(crate) fn operation(service: &'static str, operation: &'static str) -> Self {
        Self::Operations(vec![(service, operation)])
    }

    /// The permission for a page of the Navigator: to view pages, and to call the operation whose records it shows.
    pub(crate) fn page(service: &'static str, operation: &'static str) -> Self {
        Self::Operations(vec![("Navigator", "View"), (service, operation)])
    }

    /// The permission for an action of the Navigator: to change something there, and to call the operation that does it.
    pub(crate) fn action(service: &'static str, operation: &'static str) -> Self {
        Self::Operations(vec![("Navigator", "Change"), (service, operation)])
    }
}

/// The interface that a route belongs to: it decides how a denial is rendered, and which credentials count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Surface {
    /// SOAP endpoints and their contracts: denials are faults.
    Soap,
    /// The REST facade and other resources for programs: denials are problem details.
    Rest,
    /// Pages for a browser: its session counts, denials are pages.
    Navigator,
}

/// A route as the table describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RouteInfo {
    /// The method; `*` for all that no other route at the pattern has.
    pub method: &'static str,
    /// The pattern of paths, such as `/navigator/runs/{id}`.
    pub pattern: String,
    pub surface: Surface,
    pub permission: Permission,
    /// Whether it changes anything: then pages of other sites may not send it, and it is in the audit log.
    pub has_effect: bool,
    /// Whether the handler writes the audit log itself, with the operation that it calls.
    pub audits_itself: bool,
}

/// A route with its handler, before it is registered.
struct Entry {
    info: Arc<RouteInfo>,
    guard: Option<Box<dyn Guard>>,
    route: Route,
}

/// Collects the routes of the server, and registers them.
#[derive(Default)]
pub(crate) struct Routes {
    entries: Vec<Entry>,
}

/// Adds routes below a prefix, all of one surface.
pub(crate) struct Scope<'a> {
    routes: &'a mut Routes,
    prefix: &'static str,
    surface: Surface,
}

/// A route that is being described.
pub(crate) struct Spec<'p> {
    method: Option<Method>,
    path: &'p str,
    permission: Permission,
    guard: Option<Box<dyn Guard>>,
    has_effect: Option<bool>,
    audits_itself: bool,
    is_idempotent_by_key: bool,
}

impl<'p> Spec<'p> {
    /// A route for one method.
    pub fn new(method: Method, path: &'p str, permission: Permission) -> Self {
        Self {
            method: Some(method),
            path,
            permission,
            guard: None,
            has_effect: None,
            audits_itself: false,
            is_idempotent_by_key: false,
        }
    }

    /// A route for all methods that have none of their own at the path.
    pub fn any_method(path: &'p str, permission: Permission) -> Self {
        Self { method: None, has_effect: Some(false), ..Self::new(Method::GET, path, permission) }
    }

    /// Restricts it to requests that a guard accepts; others are for the next route of the method.
    pub fn guard(mut self, guard: impl Fn(&GuardContext<'_>) -> bool + 'static) -> Self {
        self.guard = Some(Box::new(actix_web::guard::fn_guard(guard)));
        self
    }

    /// Says that it changes something although its method is safe, or the reverse.
    pub fn with_effect(mut self, has_effect: bool) -> Self {
        self.has_effect = Some(has_effect);
        self
    }

    /// Says that the handler writes the audit log itself.
    pub fn audits_itself(mut self) -> Self {
        self.audits_itself = true;
        self
    }

    /// Says that the handler handles an `Idempotency-Key`; other routes with an effect reject one.
    pub fn idempotent_by_key(mut self) -> Self {
        self.is_idempotent_by_key = true;
        self
    }
}

impl Routes {
    /// Starts adding routes below a prefix.
    pub fn scope(&mut self, prefix: &'static str, surface: Surface) -> Scope<'_> {
        Scope { routes: self, prefix, surface }
    }

    /// The table.
    ///
    /// # Errors
    /// Returns a sentence on a route that would never be reached, as another one has its method and pattern.
    pub fn table(&self) -> Result<Vec<RouteInfo>, String> {
        let mut seen: BTreeMap<(String, &str), bool> = BTreeMap::new();
        let mut patterns: BTreeMap<String, &str> = BTreeMap::new();
        for Entry { info, guard, .. } in &self.entries {
            let pattern = patterns.entry(shape(&info.pattern)).or_insert(&info.pattern);
            if *pattern != info.pattern {
                return Err(format!("two patterns for the same paths: {pattern} and {}", info.pattern));
            }
            let has_guard = seen.entry((shape(&info.pattern), info.method)).or_insert(true);
            if !*has_guard {
                return Err(format!("two routes for {} {}", info.method, info.pattern));
            }
            *has_guard = guard.is_some();
        }
        let mut table: Vec<RouteInfo> = self.entries.iter().map(|entry| RouteInfo::clone(&entry.info)).collect();
        table.sort_by(|a, b| (&a.pattern, a.method).cmp(&(&b.pattern, b.method)));
        Ok(table)
    }

    /// Registers the routes: one resource for each pattern, the most specific pattern first.
    #[expect(clippy::disallowed_methods, reason = "the one place where routes are registered")]
    pub fn install(self, config: &mut ServiceConfig) {
        let mut resources: BTreeMap<(Specificity, String), Vec<Entry>> = BTreeMap::new();
        for entry in self.entries {
            let pattern = entry.info.pattern.clone();
            resources.entry((specificity(&pattern), pattern)).or_default().push(entry);
        }
        for ((_, pattern), entries) in resources {
            let mut resource = web::resource(pattern.as_str());
            let (of_method, of_any): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| entry.info.method != "*");
            let surface = of_method.iter().chain(&of_any).map(|entry| entry.info.surface).next();
            let answers_all = !of_any.is_empty();
            let allowed = allowed_methods(of_method.iter().map(|entry| entry.info.method));
            for Entry { route, .. } in of_method.into_iter().chain(of_any) {
                resource = resource.route(route);
            }
            if let (false, Some(surface)) = (answers_all, surface) {
                let info = RouteInfo {
                    method: "*",
                    pattern,
                    surface,
                    permission: Permission::Authenticated,
                    has_effect: false,
                    audits_itself: false,
                };
                let route = web::to(move |request: HttpRequest| {
                    let response = method_not_allowed(&request, &allowed);
                    async move { response }
                });
                resource = resource.route(protected(route, Arc::new(info)));
            }
            config.service(resource);
        }
    }
}

impl Scope<'_> {
    /// Adds a route for GET; HEAD is answered by it, too.
    pub fn get<F, Args>(&mut self, path: &str, permission: Permission, handler: F)
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.add(Spec::new(Method::GET, path, permission), handler);
    }

    /// Adds a route for POST.
    pub fn post<F, Args>(&mut self, path: &str, permission: Permission, handler: F)
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.add(Spec::new(Method::POST, path, permission), handler);
    }

    /// Adds a route.
    pub fn add<F, Args>(&mut self, spec: Spec<'_>, handler: F)
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.add_route(spec, web::to(handler));
    }

    fn add_route(&mut self, spec: Spec<'_>, mut route: Route) {
        let info = Arc::new(RouteInfo {
            method: spec.method.as_ref().map_or("*", method_name),
            pattern: format!("{}{}", self.prefix, spec.path),
            surface: self.surface,
            permission: spec.permission,
            has_effect: spec.has_effect.unwrap_or_else(|| spec.method.as_ref().is_none_or(|method| !method.is_safe())),
            audits_itself: spec.audits_itself,
        });
        if let Some(method) = spec.method {
            route = route.method(method);
        }
        let guard = spec.guard.map(Rc::new);
        if let Some(guard) = guard.clone() {
            route = route.guard(actix_web::guard::fn_guard(move |context| guard.check(context)));
        }
        // A key that has no effect must not be ignored silently.
        if info.has_effect && self.surface == Surface::Rest && !spec.is_idempotent_by_key {
            route = route.wrap(from_fn(idempotency::reject_key));
        }
        let route = protected(route, info.clone());
        let guard = guard.map(|guard| Box::new(actix_web::guard::fn_guard(move |context| guard.check(context))) as _);
        self.routes.entries.push(Entry { info, guard, route });
    }
}

/// Wraps a route by the check of its permission.
fn protected(route: Route, info: Arc<RouteInfo>) -> Route {
    route.wrap(from_fn(move |request, next| auth::authorize(info.clone(), request, next)))
}

/// The methods as the header `Allow` lists them.
fn allowed_methods<'a>(methods: impl Iterator<Item = &'a str>) -> String {
    let mut all: Vec<&str> =
        methods.flat_map(|method| [method, "HEAD"].into_iter().take(1 + usize::from(method == "GET"))).collect();
    all.sort_unstable();
    all.dedup();
    all.join(", ")
}

fn method_not_allowed(request: &HttpRequest, allowed: &str) -> HttpResponse {
    let message = format!("{} is not possible here; {allowed} is", request.method());
    let mut response = super::problem(&Fault::sender("http.method", 405, message));
    if let Ok(allowed) = allowed.parse() {
        response.headers_mut().insert(ALLOW, allowed);
    }
    response
}

fn method_name(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "*",
    }
}

/// Patterns sort by this: at the first segment that differs in kind, a literal goes before a parameter, and a parameter before
/// one that spans several segments.
type Specificity = Vec<u8>;

fn specificity(pattern: &str) -> Specificity {
    let kind = |segment: &str| match segment {
        // Whatever is left.
        segment if segment.ends_with(":.*}") => 3,
        segment if segment.contains("(?:") => 2,
        segment if segment.contains('{') => 1,
        _ => 0,
    };
    pattern.split('/').skip(1).map(kind).collect()
}

/// A pattern without the names of its parameters: two of the same shape match the same paths.
fn shape(pattern: &str) -> String {
    let mut shape = String::with_capacity(pattern.len());
    let mut is_name = false;
    for character in pattern.chars() {
        match character {
            '{' => is_name = true,
            ':' | '}' if is_name => {
                is_name = false;
                shape.push_str("{}");
            }
            _ if is_name => {}
            _ => shape.push(character),
        }
    }
    shape
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn nothing() -> HttpResponse {
        HttpResponse::Ok().finish()
    }

    fn table(routes: &[(&str, Method)]) -> Result<Vec<RouteInfo>, String> {
        let mut all = Routes::default();
        let mut scope = all.scope("/a", Surface::Rest);
        for (path, method) in routes {
            scope.add(Spec::new(method.clone(), path, Permission::Authenticated), nothing);
        }
        all.table()
    }

    #[test]
    fn routes_that_hide_each_other_are_rejected() {
        assert!(table(&[("/{id}", Method::GET), ("/{id}", Method::POST), ("/{id}/b", Method::GET)]).is_ok());
        assert!(table(&[("/{id}", Method::GET), ("/{id}", Method::GET)]).is_err());
        assert!(table(&[("/{id}", Method::GET), ("/{name}", Method::POST)]).is_err());
    }

    #[test]
    fn literal_segments_go_before_parameters() {
        let sorted = [
            "/a",
            "/a/b/{verb}",
            "/a/{id}/corrected",
            "/a/{id}/{verb}",
            "/a/{tail:.*}",
            "/{shop:(?:.*/)?}b/c",
            "/{tail:.*}",
        ];
        let mut patterns = sorted;
        patterns.reverse();
        patterns.sort_by_key(|pattern| specificity(pattern));
        assert_eq!(patterns, sorted);
    }

    #[test]
    fn a_route_has_an_effect_unless_its_method_is_safe() {
        let table = table(&[("/b", Method::GET), ("/b", Method::POST), ("/b", Method::DELETE)]).unwrap();
        let effects: Vec<_> = table.iter().map(|route| (route.method, route.has_effect)).collect();
        assert_eq!(effects, [("DELETE", true), ("GET", false), ("POST", true)]);
    }
}
