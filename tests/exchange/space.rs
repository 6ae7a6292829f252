//! A disk that is full, and a database that cannot be reached: callers are told, runs wait, and go on by themselves.

use super::counters;
use crate::support::{Database, Reply, Server, Site};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < deadline, "{what} does not happen");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A file system of its own, as small as a test wants it; gone with this.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// None, where the tests may not mount one.
    fn mount(folder: &Path, megabytes: u32) -> Option<Self> {
        std::fs::create_dir_all(folder).unwrap();
        let size = format!("size={megabytes}m");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(folder).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self(folder.to_owned()));
        }
        println!("skipped: a file system cannot be mounted here; it takes root");
        None
    }

    fn filler(&self) -> PathBuf {
        self.0.join("filler")
    }

    /// Leaves no room.
    fn fill(&self) {
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(self.filler()).unwrap();
        while file.write(&[1; 4096]).is_ok_and(|length| length > 0) {}
    }

    fn empty(&self) {
        std::fs::remove_file(self.filler()).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

const UPSERT: &str = "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\"><e:Body>\
     <UpsertArticles xmlns=\"urn:soapstone:catalog/v1\"><article><sku>SOAP</sku></article></UpsertArticles></e:Body></e:Envelope>";

fn soap(server: &Server) -> Reply {
    server.call("POST", "/soap/catalog", &[("content-type", "text/xml")], UPSERT.as_bytes())
}

/// A caller is told that it may work later.
fn assert_temporary(reply: &Reply, status: u16, code: &str) {
    assert_eq!(reply.status, status, "{reply:?}");
    assert!(reply.body.contains(code), "{reply:?}");
    assert!(reply.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0), "{reply:?}");
}

fn rows(count: usize) -> String {
    (0..count).fold("sku,weight\n".to_owned(), |mut rows, n| {
        let _ = writeln!(rows, "F{n:06},1");
        rows
    })
}

#[test]
fn a_full_disk_is_told_and_waited_for() {
    let site = Site::new(Database::Sqlite);
    let Some(disk) = SmallDisk::mount(&site.folder().join("data"), 48) else { return };
    let server = site.serve_with(&["batch-size=20"]);
    let article = json!({"article": [{"sku": "REST"}]});
    assert_eq!(server.post_json("/api/v1/articles", &article).status, 200);
    let import = || {
        server.call("POST", "/api/v1/imports?kind=articles", &[("content-type", "text/csv")], rows(30_000).as_bytes())
    };
    let accepted = import();
    assert_eq!(accepted.status, 202, "{accepted:?}");
    let id = accepted.json()["run"]["id"].as_i64().unwrap();
    disk.fill();
    let run = || server.get(&format!("/api/v1/runs/{id}")).json()["run"].clone();
    until("the wait", || run()["waitingFor"] == "space");
    assert_eq!(run()["state"], "running", "{}", run());
    // The log of what is committed may have some room left from before: until that is used up, what fits in is taken.
    let full = |what: &str| json!({"article": [{"sku": what, "name": [{"value": "x".repeat(9_000)}]}]});
    let mut number = 0;
    until("the refusal", || {
        number += 1;
        server.post_json("/api/v1/articles", &full(&format!("FULL{number}"))).status == 507
    });
    assert_temporary(&server.post_json("/api/v1/articles", &full("REST2")), 507, "server.disk_full");
    let message = UPSERT.replace("<sku>SOAP</sku>", &format!("<sku>SOAP</sku><name>{}</name>", "x".repeat(9_000)));
    let told = server.call("POST", "/soap/catalog", &[("content-type", "text/xml")], message.as_bytes());
    assert_temporary(&told, 507, "server.disk_full");
    assert_temporary(&import(), 507, "server.disk_full");
    assert!(server.get("/navigator").body.contains("The disk is full"));
    assert_eq!(server.get("/ready").json()["missing"], "space");
    // What is there can be read.
    assert_eq!(server.get("/api/v1/articles/REST").status, 200);
    disk.empty();
    let done = server.finished_run(id);
    assert_eq!((&done["state"], counters(&done)), (&json!("succeeded"), "read 30000, created 30000".to_owned()));
    assert!(done["waitingFor"].is_null(), "{done}");
    until("the end of the notice", || !server.get("/navigator").body.contains("The disk is full"));
    assert_eq!(server.post_json("/api/v1/articles", &full("REST2")).status, 200);
    assert_eq!(soap(&server).status, 200);
    drop(server);
    drop(disk);
}

#[test]
fn an_export_waits_for_space() {
    let site = Site::new(Database::Sqlite);
    let Some(disk) = SmallDisk::mount(&site.folder().join("data"), 48) else { return };
    let file = site.file("articles.csv", rows(5_000));
    assert_eq!(site.run(&["import", "articles", file.to_str().unwrap()]).code, 0);
    let results = site.folder().join("data/results");
    std::fs::create_dir_all(&results).unwrap();
    // The results have a disk of their own, with hardly any room: the database can go on writing.
    let Some(small) = SmallDisk::mount(&results, 2) else { return };
    small.fill();
    let server = site.serve();
    let run =
        server.post_json("/api/v1/exports", &json!({"kind": "articles", "format": "jsonLines"})).json()["run"].clone();
    until("the wait", || server.get(&format!("/api/v1/runs/{}", run["id"])).json()["run"]["waitingFor"] == "space");
    small.empty();
    let done = server.finished_run(run["id"].as_i64().unwrap());
    assert_eq!((&done["state"], counters(&done)), (&json!("succeeded"), "read 5000".to_owned()));
    drop(server);
    drop(small);
    drop(disk);
}

/// Stands between a server and its database, and can be cut.
struct Line {
    address: std::net::SocketAddr,
    is_cut: Arc<AtomicBool>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Line {
    fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let line = Self { address: listener.local_addr().unwrap(), is_cut: Arc::default(), open: Arc::default() };
        let (is_cut, open) = (line.is_cut.clone(), line.open.clone());
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if is_cut.load(Ordering::Relaxed) {
                    continue;
                }
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else { continue };
                open.lock().unwrap().extend([client.try_clone().unwrap(), server.try_clone().unwrap()]);
                for (mut from, mut to) in [(client.try_clone().unwrap(), server.try_clone().unwrap()), (server, client)]
                {
                    std::thread::spawn(move || {
                        let mut buffer = [0; 1 << 16];
                        while let Ok(length) = from.read(&mut buffer) {
                            if length == 0 || to.write_all(&buffer[..length]).is_err() {
                                break;
                            }
                        }
                        let _ = to.shutdown(std::net::Shutdown::Both);
                    });
                }
            }
        });
        line
    }

    fn cut(&self) {
        self.is_cut.store(true, Ordering::Relaxed);
        for stream in self.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
    }

    fn mend(&self) {
        self.is_cut.store(false, Ordering::Relaxed);
    }
}

#[test]
fn an_unreachable_database_is_told_and_waited_for() {
    let site = Site::new(Database::Postgres);
    let address = url::Url::parse(site.database_url()).unwrap();
    let line = Line::to(address.port().unwrap());
    let through =
        site.database_url().replace(&format!(":{}/", address.port().unwrap()), &format!(":{}/", line.address.port()));
    let mut command = site.command(&["serve", "--json", "--listen", "127.0.0.1:0", "--set", "batch-size=5"]);
    command.env("SOAPSTONE_DATABASE_URL", &through);
    let server = site.start(command);
    let article = json!({"article": [{"sku": "REST"}]});
    assert_eq!(server.post_json("/api/v1/articles", &article).status, 200);
    let accepted =
        server.call("POST", "/api/v1/imports?kind=articles", &[("content-type", "text/csv")], rows(4_000).as_bytes());
    let id = accepted.json()["run"]["id"].as_i64().unwrap();
    let run = || server.get(&format!("/api/v1/runs/{id}")).json()["run"].clone();
    until("the run", || run()["counters"]["read"].as_i64().unwrap_or(0) > 50);
    line.cut();
    assert_temporary(&server.post_json("/api/v1/articles", &article), 503, "server.unavailable");
    assert_temporary(&soap(&server), 503, "server.unavailable");
    assert_temporary(&server.get(&format!("/api/v1/runs/{id}")), 503, "server.unavailable");
    let page = server.get("/navigator");
    assert_eq!(page.status, 503, "{page:?}");
    assert!(page.body.contains("The database cannot be reached"), "{page:?}");
    assert!(server.logged("waits for the database"));
    line.mend();
    until("the return", || server.get(&format!("/api/v1/runs/{id}")).status == 200);
    let done = server.finished_run(id);
    assert_eq!(
        (&done["state"], counters(&done)),
        (&json!("succeeded"), "read 4000, created 4000".to_owned()),
        "{done}"
    );
    assert_eq!(server.post_json("/api/v1/articles", &article).status, 200);
    let value: Value = server.get("/ready").json();
    assert_eq!(value["status"], "ready", "{value}");
}
