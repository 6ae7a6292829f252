//! The command line: help, exit codes, settings, clear errors.

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
    for command in ["import", "export", "run", "contract"] {
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
