//! Requests written byte by byte: paths, hosts and methods as no HTTP library would send them, plain or over TLS.

use openssl::ssl::{SslConnector, SslFiletype, SslMethod, SslStream};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

enum Stream {
    Plain(TcpStream),
    Tls(SslStream<TcpStream>),
}

/// A client that keeps its connection while it can.
pub struct Wire {
    address: String,
    tls: Option<SslConnector>,
    stream: Option<Stream>,
}

/// The answer to a request.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    head: String,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value.trim())
    }
}

impl Wire {
    pub fn plain(base: &str) -> Self {
        Self { address: base.trim_start_matches("http://").to_owned(), tls: None, stream: None }
    }

    /// Trusts `ca.pem` of a folder, and shows the certificate NAME.pem of it, if one is named.
    pub fn tls(base: &str, certs: &Path, client: Option<&str>) -> Self {
        let mut tls = SslConnector::builder(SslMethod::tls()).unwrap();
        tls.set_ca_file(certs.join("ca.pem")).unwrap();
        if let Some(name) = client {
            tls.set_certificate_file(certs.join(format!("{name}.pem")), SslFiletype::PEM).unwrap();
            tls.set_private_key_file(certs.join(format!("{name}.key")), SslFiletype::PEM).unwrap();
        }
        Self { address: base.trim_start_matches("https://").to_owned(), tls: Some(tls.build()), stream: None }
    }

    fn connect(&self) -> Stream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        match &self.tls {
            None => Stream::Plain(stream),
            Some(tls) => Stream::Tls(tls.connect("127.0.0.1", stream).unwrap()),
        }
    }

    /// Sends a request with a body that is complete, and reads the answer.
    pub fn send(&mut self, method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = format!("{method} {target} HTTP/1.1\r\n");
        if !headers.iter().any(|(name, _)| *name == "host") {
            request.push_str(&format!("host: {}\r\n", self.address));
        }
        headers.iter().for_each(|(name, value)| request.push_str(&format!("{name}: {value}\r\n")));
        request.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len()));
        // A connection that was kept may just have been closed.
        for _ in 0..2 {
            let is_new = self.stream.is_none();
            let mut stream = self.stream.take().unwrap_or_else(|| self.connect());
            if let Some((answer, is_open)) = stream.exchange(&request, method) {
                self.stream = is_open.then_some(stream);
                return answer;
            }
            assert!(!is_new, "no answer to {method} {target}");
        }
        panic!("no answer to {method} {target}");
    }
}

impl Stream {
    fn exchange(&mut self, request: &str, method: &str) -> Option<(Answer, bool)> {
        let written = match self {
            Self::Plain(stream) => stream.write_all(request.as_bytes()),
            Self::Tls(stream) => stream.write_all(request.as_bytes()),
        };
        let mut bytes = Vec::new();
        if written.is_err() && !self.fill(&mut bytes) {
            return None;
        }
        let end = loop {
            if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                break at;
            }
            if !self.fill(&mut bytes) {
                return None;
            }
        };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let status = head.get(9..12).and_then(|digits| digits.parse().ok()).unwrap_or_else(|| panic!("{head}"));
        let mut answer = Answer { status, head, body: String::new() };
        let mut body = bytes.split_off(end + 4);
        let is_event_stream = answer.header("content-type").starts_with("text/event-stream");
        let mut is_open = !is_event_stream && !answer.header("connection").eq_ignore_ascii_case("close");
        if method != "HEAD" && status != 204 && status != 304 {
            let length: Option<usize> = answer.header("content-length").parse().ok();
            let is_chunked = answer.header("transfer-encoding").contains("chunked");
            is_open &= length.is_some() || is_chunked;
            while !is_event_stream
                && length.is_none_or(|length| body.len() < length)
                && !(is_chunked && body.ends_with(b"0\r\n\r\n"))
                && self.fill(&mut body)
            {}
        }
        answer.body = String::from_utf8_lossy(&body).into_owned();
        Some((answer, is_open))
    }

    /// Reads more; false: it is closed.
    fn fill(&mut self, bytes: &mut Vec<u8>) -> bool {
        let mut piece = [0; 16_384];
        let read = match self {
            Self::Plain(stream) => stream.read(&mut piece),
            Self::Tls(stream) => stream.read(&mut piece),
        };
        match read {
            Ok(length) => {
                bytes.extend_from_slice(&piece[..length]);
                length > 0
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => panic!("no answer within a minute"),
            Err(_) => false,
        }
    }
}
