//! Hostile messages: each is answered soon and with what is right, or the connection is closed; memory stays bounded,
//! nothing is fetched from anywhere, and the server serves on.

mod bounds;
mod files;
mod http;
mod json;
mod mime;
mod values;
mod xml;

use crate::support::{Database, Server, Site};
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// What a server may have of addresses, in bytes: `ulimit -v` of 1.5 GB.
pub const MEMORY: u64 = 1536 << 20;

/// How long an answer may take. The aim is 2 s; tests run beside each other, on busy machines.
const LONGEST: Duration = Duration::from_secs(8);

/// What is right.
#[derive(Clone, Copy, Debug)]
pub enum Right {
    /// One of these texts is in the answer: codes of faults.
    Told(&'static [&'static str]),
    /// An answer of that status.
    Status(u16),
    /// It is harmless, and done.
    Done,
    /// An answer of a 4xx status, or the connection is closed without one.
    Refused,
}

/// One hostile message.
pub struct Attack {
    pub name: &'static str,
    /// All bytes that are sent.
    pub bytes: Vec<u8>,
    pub right: Right,
}

/// A request for a path.
pub fn post(path: &str, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// A SOAP 1.1 request to the catalogue.
pub fn soap(body: impl AsRef<[u8]>) -> Vec<u8> {
    post("/soap/catalog", "content-type: text/xml; charset=utf-8\r\n", body)
}

/// An envelope around a header and a body.
pub fn envelope(header: &str, body: &str) -> String {
    format!(
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:c=\"urn:soapstone:catalog/v1\"><s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    )
}

/// A request for one article.
pub fn article(sku: &str) -> String {
    envelope("", &format!("<c:GetArticle><c:sku>{sku}</c:sku></c:GetArticle>"))
}

/// All that comes back until the server closes the connection.
fn answer(server: &Server, bytes: &[u8]) -> String {
    let mut connection = TcpStream::connect(server.base.trim_start_matches("http://")).unwrap();
    connection.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut other = connection.try_clone().unwrap();
    let sent = bytes.to_vec();
    // The server may answer, and close, before it has all.
    let sender = std::thread::spawn(move || drop(other.write_all(&sent)));
    let (mut read, mut piece) = (Vec::new(), [0; 65_536]);
    loop {
        match connection.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => read.extend_from_slice(&piece[..length]),
            Err(e) if matches!(e.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => break,
            Err(e) => panic!("no answer: {e}"),
        }
    }
    // Both ends of what is left over are closed for good.
    let _ = connection.shutdown(std::net::Shutdown::Both);
    sender.join().unwrap();
    String::from_utf8_lossy(&read).into_owned()
}

fn judged(right: Right, answer: &str) -> Result<(), String> {
    let status = answer.get(9..12).and_then(|digits| digits.parse::<u16>().ok());
    let told_inside =
        ["panicked", "RUST_BACKTRACE", "/src/", "sqlite", "root:x:"].iter().find(|text| answer.contains(**text));
    if let Some(inside) = told_inside {
        return Err(format!("the answer tells \"{inside}\""));
    }
    let is_right = match right {
        Right::Told(codes) => codes.iter().any(|code| answer.contains(code)),
        Right::Status(wanted) => status == Some(wanted),
        Right::Done => status == Some(200),
        Right::Refused => status.is_none_or(|status| (400..500).contains(&status)),
    };
    if is_right { Ok(()) } else { Err(format!("not {right:?}")) }
}

fn run(server: &Server, attacks: Vec<Attack>) {
    let mut failed = Vec::new();
    for attack in &attacks {
        let began = Instant::now();
        let answer = answer(server, &attack.bytes);
        let took = began.elapsed();
        let shown: String = answer.chars().take(700).collect();
        if let Err(why) = judged(attack.right, &answer) {
            failed.push(format!("{}: {why}: {shown}", attack.name));
        }
        if took > LONGEST {
            failed.push(format!("{}: answered after {took:?}", attack.name));
        }
        println!("{:>6} ms  {}", took.as_millis(), attack.name);
        let alive = server.call(
            "POST",
            "/soap/catalog",
            &[("content-type", "text/xml")],
            envelope("", "<c:ListCategories/>").as_bytes(),
        );
        assert_eq!(alive.status, 200, "after {}: {alive:?}", attack.name);
    }
    assert!(failed.is_empty(), "{} of {}:\n{}", failed.len(), attacks.len(), failed.join("\n"));
}

#[test]
fn hostile_messages_are_refused() {
    // Whoever is lured to fetch something comes here.
    let bait = TcpListener::bind("127.0.0.1:0").unwrap();
    bait.set_nonblocking(true).unwrap();
    let lure = format!("http://{}", bait.local_addr().unwrap());
    let server = Site::new(Database::Sqlite).serve_within(MEMORY, &[]);
    let attacks = [
        xml::attacks(&lure),
        mime::attacks(&lure),
        http::attacks(),
        values::attacks(),
        json::attacks(),
        bounds::attacks(),
    ];
    let attacks: Vec<Attack> = attacks.into_iter().flatten().collect();
    assert!(attacks.len() >= 100, "{}", attacks.len());
    run(&server, attacks);
    assert!(server.peak_memory() < 1024, "{} MB", server.peak_memory());
    assert!(bait.accept().is_err(), "something was fetched");
    assert!(!server.log().contains("panicked"), "{}", server.log());
    // What was in values did nothing but to be looked for.
    assert_eq!(server.get("/ready").json()["status"], "ready");
}
