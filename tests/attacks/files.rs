//! Files that would be large in memory: each is read to its end, what is wrong in it is reported, and the server stays up.

use super::MEMORY;
use crate::support::{Database, Server, Site};
use flate2::Compression;
use flate2::write::GzEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Bytes of a record that is too large.
const HUGE: usize = 160 << 20;

/// What the server may have had of memory at most, in MB.
const PEAK: u64 = 500;

/// Uploads a file whose middle repeats, without having it in memory; gives the run's number.
fn upload(server: &Server, query: &str, head: &str, fill: &[u8], tail: &str) -> i64 {
    let mut connection = TcpStream::connect(server.base.trim_start_matches("http://")).unwrap();
    connection.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let rounds = HUGE / fill.len();
    let length = head.len() + rounds * fill.len() + tail.len();
    let request = format!(
        "POST /api/v1/imports?{query} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/octet-stream\r\ncontent-length: {length}\r\n\r\n{head}"
    );
    connection.write_all(request.as_bytes()).unwrap();
    (0..rounds).for_each(|_| connection.write_all(fill).unwrap());
    connection.write_all(tail.as_bytes()).unwrap();
    let mut answer = BufReader::new(connection);
    while answer.by_ref().lines().next().is_some_and(|line| !line.unwrap().is_empty()) {}
    let mut body = String::new();
    answer.read_to_string(&mut body).unwrap();
    let run: Value = serde_json::from_str(&body).unwrap_or_else(|e| panic!("{e}: {body}"));
    run["run"]["id"].as_i64().unwrap()
}

fn codes(server: &Server, run: i64) -> Vec<String> {
    let messages = server.get(&format!("/api/v1/runs/{run}/messages")).json();
    let all = messages["message"].as_array().cloned().unwrap_or_default();
    all.iter().map(|message| message["code"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn huge_records_are_rejected_while_they_are_read() {
    let server = Site::new(Database::Sqlite).serve_within(MEMORY, &[]);
    let text = vec![b'x'; 1 << 20];
    let blanks = vec![b' '; 1 << 20];
    let elements = b"<b/>".repeat(1 << 18);
    // Query, what comes before and after the middle, the codes told, and how many records are written.
    type Case<'a> = (&'a str, &'a str, &'a [u8], &'a str, &'a str, i64);
    let cases: [Case<'_>; 7] = [
        ("format=csv", "sku;unit\nA-1;pc\nA-2;", &text, "\nA-3;pc\nA-4;pc\n", "message.limit", 3),
        ("format=csv", "sku;unit\nA-5;pc\nA-6;\"", &text, "", "message.limit", 1),
        ("format=csv", "sku;", &text, "\nA-7;pc\n", "csv.header", 0),
        ("format=jsonLines", "{\"sku\":\"A-8\"}\n{\"sku\":\"", &text, "\"}\n{\"sku\":\"A-9\"}\n", "message.limit", 2),
        (
            "format=xml",
            "<UpsertArticles xmlns=\"urn:soapstone:catalog/v1\"><article><sku>A-10</sku></article><article><sku>",
            &text,
            "</sku></article></UpsertArticles>",
            "message.limit",
            1,
        ),
        (
            "format=xml",
            "<UpsertArticles xmlns=\"urn:soapstone:catalog/v1\"><article><sku>A-11</sku></article><article>",
            &elements,
            "</article></UpsertArticles>",
            "message.limit",
            1,
        ),
        (
            "format=bmecat",
            "<BMECAT version=\"1.2\"><T_NEW_CATALOG><ARTICLE><SUPPLIER_AID>",
            &blanks,
            "</SUPPLIER_AID></ARTICLE></T_NEW_CATALOG></BMECAT>",
            "message.limit",
            0,
        ),
    ];
    for (query, head, fill, tail, code, written) in cases {
        let began = Instant::now();
        let id = upload(&server, &format!("kind=articles&{query}"), head, fill, tail);
        let run = server.finished_run(id);
        assert_eq!(codes(&server, id), [code], "{query} {head}: {run}");
        assert_eq!(run["counters"]["created"].as_i64().unwrap_or(0), written, "{query} {head}: {run}");
        println!(
            "{:>6} ms, peak {} MB  {query} {}",
            began.elapsed().as_millis(),
            server.peak_memory(),
            head.chars().take(8).collect::<String>()
        );
    }
    assert!(server.peak_memory() < PEAK, "{} MB", server.peak_memory());
}

#[test]
fn what_is_packed_within_what_is_packed_is_bounded() {
    let site = Site::new(Database::Sqlite);
    let server = site.serve_within(MEMORY, &[]);
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(b"sku;unit\nA-1;").unwrap();
    (0..100).for_each(|_| packed.write_all(&[b'x'; 1 << 20]).unwrap());
    let packed = packed.finish().unwrap();
    let reply =
        server.call("POST", "/api/v1/imports?kind=articles&format=csv", &[("content-type", "text/csv")], &packed);
    assert_eq!(reply.status, 202, "{reply:?}");
    let id = reply.json()["run"]["id"].as_i64().unwrap();
    assert_eq!(server.finished_run(id)["state"], "failed");
    assert_eq!(codes(&server, id), ["source.packed"]);
    assert!(server.peak_memory() < PEAK, "{} MB", server.peak_memory());
}

/// A PNG of one colour: small, but not once it is decoded.
fn png(side: u32) -> Vec<u8> {
    let mut out = Vec::new();
    let encoder = PngEncoder::new_with_quality(&mut out, CompressionType::Best, FilterType::NoFilter);
    let pixels = vec![0; (side * side * 3) as usize];
    encoder.write_image(&pixels, side, side, ExtendedColorType::Rgb8).unwrap();
    out
}

#[test]
fn pictures_share_a_budget() {
    let site = Site::new(Database::Sqlite);
    // Each takes 11 bytes a pixel: one fits into 12 MB, two do not.
    let server = site.serve_within(MEMORY, &["picture-workers=4", "picture-memory=12000000"]);
    let large = png(1_000);
    let upload = |name: &str, bytes: &[u8]| {
        let reply = server.call("PUT", &format!("/api/v1/pictures/{name}"), &[("content-type", "image/png")], bytes);
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.body
    };
    for n in 0..4 {
        upload(&format!("P-{n}.png"), &large);
    }
    let refused = upload("too-large.png", &png(1_100));
    assert!(refused.contains("picture.too_large") && refused.contains("picture-memory"), "{refused}");
    let deadline = Instant::now() + Duration::from_secs(60);
    for n in 0..4 {
        while server.get(&format!("/api/v1/pictures/P-{n}.png")).json()["picture"]["state"] != "ready" {
            assert!(Instant::now() < deadline, "{}", server.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    println!("peak {} MB", server.peak_memory());
}

#[test]
fn uploads_that_are_not_finished_are_bounded() {
    let site = Site::new(Database::Sqlite);
    let server = site.serve_with(&["max-unfinished-uploads=2", "max-unfinished-bytes=1000"]);
    let create = |length: u32| {
        let length = length.to_string();
        server.call("POST", "/api/v1/uploads", &[("tus-resumable", "1.0.0"), ("upload-length", &length)], b"")
    };
    let first = create(600);
    assert_eq!(first.status, 201, "{first:?}");
    let too_much = create(500);
    assert_eq!(too_much.status, 503, "{too_much:?}");
    assert!(too_much.body.contains("upload.too_many") && !too_much.header("retry-after").is_empty(), "{too_much:?}");
    assert_eq!(create(400).status, 201);
    assert_eq!(create(0).status, 503);
    // What is compressed would be another file than was announced.
    let headers = [
        ("tus-resumable", "1.0.0"),
        ("upload-offset", "0"),
        ("content-type", "application/offset+octet-stream"),
        ("content-encoding", "gzip"),
    ];
    let packed = server.call("PATCH", first.header("location"), &headers, b"x");
    assert_eq!(packed.status, 415, "{packed:?}");
    let gone = server.call("DELETE", first.header("location"), &[("tus-resumable", "1.0.0")], b"");
    assert_eq!(gone.status, 204);
    assert_eq!(create(500).status, 201);
}

#[test]
fn slow_senders_are_cut_off_everywhere() {
    let server = Site::new(Database::Sqlite).serve();
    let upload = server.call("POST", "/api/v1/uploads", &[("tus-resumable", "1.0.0"), ("upload-length", "1000")], b"");
    let tus = "tus-resumable: 1.0.0\r\nupload-offset: 0\r\ncontent-type: application/offset+octet-stream\r\n";
    let requests = [
        ("POST", "/api/v1/imports", "content-type: text/csv\r\n", "sku"),
        ("POST", "/api/v1/imports", "content-type: multipart/form-data; boundary=b\r\n", "--b"),
        ("POST", "/api/v1/pictures", "content-type: application/zip\r\n", "PK"),
        ("PUT", "/api/v1/pictures/a.png", "content-type: image/png\r\n", "x"),
        ("PATCH", upload.header("location"), tus, "x"),
        ("POST", "/api/v1/articles", "content-type: application/json\r\n", "{"),
        ("POST", "/navigator/login", "content-type: application/x-www-form-urlencoded\r\n", "a"),
        ("POST", "/soap/catalog", "content-type: text/xml\r\n", "<"),
    ];
    std::thread::scope(|scope| {
        for (method, path, headers, begin) in requests {
            let address = server.base.trim_start_matches("http://");
            scope.spawn(move || {
                let mut connection = TcpStream::connect(address).unwrap();
                connection.set_read_timeout(Some(Duration::from_secs(40))).unwrap();
                let head = format!(
                    "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: 1000\r\n"
                );
                connection.write_all(format!("{head}{headers}\r\n{begin}").as_bytes()).unwrap();
                let mut answer = String::new();
                connection.read_to_string(&mut answer).unwrap();
                assert!(
                    answer.starts_with("HTTP/1.1 408") && answer.contains("http.slow"),
                    "{method} {path}: {answer}"
                );
            });
        }
    });
}
