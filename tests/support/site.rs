//! A folder and a database of a test's own, and the commands run on them.

use super::cluster::{self, Cluster};
use super::{Database, Server};
use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use tempfile::TempDir;

/// What secrets on PostgreSQL are encrypted with.
pub const SECRETS_KEY: &str = "c29hcHN0b25lLXRlc3RzLWtleS0wMTIzNDU2Nzg5YWI=";

pub struct Site {
    folder: Arc<TempDir>,
    database_url: String,
}

fn serve_arguments<'a>(settings: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = vec!["serve", "--json", "--listen", "127.0.0.1:0", "--set", "validate-responses=true"];
    settings.iter().for_each(|setting| arguments.extend(["--set", setting]));
    arguments
}

/// What a command printed, and its exit code.
#[derive(Debug)]
pub struct Output {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Output {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e} in {self:?}"))
    }
}

impl Site {
    pub fn new(database: Database) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let database_url = match database {
            Database::Sqlite => String::new(),
            Database::Postgres => Cluster::get().new_database(),
        };
        Self { folder, database_url }
    }

    /// Where its database is, if it is PostgreSQL.
    pub fn database_url(&self) -> &str {
        &self.database_url
    }

    /// Does something to its database that no operation does.
    pub fn sql(&self, statement: &str) {
        if self.database_url.is_empty() {
            let database = rusqlite::Connection::open(self.folder().join("data/soapstone.sqlite")).unwrap();
            database.execute_batch(statement).unwrap();
        } else {
            cluster::psql(&self.database_url, statement);
        }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file into the folder.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> std::path::PathBuf {
        let path = self.folder().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// The program, with this site's data.
    pub fn command<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_soapstone"));
        command
            .current_dir(self.folder())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("SOAPSTONE_DATA_DIR", self.folder().join("data"))
            .env("SOAPSTONE_DATABASE_URL", &self.database_url)
            // Receivers of tests are on this machine.
            .env("SOAPSTONE_OUTBOUND_ALLOW", "127.0.0.0/8")
            .args(arguments)
            .stdin(Stdio::null());
        if !self.database_url.is_empty() {
            // SQLite has a key of its own.
            command.env("SOAPSTONE_SECRETS_KEY", SECRETS_KEY);
        }
        command
    }

    /// Runs the program to its end.
    pub fn run<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Output {
        let output = self.command(arguments).output().unwrap();
        Output {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs the program and reads the JSON that it prints.
    pub fn json<S: AsRef<OsStr>>(&self, arguments: &[S]) -> serde_json::Value {
        let arguments: Vec<&OsStr> = arguments.iter().map(AsRef::as_ref).chain([OsStr::new("--json")]).collect();
        self.run(&arguments).json()
    }

    /// Starts a mock or gateway of a contract on a free port.
    pub fn serve_contract(&self, kind: &str, file: &Path, more: &[&str]) -> Server {
        let file = file.to_str().unwrap();
        let arguments: Vec<&str> = ["contract", kind, file, "--listen", "127.0.0.1:0", "--json"]
            .into_iter()
            .chain(more.iter().copied())
            .collect();
        Server::start(self.command(&arguments), self.folder.clone())
    }

    /// Starts a server by a command of its own.
    pub fn start(&self, command: Command) -> Server {
        Server::start(command, self.folder.clone())
    }

    /// Starts a server on a free port, its replies validated too.
    pub fn serve(&self) -> Server {
        self.serve_with(&[])
    }

    /// The same, with settings such as `max-body=1000`.
    pub fn serve_with(&self, settings: &[&str]) -> Server {
        Server::start(self.command(&serve_arguments(settings)), self.folder.clone())
    }

    /// The same, within so many bytes of addresses (`ulimit -v`): beyond them the system gives the server no memory, and it ends.
    pub fn serve_within(&self, bytes: u64, settings: &[&str]) -> Server {
        let served = self.command(&serve_arguments(settings));
        let mut command = Command::new("sh");
        // Allocators reserve addresses that they never use.
        command.args(["-c", "ulimit -v \"$0\" && exec \"$@\"", &(bytes >> 10).to_string()]);
        command.arg(served.get_program()).args(served.get_args()).env_clear().current_dir(self.folder());
        command.envs(served.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.env("MIMALLOC_ARENA_RESERVE", "64MiB").env("MALLOC_ARENA_MAX", "2").stdin(Stdio::null());
        Server::start(command, self.folder.clone())
    }
}
