//! From a foreign table to a profile, and from there to records.

use super::{counters, messages};
use crate::support::{Database, Site, on_each_database};

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

on_each_database! {
    fn foreign_xml_is_mapped_by_paths(database) {
        let site = Site::new(database);
        std::fs::create_dir_all(site.folder().join("data/profiles")).unwrap();
        let profile = r#"
[xml]
record = "Products/Product"
decimal = ","

[fields]
sku = { template = "{@group}-{Number}" }
name = { column = "Texts/Text[@lang='de']", language = "de" }
weight = "Weight"
listPrice = { column = "Prices/Price[@type='net']/Amount", currency-column = "Prices/Price[@type='net']/Currency", gross = false }
active = { column = "State", lookup = { "on" = "true", "off" = "false" } }
metaKeywords = { template = "{Number} {Texts/Text[1]}" }

[categories]
column = "Group"
levels = ">"

[[attributes]]
column = "Feature[Name='colour']/Value"
code = "colour"

[[media]]
column = "Images/Image/@file"
between = "|"
"#;
        std::fs::write(site.folder().join("data/profiles/shop.toml"), profile).unwrap();
        let xml = r#"<?xml version="1.0" encoding="ISO-8859-1"?>
<s:Shop xmlns:s="urn:shop"><s:Products>
<s:Product group="G"><s:Number>1</s:Number><s:Texts><s:Text lang="en">Saw</s:Text><s:Text lang="de">S&#228;ge</s:Text></s:Texts><s:Weight>1,5</s:Weight>
 <s:Prices><s:Price type="gross"><s:Amount>12</s:Amount></s:Price><s:Price type="net"><s:Amount>10,50</s:Amount><s:Currency>EUR</s:Currency></s:Price></s:Prices>
 <s:State>on</s:State><s:Group>Tools>Saws</s:Group><s:Feature><s:Name>size</s:Name><s:Value>L</s:Value></s:Feature><s:Feature><s:Name>colour</s:Name><s:Value>red</s:Value></s:Feature>
 <s:Images><s:Image file="1.jpg"/><s:Image file="2.jpg"/></s:Images></s:Product>
<s:Product group="G"><s:Number>2</s:Number><s:State>broken</s:State></s:Product>
</s:Products></s:Shop>
"#;
        let file = site.file("shop.xml", xml);
        let run = site.run(&["import", "articles", file.to_str().unwrap(), "--profile", "shop", "--json"]).json();
        assert_eq!(counters(&run), "read 2, created 1, failed 1");
        let said = messages(&site.json(&["run", "messages", &run["id"].to_string()]));
        assert!(said.starts_with("line 7 | column 1 | field State | value broken | code csv.lookup"), "{said}");
        let refused = site.run(&["run", "file", &run["id"].to_string()]).stdout;
        assert!(refused.contains("<s:Shop") && refused.contains("broken") && refused.trim_end().ends_with("</s:Products></s:Shop>"), "{refused}");
        let corrected = site.file("corrected.xml", refused.replace("broken", "off"));
        let again = site.run(&["import", "articles", corrected.to_str().unwrap(), "--profile", "shop", "--json"]).json();
        assert_eq!(counters(&again), "read 1, created 1");
        let article: serde_json::Value = serde_json::from_str(site.run(&["export", "articles", "-", "--format", "jsonl"]).stdout.lines().next().unwrap()).unwrap();
        assert_eq!(article["sku"], "G-1");
        assert_eq!(article["name"], serde_json::json!([{"language": "de", "value": "Säge"}]));
        assert_eq!(article["listPrice"], serde_json::json!({"currency": "EUR", "gross": false, "value": "10.50"}));
        assert_eq!((&article["category"], &article["metaKeywords"]), (&serde_json::json!(["tools/saws"]), &serde_json::json!("1 Saw")));
        assert_eq!(article["attribute"], serde_json::json!([{"code": "colour", "value": "red"}]));
        assert_eq!(article["media"].as_array().unwrap().len(), 2);
    }

    fn lists_are_split_and_columns_may_lack(database) {
        let site = Site::new(database);
        std::fs::create_dir_all(site.folder().join("data/profiles")).unwrap();
        let profile = "optional-columns = true\nnative-columns = true\n[fields]\nsku = \"Nr\"\nweight = \"Gewicht\"\ncategory = { column = \"Gruppen\", split = \",\" }\n";
        std::fs::write(site.folder().join("data/profiles/own.toml"), profile).unwrap();
        let categories = site.file("categories.csv", "id\na\nb\n");
        site.run(&["import", "categories", categories.to_str().unwrap()]);
        let file = site.file("a.csv", "Nr;Gruppen;gtin;Unbekannt\n1;a, b;4012345678901;x\n");
        let run = site.run(&["import", "articles", file.to_str().unwrap(), "--profile", "own", "--json"]).json();
        assert_eq!(counters(&run), "read 1, created 1");
        let article: serde_json::Value = serde_json::from_str(&site.run(&["export", "articles", "-", "--format", "jsonl"]).stdout).unwrap();
        assert_eq!((&article["category"], &article["gtin"]), (&serde_json::json!(["a", "b"]), &serde_json::json!("4012345678901")));
    }
}
