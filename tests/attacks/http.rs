//! HTTP: floods of headers, and requests that two servers would read in two ways.

use super::{Attack, Right, envelope, post};

fn list() -> String {
    envelope("", "<c:ListCategories/>")
}

/// What would be a second request, if a first one could hide it.
const HIDDEN: &str = "DELETE /api/v1/articles/hidden HTTP/1.1\r\nhost: localhost\r\n\r\n";

fn raw(head: &str, body: &str) -> Vec<u8> {
    format!("POST /soap/catalog HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: text/xml\r\n{head}\r\n{body}").into_bytes()
}

pub fn attacks() -> Vec<Attack> {
    let of = |name, bytes, right| Attack { name, bytes, right };
    let length = list().len();
    let chunked = format!("{length:x}\r\n{}\r\n0\r\n\r\n", list());
    let many: String = (0..5_000).map(|n| format!("x-{n}: y\r\n")).collect();
    vec![
        of("5,000 headers", raw(&format!("{many}content-length: {length}\r\n"), &list()), Right::Refused),
        of(
            "a header of 1 MB",
            raw(&format!("x: {}\r\ncontent-length: {length}\r\n", "y".repeat(1 << 20)), &list()),
            Right::Refused,
        ),
        of(
            "a path of 1 MB",
            format!("GET /{} HTTP/1.1\r\nhost: localhost\r\n\r\n", "a".repeat(1 << 20)).into_bytes(),
            Right::Refused,
        ),
        of(
            "a length and chunks",
            raw("content-length: 5\r\ntransfer-encoding: chunked\r\n", &format!("{chunked}{HIDDEN}")),
            Right::Refused,
        ),
        of("two lengths", raw(&format!("content-length: {length}\r\ncontent-length: 5\r\n"), &list()), Right::Refused),
        of("a length that is negative", raw("content-length: -1\r\n", &list()), Right::Refused),
        of("a length with a sign", raw(&format!("content-length: +{length}\r\n"), &list()), Right::Refused),
        of("a length beyond all bounds", raw("content-length: 99999999999999999999999\r\n", &list()), Right::Refused),
        of(
            "chunks that are not the last coding",
            raw("transfer-encoding: chunked, identity\r\n", &format!("{chunked}{HIDDEN}")),
            Right::Refused,
        ),
        of(
            "a coding that there is not",
            raw("transfer-encoding: xchunked\r\n", &format!("{chunked}{HIDDEN}")),
            Right::Refused,
        ),
        of(
            "a size of a chunk that is none",
            raw("transfer-encoding: chunked\r\n", "zz\r\nxx\r\n0\r\n\r\n"),
            Right::Refused,
        ),
        of(
            "a size of a chunk beyond all bounds",
            raw("transfer-encoding: chunked\r\n", "ffffffffffffffffff\r\nx\r\n0\r\n\r\n"),
            Right::Refused,
        ),
        of("a blank before the colon", raw(&format!("content-length : {length}\r\n"), &list()), Right::Refused),
        of(
            "a header that goes on in the next line",
            raw(&format!("x: a\r\n b\r\ncontent-length: {length}\r\n"), &list()),
            Right::Refused,
        ),
        of("a NUL in a header", raw(&format!("x: a\0b\r\ncontent-length: {length}\r\n"), &list()), Right::Refused),
        of("no HTTP at all", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".repeat(20), Right::Refused),
        of("a version that there is not", b"POST /soap/catalog HTTP/9.9\r\nhost: localhost\r\n\r\n".to_vec(), Right::Refused),
        of(
            "a way out of the folder",
            b"GET /navigator/../../../../etc/passwd HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".to_vec(),
            Right::Refused,
        ),
        of(
            "the same, encoded",
            b"GET /soap/catalog?xsd=..%2f..%2f..%2fetc%2fpasswd HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
                .to_vec(),
            Right::Status(404),
        ),
        of(
            "a host that is markup",
            b"GET /soap/catalog?wsdl HTTP/1.1\r\nhost: \"><script>\r\nconnection: close\r\n\r\n".to_vec(),
            Right::Told(&["HTTP/1.1 400", "HTTP/1.1 421", "location=\"http://127.0.0.1", "location=\"http://localhost"]),
        ),
        of(
            "a content type of 60,000 characters",
            post("/soap/catalog", &format!("content-type: {}\r\n", "a/b;".repeat(15_000)), list()),
            Right::Refused,
        ),
    ]
}
