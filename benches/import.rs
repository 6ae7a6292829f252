//! How fast 100,000 articles are imported into SQLite, beside two floors of the same run: reading the file alone, and
//! inserting the rows that the import wrote through prepared statements. `cargo bench --bench import [ARTICLES]`

#[path = "../tests/support/catalogue.rs"]
mod catalogue;

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use soapstone_contracts::catalog::Article;
use soapstone_runtime::Message;
use soapstone_runtime::records::Records;
use std::error::Error;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// As the import has it by default.
const BATCH: usize = 500;

/// How often each is measured; the best counts, as it was disturbed least.
const ROUNDS: usize = 3;

const SETUP: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; \
                     PRAGMA cache_size = -32000; PRAGMA temp_store = MEMORY;";

fn main() -> Result<()> {
    let count = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(100_000);
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("articles.xml");
    catalogue::write(count, File::create(&file)?)?;
    let megabytes = file.metadata()?.len() as f64 / 1e6;
    println!("{count} articles, {megabytes:.0} MB of XML; best of {ROUNDS}");

    let reading = best(|_| read(&file, count))?;
    let importing = best(|round| import(&file, &folder.path().join(format!("import{round}"))))?;
    let written = Rows::of(&folder.path().join("import0/soapstone.sqlite"))?;
    let inserting =
        best(|round| written.insert(&folder.path().join(format!("inserted{round}.sqlite")), count as usize))?;

    let line = |name: &str, time: Duration| {
        println!("{name:<52} {:>7.2} s {:>10.0} articles/s", time.as_secs_f64(), f64::from(count) / time.as_secs_f64());
    };
    line("import (the command, from start to end)", importing);
    line("floor: reading alone, by the generated reader", reading);
    line(&format!("floor: inserting the same {} rows, prepared", written.count()), inserting);
    let slower = reading.max(inserting);
    println!("the import takes {:.2} times the slower floor", importing.as_secs_f64() / slower.as_secs_f64());
    Ok(())
}

fn best(mut measure: impl FnMut(usize) -> Result<Duration>) -> Result<Duration> {
    let times = (0..ROUNDS).map(&mut measure).collect::<Result<Vec<_>>>()?;
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

fn import(file: &Path, data: &Path) -> Result<Duration> {
    let began = Instant::now();
    let status = Command::new(env!("CARGO_BIN_EXE_soapstone"))
        .args(["import", "articles"])
        .arg(file)
        .arg("--data-dir")
        .arg(data)
        .arg("--json")
        .stdout(std::process::Stdio::null())
        .status()?;
    assert!(status.success());
    Ok(began.elapsed())
}

/// What an import wrote, table by table.
struct Rows {
    schema: String,
    tables: Vec<(String, Vec<Vec<Value>>)>,
}

impl Rows {
    fn of(database: &Path) -> Result<Self> {
        let connection = Connection::open(database)?;
        let texts = |query: &str| -> Result<Vec<String>> {
            let mut statement = connection.prepare(query)?;
            let rows = statement.query_map([], |row| row.get(0))?;
            Ok(rows.collect::<std::result::Result<_, _>>()?)
        };
        let of_articles = "(tbl_name LIKE 'article%' OR tbl_name LIKE 'categor%') AND sql IS NOT NULL";
        let schema =
            texts(&format!("SELECT sql || ';' FROM sqlite_master WHERE {of_articles} ORDER BY rowid"))?.concat();
        let names =
            texts(&format!("SELECT name FROM sqlite_master WHERE type = 'table' AND {of_articles} ORDER BY rowid"))?;
        let mut tables = Vec::new();
        for name in names {
            let mut statement = connection.prepare(&format!("SELECT * FROM {name}"))?;
            let width = statement.column_count();
            let rows = statement.query_map([], |row| (0..width).map(|i| row.get(i)).collect())?;
            tables.push((name, rows.collect::<std::result::Result<_, _>>()?));
        }
        Ok(Self { schema, tables })
    }

    fn count(&self) -> usize {
        self.tables.iter().map(|(_, rows)| rows.len()).sum()
    }

    fn insert(&self, database: &Path, articles: usize) -> Result<Duration> {
        let mut connection = Connection::open(database)?;
        connection.execute_batch(SETUP)?;
        connection.execute_batch(&self.schema)?;
        let began = Instant::now();
        for (name, rows) in &self.tables {
            let Some(first) = rows.first() else { continue };
            let places = vec!["?"; first.len()].join(", ");
            // As many transactions as the import has.
            for batch in rows.chunks((rows.len() * BATCH).div_ceil(articles)) {
                let transaction = connection.transaction()?;
                {
                    let mut statement = transaction.prepare(&format!("INSERT INTO {name} VALUES ({places})"))?;
                    for row in batch {
                        statement.execute(params_from_iter(row))?;
                    }
                }
                transaction.commit()?;
            }
        }
        Ok(began.elapsed())
    }
}
