//! Callers that hang up and servers that are killed, over REST and SOAP: every order is there once, and every key is unused or
//! answered. `SOAPSTONE_FAULTS=full` runs 500 hang-ups and 100 kills.

use crate::support::{Server, Site, on_each_database};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

fn is_full() -> bool {
    std::env::var("SOAPSTONE_FAULTS").is_ok_and(|value| value == "full")
}

/// Numbers that differ from run to run.
struct Random(u64);

impl Random {
    fn new() -> Self {
        let seed = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64;
        println!("seed {seed}");
        Self(seed | 1)
    }

    /// A number below `end`.
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).unwrap()
    }
}

/// An order under the key that is its text; every other one is a SOAP message.
fn request(key: &str) -> Vec<u8> {
    let is_soap = key.len().is_multiple_of(2);
    let (path, headers, body) = if is_soap {
        let body = format!(
            "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:a=\"http://www.w3.org/2005/08/addressing\"><s:Header>\
             <a:Action>urn:soapstone:orders/v1/CreateOrders</a:Action><a:MessageID>urn:{key}</a:MessageID></s:Header><s:Body>\
             <CreateOrders xmlns=\"urn:soapstone:orders/v1\"><order><position><text>{key}</text><quantity>1</quantity>\
             <unitPrice>1</unitPrice></position></order></CreateOrders></s:Body></s:Envelope>"
        );
        ("/soap/orders", "content-type: text/xml; charset=utf-8".to_owned(), body)
    } else {
        let body = json!({"order": [{"position": [{"text": key, "quantity": "1", "unitPrice": "1"}]}]}).to_string();
        ("/api/v1/orders", format!("content-type: application/json\r\nidempotency-key: {key}"), body)
    };
    let length = body.len();
    format!("POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n{headers}\r\ncontent-length: {length}\r\n\r\n{body}").into_bytes()
}

/// A key of the way that the number says: a text of even length goes over SOAP.
fn key(round: usize, number: usize) -> String {
    let key = format!("{round:03}-{number:03}-");
    key + if number.is_multiple_of(2) { "" } else { "r" }
}

#[derive(Clone, Debug, PartialEq)]
struct Answer {
    status: u16,
    is_replayed: bool,
    /// What is said of the order; the header of a SOAP message is another one each time.
    content: String,
}

/// The whole answer; None: there was none.
fn send(address: &str, request: &[u8]) -> Option<Answer> {
    let mut connection = TcpStream::connect(address).ok()?;
    connection.set_read_timeout(Some(Duration::from_secs(60))).ok()?;
    connection.write_all(request).ok()?;
    let mut reply = Vec::new();
    connection.read_to_end(&mut reply).ok()?;
    let reply = String::from_utf8(reply).ok()?;
    let (head, body) = reply.split_once("\r\n\r\n")?;
    let head = head.to_ascii_lowercase();
    let length: usize = head.split("content-length: ").nth(1)?.split("\r\n").next()?.parse().ok()?;
    if body.len() < length {
        return None;
    }
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let content = body.find("Body>").map_or(body, |at| &body[at..]).to_owned();
    Some(Answer { status, is_replayed: head.contains("idempotency-replayed: true"), content })
}

fn address(server: &Server) -> String {
    server.base.strip_prefix("http://").unwrap().to_owned()
}

/// Sends a request until it is answered.
fn send_until_done(address: &str, key: &str) -> Answer {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let answer = send(address, &request(key));
        match answer {
            Some(answer) if answer.status == 200 => return answer,
            // Another one with the key is in progress; over SOAP that is a fault.
            Some(answer) if answer.content.contains("in_progress") => {}
            Some(answer) if answer.status == 503 => {}
            answer => panic!("{key}: {answer:?}"),
        }
        assert!(Instant::now() < deadline, "{key} is not answered");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// How often each order is there, by the text of its line.
fn orders(server: &Server) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    let mut cursor = String::new();
    loop {
        let page = server.get(&format!("/api/v1/orders?limit=1000{cursor}")).json();
        for order in page["order"].as_array().unwrap() {
            *found.entry(order["position"][0]["text"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

/// Works through `count` numbers on some threads.
fn on_threads(count: usize, work: impl Fn(usize) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        break;
                    }
                    work(number);
                }
            });
        }
    });
}

on_each_database! {
    fn callers_that_hang_up(database) {
        let count = if is_full() { 1000 } else { 100 };
        let server = Site::new(database).serve();
        let address = address(&server);
        let random = Mutex::new(Random::new());
        let below = |end: usize| random.lock().unwrap().below(end);
        let answered = Mutex::new(BTreeMap::new());
        on_threads(count, |number| {
            let (key, how) = (key(0, number), below(4));
            let request = request(&key);
            let mut connection = TcpStream::connect(&address).unwrap();
            match how {
                // Before the end of the body.
                0 => connection.write_all(&request[..below(request.len())]).unwrap(),
                // Right after it.
                1 => connection.write_all(&request).unwrap(),
                // While waiting.
                2 => {
                    connection.write_all(&request).unwrap();
                    std::thread::sleep(Duration::from_micros(below(20_000) as u64));
                }
                // With nothing more to send.
                _ => {
                    connection.write_all(&request).unwrap();
                    connection.shutdown(Shutdown::Write).unwrap();
                    let mut reply = String::new();
                    if connection.read_to_string(&mut reply).is_ok() && reply.starts_with("HTTP/1.1 200") {
                        answered.lock().unwrap().insert(key, ());
                    }
                }
            }
        });
        // At once, while some are still in progress.
        on_threads(count, |number| {
            let answer = send_until_done(&address, &key(0, number));
            let was_answered = answered.lock().unwrap().contains_key(&key(0, number));
            assert!(answer.is_replayed || !was_answered, "{answer:?}");
            let again = send_until_done(&address, &key(0, number));
            assert!(again.is_replayed && again.content == answer.content, "{answer:?} {again:?}");
        });
        let expected: BTreeMap<String, usize> = (0..count).map(|number| (key(0, number), 1)).collect();
        assert_eq!(orders(&server), expected);
        println!("{count} hang-ups, {} orders", expected.len());
    }

    fn servers_that_are_killed(database) {
        const BURST: usize = 40;
        let rounds = if is_full() { 100 } else { 4 };
        let mut random = Random::new();
        let (mut kept, mut unused, mut told) = (0, 0, 0);
        for round in 0..rounds {
            let site = Site::new(database);
            let server = Mutex::new(Some(site.serve()));
            let address_before = address(server.lock().unwrap().as_ref().unwrap());
            let answers: Mutex<BTreeMap<String, Answer>> = Mutex::default();
            // After some answers, at any moment of those that follow.
            let (enough, wait) = (random.below(BURST - 8), Duration::from_micros(random.below(10_000) as u64));
            let done = AtomicUsize::new(0);
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    while done.load(Ordering::Relaxed) < enough {
                        std::thread::sleep(Duration::from_micros(100));
                    }
                    std::thread::sleep(wait);
                    server.lock().unwrap().take().unwrap().kill();
                });
                on_threads(BURST, |number| {
                    let key = key(round, number);
                    if let Some(answer) = send(&address_before, &request(&key)).filter(|answer| answer.status == 200) {
                        answers.lock().unwrap().insert(key, answer);
                    }
                    done.fetch_add(1, Ordering::Relaxed);
                });
            });
            let server = site.serve();
            let there: BTreeSet<String> = orders(&server).into_keys().collect();
            let answers = answers.into_inner().unwrap();
            told += answers.len();
            on_threads(BURST, |number| {
                let key = key(round, number);
                let answer = send_until_done(&address(&server), &key);
                // What is there has its answer, and what was answered is there.
                assert!(answer.is_replayed || !there.contains(&key), "{key} is there, and its key unused");
                if let Some(before) = answers.get(&key) {
                    assert!(answer.is_replayed && answer.content == before.content, "{before:?} {answer:?}");
                }
            });
            kept += there.len();
            unused += BURST - there.len();
            let expected: BTreeMap<String, usize> = (0..BURST).map(|number| (key(round, number), 1)).collect();
            assert_eq!(orders(&server), expected, "round {round}");
        }
        println!("{rounds} kills: {kept} orders were there, {told} of them answered, {unused} keys unused");
    }
}
