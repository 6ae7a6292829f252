//! The Navigator and the pages for a person, in a real browser. The pictures go to `target/screenshots`, or where
//! `SCREENSHOTS` says: `make screenshots` puts them where the README shows them.

mod steering;

use crate::support::{Database, Server, Site, on_each_database, project};
use std::path::{Path, PathBuf};
use std::process::Command;

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

/// Headless Chromium, which may not look beyond this machine.
fn chromium(profile: &Path, arguments: &[&str], address: &str) -> String {
    let output = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-quic"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--virtual-time-budget=3000", &format!("--user-data-dir={}", profile.display())])
        .args(arguments)
        .arg(address)
        .output()
        .unwrap_or_else(|e| panic!("chromium: {e}; `make tools` installs it"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Takes a picture of a page, and sees to it that there is something in it.
fn picture(site: &Site, server: &Server, path: &str, name: &str, size: &str, more: &[&str]) {
    let folder = std::env::var_os("SCREENSHOTS").map_or_else(|| project("target/screenshots"), PathBuf::from);
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join(format!("{name}.png"));
    let shot = format!("--screenshot={}", file.display());
    let window = format!("--window-size={size}");
    let arguments: Vec<&str> = [shot.as_str(), &window].into_iter().chain(more.iter().copied()).collect();
    chromium(&site.folder().join("chromium"), &arguments, &format!("{}{path}", server.base));
    let bytes = std::fs::read(&file).unwrap();
    assert!(bytes.starts_with(b"\x89PNG") && bytes.len() > 15_000, "{name}: {} bytes", bytes.len());
}

#[test]
fn pages_in_a_browser() {
    let site = filled(Database::Sqlite);
    let server = site.serve();
    picture(&site, &server, "/navigator", "runs", "1200,560", &[]);
    picture(&site, &server, "/navigator/runs/3", "run", "1200,1180", &[]);
    picture(&site, &server, "/navigator/runs/3", "run-dark", "1200,1180", &["--blink-settings=preferredColorScheme=0"]);
    picture(&site, &server, "/navigator/runs/3", "run-phone", "500,1400", &[]);
    picture(&site, &server, "/navigator/import", "import", "1200,760", &[]);
    picture(&site, &server, "/navigator/import", "import-phone", "500,1000", &[]);
    picture(&site, &server, "/navigator/setup", "setup", "1200,620", &[]);
    picture(&site, &server, "/navigator/login", "login-dark", "1200,520", &["--blink-settings=preferredColorScheme=0"]);
    picture(&site, &server, "/navigator/runs/4", "dry-run", "1200,1180", &[]);
    picture(&site, &server, "/soap/catalog", "soap", "1200,900", &[]);
    picture(&site, &server, "/api", "api", "1200,900", &[]);
    let page = chromium(&site.folder().join("chromium"), &["--dump-dom"], &format!("{}/navigator/runs/3", server.base));
    assert!(page.contains("articles-friday.csv") && page.contains("lamps/ceiling"), "{page}");
}

on_each_database! {
    fn the_list_links_to_each_run(database) {
        let server = filled(database).serve();
        let page = server.get("/navigator").body;
        for (id, name) in [(1, "categories.csv"), (2, "articles.csv"), (3, "articles-friday.csv")] {
            assert!(page.contains(&format!("href=\"/navigator/runs/{id}\"")) && page.contains(name), "{page}");
        }
        assert!(server.get("/navigator?state=failed").body.contains("No run"), "{page}");
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

    fn one_that_waits_says_for_what(database) {
        let site = filled(database);
        let file = site.file("all.csv", "sku\nSP-1001\n");
        site.run(&["import", "articles", file.to_str().unwrap(), "--full"]);
        let server = site.serve();
        let page = server.get("/navigator/runs/5").body;
        assert!(page.contains("records are not in the file") && page.contains("soapstone run approve 5"), "{page}");
        assert!(server.get("/navigator?state=waiting").body.contains("all.csv"));
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
