//! How fast articles are imported into SQLite and into PostgreSQL, beside floors of the same run: reading the file alone, libxml2's
//! streaming validation of it alone, the rows that the import wrote by prepared statements, and by COPY. With peak memory, time and CPU
//! by stage, and how long the same file takes again. `cargo bench --bench import [ARTICLES]`

#[path = "../tests/support/catalogue.rs"]
mod catalogue;
#[allow(dead_code, reason = "the tests use more of it")]
#[path = "../tests/support/cluster.rs"]
mod cluster;

use libxml::bindings;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use soapstone_contracts::catalog::Article;
use soapstone_runtime::Message;
use soapstone_runtime::records::Records;
use std::error::Error;
use std::ffi::CString;
use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// As the import has it by default.
const BATCH: usize = 2000;

/// How often each is measured where it does not take long; the best counts, as it was disturbed least.
const ROUNDS: usize = 3;
const LONG: u32 = 300_000;

/// Rows that are in memory at once.
const CHUNK: usize = 200_000;

const SETUP: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; \
                     PRAGMA cache_size = -32000; PRAGMA temp_store = MEMORY;";

/// What an import took.
#[derive(Clone, Debug)]
struct Measured {
    time: Duration,
    /// Bytes, at the most.
    memory: u64,
    /// Of the process, in all of its threads.
    cpu: Duration,
    stages: String,
}

fn main() -> Result<()> {
    let count = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(100_000);
    let rounds = if count >= LONG { 1 } else { ROUNDS };
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("articles.xml");
    catalogue::write(count, BufWriter::new(File::create(&file)?))?;
    let megabytes = file.metadata()?.len() as f64 / 1e6;
    println!("{count} articles, {megabytes:.0} MB of XML; best of {rounds}");
    let line = |name: &str, time: Duration| {
        println!("{name:<60} {:>8.2} s {:>9.0} articles/s", time.as_secs_f64(), f64::from(count) / time.as_secs_f64());
    };

    let reading = best(rounds, |_| read(&file, count))?;
    line("floor: reading alone, by the generated reader", reading);
    let validating = best(rounds, |_| validate(&file))?;
    line("floor: libxml2's streaming validation alone", validating);

    let data = folder.path().join("sqlite");
    let database = data.join("soapstone.sqlite");
    let (first, again) = both(rounds, &file, &data, "")?;
    tell("SQLite", count, &first, &again);
    let rows = Rows::of(&database)?;
    let inserting =
        best(rounds, |round| rows.insert(&folder.path().join(format!("floor{round}.sqlite")), count as usize))?;
    line(&format!("floor: the same {} rows, prepared", rows.count()?), inserting);
    ratio("SQLite", &first, &[reading, validating, inserting]);

    let cluster = cluster::Cluster::get();
    let url = cluster.new_database();
    let (first, again) = both(1, &file, &folder.path().join("postgres"), &url)?;
    tell("PostgreSQL", count, &first, &again);
    let copying = rows.copy(&folder.path().join("copied"), &cluster.new_database(), &url)?;
    line(&format!("floor: the same {} rows, by COPY", rows.count()?), copying);
    ratio("PostgreSQL", &first, &[reading, validating, copying]);
    Ok(())
}

fn tell(name: &str, count: u32, first: &Measured, again: &Measured) {
    for (what, measured) in [("import", first), ("the same file again", again)] {
        println!(
            "{:<60} {:>8.2} s {:>9.0} articles/s · {:.0} MB at the most · CPU {:.2} s · {}",
            format!("{name}: {what}, the command from start to end"),
            measured.time.as_secs_f64(),
            f64::from(count) / measured.time.as_secs_f64(),
            measured.memory as f64 / 1e6,
            measured.cpu.as_secs_f64(),
            measured.stages
        );
    }
    println!("{name}: unchanged, it is {:.1} times as fast", first.time.as_secs_f64() / again.time.as_secs_f64());
}

fn ratio(name: &str, import: &Measured, floors: &[Duration]) {
    let slowest = floors.iter().max().copied().unwrap_or_default();
    println!(
        "{name}: the import takes {:.2} times the slowest floor",
        import.time.as_secs_f64() / slowest.as_secs_f64()
    );
}

fn best(rounds: usize, mut measure: impl FnMut(usize) -> Result<Duration>) -> Result<Duration> {
    let times = (0..rounds).map(&mut measure).collect::<Result<Vec<_>>>()?;
    times.into_iter().min().ok_or_else(|| "nothing was measured".into())
}

fn read(file: &Path, count: u32) -> Result<Duration> {
    let began = Instant::now();
    let mut records = Records::new(BufReader::with_capacity(256 << 10, File::open(file)?));
    let mut seen = 0;
    while let Some(record) = records.next_record().map_err(|e| e.message)? {
        let article: Article =
            Records::<BufReader<File>>::parse(records.scope(), &record, Article::ELEMENT).map_err(|e| e.message)?;
        seen += u32::from(!std::hint::black_box(article).sku.is_empty());
    }
    assert_eq!(seen, count);
    Ok(began.elapsed())
}

/// libxml2's reader validates by the schema while it reads.
fn validate(file: &Path) -> Result<Duration> {
    let schema = CString::new(concat!(env!("CARGO_MANIFEST_DIR"), "/xsd/catalog.xsd"))?;
    let name = CString::new(file.to_string_lossy().into_owned())?;
    let began = Instant::now();
    // SAFETY: the pointers are checked, and the reader is freed once; nothing outlives this block.
    let valid = unsafe {
        let reader = bindings::xmlReaderForFile(name.as_ptr(), std::ptr::null(), 0);
        assert!(!reader.is_null(), "libxml2 cannot open the file");
        assert_eq!(bindings::xmlTextReaderSchemaValidate(reader, schema.as_ptr()), 0, "the schema is not valid");
        while bindings::xmlTextReaderRead(reader) == 1 {}
        let valid = bindings::xmlTextReaderIsValid(reader);
        bindings::xmlFreeTextReader(reader);
        valid
    };
    assert_eq!(valid, 1, "the file is not valid");
    Ok(began.elapsed())
}

/// The import, and the same file again; the best of some rounds.
fn both(rounds: usize, file: &Path, data: &Path, url: &str) -> Result<(Measured, Measured)> {
    let mut found: Vec<(Measured, Measured)> = Vec::new();
    for _ in 0..rounds {
        if data.exists() {
            std::fs::remove_dir_all(data)?;
        }
        found.push((import(file, data, url)?, import(file, data, url)?));
    }
    let first = found.iter().map(|(first, _)| first).min_by_key(|measured| measured.time).cloned();
    let again = found.iter().map(|(_, again)| again).min_by_key(|measured| measured.time).cloned();
    first.zip(again).ok_or_else(|| "nothing was measured".into())
}

/// The highest use of memory of a process so far, and its CPU.
fn used(pid: u32) -> Option<(u64, Duration)> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let kilobytes = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?
        .trim()
        .trim_end_matches(" kB")
        .trim()
        .parse::<u64>()
        .ok()?;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let ticks: Vec<u64> =
        stat.rsplit_once(')')?.1.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse().ok()).collect();
    Some((kilobytes * 1024, Duration::from_millis(ticks.iter().sum::<u64>() * 10)))
}

fn import(file: &Path, data: &Path, url: &str) -> Result<Measured> {
    let command = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_soapstone"));
        command.args(arguments).arg("--data-dir").arg(data).arg("--json").stderr(Stdio::null());
        if !url.is_empty() {
            // One node needs no source that others reach.
            command.args(["--database-url", url, "--set", "share-sources=false"]);
        }
        command
    };
    let began = Instant::now();
    let path = file.to_string_lossy();
    let mut child = command(&["import", "articles", &path]).stdout(Stdio::piped()).spawn()?;
    let (mut memory, mut cpu) = (0, Duration::ZERO);
    let status = loop {
        if let Some((now, spent)) = used(child.id()) {
            (memory, cpu) = (now.max(memory), spent);
        }
        if let Some(status) = child.try_wait()? {
            break status;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    let time = began.elapsed();
    assert!(status.success(), "the import failed");
    let run: serde_json::Value = serde_json::from_reader(child.stdout.take().ok_or("no output")?)?;
    let summary = command(&["run", "summary", &run["id"].to_string()]).output()?;
    let summary: serde_json::Value = serde_json::from_slice(&summary.stdout)?;
    let stages = summary["stage"].as_array().into_iter().flatten();
    let stage = |stage: &serde_json::Value| {
        format!(
            "{} {:.2} s",
            stage["name"].as_str().unwrap_or(""),
            stage["milliseconds"].as_f64().unwrap_or(0.0) / 1000.0
        )
    };
    let stages = stages.filter(|stage| stage["milliseconds"] != 0).map(stage).collect::<Vec<_>>().join(", ");
    Ok(Measured { time, memory, cpu, stages })
}

/// What an import wrote, table by table.
struct Rows {
    database: PathBuf,
    schema: String,
    tables: Vec<String>,
}

const OF_ARTICLES: &str = "(tbl_name LIKE 'article%' OR tbl_name LIKE 'categor%') AND sql IS NOT NULL";

impl Rows {
    fn of(database: &Path) -> Result<Self> {
        let connection = Connection::open(database)?;
        let texts = |query: &str| -> Result<Vec<String>> {
            let mut statement = connection.prepare(query)?;
            let rows = statement.query_map([], |row| row.get(0))?;
            Ok(rows.collect::<std::result::Result<_, _>>()?)
        };
        let schema =
            texts(&format!("SELECT sql || ';' FROM sqlite_master WHERE {OF_ARTICLES} ORDER BY rowid"))?.concat();
        let tables =
            texts(&format!("SELECT name FROM sqlite_master WHERE type = 'table' AND {OF_ARTICLES} ORDER BY rowid"))?;
        Ok(Self { database: database.to_owned(), schema, tables })
    }

    fn count_of(&self, table: &str) -> Result<usize> {
        let connection = Connection::open(&self.database)?;
        let count: i64 = connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))?;
        Ok(usize::try_from(count)?)
    }

    fn count(&self) -> Result<usize> {
        self.tables.iter().map(|table| self.count_of(table)).sum()
    }

    /// Calls with the rows of a table, some at a time.
    fn each(&self, table: &str, mut work: impl FnMut(&[Vec<Value>]) -> Result<()>) -> Result<()> {
        let connection = Connection::open(&self.database)?;
        let mut statement = connection.prepare(&format!("SELECT * FROM {table}"))?;
        let width = statement.column_count();
        let mut rows = statement.query([])?;
        let mut chunk = Vec::with_capacity(CHUNK);
        while let Some(row) = rows.next()? {
            chunk.push((0..width).map(|place| row.get(place)).collect::<std::result::Result<Vec<Value>, _>>()?);
            if chunk.len() == CHUNK {
                work(&chunk)?;
                chunk.clear();
            }
        }
        work(&chunk)
    }

    /// Inserts them by prepared statements, in as many transactions as the import has.
    fn insert(&self, database: &Path, articles: usize) -> Result<Duration> {
        let mut connection = Connection::open(database)?;
        connection.execute_batch(SETUP)?;
        connection.execute_batch(&self.schema)?;
        let mut time = Duration::ZERO;
        for table in &self.tables {
            let batch = (self.count_of(table)? * BATCH).div_ceil(articles).max(1);
            self.each(table, |rows| {
                let Some(first) = rows.first() else { return Ok(()) };
                let places = vec!["?"; first.len()].join(", ");
                let began = Instant::now();
                for batch in rows.chunks(batch) {
                    let transaction = connection.transaction()?;
                    {
                        let mut statement = transaction.prepare(&format!("INSERT INTO {table} VALUES ({places})"))?;
                        for row in batch {
                            statement.execute(params_from_iter(row))?;
                        }
                    }
                    transaction.commit()?;
                }
                time += began.elapsed();
                Ok(())
            })?;
        }
        Ok(time)
    }

    /// Copies the rows that an import wrote into PostgreSQL into an empty database of the same schema.
    fn copy(&self, folder: &Path, url: &str, from: &str) -> Result<Duration> {
        std::fs::create_dir_all(folder)?;
        // The schema is that of the migrations.
        let status = Command::new(env!("CARGO_BIN_EXE_soapstone"))
            .args(["migrate", "--database-url", url])
            .stdout(Stdio::null())
            .status()?;
        assert!(status.success());
        let mut time = Duration::ZERO;
        for table in &self.tables {
            let path = folder.join(table);
            cluster::psql(from, &format!("\\copy {table} TO '{}'", path.display()));
            let began = Instant::now();
            cluster::psql(url, &format!("\\copy {table} FROM '{}'", path.display()));
            time += began.elapsed();
        }
        std::io::stdout().flush()?;
        Ok(time)
    }
}
