//! Who may read the files that the program writes, and values that are in files.

use crate::support::{Database, Site};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        if entry.file_type().unwrap().is_dir() {
            below(&entry.path(), found);
        }
        found.push(entry.path());
    }
}

#[test]
fn what_the_server_keeps_is_read_by_its_owner_only() {
    let site = Site::new(Database::Sqlite);
    let folder = site.folder().join("in");
    fs::create_dir(&folder).unwrap();
    let hot = format!("[[folder]]\npath = {folder:?}\npattern = \"*.csv\"\nkind = \"units\"\nsettle-seconds = 0.2\n");
    let hot = site.file("hot.toml", hot);
    let usual = site.file("usual", "");
    let dropped = folder.join("units.csv");
    fs::write(&dropped, "key\na\n").unwrap();
    let hot = format!("hot-folders={}", hot.display());
    let server = site.serve_with(&[&hot]);
    let status = folder.join("status/units.csv.ok");
    let deadline = Instant::now() + Duration::from_secs(30);
    while !status.exists() {
        assert!(Instant::now() < deadline, "{}", server.log());
        std::thread::sleep(Duration::from_millis(50));
    }
    let started = server.call(
        "POST",
        "/api/v1/uploads",
        &[("tus-resumable", "1.0.0"), ("upload-length", "10"), ("upload-metadata", "kind dW5pdHM=")],
        b"",
    );
    assert_eq!(started.status, 201, "{started:?}");
    let data = site.folder().join("data");
    let mut files = vec![data.clone()];
    below(&data, &mut files);
    assert!(files.iter().any(|file| file.ends_with("soapstone.sqlite")) && files.len() > 8, "{files:?}");
    for file in &files {
        assert_eq!(mode(file) & 0o077, 0, "{} may be read by others: {:o}", file.display(), mode(file));
    }
    // Files for the ERP are as its umask wants them, or as the settings say.
    assert_eq!(mode(&status), mode(&usual));
    assert_ne!(mode(&folder.join("status")) & 0o700, 0);
    drop(server);
    fs::write(&dropped, "key\nb\n").unwrap();
    fs::remove_file(&status).unwrap();
    let server = site.serve_with(&[&hot, "exchange-file-mode=640"]);
    let deadline = Instant::now() + Duration::from_secs(30);
    while !status.exists() {
        assert!(Instant::now() < deadline, "{}", server.log());
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(mode(&status), 0o640);
    for wrong in ["abc", "777", "1640", "044"] {
        let refused = site.run(&["config", "--set", &format!("exchange-file-mode={wrong}")]);
        assert!(refused.code == 1 && refused.stderr.contains("exchange-file-mode"), "{wrong}: {refused:?}");
    }
    // What a person asks for is as his other files.
    assert_eq!(site.run(&["export", "units", "units.xml"]).code, 0);
    assert_eq!(mode(&site.folder().join("units.xml")), mode(&usual));
}

#[test]
fn a_folder_that_others_may_enter_is_told_of() {
    let site = Site::new(Database::Sqlite);
    let data = site.folder().join("data");
    fs::create_dir(&data).unwrap();
    fs::set_permissions(&data, fs::Permissions::from_mode(0o755)).unwrap();
    let server = site.serve();
    assert!(server.logged("has mode 0755"));
    let doctor = || site.run(&["doctor", "--set", "listen=127.0.0.1:0"]);
    let told = doctor();
    assert!(told.code == 1 && told.stdout.contains("has mode 0755") && told.stdout.contains("chmod 700"), "{told:?}");
    fs::set_permissions(&data, fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(doctor().code, 0, "{:?}", doctor());
}

#[test]
fn values_come_from_files_and_are_not_shown() {
    let site = Site::new(Database::Sqlite);
    let url = site.file("url", "postgres://me:p@ss/word@db.example/shop?sslpassword=hush\n");
    let key = site.file("key", site.run(&["secret", "key"]).stdout);
    for path in [&url, &key] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    let by_environment = site
        .command(&["config", "--json"])
        .env("SOAPSTONE_DATABASE_URL_FILE", &url)
        .env("SOAPSTONE_SECRETS_KEY_FILE", &key)
        .output()
        .unwrap();
    let shown: serde_json::Value = serde_json::from_slice(&by_environment.stdout).unwrap();
    assert_eq!(shown["database-url"]["value"], "postgres://me:***@db.example/shop?sslpassword=***");
    assert_eq!(shown["database-url"]["origin"], "$SOAPSTONE_DATABASE_URL_FILE");
    assert_eq!(shown["secrets-key"]["value"], "***");
    let secret = fs::read_to_string(&key).unwrap();
    assert!(!String::from_utf8_lossy(&by_environment.stdout).contains(secret.trim()));
    // By the configuration, and by a flag.
    let smtp = site.file("smtp", "smtp://ops:hush@mail.example\n");
    let configuration = format!("smtp-server-file = {smtp:?}\nsmtp-from = \"a@b.example\"\n");
    site.file("soapstone.toml", configuration);
    let shown = site.json(&["config"]);
    assert_eq!(shown["smtp-server"]["value"], "smtp://ops:***@mail.example");
    assert_eq!(shown["smtp-server"]["origin"], smtp.display().to_string());
    let flag = format!("smtp-server-file={}", smtp.display());
    assert_eq!(site.json(&["config", "--set", &flag])["smtp-server"]["origin"], "flag");
    let both = site.run(&["config", "--set", &flag, "--set", "smtp-server=smtp://other"]);
    assert!(both.code == 1 && both.stderr.contains("give one of them"), "{both:?}");
    let both = site
        .command(&["config"])
        .env("SOAPSTONE_DATABASE_URL", "x")
        .env("SOAPSTONE_DATABASE_URL_FILE", &url)
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&both.stderr).contains("are both set"), "{both:?}");
    for (name, why) in [("nowhere-file=x", "no setting"), ("smtp-server-file=missing", "missing")] {
        let wrong = site.run(&["config", "--set", name]);
        assert!(wrong.code == 1 && wrong.stderr.contains(why), "{name}: {wrong:?}");
    }
    // One that others may read is used, and told of.
    fs::set_permissions(&smtp, fs::Permissions::from_mode(0o644)).unwrap();
    let doctor = site.run(&["doctor", "--set", "listen=127.0.0.1:0"]);
    assert!(doctor.code == 1 && doctor.stdout.contains("others may read the secret"), "{doctor:?}");
}
