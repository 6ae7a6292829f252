//! Mock and gateway of every sound contract, as two programs: JSON goes in, SOAP goes between them, JSON comes out.

use crate::support::{Database, Reply, Server, Site};
use serde_json::Value;
use std::path::Path;

/// How many operations are answered as the contract says, of how many; and what is wrong with the first that is not.
pub fn answered(contract: &Path) -> (usize, usize, String) {
    let site = Site::new(Database::Sqlite);
    let mock = site.serve_contract("mock", contract, &[]);
    let upstreams: Vec<String> =
        mock.endpoints().into_iter().map(|(name, path)| format!("{name}={}{path}", mock.base)).collect();
    let arguments: Vec<&str> = upstreams.iter().flat_map(|upstream| ["--upstream", upstream.as_str()]).collect();
    let gateway = site.serve_contract("gateway", contract, &arguments);
    let document = gateway.get("/openapi.json").json();
    let (mut good, mut all, mut first) = (0, 0, String::new());
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        let operation = &item["post"];
        // What a location names has no place in a sample of the whole.
        if operation.is_null() || path.contains('{') {
            continue;
        }
        all += 1;
        match call(&gateway, path, operation) {
            Ok(()) => good += 1,
            Err(why) if first.is_empty() => first = format!("{path}: {why}").replace('|', "\\|"),
            Err(_) => {}
        }
    }
    (good, all, first)
}

fn call(gateway: &Server, path: &str, operation: &Value) -> Result<(), String> {
    let headers: Vec<(String, String)> = operation["parameters"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|p| (p["name"].as_str().unwrap_or("").to_owned(), p["content"]["application/json"]["example"].to_string()))
        .collect();
    let mut sent = vec![("content-type", "application/json")];
    sent.extend(headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let example = &operation["requestBody"]["content"]["application/json"]["example"];
    let reply: Reply = gateway.call("POST", &format!("/api{path}"), &sent, example.to_string().as_bytes());
    let wanted = &operation["responses"]["200"]["content"]["application/json"]["example"];
    match (reply.status, wanted) {
        (202, Value::Null) => Ok(()),
        (200, wanted) if reply.json() == *wanted => Ok(()),
        (200, wanted) => Err(format!("{} instead of {wanted}", reply.body)),
        // What names this one request would be another the next time.
        (status, _) => Err(format!("{status} {}", reply.json()["detail"].as_str().unwrap_or_default())),
    }
}
