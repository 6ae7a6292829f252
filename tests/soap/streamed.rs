//! Requests that are done while they arrive.

use crate::support::{Database, Server, Site, on_each_database};
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::TcpStream;

const HEAD: &str = "<?xml version=\"1.0\"?>\n<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:c=\"urn:soapstone:catalog/v1\">\n<s:Header/><s:Body><c:UpsertArticles>\n";
const TAIL: &str = "</c:UpsertArticles></s:Body></s:Envelope>\n";

fn article(out: &mut String, number: u32) {
    let _ = writeln!(
        out,
        "<c:article><c:sku>S-{number}</c:sku><c:name language=\"de\">Säge &amp; {number}</c:name><c:longText language=\"de\">{}</c:longText></c:article>",
        "x".repeat(800)
    );
}

fn request(records: u32) -> String {
    let mut text = HEAD.to_owned();
    (0..records).for_each(|number| article(&mut text, number));
    text + TAIL
}

fn send(server: &Server, body: &str) -> crate::support::Reply {
    server.call("POST", "/soap/catalog", &[("content-type", "text/xml; charset=utf-8")], body.as_bytes())
}

on_each_database! {
    fn a_large_request_is_answered_record_by_record(database) {
        let server = Site::new(database).serve_with(&["batch-size=100"]);
        let reply = send(&server, &request(1_550));
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!(reply.body.matches("<com:outcome>created<").count(), 1_550);
        assert_eq!(reply.body.matches("UpsertArticlesResponse").count(), 2, "{}", &reply.body[..600]);
        let again = send(&server, &request(1_550));
        assert_eq!(again.body.matches("<com:outcome>unchanged<").count(), 1_550);
        assert_eq!(server.get("/ready").json()["articles"], 1_550);
    }
}

#[test]
fn what_is_wrong_in_the_middle_is_told_with_how_far_it_came() {
    let server = Site::new(Database::Sqlite).serve_with(&["batch-size=100"]);
    let wrong = request(2_000).replace("<c:sku>S-1234</c:sku>", "<c:sku>S-1234</c:sku><c:colour>red</c:colour>");
    let reply = send(&server, &wrong);
    assert_eq!(reply.status, 500, "{reply:?}");
    // Three lines come before the first record.
    for part in ["element \"c:colour\" is not allowed here", "line=\"1238\"", "(the 1200 records before are done)"] {
        assert!(reply.body.contains(part), "{part} is not in {}", reply.body);
    }
    assert_eq!(server.get("/ready").json()["articles"], 1_200);
    let cut_off = request(2_000);
    let reply = send(&server, &cut_off[..cut_off.len() - 60]);
    assert!(
        reply.body.contains("message.malformed") && reply.body.contains("records before are done"),
        "{}",
        reply.body
    );
    let more = request(2_000).replace(TAIL, "</c:UpsertArticles><c:UpsertArticles/></s:Body></s:Envelope>");
    let reply = send(&server, &more);
    assert!(reply.body.contains("something comes after the operation"), "{}", reply.body);
    let misunderstood =
        request(2_000).replace("<s:Header/>", "<s:Header><x xmlns=\"urn:x\" s:mustUnderstand=\"1\"/></s:Header>");
    let reply = send(&server, &misunderstood);
    assert!(reply.body.contains("soap:MustUnderstand"), "{}", reply.body);
}

#[test]
fn memory_does_not_grow_with_the_request() {
    let server = Site::new(Database::Sqlite).serve();
    let size = 150_u64 << 20;
    let mut connection = TcpStream::connect(server.base.trim_start_matches("http://")).unwrap();
    connection
        .write_all(b"POST /soap/catalog HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: text/xml\r\ntransfer-encoding: chunked\r\n\r\n")
        .unwrap();
    let mut chunk = |text: &str| {
        connection.write_all(format!("{:x}\r\n{text}\r\n", text.len()).as_bytes()).unwrap();
    };
    chunk(HEAD);
    let (mut sent, mut records) = (0, 0);
    while sent < size {
        let mut piece = String::new();
        for _ in 0..1_000 {
            // A few articles again and again: it is the request that is large.
            article(&mut piece, records % 5_000);
            records += 1;
        }
        sent += piece.len() as u64;
        chunk(&piece);
    }
    chunk(TAIL);
    connection.write_all(b"0\r\n\r\n").unwrap();
    let (mut reply, mut piece, mut count) = (Vec::new(), vec![0; 1 << 20], 0);
    loop {
        let length = connection.read(&mut piece).unwrap();
        if length == 0 {
            break;
        }
        reply.extend_from_slice(&piece[..length]);
        count += length;
    }
    let reply = String::from_utf8_lossy(&reply);
    assert!(reply.starts_with("HTTP/1.1 200"), "{}", &reply[..reply.len().min(600)]);
    assert!(reply.contains("</soap:Envelope>") && count > 1 << 20);
    assert!(server.peak_memory() < 250, "{} MB", server.peak_memory());
}
