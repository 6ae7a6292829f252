//! Cases that are files: `NAME.http` has requests, separated by lines that begin with `###`; `NAME.reply` what the
//! server answers to each. With `UPDATE=1` in the environment the replies are written anew, to be looked at in the diff.

use super::{Database, Reply, Server, Site, project};
use soapstone::profile::{Recorded, envelope};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Runs each case of a folder against a server of its own.
pub fn run_cases(folder: &str, database: Database) {
    run_each(folder, |case, text| {
        let settings: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# set ")).collect();
        let server = Site::new(database).serve_with(&settings);
        run_case(case, text, &server, matches!(database, Database::Sqlite))
    });
}

/// Runs each case of a folder against the mock of a contract.
pub fn run_cases_of_contract(folder: &str, contract: &Path) {
    let server = Site::new(Database::Sqlite).serve_contract("mock", contract, &[]);
    run_each(folder, |case, text| run_case(case, text, &server, true));
}

fn run_each(folder: &str, mut run: impl FnMut(&Path, &str) -> Result<(), String>) {
    let mut cases: Vec<PathBuf> = std::fs::read_dir(project(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "http"))
        .collect();
    cases.sort();
    assert!(!cases.is_empty(), "{folder} has no cases");
    let text = |case: &PathBuf| std::fs::read_to_string(case).unwrap();
    let differing: Vec<String> = cases.iter().filter_map(|case| run(case, &text(case)).err()).collect();
    assert!(differing.is_empty(), "{} of {} cases differ:\n{}", differing.len(), cases.len(), differing.join("\n"));
}

fn run_case(case: &Path, text: &str, server: &Server, may_update: bool) -> Result<(), String> {
    let mut found = String::new();
    for request in text.split("\n###").map(|request| request.split_once('\n').map_or(request, |(_, rest)| rest)) {
        let reply = send(server, request);
        keeps_the_profile(&reply).map_err(|findings| format!("==== {}\n{findings}", case.display()))?;
        write(&mut found, &reply, &server.base);
    }
    let path = case.with_extension("reply");
    if std::env::var_os("UPDATE").is_some() && may_update {
        std::fs::write(&path, &found).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    if found == expected {
        return Ok(());
    }
    Err(format!("==== {}\n---- expected\n{expected}\n---- found\n{found}", case.display()))
}

/// Sees to it that an envelope keeps the WS-I Basic Profile.
fn keeps_the_profile(reply: &Reply) -> Result<(), String> {
    let media = reply.header("content-type");
    let is_soap = media.starts_with("text/xml") || media.starts_with("application/soap+xml");
    if !is_soap || !reply.body.contains(":Envelope") {
        return Ok(());
    }
    let recorded =
        Recorded { place: "the answer", text: &reply.body, media, status: Some(reply.status), ..Recorded::default() };
    match envelope(&recorded).as_slice() {
        [] => Ok(()),
        findings => Err(findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")),
    }
}

/// Sends a request that is written as `METHOD /path`, headers, an empty line, and the body.
fn send(server: &Server, request: &str) -> Reply {
    let (head, body) = request.split_once("\n\n").unwrap_or((request, ""));
    let mut lines = head.lines().filter(|line| !line.starts_with('#'));
    let (method, path) = lines.next().and_then(|line| line.split_once(' ')).expect("METHOD /path");
    let headers: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(": ")).collect();
    let is_latin = headers.iter().any(|(_, value)| value.to_ascii_lowercase().contains("iso-8859-1"));
    let body = body.trim_end_matches('\n').replace("{base}", &server.base);
    let bytes: Vec<u8> = if is_latin {
        body.chars().map(|c| u8::try_from(u32::from(c)).expect("Latin-1")).collect()
    } else {
        body.into_bytes()
    };
    server.call(method, path, &headers, &bytes)
}

/// A reply as it is kept: without what differs from run to run.
fn write(out: &mut String, reply: &Reply, base: &str) {
    let _ = writeln!(out, "### {} {}", reply.status, masked(reply.header("content-type")));
    for name in ["allow", "location", "soap-header-quota"] {
        if !reply.header(name).is_empty() {
            let _ = writeln!(out, "{name}: {}", reply.header(name));
        }
    }
    let body = reply.body.replace(base, "{base}");
    let _ = writeln!(out, "{}", masked(&broken_up(&body.replace("\r\n", "\n"))));
}

/// One element or member a line, so that a difference is seen.
fn broken_up(body: &str) -> String {
    match serde_json::from_str::<serde_json::Value>(body) {
        Ok(value) => serde_json::to_string_pretty(&value).unwrap(),
        Err(_) => body.replace("><", ">\n<"),
    }
}

/// Times and numbers of requests differ; what is around them counts.
fn masked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((at, length, name)) = next_mask(rest) {
        out.push_str(&rest[..at]);
        out.push_str(name);
        rest = &rest[at + length..];
    }
    out + rest
}

fn next_mask(text: &str) -> Option<(usize, usize, &'static str)> {
    const THIS_CENTURY: &str = "20";
    let time = text.match_indices(THIS_CENTURY).find_map(|(at, _)| {
        let end = text[at..].find(|c: char| !(c.is_ascii_digit() || "-:T.Z".contains(c)))?;
        let found = &text[at..at + end];
        (found.len() > 19 && found.contains('T') && found.contains('.') && found.ends_with('Z'))
            .then_some((at, end, "{time}"))
    });
    let id = [
        "urn:soapstone:request:",
        "reference ",
        "soapstone-",
        "=0-",
        "request=\"",
        "request xmlns:s=\"urn:soapstone:runtime/v1\" id=\"",
    ]
    .iter()
    .filter_map(|prefix| {
        let at = text.find(prefix)? + prefix.len();
        let length = text[at..].bytes().take_while(u8::is_ascii_hexdigit).count();
        (length == 16).then_some((at, length, "{id}"))
    });
    let uuid = text
        .find("urn:uuid:")
        .map(|at| (at + 9, 36, "{id}"))
        .filter(|(at, ..)| text[*at..].bytes().take_while(|b| b.is_ascii_hexdigit() || *b == b'-').count() == 36);
    time.into_iter().chain(id).chain(uuid).min()
}
