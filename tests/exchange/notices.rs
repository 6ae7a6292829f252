//! Who is told of runs, by web hook and by e-mail; and what is forgotten when.

use crate::signals::receiver::{Receiver, signature};
use crate::support::{Database, Server, Site, on_each_database};
use serde_json::json;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What web hooks are signed with, in base64.
const SECRET: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A mail server that takes whatever comes; the first so many messages it refuses.
struct MailServer {
    address: SocketAddr,
    taken: Arc<Mutex<Vec<String>>>,
}

impl MailServer {
    fn start(refused: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let taken = Arc::new(Mutex::new(Vec::new()));
        let kept = taken.clone();
        std::thread::spawn(move || {
            let mut left = refused;
            for connection in listener.incoming().flatten() {
                let mut reader = BufReader::new(connection);
                let say = |reader: &mut BufReader<std::net::TcpStream>, line: &str| {
                    reader.get_mut().write_all(format!("{line}\r\n").as_bytes()).is_ok()
                };
                say(&mut reader, "220 mail.test");
                let mut line = String::new();
                while reader.read_line(&mut line).is_ok_and(|length| length > 0) {
                    let verb = line.trim().to_ascii_uppercase();
                    let goes_on = match verb.split(' ').next().unwrap_or("") {
                        "EHLO" | "HELO" | "RSET" | "NOOP" => say(&mut reader, "250 mail.test"),
                        "MAIL" if left > 0 => {
                            left -= 1;
                            say(&mut reader, "451 not now")
                        }
                        "MAIL" | "RCPT" => say(&mut reader, "250 ok"),
                        "DATA" => {
                            say(&mut reader, "354 go on");
                            let mut message = String::new();
                            let mut part = String::new();
                            while reader.read_line(&mut part).is_ok_and(|length| length > 0) && part != ".\r\n" {
                                message.push_str(&part);
                                part.clear();
                            }
                            kept.lock().unwrap().push(format!("{line}{message}"));
                            say(&mut reader, "250 taken")
                        }
                        _ => {
                            say(&mut reader, "221 bye");
                            false
                        }
                    };
                    line.clear();
                    if !goes_on {
                        break;
                    }
                }
            }
        });
        Self { address, taken }
    }
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < deadline, "{what} did not come");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn import(server: &Server, content: &str) -> i64 {
    let reply = server.call(
        "POST",
        "/api/v1/imports?kind=units&format=csv",
        &[("content-type", "text/csv")],
        content.as_bytes(),
    );
    let id = reply.json()["run"]["id"].as_i64().unwrap();
    server.finished_run(id);
    id
}

fn rules(site: &Site, text: &str) {
    std::fs::create_dir_all(site.folder().join("data")).unwrap();
    std::fs::write(site.folder().join("data/notices.toml"), text).unwrap();
}

on_each_database! {
    fn a_run_that_needs_somebody_is_told_of_once(database) {
        let hook = Receiver::start(|number| if number == 0 { 500 } else { 200 });
        let mail = MailServer::start(1);
        let site = Site::new(database);
        site.file("hook.secret", format!("whsec_{SECRET}\n"));
        rules(&site, &format!(
            "[[notify]]\nname = \"hook\"\nurl = \"{}\"\nsecret-file = \"hook.secret\"\n\
             [[notify]]\nname = \"mail\"\non = [\"failed\", \"succeededWithErrors\"]\nemail = [\"Ops <ops@example.com>\"]\n",
            hook.url("/runs")
        ));
        let smtp = format!("smtp-server=smtp://{}", mail.address);
        let settings = [smtp.as_str(), "smtp-from=Soapstone <soapstone@example.com>"];
        let mut servers = vec![site.serve_with(&settings)];
        if matches!(database, Database::Postgres) {
            servers.push(site.serve_with(&settings));
        }
        import(&servers[0], "key\na\n");
        let wrong = import(&servers[0], "key;decimals\nb;many\n");
        until("the message", || !mail.taken.lock().unwrap().is_empty());
        hook.heard(2);
        std::thread::sleep(Duration::from_millis(1500));
        let heard = hook.heard(2);
        assert_eq!(heard.len(), 2, "it was told again though it was heard");
        let told = heard[1].json();
        assert_eq!((&told["event"], &told["run"]["id"], &told["run"]["state"]), (&json!("run.ended"), &json!(wrong), &json!("succeededWithErrors")));
        assert_eq!(told["summary"]["group"][0]["code"], "csv.type");
        assert_eq!(heard[0].header("webhook-id"), heard[1].header("webhook-id"));
        let signed = format!("{}.{}.{}", heard[1].header("webhook-id"), heard[1].header("webhook-timestamp"), heard[1].body);
        assert_eq!(heard[1].header("webhook-signature"), signature(SECRET, &signed));
        let taken = mail.taken.lock().unwrap().clone();
        assert_eq!(taken.len(), 1);
        for part in ["ops@example.com", "Subject: Import of units succeeded with errors: run", "refused", "filename=\"run-2.html\""] {
            assert!(taken[0].contains(part), "{part} is not in {}", taken[0]);
        }
    }
}

#[test]
fn what_is_old_is_forgotten() {
    let site = Site::new(Database::Sqlite);
    let server = site.serve();
    let (old, older) = (import(&server, "key;decimals\na;x\n"), import(&server, "key\nb\n"));
    import(&server, "key\nc\n");
    drop(server);
    let source = |id: i64| {
        site.run(&["run", "show", &id.to_string(), "--json"]).json()["sourceSha256"].as_str().unwrap().to_owned()
    };
    let sources = [source(old), source(older)];
    for (id, days) in [(old, 40), (older, 400)] {
        site.sql(&format!("UPDATE runs SET finished_at = datetime('now', '-{days} days') WHERE id = {id}"));
    }
    for source in &sources {
        let path = site.folder().join("data/sources").join(source);
        let aged = std::fs::File::options().write(true).open(path).unwrap();
        aged.set_modified(std::time::SystemTime::now() - Duration::from_secs(3 * 24 * 3600)).unwrap();
    }
    let server = site.serve_with(&["keep-files-days=30"]);
    until("the forgetting", || server.get(&format!("/api/v1/runs/{older}")).status == 404);
    until("the source's removal", || !site.folder().join("data/sources").join(&sources[0]).exists());
    let kept = server.get(&format!("/api/v1/runs/{old}")).json();
    assert_eq!(kept["run"]["artifact"], json!([]), "{kept}");
    assert_eq!(server.get(&format!("/api/v1/runs/{old}/artifacts/rejected/file")).status, 404);
    assert_eq!(server.get(&format!("/api/v1/runs/{old}/messages")).json()["message"][0]["code"], "csv.type");
    let report = server.get(&format!("/api/v1/runs/{old}/artifacts/report/file")).body;
    assert!(report.contains("<h1>Import of units</h1>") && report.contains("csv.type"), "{report}");
    let table = server.get(&format!("/api/v1/runs/{old}/artifacts/messages/file")).body;
    assert!(table.starts_with("\u{feff}severity;line;") && table.contains("error;2;"), "{table}");
}
