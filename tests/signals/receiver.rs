//! A system that listens: it answers as a test wants it, and remembers what it heard.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use serde_json::Value;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A request that came.
#[derive(Clone, Debug)]
pub struct Heard {
    headers: HashMap<String, String>,
    pub body: String,
}

impl Heard {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }
}

pub struct Receiver {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl Receiver {
    /// Answers each request with the status that `status` has for its number.
    pub fn start(status: impl Fn(usize) -> u16 + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let kept = heard.clone();
        let status = Arc::new(Mutex::new(status));
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (kept, status) = (kept.clone(), status.clone());
                std::thread::spawn(move || {
                    let mut reader = BufReader::new(connection);
                    while let Some(request) = read(&mut reader) {
                        let number = {
                            let mut kept = kept.lock().unwrap();
                            kept.push(request);
                            kept.len() - 1
                        };
                        let code = status.lock().unwrap()(number);
                        let text = if code == 204 { "" } else { "as the test\nwants it" };
                        let answer = format!("HTTP/1.1 {code} X\r\ncontent-length: {}\r\n\r\n{text}", text.len());
                        if reader.get_mut().write_all(answer.as_bytes()).is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Self { address, heard }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What came, once there are so many.
    pub fn heard(&self, count: usize) -> Vec<Heard> {
        for _ in 0..600 {
            let heard = self.heard.lock().unwrap().clone();
            if heard.len() >= count {
                return heard;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("not {count} came: {:?}", self.heard.lock().unwrap());
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Heard> {
    let mut headers = HashMap::new();
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Heard { headers, body: String::from_utf8(body).unwrap() })
}

/// What a receiver makes of a secret in base64 and what was signed, to compare.
pub fn signature(secret: &str, signed: &str) -> String {
    let key = PKey::hmac(&STANDARD.decode(secret).unwrap()).unwrap();
    let mut signer = Signer::new(MessageDigest::sha256(), &key).unwrap();
    format!("v1,{}", STANDARD.encode(signer.sign_oneshot_to_vec(signed.as_bytes()).unwrap()))
}
