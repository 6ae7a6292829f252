//! Logging in, and what is done by forms: as a browser sends them.

use crate::support::{Database, Reply, Server, Site, on_each_database};
use std::time::{Duration, Instant};

const PASSWORD: &str = "correct horse battery";

/// A browser, as far as forms go.
struct Browser<'a> {
    server: &'a Server,
    cookie: String,
}

impl<'a> Browser<'a> {
    fn new(server: &'a Server) -> Self {
        Self { server, cookie: String::new() }
    }

    fn get(&self, path: &str) -> Reply {
        self.server.call("GET", path, &[("cookie", &self.cookie)], b"")
    }

    fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(fields);
        let form = ("content-type", "application/x-www-form-urlencoded");
        let reply = self.server.call(
            "POST",
            path,
            &[("cookie", &self.cookie), form, ("sec-fetch-site", "same-origin")],
            body.finish().as_bytes(),
        );
        if let Some((cookie, _)) = reply.header("set-cookie").split_once(';') {
            cookie.clone_into(&mut self.cookie);
        }
        reply
    }

    /// What the forms of a page have to show.
    fn form(&self, path: &str) -> String {
        let page = self.get(path).body;
        let found = page.split("name=\"form\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
        found.unwrap_or_else(|| panic!("no form in {page}")).to_owned()
    }

    fn log_in(&mut self, name: &str) -> Reply {
        self.post("/navigator/login", &[("name", name), ("password", PASSWORD), ("next", "/navigator/import")])
    }

    /// Sends a file by the page for it.
    fn import(&self, name: &str, content: &str, fields: &[(&str, &str)]) -> Reply {
        let form = if self.cookie.is_empty() { String::new() } else { self.form("/navigator/import") };
        let mut body = String::new();
        for (field, value) in [("form", form.as_str())].iter().chain(fields) {
            body.push_str(&format!("--B\r\ncontent-disposition: form-data; name=\"{field}\"\r\n\r\n{value}\r\n"));
        }
        body.push_str(&format!(
            "--B\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n{content}\r\n--B--\r\n"
        ));
        let kind = ("content-type", "multipart/form-data; boundary=B");
        self.server.call("POST", "/navigator/import", &[("cookie", &self.cookie), kind], body.as_bytes())
    }
}

fn soon(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn with_first_user(server: &Server) -> Browser<'_> {
    let mut browser = Browser::new(server);
    let fields = [("name", "anna"), ("password", PASSWORD), ("again", PASSWORD)];
    let done = browser.post("/navigator/setup", &fields);
    assert_eq!((done.status, done.header("location")), (303, "/navigator"), "{done:?}");
    browser
}

on_each_database! {
    fn the_first_user_is_added_and_from_then_on_one_logs_in(database) {
        let site = Site::new(database);
        let server = site.serve();
        let mut browser = Browser::new(&server);
        assert!(browser.get("/navigator").body.contains("/navigator/setup"));
        for (password, again, told) in [("short", "short", "at least 12"), (PASSWORD, "another", "not the same")] {
            let wrong = browser.post("/navigator/setup", &[("name", "anna"), ("password", password), ("again", again)]);
            assert_eq!((wrong.status, wrong.body.contains(told)), (422, true), "{wrong:?}");
        }
        let mut browser = with_first_user(&server);
        assert!(browser.get("/navigator").body.contains("anna"));
        // Nobody else becomes the first.
        let other = Browser::new(&server).post("/navigator/setup", &[("name", "eve"), ("password", PASSWORD), ("again", PASSWORD)]);
        assert_eq!((other.status, other.header("location")), (303, "/navigator/login"));
        let stranger = Browser::new(&server).get("/navigator/runs/1?after=2");
        assert_eq!((stranger.status, stranger.header("location")), (303, "/navigator/login?next=%2Fnavigator%2Fruns%2F1%3Fafter%3D2"));
        let form = browser.form("/navigator");
        assert_eq!(browser.post("/navigator/logout", &[("form", "wrong")]).status, 403);
        let old = browser.cookie.clone();
        assert_eq!(browser.post("/navigator/logout", &[("form", &form)]).header("location"), "/navigator/login");
        assert_eq!(server.call("GET", "/navigator", &[("cookie", &old)], b"").status, 303);
        // And in again, to where one wanted to.
        let wrong = browser.post("/navigator/login", &[("name", "anna"), ("password", "wrong")]);
        assert_eq!((wrong.status, wrong.header("set-cookie")), (401, ""));
        let done = browser.log_in("anna");
        assert_eq!((done.status, done.header("location")), (303, "/navigator/import"), "{done:?}");
        let cookie = done.header("set-cookie");
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict") && !cookie.contains("Secure"), "{cookie}");
        soon("the log-in is not noted", || site.json(&["audit"]).to_string().contains("log in as anna (Navigator)"));
        // The same on another node, or after a restart.
        let cookie = browser.cookie;
        drop(server);
        let server = site.serve();
        let again = Browser { server: &server, cookie };
        assert!(again.get("/navigator").body.contains("anna"));
    }

    fn a_session_is_no_key_to_what_other_sites_send(database) {
        let site = Site::new(database);
        let server = site.serve();
        let browser = with_first_user(&server);
        // The REST facade is read by it, as pages have links there, but changed by nothing that a browser sends by itself.
        assert_eq!(browser.get("/api/v1/runs").status, 200);
        let body = br#"{"article":[{"sku":"A"}]}"#;
        let json = ("content-type", "application/json");
        assert_eq!(server.call("POST", "/api/v1/articles", &[("cookie", &browser.cookie), json], body).status, 401);
        let form = ("content-type", "application/x-www-form-urlencoded");
        for from in [("sec-fetch-site", "same-site"), ("sec-fetch-site", "cross-site"), ("origin", "http://evil.example")] {
            let forged = server.call("POST", "/navigator/login", &[form, from], b"name=anna&password=x");
            assert_eq!(forged.status, 403, "{from:?} {forged:?}");
        }
        let forged = server.call("POST", "/navigator/runs/1/cancel", &[("cookie", &browser.cookie), form], b"form=");
        assert_eq!(forged.status, 403, "{forged:?}");
    }

    fn a_file_is_tried_first_and_then_imported(database) {
        let site = Site::new(database);
        let server = site.serve();
        let mut browser = with_first_user(&server);
        let tried = browser.import("list.csv", "sku;weight\nA;1\nB;heavy\n", &[("kind", "articles"), ("format", "auto"), ("profile", ""), ("dryRun", "true")]);
        assert_eq!((tried.status, tried.header("location")), (303, "/navigator/runs/1"), "{tried:?}");
        let run = |id: i64| {
            let mut run = serde_json::Value::Null;
            soon("the run does not end", || {
                run = browser.get(&format!("/api/v1/runs/{id}")).json()["run"].clone();
                run["finishedAt"].is_string()
            });
            run
        };
        assert_eq!((run(1)["channel"].as_str(), run(1)["dryRun"].as_bool()), (Some("navigator"), Some(true)));
        let page = browser.get("/navigator/runs/1").body;
        for part in ["What would change", "Import it now", "Take the refused again", "csv.type"] {
            assert!(page.contains(part), "{part}: {page}");
        }
        let form = browser.form("/navigator/runs/1");
        let mut acting = Browser { server: &server, cookie: browser.cookie.clone() };
        let done = acting.post("/navigator/runs/1/carry-out", &[("form", &form)]);
        assert_eq!(done.header("location"), "/navigator/runs/2", "{done:?}");
        assert_eq!((run(2)["dryRun"].as_bool(), run(2)["counters"]["created"].as_i64()), (Some(false), Some(1)));
        // What was refused, again: still wrong.
        let done = acting.post("/navigator/runs/2/retry", &[("form", &form)]);
        assert_eq!(done.header("location"), "/navigator/runs/3", "{done:?}");
        assert_eq!(run(3)["retryOf"].as_i64(), Some(2));
        let wrong = acting.post("/navigator/runs/2/pause", &[("form", &form)]);
        assert_eq!((wrong.status, wrong.body.contains("run.not_pausable")), (409, true), "{wrong:?}");
        assert_eq!(acting.post("/navigator/runs/2/fly", &[("form", &form)]).status, 404);
        let nothing = browser.import("none.csv", "", &[("kind", "articles")]);
        assert!(nothing.status == 422 && nothing.body.contains("empty"), "{nothing:?}");
        browser.cookie.clear();
        assert_eq!(browser.import("a.csv", "sku\nA\n", &[("kind", "articles")]).status, 401);
    }

    fn users_and_tokens_are_added_and_taken_away(database) {
        let site = Site::new(database);
        let server = site.serve();
        assert_eq!(server.get("/navigator/access").header("location"), "/navigator/setup");
        let mut admin = with_first_user(&server);
        let form = admin.form("/navigator");
        let secret = |page: &Reply| {
            let found = page.body.split("<pre>").nth(1).and_then(|rest| rest.split("</pre>").next());
            found.unwrap_or_else(|| panic!("no secret: {page:?}")).to_owned()
        };
        let added = admin.post("/navigator/access/add-user", &[("form", &form), ("name", "otto"), ("role", "operator")]);
        let password = secret(&added);
        for (fields, told) in [
            (vec![("name", "otto"), ("role", "viewer")], "already"),
            (vec![("name", "vera"), ("role", "king")], "no role king"),
            (vec![("name", "ve:ra"), ("role", "viewer")], "no colon"),
            (vec![("name", "vera")], "choose a role"),
        ] {
            let wrong = admin.post("/navigator/access/add-user", &[&[("form", form.as_str())], &fields[..]].concat());
            assert_eq!((wrong.status, wrong.body.contains(told)), (422, true), "{told}: {wrong:?}");
        }
        // He works with the records, but not on who has access.
        let mut otto = Browser::new(&server);
        assert_eq!(otto.post("/navigator/login", &[("name", "otto"), ("password", &password)]).status, 303);
        assert!(!otto.get("/navigator").body.contains("/navigator/access"));
        assert_eq!(otto.get("/navigator/access").status, 403);
        let own = otto.form("/navigator");
        assert_eq!(otto.post("/navigator/access/add-user", &[("form", &own), ("name", "x"), ("role", "admin")]).status, 403);
        // A key for a program, and the API called with it.
        let fields = [("form", form.as_str()), ("user", "otto"), ("name", "erp"), ("scopes", "Catalog.List*"), ("days", "30")];
        let token = format!("Bearer {}", secret(&admin.post("/navigator/access/add-token", &fields)));
        let call = |path: &str| server.call("GET", path, &[("authorization", &token)], b"").status;
        assert_eq!((call("/api/v1/articles"), call("/api/v1/runs")), (200, 403));
        let page = admin.get("/navigator/access").body;
        let id = page.split("name=\"id\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap().to_owned();
        assert_eq!(admin.post("/navigator/access/revoke-token", &[("form", &form), ("id", &id)]).status, 303);
        assert_eq!(call("/api/v1/articles"), 401);
        // A new password ends what the old one began.
        let renewed = secret(&admin.post("/navigator/access/new-password", &[("form", &form), ("name", "otto")]));
        assert_eq!(otto.get("/navigator").status, 303);
        assert_eq!(otto.post("/navigator/login", &[("name", "otto"), ("password", &renewed)]).header("location"), "/navigator");
        assert_eq!(admin.post("/navigator/access/remove-user", &[("form", &form), ("name", "anna")]).status, 422);
        assert_eq!(admin.post("/navigator/access/remove-user", &[("form", &form), ("name", "otto")]).status, 303);
        // With him his session is gone.
        assert_eq!(otto.get("/navigator").status, 303);
        soon("it is not noted", || admin.get("/navigator/access").body.contains("remove-user otto (Navigator)"));
    }

    fn what_a_full_file_lacks_is_deleted_by_a_button(database) {
        let site = Site::new(database);
        let server = site.serve();
        let mut browser = Browser::new(&server);
        browser.import("all.csv", "sku\nA\nB\nC\n", &[("kind", "articles"), ("mode", "full")]);
        server.finished_run(1);
        browser.import("all.csv", "sku\nA\n", &[("kind", "articles"), ("mode", "full")]);
        soon("it does not wait", || server.get("/navigator/runs/2").body.contains("Delete the records that are missing: 2"));
        assert_eq!(browser.post("/navigator/runs/2/approve", &[]).status, 303);
        assert_eq!(server.finished_run(2)["counters"]["deleted"].as_i64(), Some(2));
    }
}

#[test]
fn a_viewer_looks_but_changes_nothing() {
    let site = Site::new(Database::Sqlite);
    let server = site.serve();
    let admin = with_first_user(&server);
    let mut adding = site.command(&["user", "add", "vera", "--role", "viewer", "--stdin"]);
    let mut child = adding.stdin(std::process::Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), PASSWORD.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(admin.import("a.csv", "sku\nA\nB;\n", &[("kind", "articles"), ("dryRun", "true")]).status, 303);
    let mut viewer = Browser::new(&server);
    viewer.log_in("vera");
    soon("the run does not end", || viewer.get("/api/v1/runs/1").json()["run"]["finishedAt"].is_string());
    let page = viewer.get("/navigator/runs/1").body;
    assert!(page.contains("vera") && !page.contains("Import it now") && !page.contains("New import"), "{page}");
    let form = viewer.form("/navigator");
    assert_eq!(viewer.post("/navigator/runs/1/carry-out", &[("form", &form)]).status, 403);
    assert_eq!(viewer.post("/navigator/logout", &[("form", &form)]).status, 303);
}
