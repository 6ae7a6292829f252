//! Filters: what a script makes of records, and what it may not.

use super::{counters, messages};
use crate::support::{Site, on_each_database};
use serde_json::{Value, json};

fn filter(site: &Site, name: &str, script: &str) {
    std::fs::create_dir_all(site.folder().join("data/profiles")).unwrap();
    std::fs::write(site.folder().join(format!("data/profiles/{name}.rhai")), script).unwrap();
}

fn import(site: &Site, content: &str, more: &[&str]) -> Value {
    let file = site.file("articles.csv", content);
    site.run(&[&["import", "articles", file.to_str().unwrap(), "--profile", "own", "--json"], more].concat()).json()
}

fn exported(site: &Site) -> Vec<Value> {
    let told = site.run(&["export", "articles", "-", "--format", "jsonl"]).stdout;
    told.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

const SCRIPT: &str = r#"
fn unit_of(record) { if record.sku.starts_with("M-") { "metre" } else { "piece" } }

if record.sku.starts_with("X-") { skip(); }
if record.sku == "bad" { reject("sku", "no such articles from this source"); }
let there = existing();
if there != () && there.manufacturer != () { record.manufacturer = there.manufacturer; }
let category = lookup("categories", "tools");
if category == () { warn("category", "there are no tools"); } else { record.category = [category.id]; }
record.unit = unit_of(record);
record.weight = (parse_decimal(record.weight) * 2).to_string();
"#;

on_each_database! {
    fn records_are_changed_skipped_refused_and_warned_of(database) {
        let site = Site::new(database);
        filter(&site, "own", SCRIPT);
        let rows = "sku;weight\nM-1;1.5\nX-1;1\nbad;1\nP-1;2\n";
        let imagined = import(&site, rows, &["--dry-run"]);
        assert_eq!(counters(&imagined), "read 4, created 2, skipped 1, failed 1, warnings 2");
        let changes = site.json(&["run", "changes", &imagined["id"].to_string()]);
        let fields: Vec<(&Value, &Value)> = changes["change"][0]["field"].as_array().unwrap().iter().map(|f| (&f["field"], &f["after"])).collect();
        assert!(fields.contains(&(&json!("unit"), &json!("metre"))) && fields.contains(&(&json!("weight"), &json!("3.0"))), "{fields:?}");
        assert_eq!(exported(&site), Vec::<Value>::new());
        let run = import(&site, rows, &[]);
        assert_eq!(counters(&run), "read 4, created 2, skipped 1, failed 1, warnings 2");
        let said = messages(&site.json(&["run", "messages", &run["id"].to_string()]));
        assert!(said.contains("line 4 | recordKey bad | field sku | code filter.refused | text no such articles"), "{said}");
        assert!(said.contains("code filter.warning"), "{said}");
        assert_eq!(site.run(&["run", "file", &run["id"].to_string()]).stdout, "sku;weight\nbad;1\n");
        // What is there already, and another kind's records, are looked up; the script is the one of now.
        let categories = site.file("categories.csv", "id\ntools\n");
        site.run(&["import", "categories", categories.to_str().unwrap()]);
        let made = site.file("made.csv", "sku;manufacturer\nM-1;ACME\n");
        site.run(&["import", "articles", made.to_str().unwrap()]);
        filter(&site, "own", &SCRIPT.replace("* 2", "* 3"));
        let run = import(&site, "sku;weight;manufacturer\nM-1;1.5;Other\n", &[]);
        assert_eq!(counters(&run), "read 1, updated 1");
        let article = exported(&site).remove(0);
        assert_eq!((&article["manufacturer"], &article["category"], &article["weight"]), (&json!("ACME"), &json!(["tools"]), &json!("4.5")));
    }

    fn a_script_that_is_wrong_stops_nothing_else(database) {
        let site = Site::new(database);
        filter(&site, "own", "record.sku = ;");
        let file = site.file("a.csv", "sku\nA\n");
        let told = site.run(&["import", "articles", file.to_str().unwrap(), "--profile", "own"]);
        assert!(told.code != 0 && told.stderr.contains("line 1"), "{told:?}");
        filter(&site, "own", "if record.sku == \"loop\" { loop {} }\nif record.sku == \"odd\" { record.weight = record.colour.len(); }\n");
        let run = import(&site, "sku\nA\nloop\nodd\nB\n", &[]);
        assert_eq!(counters(&run), "read 4, created 2, failed 2");
        let said = messages(&site.json(&["run", "messages", &run["id"].to_string()]));
        assert!(said.contains("recordKey loop | code filter.limit") && said.contains("recordKey odd | code filter.failed | text line 2"), "{said}");
    }

    fn a_script_goes_with_a_mapping(database) {
        let site = Site::new(database);
        filter(&site, "own", "record.name[0].value = record.name[0].value.to_upper();");
        std::fs::write(site.folder().join("data/profiles/own.toml"), "[fields]\nsku = \"Nr\"\nname = { column = \"Text\", language = \"de\" }\n").unwrap();
        let run = import(&site, "Nr;Text\nA;hammer\n", &[]);
        assert_eq!(counters(&run), "read 1, created 1");
        assert_eq!(exported(&site)[0]["name"], json!([{"language": "de", "value": "HAMMER"}]));
    }
}
