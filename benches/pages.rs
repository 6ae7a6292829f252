//! How long the server takes for each page of the Navigator, with many articles and 10,000 runs in an embedded database.
//! `cargo bench --bench pages [ARTICLES]`

#[path = "../tests/support/catalogue.rs"]
mod catalogue;

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Runs that lie there, one a minute.
const RUNS: i64 = 10_000;

/// How often each page is asked for; the middle counts.
const ROUNDS: usize = 9;

/// A page that takes longer is slow.
const SLOW: Duration = Duration::from_millis(300);

const PAGES: &[&str] = &[
    "/navigator",
    "/navigator/runs",
    "/navigator/runs?text=articles-99",
    "/navigator/runs?state=failed",
    "/navigator/runs?kind=articles&state=succeeded",
    "/navigator/runs/1",
    "/navigator/runs/1/source?line=4000",
    "/navigator/import",
    "/navigator/exports",
    "/navigator/channels",
    "/navigator/profiles",
    "/navigator/profiles/edit?name=luma-shop&ending=toml",
    "/navigator/articles",
    "/navigator/articles?after=ART-0050000",
    "/navigator/articles?text=ART-00012",
    "/navigator/articles?text=none",
    "/navigator/articles?text=none&names=on",
    "/navigator/articles?text=none&names=on&after=ART-0500000",
    "/navigator/article?sku=ART-0000001",
    "/navigator/categories",
    "/navigator/customers",
    "/navigator/orders",
    "/navigator/prices?sku=ART-0000001&quantity=10",
    "/navigator/contracts",
    "/navigator/contract?service=Catalog",
    "/navigator/contract?service=Catalog&operation=UpsertArticles",
    "/navigator/hooks",
    "/navigator/messages",
    "/navigator/system",
];

fn main() -> Result<()> {
    let count = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(1_000_000);
    let folder = tempfile::tempdir()?;
    let (file, data) = (folder.path().join("articles.xml"), folder.path().join("data"));
    catalogue::write(count, BufWriter::new(File::create(&file)?))?;
    import(&data, &file)?;
    add_runs(&data.join("soapstone.sqlite"))?;
    // What the server does after a run, it does with those too.
    let one = folder.path().join("one.csv");
    std::fs::write(&one, "sku\nART-0000001\n")?;
    import(&data, &one)?;
    println!("{count} articles, {RUNS} runs; the middle of {ROUNDS}");
    let (mut server, base) = serve(&data)?;
    let agent: ureq::Agent = ureq::Agent::new_with_defaults();
    let mut slow = Vec::new();
    for page in PAGES {
        let took = middle(&agent, &format!("{base}{page}"))?;
        println!("{page:<62} {:>8.1} ms", took.as_secs_f64() * 1000.0);
        if took > SLOW {
            slow.push(*page);
        }
    }
    server.kill()?;
    server.wait()?;
    if slow.is_empty() {
        println!("all of them within {} ms", SLOW.as_millis());
        return Ok(());
    }
    Err(format!("longer than {} ms: {}", SLOW.as_millis(), slow.join(", ")).into())
}

fn soapstone(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_soapstone"));
    command.env("SOAPSTONE_DATA_DIR", data).stderr(Stdio::null());
    command
}

fn import(data: &Path, file: &Path) -> Result<()> {
    let status = soapstone(data).args(["import", "articles"]).arg(file).stdout(Stdio::null()).status()?;
    if status.success() { Ok(()) } else { Err(format!("{} is not imported: {status}", file.display()).into()) }
}

/// Adds runs like the first one, one a minute up to now, of which some failed.
fn add_runs(database: &Path) -> Result<()> {
    let mut database = Connection::open(database)?;
    let transaction = database.transaction()?;
    for (table, key) in [("runs", "id"), ("run_progress", "run_id")] {
        let columns: Vec<String> = transaction
            .prepare(&format!("SELECT name FROM pragma_table_info('{table}')"))?
            .query_map([], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        let first: Vec<Value> =
            transaction.query_row(&format!("SELECT * FROM {table} WHERE {key} = 1"), [], |row| {
                (0..columns.len()).map(|place| row.get(place)).collect()
            })?;
        let places = vec!["?"; columns.len()].join(", ");
        let mut insert = transaction.prepare(&format!("INSERT INTO {table} VALUES ({places})"))?;
        for number in 1..=RUNS {
            let at: String = transaction.query_row(
                "SELECT strftime('%Y-%m-%d %H:%M:%f', 'now', ?1)",
                [format!("-{} minutes", RUNS - number)],
                |row| row.get(0),
            )?;
            let value = |(name, value): (&String, &Value)| match name.as_str() {
                "id" | "run_id" => Value::Integer(number + 1),
                "created_at" | "started_at" | "finished_at" => Value::Text(at.clone()),
                "source_name" => Value::Text(format!("articles-{number}.csv")),
                "state" if number % 7 == 0 => Value::Text("failed".to_owned()),
                _ => value.clone(),
            };
            insert.execute(params_from_iter(columns.iter().zip(&first).map(value)))?;
        }
    }
    transaction.commit()?;
    Ok(())
}

fn serve(data: &Path) -> Result<(Child, String)> {
    let mut child =
        soapstone(data).args(["serve", "--listen", "127.0.0.1:0", "--json"]).stdout(Stdio::piped()).spawn()?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut line)?;
    let told: serde_json::Value = serde_json::from_str(&line)?;
    let base = told["listening"].as_str().ok_or("it does not say where it listens")?.to_owned();
    Ok((child, base))
}

fn middle(agent: &ureq::Agent, address: &str) -> Result<Duration> {
    let mut times = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let began = Instant::now();
        let mut answer = agent.get(address).call().map_err(|error| format!("{address}: {error}"))?;
        answer.body_mut().read_to_vec()?;
        times.push(began.elapsed());
    }
    times.sort();
    Ok(times[ROUNDS / 2])
}
