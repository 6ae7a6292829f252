//! The command line: help, exit codes, settings, clear errors.

mod rights;

use crate::support::{Database, Site, on_each_database};

#[test]
fn help_teaches() {
    let site = Site::new(Database::Sqlite);
    let help = site.run(&["help"]);
    assert_eq!(help.code, 0);
    for part in
        ["Examples:", "Exit codes:", "serve", "import", "export", "run", "contract", "migrate", "config", "doctor"]
    {
        assert!(help.stdout.contains(part), "{part}");
    }
    for command in ["import", "export", "run", "contract", "client"] {
        assert!(site.run(&[command, "--help"]).stdout.contains("Examples:"), "{command}");
    }
}

#[test]
fn exit_codes_tell_what_happened() {
    let site = Site::new(Database::Sqlite);
    let good = site.file("good.csv", "sku\nA\n");
    let bad = site.file("bad.csv", "sku;weight\nA;x\n");
    let code = |arguments: &[&str]| site.run(arguments).code;
    assert_eq!(code(&["import", "articles", good.to_str().unwrap()]), 0);
    assert_eq!(code(&["import", "articles", "missing.csv"]), 1);
    assert_eq!(code(&["import", "gadgets", "good.csv"]), 2);
    assert_eq!(code(&["import", "articles", bad.to_str().unwrap()]), 3);
    assert_eq!(code(&["run", "show", "99"]), 1);
    assert_eq!(code(&["run", "cancel", "1"]), 1);
}

#[test]
fn errors_name_the_file_and_the_remedy() {
    let site = Site::new(Database::Sqlite);
    let error = |arguments: &[&str]| site.run(arguments).stderr;
    assert!(error(&["import", "articles", "missing.csv"]).contains("missing.csv: No such file"));
    let unknown = error(&["import", "articles", "/dev/null", "--profile", "nope"]);
    assert!(unknown.contains("\"nope\"") && unknown.contains("luma-shop"), "{unknown}");
    let setting = error(&["config", "--set", "colour=red"]);
    assert!(setting.contains("colour"), "{setting}");
    let value = error(&["config", "--set", "batch-size=many"]);
    assert!(value.contains("batch-size") && value.contains("many"), "{value}");
    site.file("soapstone.toml", "listen = 5\n");
    let file = error(&["config"]);
    assert!(file.contains("soapstone.toml") && file.contains("listen"), "{file}");
}

#[test]
fn settings_say_where_they_are_from() {
    let site = Site::new(Database::Sqlite);
    site.file("soapstone.toml", "default-currency = \"EUR\"\nbatch-size = 50\n");
    let shown = site.run(&["config", "--set", "batch-size=70"]).stdout;
    let origin = |key: &str| {
        let before = shown.split(&format!("\n{key} = ")).next().unwrap();
        before.rsplit("(from: ").next().unwrap().trim_end_matches([')', '\n']).to_owned()
    };
    assert_eq!(origin("default-currency"), "soapstone.toml");
    assert_eq!(origin("batch-size"), "flag");
    assert_eq!(origin("data-dir"), "$SOAPSTONE_DATA_DIR");
    assert_eq!(origin("default-gross"), "default");
    assert!(shown.contains("batch-size = \"70\""), "{shown}");
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let site = Site::new(Database::Sqlite);
    let contract = crate::support::project("wsdl/catalog.wsdl");
    let program = env!("CARGO_BIN_EXE_soapstone");
    let script = format!("'{program}' contract rust '{}' | head -c 1", contract.display());
    let output = std::process::Command::new("sh").current_dir(site.folder()).args(["-c", &script]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

on_each_database! {
    fn the_doctor_finds_all_in_order(database) {
        let site = Site::new(database);
        site.run(&["migrate"]);
        let output = site.run(&["doctor", "--set", "listen=127.0.0.1:0"]);
        assert_eq!(output.code, 0, "{output:?}");
        assert!(output.stdout.lines().all(|line| line.starts_with("ok ")), "{}", output.stdout);
    }

    fn migrations_run_once(database) {
        let site = Site::new(database);
        let first = site.run(&["migrate"]);
        assert!(first.stdout.contains("2026"), "{first:?}");
        let second = site.run(&["migrate"]);
        assert_eq!(second.code, 0);
        assert!(!second.stdout.contains("2026"), "{second:?}");
    }
}

#[test]
fn the_doctor_tells_what_is_wrong() {
    let site = Site::new(Database::Sqlite);
    let address = site.run(&["doctor", "--database-url", "postgres://nobody@127.0.0.1:1/none"]);
    assert_eq!(address.code, 1, "{address:?}");
    assert!(address.stdout.contains("database"), "{address:?}");
    std::fs::create_dir_all(site.folder().join("data/profiles")).unwrap();
    site.file("data/profiles/wrong.toml", "[fields]\nsku = 5\n");
    let profile = site.run(&["doctor", "--set", "listen=127.0.0.1:0"]);
    assert_eq!(profile.code, 1, "{profile:?}");
    assert!(profile.stdout.contains("wrong"), "{profile:?}");
}

#[test]
fn a_folder_of_pictures_is_added_and_made_ready() {
    let site = Site::new(Database::Sqlite);
    std::fs::create_dir_all(site.folder().join("photos/below")).unwrap();
    let mut picture = std::io::Cursor::new(Vec::new());
    image::DynamicImage::new_rgb8(500, 300).write_to(&mut picture, image::ImageFormat::Jpeg).unwrap();
    for name in ["photos/A-1.jpg", "photos/below/A-1_2.jpg", "photos/.hidden.jpg"] {
        site.file(name, picture.get_ref());
    }
    site.file("photos/readme.txt", "no picture");
    let added = site.run(&["picture", "add", "photos"]);
    assert_eq!(added.code, 3, "{added:?}");
    assert!(added.stdout.contains("2 new, 0 changed, 0 as they were, 1 refused"), "{added:?}");
    assert!(added.stdout.contains("readme.txt"), "{added:?}");
    let progress = site.json(&["picture", "progress"]);
    assert_eq!((&progress["ready"], &progress["waiting"], &progress["orphans"]), (&2.into(), &0.into(), &2.into()));
    assert_eq!(site.run(&["picture", "add", "nowhere"]).code, 1);
}

/// What an early version left: its schema, and rows in it.
fn early(site: &Site, database: Database) {
    use diesel::connection::SimpleConnection;
    use diesel::{Connection, PgConnection, SqliteConnection};
    let (folder, quote) = match database {
        Database::Sqlite => ("migrations/sqlite", "1"),
        Database::Postgres => ("migrations/postgres", "true"),
    };
    let first = crate::support::project(folder).join("2026-11-01-000000_start/up.sql");
    let mut sql = std::fs::read_to_string(first).unwrap();
    sql.push_str(
        "CREATE TABLE __diesel_schema_migrations (version VARCHAR(50) PRIMARY KEY NOT NULL, run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);
         INSERT INTO __diesel_schema_migrations (version) VALUES ('20261101000000');",
    );
    for n in 1..=200 {
        sql.push_str(&format!(
            "INSERT INTO categories (id, key, position, active, changed_at) VALUES ({n}, 'C{n}', {n}, {quote}, '2026-11-02 10:00:00');
             INSERT INTO articles (id, sku, sku_key, active, version, changed_at) VALUES ({n}, 'A{n}', 'A{n}', {quote}, 3, '2026-11-02 10:00:00');
             INSERT INTO article_texts (article_id, kind, language, text) VALUES ({n}, 'name', 'en', 'Article {n}');
             INSERT INTO article_categories (article_id, category_id, position) VALUES ({n}, {n}, 0);
             INSERT INTO article_media (article_id, position, role, location) VALUES ({n}, 0, 'image', '/m/h/Picture-{n}.JPG');"
        ));
    }
    match database {
        Database::Sqlite => {
            std::fs::create_dir_all(site.folder().join("data")).unwrap();
            let path = site.folder().join("data/soapstone.sqlite");
            SqliteConnection::establish(path.to_str().unwrap()).unwrap().batch_execute(&sql).unwrap();
        }
        Database::Postgres => PgConnection::establish(site.database_url()).unwrap().batch_execute(&sql).unwrap(),
    }
}

on_each_database! {
    fn a_full_database_of_an_early_version_is_brought_up_to_date(database) {
        let site = Site::new(database);
        early(&site, database);
        let server = site.serve();
        let listed = server.get("/api/v1/articles?limit=1000").json();
        assert_eq!(listed["article"].as_array().unwrap().len(), 200);
        let article = server.get("/api/v1/articles/A77").json();
        let article = &article["article"];
        assert_eq!((&article["version"], &article["name"][0]["value"]), (&3.into(), &"Article 77".into()));
        assert_eq!((&article["category"][0], &article["media"][0]["value"]), (&"C77".into(), &"/m/h/Picture-77.JPG".into()));
        // Pictures find articles that were there before there were pictures.
        let gif = [("content-type", "image/gif")];
        let pixel = b"GIF89a\x01\0\x01\0\x80\0\0\xff\0\0\xff\xff\xff!\xf9\x04\0\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";
        server.call("PUT", "/api/v1/pictures/picture-77.jpg", &gif, pixel);
        assert_eq!(server.get("/api/v1/pictures/picture-77.jpg").json()["picture"]["article"][0], "A77");
        let changed = server.call("PATCH", "/api/v1/articles/A77", &[("content-type", "application/json")], br#"{"manufacturer":"m"}"#);
        assert_eq!((changed.status, changed.header("etag")), (200, "\"4\""));
    }
}
