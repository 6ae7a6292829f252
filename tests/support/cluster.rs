//! A PostgreSQL of the tests' own: in a temporary folder, on a free port, gone when the tests are.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

pub struct Cluster {
    port: u16,
    binaries: PathBuf,
    databases: AtomicU32,
    /// Its standard input stays open as long as this process lives.
    _keeper: Child,
}

/// Starts the server, says so, and takes it down when its standard input ends: with the tests, however they end.
const KEEPER: &str = r#"
folder=$(mktemp -d) && cd "$folder" || exit 1
"$1/initdb" -D data -U soapstone -A trust -E UTF8 --locale=C --no-sync >init.log 2>&1 || { cat init.log >&2; exit 1; }
"$1/pg_ctl" -D data -l server.log -w -o "-p $2 -c listen_addresses=127.0.0.1 -c unix_socket_directories='$folder' \
  -c fsync=off -c max_connections=400" start >start.log 2>&1 || { cat start.log server.log >&2; exit 1; }
echo ready
cat >/dev/null
"$1/pg_ctl" -D data -m immediate stop >/dev/null 2>&1
cd / && rm -rf "$folder"
"#;

impl Cluster {
    /// The cluster, started when it is needed first.
    pub fn get() -> &'static Self {
        static CLUSTER: OnceLock<Cluster> = OnceLock::new();
        CLUSTER.get_or_init(Self::start)
    }

    fn start() -> Self {
        let binaries =
            binaries().expect("PostgreSQL's initdb is missing; `make tools` installs it (apt-get install postgresql)");
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        // initdb refuses to work as root.
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups", "sh"]);
            command
        } else {
            Command::new("sh")
        };
        command.args(["-c", KEEPER, "keeper"]).arg(&binaries).arg(port.to_string()).current_dir("/");
        let mut keeper = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(keeper.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n", "PostgreSQL did not start");
        Self { port, binaries, databases: AtomicU32::new(0), _keeper: keeper }
    }

    /// Makes an empty database and gives its address.
    pub fn new_database(&self) -> String {
        let name = format!("test{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let address = |name: &str| format!("postgres://soapstone@127.0.0.1:{}/{name}", self.port);
        self.run(&address("postgres"), &format!("CREATE DATABASE {name};"));
        address(&name)
    }

    fn run(&self, address: &str, statement: &str) {
        let mut psql = client_in(&self.binaries)
            .args(["-q", "-v", "ON_ERROR_STOP=1", address])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        writeln!(psql.stdin.take().unwrap(), "{statement}").unwrap();
        assert!(psql.wait().unwrap().success());
    }
}

fn client_in(binaries: &Path) -> Command {
    Command::new(binaries.join("psql"))
}

/// psql, for a session of the test's own.
pub fn client() -> Command {
    client_in(&Cluster::get().binaries)
}

/// Runs a statement.
pub fn psql(address: &str, statement: &str) {
    Cluster::get().run(address, statement);
}

/// The newest PostgreSQL that Debian put on this machine, or the one on the path.
fn binaries() -> Option<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|version| version.path().join("bin"))
        .filter(|folder| folder.join("initdb").is_file())
        .collect();
    found.sort();
    let on_path = || {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).find(|folder: &PathBuf| folder.join("initdb").is_file())
    };
    found.pop().or_else(on_path)
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    Path::new("/proc/self").metadata().is_ok_and(|owner| owner.uid() == 0)
}
