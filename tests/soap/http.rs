//! HTTP as old and careless clients speak it, byte by byte.

use crate::support::{Database, Server, Site, signal};
use flate2::Compression;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

const LIST: &str = "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><ListCategories xmlns=\"urn:soapstone:catalog/v1\"/></s:Body></s:Envelope>";

struct Connection(TcpStream);

impl Connection {
    fn open(server: &Server) -> Self {
        let stream = TcpStream::connect(server.base.trim_start_matches("http://")).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        Self(stream)
    }

    fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).unwrap();
    }

    /// All that comes up to a text.
    fn until(&mut self, end: &str) -> String {
        let mut read = Vec::new();
        let mut byte = [0];
        while !read.ends_with(end.as_bytes()) {
            let length = self.0.read(&mut byte).unwrap();
            assert!(length > 0, "{end} is not in {}", String::from_utf8_lossy(&read));
            read.push(byte[0]);
        }
        String::from_utf8_lossy(&read).into_owned()
    }

    /// All that comes until the server closes the connection.
    fn rest(mut self) -> String {
        let mut read = Vec::new();
        self.0.read_to_end(&mut read).unwrap();
        String::from_utf8_lossy(&read).into_owned()
    }
}

fn head(version: &str, more: &str) -> String {
    format!(
        "POST /soap/catalog HTTP/{version}\r\nhost: localhost\r\ncontent-type: text/xml; charset=utf-8\r\n{more}\r\n"
    )
}

#[test]
fn http_1_0_is_answered_and_closed() {
    let server = Site::new(Database::Sqlite).serve();
    let mut connection = Connection::open(&server);
    connection.send(head("1.0", &format!("content-length: {}\r\n", LIST.len())) + LIST);
    let reply = connection.rest();
    assert!(reply.starts_with("HTTP/1.0 200 OK") && reply.ends_with("</soap:Envelope>"), "{reply}");
}

#[test]
fn a_client_may_ask_before_it_sends_the_body() {
    let server = Site::new(Database::Sqlite).serve();
    let mut connection = Connection::open(&server);
    connection.send(head("1.1", &format!("expect: 100-continue\r\ncontent-length: {}\r\n", LIST.len())));
    assert!(connection.until("\r\n\r\n").starts_with("HTTP/1.1 100 Continue"));
    connection.send(LIST);
    assert!(connection.until("</soap:Envelope>").starts_with("HTTP/1.1 200"));
}

#[test]
fn one_connection_takes_many_requests() {
    let server = Site::new(Database::Sqlite).serve();
    let mut connection = Connection::open(&server);
    for _ in 0..3 {
        connection.send(head("1.1", "transfer-encoding: chunked\r\n"));
        for piece in LIST.as_bytes().chunks(70) {
            connection.send(format!("{:x}\r\n", piece.len()));
            connection.send(piece);
            connection.send("\r\n");
        }
        connection.send("0\r\n\r\n");
        assert!(connection.until("</soap:Envelope>").starts_with("HTTP/1.1 200"));
    }
}

#[test]
fn bodies_are_compressed_both_ways() {
    let server = Site::new(Database::Sqlite).serve();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(LIST.as_bytes()).unwrap();
    let mut deflate = flate2::write::ZlibEncoder::new(Vec::new(), Compression::default());
    deflate.write_all(LIST.as_bytes()).unwrap();
    for (encoding, body) in [("gzip", gzip.finish().unwrap()), ("deflate", deflate.finish().unwrap())] {
        let headers = [("content-type", "text/xml"), ("content-encoding", encoding)];
        let reply = server.call("POST", "/soap/catalog", &headers, &body);
        assert_eq!(reply.status, 200, "{encoding}: {reply:?}");
        let cut_off = server.call("POST", "/soap/catalog", &headers, &body[..body.len() / 2]);
        assert_ne!(cut_off.status, 200, "{encoding}");
    }
    for encoding in ["gzip", "deflate"] {
        let mut connection = Connection::open(&server);
        let more = format!("connection: close\r\naccept-encoding: {encoding}\r\n");
        connection.send(format!("GET /soap/catalog?wsdl HTTP/1.1\r\nhost: localhost\r\n{more}\r\n"));
        let head = connection.until("\r\n\r\n");
        assert!(head.contains(&format!("content-encoding: {encoding}")), "{head}");
    }
}

#[test]
fn a_body_that_inflates_without_end_is_cut_off() {
    let server = Site::new(Database::Sqlite).serve_with(&["max-body=1000000"]);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![b' '; 1 << 20];
    (0..200).for_each(|_| gzip.write_all(&zeros).unwrap());
    let bomb = gzip.finish().unwrap();
    let headers = [("content-type", "text/xml"), ("content-encoding", "gzip")];
    let reply = server.call("POST", "/soap/catalog", &headers, &bomb);
    assert_eq!(reply.status, 413, "{} bytes: {reply:?}", bomb.len());
    assert!(reply.body.contains("http.too_large"), "{}", reply.body);
}

#[test]
fn who_is_too_slow_is_refused() {
    let server = Site::new(Database::Sqlite).serve();
    let mut connection = Connection::open(&server);
    connection.send(head("1.1", "content-length: 1000\r\n"));
    connection.send(&LIST[..10]);
    let reply = connection.until("</soap:Envelope>");
    assert!(reply.starts_with("HTTP/1.1 408") && reply.contains("http.slow"), "{reply}");
    // So is a head that does not come to an end.
    let mut connection = Connection::open(&server);
    connection.send("POST /soap/catalog HTTP/1.1\r\nhost: loc");
    assert!(connection.rest().starts_with("HTTP/1.1 408"));
}

#[test]
fn what_was_accepted_is_finished_before_the_server_ends() {
    let server = Site::new(Database::Sqlite).serve();
    let mut connection = Connection::open(&server);
    connection.send(head("1.1", &format!("content-length: {}\r\n", LIST.len())));
    connection.send(&LIST[..40]);
    // The server has the request when it has counted it.
    while !server.get("/metrics").body.contains("soapstone_requests_in_flight{channel=\"soap\"} 1") {
        std::thread::sleep(Duration::from_millis(20));
    }
    signal("TERM", server.pid());
    std::thread::sleep(Duration::from_millis(300));
    connection.send(&LIST[40..]);
    assert!(connection.until("</soap:Envelope>").starts_with("HTTP/1.1 200"));
    assert_eq!(server.stop(), Some(0));
}

/// Java offers HTTP/2 with every request; the connection then ends, and it has to be told.
#[test]
fn offers_of_other_protocols_are_not_taken() {
    let server = Site::new(Database::Sqlite).serve();
    let mut connection = Connection::open(&server);
    let offer = "connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAEAAEAAAAIAAAAAAAMAAAAA\r\n";
    connection.send(head("1.1", &format!("{offer}content-length: {}\r\n", LIST.len())) + LIST);
    let reply = connection.rest();
    assert!(reply.starts_with("HTTP/1.1 200 OK") && reply.ends_with("</soap:Envelope>"), "{reply}");
    assert!(reply.contains("\r\nconnection: close\r\n") && !reply.contains("upgrade"), "{reply}");
}
