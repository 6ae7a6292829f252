//! Users that are removed, disabled and changed: the last administrator stays, and a server that had users never opens again.

use super::{PASSWORD, add, basic, get, soon};
use crate::support::{Database, Reply, Server, Site, on_each_database};
use serde_json::Value;
use std::process::Stdio;

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// A form of the Navigator, sent by a program that logs in with each request.
fn post(server: &Server, authorization: &str, deed: &str, form: &str) -> Reply {
    let headers = [FORM, ("authorization", authorization)];
    server.call("POST", &format!("/navigator/access/{deed}"), &headers, form.as_bytes())
}

fn users(site: &Site) -> Vec<(String, Vec<String>, bool)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let listed = site.json(&["user", "list"]);
    let user = |user: &Value| {
        let roles = user["roles"].as_array().unwrap().iter().map(text).collect();
        (text(&user["name"]), roles, user["disabled"].as_bool().unwrap())
    };
    listed["users"].as_array().unwrap().iter().map(user).collect()
}

on_each_database! {
    fn the_last_administrator_stays(database) {
        let site = Site::new(database);
        for (name, role) in [("anna", "admin"), ("vera", "viewer")] {
            add(&site, name, role);
        }
        let server = site.serve();
        for arguments in [
            &["user", "remove", "anna"][..],
            &["user", "disable", "anna"],
            &["user", "roles", "anna", "operator"],
            &["user", "roles", "anna", "--role", "viewer", "--role", "operator"],
            &["user", "password", "anna", "--remove"],
        ] {
            let denied = site.run(arguments);
            assert!(denied.code != 0 && denied.stderr.contains("the last user who can log in and change users"), "{denied:?}");
        }
        assert!(site.json(&["audit"]).to_string().contains("access.last_administrator"));
        // In the Navigator by a token, which does not count as a log-in.
        let token = site.json(&["token", "add", "vera"])["token"].as_str().unwrap().to_owned();
        assert_eq!(site.run(&["user", "roles", "vera", "admin"]).code, 0);
        assert_eq!(site.run(&["user", "password", "vera", "--remove"]).code, 0);
        let vera = format!("Bearer {token}");
        for (deed, form) in [
            ("remove-user", "name=anna"),
            ("disable-user", "name=anna"),
            ("change-roles", "name=anna&role=viewer"),
        ] {
            let denied = post(&server, &vera, deed, form);
            assert!(denied.status == 422 && denied.body.contains("the last user who can log in"), "{deed}: {denied:?}");
        }
        assert_eq!(users(&site)[0], ("anna".to_owned(), vec!["admin".to_owned()], false));
        // A second one, and the first may go.
        assert_eq!(site.run(&["user", "password", "vera"]).code, 0);
        assert_eq!(post(&server, &vera, "remove-user", "name=anna").status, 303);
        assert_eq!(post(&server, &vera, "remove-user", "name=vera").status, 422);
    }

    fn of_two_administrators_that_remove_each_other_one_stays(database) {
        let site = Site::new(database);
        add(&site, "anna", "admin");
        add(&site, "otto", "admin");
        for round in 0..3 {
            let removing: Vec<_> = ["anna", "otto"]
                .map(|name| site.command(&["user", "remove", name]).stderr(Stdio::null()).spawn().unwrap())
                .into();
            let done = removing.into_iter().filter_map(|mut child| child.wait().unwrap().success().then_some(())).count();
            let left = users(&site);
            assert_eq!((done, left.len()), (1, 1), "round {round}: {left:?}");
            let gone = if left[0].0 == "anna" { "otto" } else { "anna" };
            add(&site, gone, "admin");
        }
    }

    fn a_server_that_had_users_never_opens_again(database) {
        let site = Site::new(database);
        let server = site.serve();
        assert_eq!(server.get("/api/v1/articles").status, 200);
        // Never an administrator, so that the last user can be removed.
        add(&site, "vera", "viewer");
        soon("strangers are let in", || server.get("/api/v1/articles").status == 401);
        assert_eq!(site.run(&["user", "remove", "vera"]).code, 0);
        assert!(users(&site).is_empty());
        let restarted = site.serve();
        for server in [&server, &restarted] {
            assert_eq!(server.get("/api/v1/articles").status, 401);
            assert_eq!(server.get("/navigator/setup").header("location"), "/navigator/login");
            let first = format!("name=eve&password={0}&again={0}", PASSWORD.replace(' ', "+"));
            let done = server.call("POST", "/navigator/setup", &[FORM], first.as_bytes());
            assert_eq!((done.status, done.header("location")), (303, "/navigator/login"));
        }
        // What was believed for two seconds is not believed for ever.
        std::thread::sleep(std::time::Duration::from_millis(2500));
        assert_eq!(server.get("/api/v1/articles").status, 401);
        assert!(users(&site).is_empty());
        let told = site.run(&["user", "list"]);
        assert!(told.stdout.contains("all callers are denied"), "{told:?}");
        // Users that come by other ways count as well.
        let other = Site::new(database);
        let server = other.serve();
        other.sql("INSERT INTO users (name, roles, created_at) VALUES ('x', 'viewer', '2026-01-01 00:00:00'); DELETE FROM users;");
        soon("strangers are let in", || server.get("/api/v1/articles").status == 401);
    }

    fn a_disabled_user_is_out_at_once(database) {
        let site = Site::new(database);
        add(&site, "anna", "admin");
        add(&site, "otto", "operator");
        let server = site.serve();
        let token = format!("Bearer {}", site.json(&["token", "add", "otto"])["token"].as_str().unwrap());
        let form = format!("name=otto&password={}", PASSWORD.replace(' ', "+"));
        let logged_in = server.call("POST", "/navigator/login", &[FORM], form.as_bytes());
        let cookie = logged_in.header("set-cookie").split(';').next().unwrap().to_owned();
        let right = basic("otto", PASSWORD);
        let statuses = || {
            let page = server.call("GET", "/navigator", &[("cookie", &cookie)], b"").status;
            [get(&server, "/api/v1/articles", &right).status, get(&server, "/api/v1/articles", &token).status, page]
        };
        assert_eq!(statuses(), [200, 200, 200]);
        let (anna, disable) = (basic("anna", PASSWORD), "name=otto");
        assert_eq!(post(&server, &anna, "disable-user", disable).status, 303);
        assert_eq!(statuses(), [401, 401, 303]);
        assert!(get(&server, "/navigator/access", &anna).body.contains("enable-user"));
        assert_eq!(server.call("POST", "/navigator/login", &[FORM], form.as_bytes()).status, 401);
        assert!(users(&site)[1].2);
        assert_eq!(site.run(&["user", "enable", "otto"]).code, 0);
        // The session has ended for good.
        assert_eq!(statuses(), [200, 200, 303]);
        assert_eq!(site.run(&["user", "disable", "otto"]).code, 0);
        assert_eq!(statuses(), [401, 401, 303]);
        assert_eq!(post(&server, &anna, "disable-user", "name=anna").status, 422, "nobody disables himself");
        soon("it is not in the audit log", || {
            let lines = site.json(&["audit"]).to_string();
            ["disable-user otto (Navigator)", "user disable otto", "user enable otto"].iter().all(|line| lines.contains(line))
        });
    }

    fn what_a_user_has_is_changed_in_the_navigator(database) {
        let site = Site::new(database);
        add(&site, "anna", "admin");
        add(&site, "otto", "viewer");
        let server = site.serve();
        let anna = basic("anna", PASSWORD);
        let done = |deed: &str, form: &str| post(&server, &anna, deed, form).status;
        assert_eq!(done("change-roles", "name=otto&role=operator&role=viewer"), 303);
        assert_eq!(users(&site)[1].1, ["operator", "viewer"]);
        assert_eq!([done("change-roles", "name=otto"), done("change-roles", "name=otto&role=king")], [422, 422]);
        assert_eq!(done("set-certificate", "name=otto&certificate=+erp+"), 303);
        assert_eq!(site.json(&["user", "list"])["users"][1]["certificate"], "erp");
        assert_eq!(done("set-certificate", "name=anna&certificate=erp"), 422);
        assert_eq!(done("set-certificate", "name=otto&certificate="), 303);
        let shown = post(&server, &anna, "new-digest-secret", "name=otto");
        assert!(shown.body.contains("<pre>"), "{shown:?}");
        assert_eq!(site.json(&["user", "list"])["users"][1]["digest"], true);
        assert_eq!(done("remove-digest-secret", "name=otto"), 303);
        let otto = site.json(&["user", "list"])["users"][1].clone();
        assert_eq!((otto["digest"].as_bool(), otto["certificate"].is_null()), (Some(false), true));
        assert_eq!(site.run(&["user", "digest", "otto"]).code, 0);
        assert_eq!(site.run(&["user", "digest", "otto", "--remove"]).code, 0);
        assert_eq!(done("change-roles", "name=nobody&role=viewer"), 422);
    }
}

#[test]
fn scopes_and_roles_that_match_nothing_are_rejected() {
    let site = Site::new(Database::Sqlite);
    add(&site, "anna", "admin");
    let server = site.serve();
    for (scope, similar) in
        [("Catalog.GetArticel", "Catalog.GetArticle"), ("Catalogue.*", "Catalog.*"), ("catalog.*", "Catalog.*")]
    {
        let wrong = site.run(&["token", "add", "anna", "--scope", "*.Get*", "--scope", scope]);
        assert!(wrong.code != 0 && wrong.stderr.contains(&format!("similar: {similar}")), "{wrong:?}");
        let form = format!("user=anna&name=x&scopes={scope}");
        let wrong = post(&server, &basic("anna", PASSWORD), "add-token", &form);
        assert!(wrong.status == 422 && wrong.body.contains("matches no operation"), "{wrong:?}");
        let role = format!("roles=shop={scope}");
        let wrong = site.run(&["--set", &role, "user", "list"]);
        assert!(wrong.code != 0 && wrong.stderr.contains("role shop: The pattern"), "{wrong:?}");
    }
    let nothing = site.run(&["token", "add", "anna", "--scope", "Nothing.Like"]);
    assert!(nothing.stderr.contains("available services: Access, Catalog"), "{nothing:?}");
    assert!(site.json(&["token", "list"])["tokens"].as_array().unwrap().is_empty());
    // All permissions beside the contracts can be named.
    let own = "Navigator.View Navigator.Change Access.Change Messages.Read System.Read Profiles.Change Metrics.Read";
    let scopes = own.split(' ').flat_map(|scope| ["--scope", scope]);
    let arguments: Vec<&str> = ["token", "add", "anna"].into_iter().chain(scopes).collect();
    assert_eq!(site.run(&arguments).code, 0);
    // One that was given before an operation went away is reported.
    site.sql("UPDATE tokens SET scopes = 'Catalog.Forgotten'");
    let told = site.json(&["doctor"]).to_string();
    assert!(told.contains("The pattern \\\"Catalog.Forgotten\\\" matches no operation"), "{told}");
}
