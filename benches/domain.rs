//! How fast the services are over HTTP, on SQLite and on PostgreSQL: upsert, get, list, and FindPrice of 100 lines with
//! 100,000 price entries of 10,000 customers. `cargo bench --bench domain [ENTRIES]`

#[allow(dead_code, reason = "the tests use more of it")]
#[path = "../tests/support/cluster.rs"]
mod cluster;

use serde_json::{Value, json};
use std::error::Error;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const ARTICLES: usize = 1000;
const CUSTOMERS: usize = 10_000;
const LINES: usize = 100;

/// Records of one request.
const BATCH: usize = 500;

/// How often single requests are measured; their median counts.
const ROUNDS: usize = 51;

struct Server {
    process: Child,
    base: String,
    agent: ureq::Agent,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It is gone already, or it ends now.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Server {
    fn start(folder: &Path, database: Option<String>) -> Result<Self> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_soapstone"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--set", "log=warn", "--json", "--data-dir"]).arg(folder);
        if let Some(url) = database {
            command.args(["--database-url", &url]);
        }
        let mut process = command.stdout(Stdio::piped()).spawn()?;
        let mut said = String::new();
        BufReader::new(process.stdout.take().ok_or("no output")?).read_line(&mut said)?;
        let said: Value = serde_json::from_str(&said)?;
        let base = said["listening"].as_str().ok_or("no address")?.to_owned();
        Ok(Self { process, base, agent: ureq::Agent::new_with_defaults() })
    }

    fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let address = format!("{}/api/v1{path}", self.base);
        let mut reply = self.agent.post(&address).header("content-type", "application/json").send(body.to_string())?;
        Ok(serde_json::from_str(&reply.body_mut().read_to_string()?)?)
    }

    fn get(&self, path: &str) -> Result<Value> {
        let address = format!("{}/api/v1{path}", self.base);
        Ok(serde_json::from_str(&self.agent.get(&address).call()?.body_mut().read_to_string()?)?)
    }

    /// Puts records in, and says how many a second.
    fn upsert(
        &self,
        what: &str,
        path: &str,
        member: &str,
        count: usize,
        record: impl Fn(usize) -> Value,
    ) -> Result<()> {
        let began = Instant::now();
        for first in (0..count).step_by(BATCH) {
            let records: Vec<Value> = (first..(first + BATCH).min(count)).map(&record).collect();
            let reply = self.post(path, &json!({member: records}))?;
            let failed = reply["result"].as_array().ok_or("no results")?.iter().find(|r| r["outcome"] == "failed");
            if let Some(failed) = failed {
                return Err(failed.to_string().into());
            }
        }
        let seconds = began.elapsed().as_secs_f64();
        println!("  upsert {count:>7} {what:<16} {:>10.0} records/s", count as f64 / seconds);
        Ok(())
    }

    /// Asks often, and says how long the median is.
    fn time(&self, what: &str, ask: impl Fn(usize) -> Result<Value>) -> Result<()> {
        let mut times = Vec::with_capacity(ROUNDS);
        for round in 0..ROUNDS {
            let began = Instant::now();
            std::hint::black_box(ask(round)?);
            times.push(began.elapsed());
        }
        times.sort();
        let (median, most): (Duration, Duration) = (times[ROUNDS / 2], times[ROUNDS - 1]);
        let millis = |time: Duration| time.as_secs_f64() * 1e3;
        println!("  {what:<31} {:>10.2} ms (most {:.2})", millis(median), millis(most));
        Ok(())
    }
}

fn main() -> Result<()> {
    let entries = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(100_000);
    let folder = tempfile::tempdir()?;
    println!("SQLite");
    measure(&Server::start(&folder.path().join("sqlite"), None)?, entries)?;
    println!("PostgreSQL");
    let url = cluster::Cluster::get().new_database();
    measure(&Server::start(&folder.path().join("postgres"), Some(url))?, entries)
}

fn measure(server: &Server, entries: usize) -> Result<()> {
    server.upsert("articles", "/articles", "article", ARTICLES, |n| {
        json!({
            "sku": format!("A{n}"), "name": [{"value": format!("Article {n}"), "language": "en"}], "unit": "piece",
            "listPrice": {"value": "100.00", "currency": "CHF"}, "discountGroup": format!("D{}", n % 10),
            "tierPrice": [{"minimumQuantity": "10", "value": "95.00"}],
        })
    })?;
    server.upsert("customers", "/customers", "customer", CUSTOMERS, |n| {
        json!({
            "number": format!("C{n}"), "company": format!("Company {n}"), "email": format!("c{n}@example.com"),
            "priceGroup": format!("G{}", n % 20), "discountGroup": "TRADE",
            "billingAddress": {"street": "Street 1", "postalCode": "8000", "city": "Zürich", "country": "CH"},
        })
    })?;
    server.upsert("price entries", "/price-entries", "entry", entries, |n| {
        json!({
            "key": format!("E{n}"), "sku": format!("A{}", n % ARTICLES),
            "customer": format!("C{}", (n / 10) % CUSTOMERS), "minimumQuantity": format!("{}", n % 5),
            "price": {"value": format!("{}.50", 50 + n % 40), "currency": "CHF"},
        })
    })?;
    server.upsert("line discounts", "/line-discounts", "discount", 1000, |n| {
        json!({"key": format!("L{n}"), "customer": format!("C{n}"), "articleGroup": format!("D{}", n % 10), "percent": "5"})
    })?;
    server.time("get an article", |n| server.get(&format!("/articles/A{}", n % ARTICLES)))?;
    server.time("get a customer", |n| server.get(&format!("/customers/C{}", n * 97 % CUSTOMERS)))?;
    server.time("list 100 articles", |n| server.get(&format!("/articles?limit=100&cursor=A{}", n * 7)))?;
    server.time("list 100 customers", |n| server.get(&format!("/customers?limit=100&cursor=C{}", n * 97)))?;
    server.time("list 100 price entries", |n| server.get(&format!("/price-entries?limit=100&cursor=E{}", n * 97)))?;
    let lines = |n: usize| -> Vec<Value> {
        (0..LINES)
            .map(|line| json!({"sku": format!("A{}", (n * 131 + line * 7) % ARTICLES), "quantity": "3"}))
            .collect()
    };
    server.time("FindPrice of 100 lines", |n| {
        server.post("/prices/find", &json!({"customer": format!("C{}", n * 97 % CUSTOMERS), "line": lines(n)}))
    })?;
    server.time("the same, explained", |n| {
        let customer = format!("C{}", n * 97 % CUSTOMERS);
        server.post("/prices/find", &json!({"customer": customer, "explain": true, "line": lines(n)}))
    })?;
    server.time("take an order of 5 lines", |n| {
        let lines = &lines(n)[..5];
        server.post("/orders", &json!({"order": [{"customer": format!("C{n}"), "position": lines}]}))
    })
}
