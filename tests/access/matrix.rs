//! Every route of the server × every kind of caller × methods × spellings of the path, from the server's own route table: a
//! new route is covered without a test of its own.

use super::{PASSWORD, add, basic};
use crate::support::wire::{Answer, Wire};
use crate::support::{Database, Server, Site};
use serde_json::Value;
use std::collections::BTreeMap;

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// A route of the table.
#[derive(Clone, Debug)]
struct Route {
    method: String,
    pattern: String,
    surface: String,
    requires: Requires,
}

#[derive(Clone, Debug, PartialEq)]
enum Requires {
    Nothing,
    LogIn,
    Operations(Vec<String>),
    /// The message decides.
    Message,
}

/// A kind of caller: the header that authenticates it, and the patterns of what it may do.
struct Principal {
    name: &'static str,
    authorization: Option<String>,
    /// Each list has to cover an operation: that of the role, and that of the token's scopes.
    permissions: Vec<Vec<&'static str>>,
}

const VIEWER: &str =
    "*.Get* *.List* Inventory.CheckAvailability Navigator.View Metrics.Read Pricing.FindPrice Pricing.SimulateBasket";
const OPERATOR: &str = "*.Get* *.List* Catalog.* Customers.* Exchange.* Inventory.* Listener.* Media.* Messages.* Navigator.* \
                        Metrics.* System.* Orders.* Pricing.* Profiles.* Signals.*";

fn words(text: &'static str) -> Vec<&'static str> {
    text.split_whitespace().collect()
}

fn covers(pattern: &str, operation: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == operation,
        Some((before, rest)) => operation
            .strip_prefix(before)
            .is_some_and(|left| (0..=left.len()).any(|at| left.is_char_boundary(at) && covers(rest, &left[at..]))),
    }
}

impl Principal {
    fn may(&self, requires: &Requires) -> bool {
        let has = |operation: &String| {
            self.permissions.iter().all(|list| list.iter().any(|pattern| covers(pattern, operation)))
        };
        match requires {
            Requires::Nothing => true,
            Requires::LogIn => !self.permissions.is_empty(),
            Requires::Operations(all) => !self.permissions.is_empty() && all.iter().all(has),
            // Never with an empty body.
            Requires::Message => false,
        }
    }
}

fn table(server: &Server, admin: &str) -> Vec<Route> {
    let shown = server.call("GET", "/navigator/access/routes.json", &[("authorization", admin)], b"").json();
    let requires = |permission: &Value| match permission {
        Value::String(name) if name == "public" => Requires::Nothing,
        Value::String(name) if name == "authenticated" => Requires::LogIn,
        Value::Object(of) if of.contains_key("message") => Requires::Message,
        Value::Object(of) => {
            let all = of["operations"].as_array().unwrap();
            let name = |pair: &Value| format!("{}.{}", pair[0].as_str().unwrap(), pair[1].as_str().unwrap());
            Requires::Operations(all.iter().map(name).collect())
        }
        other => panic!("{other}"),
    };
    let text = |route: &Value, name: &str| route[name].as_str().unwrap().to_owned();
    let route = |route: &Value| Route {
        method: text(route, "method"),
        pattern: text(route, "pattern"),
        surface: text(route, "surface"),
        requires: requires(&route["permission"]),
    };
    let routes: Vec<Route> = shown["route"].as_array().unwrap().iter().map(route).collect();
    assert!(routes.len() > 200, "{}", routes.len());
    routes
}

/// A path that the pattern matches.
fn path(pattern: &str) -> String {
    let (mut path, mut rest) = (String::new(), pattern);
    while let Some((before, after)) = rest.split_once('{') {
        path.push_str(before);
        // Expressions of patterns have no braces of their own.
        let (parameter, after) = after.split_once('}').unwrap();
        path.push_str(match parameter.split_once(':') {
            None => "1",
            Some((_, ".*")) => "nothing-here",
            Some((_, "(?:.*/)?")) => "shop/",
            Some((_, literal)) => literal,
        });
        rest = after;
    }
    path + rest
}

/// Other spellings of a path, each with whether it means the same.
fn spellings(path: &str) -> Vec<(String, bool)> {
    let encoded = |is_encoded: &dyn Fn(usize, char) -> bool, percent: &str| -> String {
        let one = |(at, c): (usize, char)| match c {
            '/' => "/".to_owned(),
            c if is_encoded(at, c) => format!("{percent}{:02x}", u32::from(c)),
            c => c.to_string(),
        };
        path.char_indices().map(one).collect()
    };
    let last = path.rfind('/').unwrap();
    let mut all = vec![
        (encoded(&|at, _| at == 1, "%"), true),
        (encoded(&|at, _| at == last + 1, "%"), true),
        (encoded(&|_, c| c.is_ascii_alphanumeric(), "%"), true),
        (encoded(&|_, c| "-._~".contains(c), "%"), true),
        (encoded(&|at, _| at == 1, "%25"), false),
        (format!("/.{path}"), false),
        (format!("/soap/..{path}"), false),
        (format!("/navigator/assets/..{}", path.trim_start_matches("/navigator")), false),
        (format!("/navigator/language/%2e%2e{}", path.trim_start_matches("/navigator")), false),
        (format!("/soap/..%2f..{path}"), false),
        (format!("/{path}"), false),
        (format!("{}/{}", &path[..last], &path[last..]), false),
        (format!("{}%2f{}", &path[..last], &path[last + 1..]), false),
        (format!("{}\\{}", &path[..last], &path[last + 1..]), false),
        (format!("{}%5c{}", &path[..last], &path[last + 1..]), false),
        (path.to_ascii_uppercase(), false),
        (format!("{path}/"), false),
        (format!("{path};a=b"), false),
        (format!("{path}%00"), false),
        (format!("{path}%20"), false),
        (format!("{path}%2f"), false),
        (format!("{path}/.."), false),
        (format!("http://127.0.0.1{path}"), true),
    ];
    all.retain(|(spelled, _)| spelled != path);
    all
}

/// Whether the answer says that nothing was done, as the caller may not.
fn is_denied(answer: &Answer, is_anonymous: bool) -> bool {
    match answer.status {
        401 => is_anonymous,
        403 => !is_anonymous,
        303 => is_anonymous && answer.header("location").starts_with("/navigator/login"),
        _ => false,
    }
}

/// Whether nothing was done, for whatever reason.
fn is_without_effect(answer: &Answer) -> bool {
    matches!(answer.status, 400 | 401 | 403 | 404 | 405 | 421 | 501)
        || answer.status == 303 && answer.header("location").starts_with("/navigator/login")
}

struct Matrix {
    /// By pattern, then by method.
    routes: BTreeMap<String, Vec<Route>>,
    failed: Vec<String>,
    sent: usize,
}

impl Matrix {
    fn new(table: &[Route]) -> Self {
        let mut routes: BTreeMap<String, Vec<Route>> = BTreeMap::new();
        for route in table {
            routes.entry(route.pattern.clone()).or_default().push(route.clone());
        }
        Self { routes, failed: Vec::new(), sent: 0 }
    }

    fn send(&mut self, wire: &mut Wire, principal: &Principal, method: &str, target: &str) -> Answer {
        self.sent += 1;
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(principal.authorization.as_deref().map(|value| ("authorization", value)));
        wire.send(method, target, &headers, "")
    }

    /// Tries all routes with all methods.
    fn all_methods(&mut self, wire: &mut Wire, principal: &Principal) {
        let is_anonymous = principal.permissions.is_empty();
        for (pattern, routes) in self.routes.clone() {
            for method in METHODS {
                let wanted = if method == "HEAD" { "GET" } else { method };
                let of_method: Vec<_> = routes.iter().filter(|route| route.method == wanted).collect();
                let of_any = routes.iter().filter(|route| route.method == "*");
                let matching: Vec<_> = if of_method.is_empty() { of_any.collect() } else { of_method };
                let answer = self.send(wire, principal, method, &path(&pattern));
                let may = matching.iter().any(|route| principal.may(&route.requires));
                let is_message = matching.iter().any(|route| route.requires == Requires::Message);
                let is_right = match (matching.is_empty(), may) {
                    // No route has the method.
                    (true, _) => {
                        if is_anonymous {
                            is_denied(&answer, true)
                        } else {
                            matches!(answer.status, 405 | 404)
                        }
                    }
                    // Once there is a user the set-up page leads to the log-in.
                    (false, true) => pattern == "/navigator/setup" || !is_denied(&answer, is_anonymous),
                    (false, false) if is_message => answer.status >= 400,
                    (false, false) => is_denied(&answer, is_anonymous),
                };
                if !is_right {
                    let of = matching.first().map(|route| (&route.surface, &route.requires));
                    self.failed.push(format!("{}: {method} {pattern} {of:?}: {answer:?}", principal.name));
                }
            }
        }
    }

    /// Tries what the caller may not do, by other spellings of its path.
    fn all_spellings(&mut self, wire: &mut Wire, principal: &Principal) {
        let is_anonymous = principal.permissions.is_empty();
        for route in self.routes.clone().into_values().flatten() {
            if route.method == "*" || principal.may(&route.requires) {
                continue;
            }
            let same = self.routes[&route.pattern].iter().filter(|other| other.method == route.method);
            if same.clone().any(|other| principal.may(&other.requires)) {
                continue;
            }
            for (spelled, is_same) in spellings(&path(&route.pattern)) {
                let answer = self.send(wire, principal, &route.method, &spelled);
                let is_right = match (is_same, &route.requires) {
                    (_, Requires::Message) => answer.status >= 400,
                    (true, _) => is_denied(&answer, is_anonymous),
                    (false, _) => is_without_effect(&answer),
                };
                if !is_right {
                    let shown: String = format!("{answer:?}").chars().take(400).collect();
                    self.failed.push(format!("{}: {} {spelled}: {shown}", principal.name, route.method));
                }
            }
        }
    }

    fn finish(self) {
        println!("{} requests", self.sent);
        let shown: Vec<_> = self.failed.iter().take(40).map(String::as_str).collect();
        assert!(self.failed.is_empty(), "{} of {}:\n{}", self.failed.len(), self.sent, shown.join("\n"));
    }
}

fn token(site: &Site, user: &str, scopes: &[&str]) -> String {
    let scopes = scopes.iter().flat_map(|scope| ["--scope", scope]);
    let arguments: Vec<&str> = ["token", "add", user].into_iter().chain(scopes).collect();
    format!("Bearer {}", site.json(&arguments)["token"].as_str().unwrap())
}

#[test]
fn every_route_asks_for_its_permission() {
    let site = Site::new(Database::Sqlite);
    for role in ["viewer", "operator", "admin"] {
        add(&site, role, role);
    }
    let server = site.serve();
    let of_role = |name: &'static str, patterns| Principal {
        name,
        authorization: Some(basic(name, PASSWORD)),
        permissions: vec![words(patterns)],
    };
    let scoped = |name, scopes: &'static str| Principal {
        name,
        authorization: Some(token(&site, "admin", &words(scopes))),
        permissions: vec![vec!["*"], words(scopes)],
    };
    let principals = [
        Principal { name: "anonymous", authorization: None, permissions: Vec::new() },
        of_role("viewer", VIEWER),
        of_role("operator", OPERATOR),
        of_role("admin", "*"),
        scoped("a token for Catalog.Get*", "Catalog.Get*"),
        scoped("a token for pages", "Navigator.View Exchange.ListRuns"),
    ];
    let table = table(&server, &basic("admin", PASSWORD));
    let mut matrix = Matrix::new(&table);
    for principal in &principals {
        matrix.all_methods(&mut Wire::plain(&server.base), principal);
        matrix.all_spellings(&mut Wire::plain(&server.base), principal);
    }
    // Nobody made himself more than he was.
    let users = site.json(&["user", "list"]);
    let users: Vec<_> = users["users"].as_array().unwrap().iter().map(|user| (&user["name"], &user["roles"])).collect();
    assert_eq!(users.len(), 3, "{users:?}");
    assert_eq!(site.json(&["token", "list"])["tokens"].as_array().unwrap().len(), 2);
    matrix.finish();
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

#[test]
fn every_route_asks_for_the_permission_of_a_client_certificate() {
    let site = Site::new(Database::Sqlite);
    let certs = site.folder().join("certs");
    assert_eq!(site.run(&["cert", "dev", certs.to_str().unwrap(), "--client", "erp"]).code, 0);
    assert_eq!(site.run(&["user", "add", "erp", "--role", "viewer", "--certificate", "erp"]).code, 0);
    add(&site, "admin", "admin");
    let plain = site.serve();
    let table = table(&plain, &basic("admin", PASSWORD));
    drop(plain);
    let set = |key: &str, file: &str| format!("{key}={}", certs.join(file).display());
    let server = site.serve_with(&[
        &set("tls-certificate", "server.pem"),
        &set("tls-key", "server.key"),
        &set("tls-client-authority", "ca.pem"),
        "tls-client-certificates=optional",
    ]);
    let mut matrix = Matrix::new(&table);
    let certified = Principal { name: "a certificate", authorization: None, permissions: vec![words(VIEWER)] };
    let mut wire = Wire::tls(&server.base, &certs, Some("client"));
    matrix.all_methods(&mut wire, &certified);
    matrix.all_spellings(&mut wire, &certified);
    let anonymous = Principal { name: "no certificate", authorization: None, permissions: Vec::new() };
    matrix.all_methods(&mut Wire::tls(&server.base, &certs, None), &anonymous);
    matrix.finish();
}
