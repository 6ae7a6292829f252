//! The Navigator and the pages for a person; `journeys` clicks through them in a real browser, and leaves pictures of each page in
//! `target/screenshots`, of which `make screenshots` puts some where the README shows them.

mod data;
mod files;
mod journeys;
mod steering;

use crate::support::{Database, Site, on_each_database, project};
use std::path::Path;

/// A site with the demo's catalogue, imported, imported again with a few records gone wrong, and again.
fn filled(database: Database) -> Site {
    let site = Site::new(database);
    let import = |kind: &str, file: &Path| site.run(&["import", kind, file.to_str().unwrap()]);
    assert_eq!(import("categories", &project("demo/categories.csv")).code, 0);
    assert_eq!(import("articles", &project("demo/articles.csv")).code, 0);
    let wrong = std::fs::read_to_string(project("demo/articles.csv")).unwrap();
    let wrong =
        wrong.replacen("189.00", "189,00", 1).replacen("lamps/wall", "lamps/ceiling", 1).replacen("5.200", "heavy", 1);
    let wrong = wrong.replacen("SP-3001", "<script>alert(1)</script>", 1).replacen("9480.00", "?", 1);
    assert_eq!(import("articles", &site.file("articles-friday.csv", wrong)).code, 3);
    let cheaper = std::fs::read_to_string(project("demo/articles.csv")).unwrap().replace("189.00", "179.00");
    let cheaper = site.file("articles-monday.csv", cheaper);
    assert_eq!(site.run(&["import", "articles", cheaper.to_str().unwrap(), "--dry-run"]).code, 0);
    site
}

on_each_database! {
    fn the_list_links_to_each_run(database) {
        let server = filled(database).serve();
        let page = server.get("/navigator/runs").body;
        for (id, name) in [(1, "categories.csv"), (2, "articles.csv"), (3, "articles-friday.csv")] {
            assert!(page.contains(&format!("href=\"/navigator/runs/{id}\"")) && page.contains(name), "{page}");
        }
        assert!(server.get("/navigator/runs?state=failed").body.contains("No run"), "{page}");
    }

    fn the_list_is_narrowed(database) {
        let server = filled(database).serve();
        let shown = |query: &str| {
            let page = server.get(&format!("/navigator/runs?{query}")).body;
            (1..=5).filter(|id| page.contains(&format!("href=\"/navigator/runs/{id}\""))).collect::<Vec<i32>>()
        };
        assert_eq!(shown("kind=categories"), [1]);
        assert_eq!(shown("text=FRIDAY&kind=&state=&channel="), [3]);
        assert_eq!(shown("channel=commandLine&state=succeeded"), [1, 2, 4]);
        assert!(shown("channel=soap").is_empty());
        assert!(shown("text=%25").is_empty());
        server.call("POST", "/api/v1/imports?kind=articles", &[("content-type", "text/csv")], b"sku\nA-2\n");
        assert_eq!(server.finished_run(5)["client"], "127.0.0.1");
        assert_eq!(shown("client=127.0.0.1&channel="), [5]);
        assert!(shown("client=erp").is_empty());
        assert_eq!(server.get("/api/v1/runs?client=127.0.0.1").json()["run"].as_array().unwrap().len(), 1);
        assert!(server.get("/navigator/runs?channel=rest").body.contains("<option>127.0.0.1</option>"));
        assert!(server.get("/navigator/runs/5").body.contains("Begun by"));
        assert_eq!(shown("from=2020-01-01&to=2999-12-31"), [1, 2, 3, 4, 5]);
        assert!(shown("to=2020-01-01").is_empty() && shown("from=2999-12-31").is_empty());
    }

    fn what_did_not_arrive_is_sent_again(database) {
        let server = Site::new(database).serve();
        let form = [("content-type", "application/x-www-form-urlencoded")];
        assert!(server.get("/navigator/hooks").body.contains("Nobody is told"));
        let target = serde_json::json!({"target": [{"key": "erp", "url": "http://127.0.0.1:1/hook"}]});
        assert_eq!(server.post_json("/api/v1/signal-targets", &target).status, 200);
        let tested = server.call("POST", "/navigator/hooks/test", &form, b"target=erp");
        assert_eq!((tested.status, tested.header("location")), (303, "/navigator/hooks"), "{tested:?}");
        let page = server.get("/navigator/hooks?state=waiting&target=erp").body;
        assert!(page.contains("http://127.0.0.1:1/hook") && page.contains("<td>test</td>"), "{page}");
        assert!(!server.get("/navigator/hooks?order=X9").body.contains("<td>test</td>"));
        assert_eq!(server.call("POST", "/navigator/hooks/resend", &form, b"target=erp").status, 303);
        // Changed by the form: the secret stays, the events are others.
        assert!(server.get("/navigator/hooks?edit=erp").body.contains("value=\"http://127.0.0.1:1/hook\""));
        let change = b"key=erp&url=http%3A%2F%2F127.0.0.1%3A1%2Fother&form=webHook&event=paymentChanged&warehouses=&user=&secret=hush";
        let changed = server.call("POST", "/navigator/hooks/target", &form, change);
        assert_eq!((changed.status, changed.header("location")), (303, "/navigator/hooks"), "{changed:?}");
        let target = server.get("/api/v1/signal-targets/erp").json()["target"].clone();
        assert_eq!((target["url"].as_str(), target["active"].as_bool()), (Some("http://127.0.0.1:1/other"), Some(false)), "{target}");
        assert_eq!((&target["event"], target["signed"].as_bool()), (&serde_json::json!(["paymentChanged"]), Some(true)), "{target}");
        let wrong = server.call("POST", "/navigator/hooks/target", &form, b"key=erp&url=ftp%3A%2F%2Fx&form=webHook");
        assert_eq!(wrong.status, 422, "{wrong:?}");
        let added = server.call("POST", "/navigator/hooks/target", &form, b"key=pim&url=https%3A%2F%2Fpim.example%2F&form=soap12&active=1");
        assert_eq!(added.status, 303, "{added:?}");
        assert_eq!(server.call("POST", "/navigator/hooks/target", &form, b"key=pim&remove=1").status, 303);
        assert_eq!(server.get("/api/v1/signal-targets/pim").status, 404);
        let unknown = server.call("POST", "/navigator/hooks/test", &form, b"target=crm");
        assert_eq!((unknown.status, unknown.body.contains("target.not_found")), (404, true), "{unknown:?}");
    }

    fn messages_that_are_kept_are_shown(database) {
        let server = Site::new(database).serve_with(&["capture-clients=*"]);
        server.post_json("/api/v1/articles", &serde_json::json!({"article": [{"sku": "<b>1"}]}));
        assert_eq!(server.get("/api/v1/articles/none").status, 404);
        let list = || server.get("/navigator/messages").body;
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while !list().contains("Catalog.UpsertArticles") || !list().contains("Catalog.GetArticle<") {
            assert!(std::time::Instant::now() < deadline, "{}", list());
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        let failed = server.get("/navigator/messages?failed=1").body;
        assert!(failed.contains("404 article.not_found") && !failed.contains("UpsertArticles"), "{failed}");
        let found = server.get("/navigator/messages?text=%3Cb%3E1").body;
        let id = found.split("/navigator/messages/").nth(1).and_then(|rest| rest.split('"').next()).unwrap().to_owned();
        let shown = server.get(&format!("/navigator/messages/{id}")).body;
        assert!(shown.contains("&#60;b&#62;1") && !shown.contains("<b>1") && shown.contains("POST /api/v1/articles"), "{shown}");
        assert_eq!(server.get("/navigator/messages/0").status, 404);
        // Once more, as a dry run; or by hand.
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let replayed = server.call("POST", &format!("/navigator/messages/{id}/dry-run"), &form, b"");
        assert_eq!((replayed.status, replayed.header("location")), (303, "/navigator/runs/1"), "{replayed:?}");
        let run = server.finished_run(1);
        assert_eq!((run["dryRun"].as_bool(), run["counters"]["unchanged"].as_i64()), (Some(true), Some(1)), "{run}");
        let by_hand = server.get(&format!("/navigator/messages/{id}/call")).body;
        assert!(by_hand.contains("&#60;b&#62;1") && by_hand.contains("<h1>UpsertArticles</h1>"), "{by_hand}");
        let id = failed.split("/navigator/messages/").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        let refused = server.call("POST", &format!("/navigator/messages/{id}/dry-run"), &form, b"");
        assert_eq!((refused.status, refused.body.contains("message.not_replayable")), (422, true), "{refused:?}");
    }

    fn contracts_are_shown_and_operations_tried(database) {
        let server = Site::new(database).serve();
        let page = server.get("/navigator/contracts").body;
        for part in ["Catalog", "Orders", "urn:soapstone:pricing/v1", "/soap/catalog?wsdl", "?xsd=", "?soapui"] {
            assert!(page.contains(part), "{part} is not in {page}");
        }
        let page = server.get("/navigator/contract?service=Catalog").body;
        assert!(page.contains("UpsertArticles") && page.contains("GET /api/v1/articles/{sku}") && page.contains("Served here since"), "{page}");
        let page = server.get("/navigator/contract?service=Catalog&operation=UpsertArticles").body;
        for part in ["id=\"type-Article\"", "href=\"#type-Price\"", "The article number: the key.", "SOAPAction", "/navigator/contract/try"] {
            assert!(page.contains(part), "{part} is not in {page}");
        }
        let tried = |operation: &str, format: &str, text: &str| {
            let form = [("content-type", "application/x-www-form-urlencoded")];
            let mut body = url::form_urlencoded::Serializer::new(String::new());
            body.extend_pairs([("service", "Catalog"), ("operation", operation), ("format", format), ("text", text)]);
            server.call("POST", "/navigator/contract/try", &form, body.finish().as_bytes()).body
        };
        assert!(tried("UpsertArticles", "json", r#"{"article": [{"sku": "A<b>"}]}"#).contains("&#34;created&#34;"));
        let got = tried("GetArticle", "xml", "<GetArticle xmlns=\"urn:soapstone:catalog/v1\"><sku>A&lt;b></sku></GetArticle>");
        assert!(got.contains("A&#38;lt;b") && !got.contains("<b>"), "{got}");
        assert!(tried("GetArticle", "json", r#"{"sku": "none"}"#).contains("article.not_found"));
        assert!(tried("GetArticle", "json", "{").contains("message.malformed"));
        for unknown in ["service=None", "service=Catalog&operation=None"] {
            assert_eq!(server.get(&format!("/navigator/contract?{unknown}")).status, 404, "{unknown}");
        }
    }

    fn the_system_tells_how_it_is_set(database) {
        let server = Site::new(database).serve_with(&["smtp-server=smtp://me:hush@mail.example:25", "smtp-from=me@example.com"]);
        let page = server.get("/navigator/system").body;
        for part in ["smtp://me:***@mail.example:25", "default", "batch-size", env!("CARGO_PKG_VERSION"), "Up for"] {
            assert!(page.contains(part), "{part}: {page}");
        }
        assert!(!page.contains("hush"), "{page}");
    }

    fn orders_are_exported_and_confirmed(database) {
        let server = Site::new(database).serve();
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let position = serde_json::json!([{"text": "x", "quantity": "1", "unitPrice": "1", "taxPercent": "8.1"}]);
        let orders: Vec<_> = (0..3).map(|n| serde_json::json!({"number": format!("X{n}"), "position": position})).collect();
        server.post_json("/api/v1/orders", &serde_json::json!({"order": orders}));
        assert!(server.get("/navigator/exports").body.contains("3 orders were not handed out"));
        let begun = server.call("POST", "/navigator/exports", &form, b"kind=orders&format=jsonLines&incremental=1");
        assert_eq!((begun.status, begun.header("location")), (303, "/navigator/runs/1"), "{begun:?}");
        assert_eq!(server.finished_run(1)["channel"], "navigator");
        let page = server.get("/navigator/exports").body;
        assert!(page.contains("/api/v1/runs/1/artifacts/result/file") && page.contains("/navigator/exports/1/confirm"), "{page}");
        // Again, as the ERP lost the file.
        assert_eq!(server.call("POST", "/navigator/exports/1/hand-out-again", &form, b"").status, 303);
        assert!(server.get("/navigator/exports").body.contains("· over"));
        server.call("POST", "/navigator/exports", &form, b"kind=orders&format=jsonLines&incremental=1");
        assert_eq!(server.finished_run(2)["exportNumber"], "1");
        assert_eq!(server.call("POST", "/navigator/exports/1/confirm", &form, b"").status, 303);
        assert_eq!(server.get("/api/v1/orders/X2").json()["order"]["exportState"], "exported");
        let page = server.get("/navigator/exports").body;
        assert!(!page.contains("/navigator/exports/1/confirm"), "{page}");
        let unknown = server.call("POST", "/navigator/exports/9/confirm", &form, b"");
        assert_eq!((unknown.status, unknown.body.contains("export.not_found")), (404, true), "{unknown:?}");
        let wrong = server.call("POST", "/navigator/exports", &form, b"kind=stock&format=openTrans");
        assert!(wrong.status == 422 && wrong.body.contains("export.format"), "{wrong:?}");
    }

    fn the_overview_says_how_things_are(database) {
        let site = filled(database);
        site.file("data/schedules.toml", "[[schedule]]\nname = \"nightly\"\ncron = \"0 3 * * *\"\nexport = \"articles\"\n");
        let server = site.serve();
        let position = serde_json::json!([{"text": "x", "quantity": "1", "unitPrice": "1", "taxPercent": "8.1"}]);
        server.post_json("/api/v1/orders", &serde_json::json!({"order": [{"number": "X1", "position": position}]}));
        let page = server.get("/navigator").body;
        for part in ["refused", "articles-friday.csv", "csv.type", "nightly", "03:00 UTC", "<dt>Not handed out yet</dt><dd>1</dd>"] {
            assert!(page.contains(part), "{part} is not in {page}");
        }
        let calm = Site::new(database).serve();
        assert!(calm.get("/navigator").body.contains("Nothing happened"));
    }

    fn a_run_shows_counters_messages_and_timing(database) {
        let server = filled(database).serve();
        let page = server.get("/navigator/runs/3").body;
        for part in ["succeeded with errors", "189,00", "csv.type", "article.unknown_category", "line 2", "Reading", "Writing"] {
            assert!(page.to_lowercase().contains(&part.to_lowercase()), "{part} is not in {page}");
        }
        assert!(!page.contains("<script>alert"), "{page}");
        assert_eq!(server.get("/navigator/runs/99").status, 404);
        assert_eq!(server.get("/navigator/runs/x").status, 404);
    }

    fn the_files_of_a_run_are_there(database) {
        let server = filled(database).serve();
        let page = server.get("/navigator/runs/3").body;
        for kind in ["source", "rejected"] {
            let address = format!("/api/v1/runs/3/artifacts/{kind}/file");
            assert!(page.contains(&format!("href=\"{address}\"")), "{kind}: {page}");
            assert!(server.get(&address).body.contains("189,00"), "{kind}");
        }
        assert!(!server.get("/navigator/runs/2").body.contains("artifacts/rejected"), "run 2 refused nothing");
    }

    fn what_comes_by_itself_is_shown_and_a_schedule_done_at_once(database) {
        let site = filled(database);
        assert!(site.serve().get("/navigator/channels").body.contains("No folder is watched"));
        let inbox = site.folder().join("inbox");
        std::fs::create_dir_all(&inbox).unwrap();
        // It is a file.
        let nowhere = site.file("blocker", "").join("inbox");
        let folders = format!(
            "[[folder]]\npath = {inbox:?}\nkind = \"stock\"\npattern = \"*.csv\"\nsettle-seconds = 3600\n\n\
             [[folder]]\npath = {nowhere:?}\nkind = \"articles\"\n"
        );
        site.file("data/hot-folders.toml", folders);
        site.file("inbox/one.csv", "sku;warehouse;quantity\n");
        site.file("inbox/two.csv.part", "");
        let nightly = "[[schedule]]\nname = \"nightly\"\ncron = \"0 3 1 1 *\"\nzone = \"Europe/Zurich\"\nexport = \"articles\"\n";
        site.file("data/schedules.toml", nightly);
        let server = site.serve();
        let page = server.get("/navigator/channels").body;
        for part in ["<code>*.csv</code>", "blocker/inbox", "Not a directory", "nightly", "-01-01 02:00 UTC", "Europe/Zurich", "not yet"] {
            assert!(page.contains(part), "{part} is not in {page}");
        }
        assert!(page.contains("<td>stock</td><td class=\"number\">1</td>"), "{page}");
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let done = server.call("POST", "/navigator/channels/run-now", &form, b"name=nightly");
        assert_eq!((done.status, done.header("location")), (303, "/navigator/runs/5"), "{done:?}");
        let run = server.finished_run(5);
        assert_eq!((run["state"].as_str(), run["channel"].as_str()), (Some("succeeded"), Some("schedule")), "{run}");
        assert_eq!(run["client"], "nightly");
        assert!(server.get("/navigator/channels").body.contains("href=\"/navigator/runs/5\""));
        assert_eq!(server.call("POST", "/navigator/channels/run-now", &form, b"name=daily").status, 404);
    }

    fn one_that_waits_says_for_what(database) {
        let site = filled(database);
        let file = site.file("all.csv", "sku\nSP-1001\n");
        site.run(&["import", "articles", file.to_str().unwrap(), "--full"]);
        let server = site.serve();
        let page = server.get("/navigator/runs/5").body;
        assert!(page.contains("records are not in the file") && page.contains("soapstone run approve 5"), "{page}");
        assert!(server.get("/navigator/runs?state=waiting").body.contains("all.csv"));
    }
}

#[test]
fn pages_ask_nothing_of_other_hosts() {
    let server = filled(Database::Sqlite).serve();
    for path in [
        "/navigator",
        "/navigator/runs/3",
        "/navigator/import",
        "/navigator/login",
        "/navigator/setup",
        "/soap/catalog",
        "/soap/exchange",
        "/api",
    ] {
        let reply = server.get(path);
        assert_eq!(reply.status, 200, "{path}");
        for attribute in ["src=\"", "href=\""] {
            for address in reply.body.split(attribute).skip(1).filter_map(|rest| rest.split('"').next()) {
                let is_own = address.starts_with(['/', '#', '?'])
                    || address.starts_with("data:")
                    || address.starts_with(&server.base);
                assert!(is_own, "{path}: {address}");
            }
        }
    }
}
