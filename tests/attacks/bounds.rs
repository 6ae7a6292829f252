//! Inputs that are small on the way and large in memory, or many: each is rejected before it is built up.

use super::{Attack, Right, envelope, post};
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use std::io::Write;

/// How large a bomb is once it is decompressed: less than a body may have.
const BOMB: usize = 48 << 20;

fn gzip() -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::best());
    (0..BOMB >> 20).for_each(|_| out.write_all(&[b' '; 1 << 20]).unwrap());
    out.finish().unwrap()
}

fn zlib() -> Vec<u8> {
    let mut out = ZlibEncoder::new(Vec::new(), Compression::best());
    (0..BOMB >> 20).for_each(|_| out.write_all(&[b' '; 1 << 20]).unwrap());
    out.finish().unwrap()
}

/// A form to a path, of parts that are written as they are.
fn form(path: &str, parts: &str) -> Vec<u8> {
    post(path, "content-type: multipart/form-data; boundary=b\r\n", parts)
}

fn put(path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    [b"PUT", post(path, headers, body).strip_prefix(b"POST").unwrap()].concat()
}

fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").into_bytes()
}

/// A resumable upload of these bytes, without its parts.
fn tus(headers: &str) -> Vec<u8> {
    post("/api/v1/uploads", &format!("tus-resumable: 1.0.0\r\n{headers}"), "")
}

fn compressed() -> Vec<Attack> {
    let of = |name, bytes| Attack { name, bytes, right: Right::Told(&["http.compression"]) };
    let (gzip, zlib) = (gzip(), zlib());
    let xml = "content-type: text/xml\r\ncontent-encoding: gzip\r\n";
    let json = "content-type: application/json\r\ncontent-encoding: gzip\r\n";
    let key = format!("{json}idempotency-key: bomb\r\n");
    let file = "content-type: text/csv\r\ncontent-encoding: gzip\r\n";
    let picture = "content-type: image/png\r\ncontent-encoding: gzip\r\n";
    let zip = "content-type: application/zip\r\ncontent-encoding: gzip\r\n";
    vec![
        of("gzip over SOAP", post("/soap/catalog", xml, &gzip)),
        of("gzip over REST", post("/api/v1/articles", json, &gzip)),
        of("gzip over REST, with a key", post("/api/v1/articles", &key, &gzip)),
        of("gzip of a file", post("/api/v1/imports", file, &gzip)),
        of("gzip of an archive", post("/api/v1/pictures", zip, &gzip)),
        of("gzip of a picture", put("/api/v1/pictures/a.png", picture, &gzip)),
        of("deflate over SOAP", post("/soap/catalog", &xml.replace("gzip", "deflate"), &zlib)),
    ]
}

pub fn attacks() -> Vec<Attack> {
    let of = |name, bytes, right| Attack { name, bytes, right };
    let field =
        |name: &str, text: &str| format!("--b\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n");
    let many: String = (0..5_000).map(|n| field(&format!("f{n}"), "x")).collect();
    let sum: String = (0..500).map(|n| field(&format!("f{n}"), &"x".repeat(4_000))).collect();
    let header = format!("--b\r\ncontent-disposition: form-data; name=\"{}", "x".repeat(20 << 20));
    let text = "x".repeat(60_000);
    let attributes: String = (0..1_000).map(|n| format!("&attribute=a{n}%3D1")).collect();
    let elements = "<a/>".repeat(1_100_000);
    let rest = "content-type: application/json\r\n";
    let plain = "content-type: application/x-www-form-urlencoded\r\n";
    let form_error = Right::Told(&["http.form"]);
    let mut attacks = compressed();
    let packed_form = format!("{plain}content-encoding: gzip\r\n");
    attacks.extend([
        of("gzip of a form", post("/navigator/login", &packed_form, gzip()), Right::Status(413)),
        of(
            "another coding",
            post("/soap/catalog", "content-type: text/xml\r\ncontent-encoding: br\r\n", "x"),
            Right::Status(415),
        ),
        of("a form of 5,000 fields", form("/api/v1/imports", &many), form_error),
        of("a form of 2 MB of fields", form("/api/v1/imports", &sum), form_error),
        of("a header of a part without an end", form("/api/v1/imports", &header), form_error),
        of("the same among pictures", form("/api/v1/pictures", &header), form_error),
        of("the same in the Navigator", form("/navigator/import", &header), Right::Refused),
        of("a form without a boundary in it", form("/api/v1/imports", &"x".repeat(20 << 20)), form_error),
        of("a form of 100,000 members", post("/navigator/login", plain, "a=&".repeat(100_000)), Right::Status(413)),
        of("a form of 10 MB", post("/navigator/login", plain, "x".repeat(10 << 20)), Right::Status(413)),
        of(
            "a text of 60,000 characters",
            get(&format!("/api/v1/articles?text={text}")),
            Right::Told(&["query.text_too_long"]),
        ),
        of("the same among orders", get(&format!("/api/v1/orders?text={text}")), Right::Told(&["query.text_too_long"])),
        of(
            "the same among manufacturers",
            get(&format!("/api/v1/manufacturers?text={text}")),
            Right::Told(&["query.text_too_long"]),
        ),
        of("the same in the Navigator", get(&format!("/navigator/articles?text={text}")), Right::Status(422)),
        of("a thousand conditions", get(&format!("/api/v1/articles?limit=1{attributes}")), Right::Refused),
        of(
            "more values than fit into memory",
            post("/api/v1/articles", rest, format!("{{\"article\":[{}1]}}", "1,".repeat(5_000_000))),
            Right::Told(&["message.limit"]),
        ),
        of(
            "more elements than fit into memory",
            super::soap(envelope(
                "",
                &format!("<c:GetArticle>{}</c:GetArticle>", format!("<b>{elements}</b>").repeat(3)),
            )),
            Right::Told(&["message.limit"]),
        ),
        of(
            "an exponent of a billion",
            post("/api/v1/articles", rest, "{\"article\":[{\"sku\":\"V\",\"weight\":1e999999999}]}"),
            Right::Told(&["\"code\":\"message.", "\"outcome\""]),
        ),
        of(
            "an upload beyond all bounds",
            tus("upload-length: 18446744073709551615\r\n"),
            Right::Told(&["http.too_large"]),
        ),
        of("an upload of a negative length", tus("upload-length: -1\r\n"), Right::Told(&["http.header"])),
        of("a page before the first", get("/api/v1/articles?limit=-1"), Right::Refused),
        of("a page of all", get("/api/v1/articles?limit=99999999999"), Right::Refused),
        of(
            "a year beyond all bounds",
            get("/api/v1/articles?changedSince=999999999999-01-01T00:00:00Z"),
            Right::Refused,
        ),
    ]);
    attacks
}
