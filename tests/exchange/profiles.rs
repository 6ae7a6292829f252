//! From a foreign table to a profile, and from there to records.

use super::counters;
use crate::support::{Database, Site};

/// As an ERP writes it, in Windows-1252.
const TABLE: &[u8] = b"Artikel-Nr;Name;Preis;Aktionspreis;Aktion von;Aktion bis;Gewicht;Warengruppe;Lagerort\r\n\
    00123;S\xe4ge;1.234,50;999,00;01.12.2026;31.12.2026;2,5;Werkzeug/S\xe4gen;A1\r\n\
    B;Hammer;neun;;;;0,75;Werkzeug;A2\r\n";

#[test]
fn one_is_proposed_tested_and_used() {
    let site = Site::new(Database::Sqlite);
    let table = site.file("artikel.csv", TABLE);
    let table = table.to_str().unwrap();
    let proposed = site.run(&["profile", "new", table]);
    assert_eq!(proposed.code, 0, "{proposed:?}");
    for part in [
        "sku = \"Artikel-Nr\"",
        "decimal = \",\"",
        "encoding = \"windows-1252\"",
        "from = \"Aktion von\"",
        "#   \"Lagerort\"",
    ] {
        assert!(proposed.stdout.contains(part), "{part}: {}", proposed.stdout);
    }
    std::fs::create_dir_all(site.folder().join("data/profiles")).unwrap();
    let file = site.file("data/profiles/erp.toml", &proposed.stdout);
    assert!(site.run(&["profile", "list"]).stdout.contains("erp\n"));
    for profile in ["erp", file.to_str().unwrap()] {
        let shown = site.run(&["profile", "test", profile, table, "--json"]);
        assert_eq!(shown.code, 3, "{shown:?}");
        let records: Vec<serde_json::Value> =
            shown.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(records[0]["record"]["listPrice"]["value"], "1234.50", "{shown:?}");
        assert_eq!(records[0]["record"]["specialPrice"]["from"], "2026-12-01T00:00:00");
        assert_eq!(records[0]["categories"], serde_json::json!(["werkzeug", "werkzeug/sägen"]));
        assert_eq!((&records[1]["line"], &records[1]["code"]), (&3.into(), &"csv.type".into()));
    }
    let run = site.run(&["import", "articles", table, "--profile", "erp", "--json"]).json();
    assert_eq!(counters(&run), "read 2, created 1, failed 1");
    // The refused record goes the same way once it is corrected: its file says in which encoding it is.
    let refused = site.run(&["run", "file", &run["id"].to_string()]).stdout;
    let corrected = site.file("corrected.csv", refused.replace("neun", "9,00"));
    let run = site.run(&["import", "articles", corrected.to_str().unwrap(), "--profile", "erp", "--json"]).json();
    assert_eq!(counters(&run), "read 1, created 1");
    for wrong in [&["profile", "test", "nope", table][..], &["profile", "new", "nowhere.csv"]] {
        let told = site.run(wrong);
        assert!(told.code == 1 && !told.stderr.is_empty(), "{told:?}");
    }
}
