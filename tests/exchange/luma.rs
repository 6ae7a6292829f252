//! The catalogue of a real shop, whole, again, changed, and damaged.

use super::{counters, messages};
use crate::support::{Site, on_each_database, project, shared};
use serde_json::json;
use std::path::{Path, PathBuf};

const CATALOGUE: &str = "data/luma-shop/products.csv";

fn import(site: &Site, file: &Path) -> serde_json::Value {
    site.json(&["import".as_ref(), "articles".as_ref(), file.as_os_str(), "--profile".as_ref(), "luma-shop".as_ref()])
}

/// Changes one cell of one record, by its line as if each record had one.
fn changed(table: &mut [csv::StringRecord], line: usize, column: &str, value: &str) {
    let index = table[0].iter().position(|name| name == column).unwrap();
    let cells: Vec<&str> =
        table[line - 1].iter().enumerate().map(|(i, c)| if i == index { value } else { c }).collect();
    table[line - 1] = csv::StringRecord::from(cells);
}

fn read(path: &Path) -> Vec<csv::StringRecord> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_path(path).unwrap();
    reader.records().map(Result::unwrap).collect()
}

/// Each record as it is written.
fn lines(table: &[csv::StringRecord]) -> Vec<Vec<u8>> {
    let line = |record| {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(record).unwrap();
        writer.into_inner().unwrap()
    };
    table.iter().map(line).collect()
}

on_each_database! {
    fn whole_again_and_changed(database) {
        let Some(file) = shared(CATALOGUE) else { return };
        let site = Site::new(database);
        let run = import(&site, &file);
        assert_eq!(counters(&run), "read 1994, created 1994");
        assert_eq!(run["state"], "succeeded");
        assert_eq!(counters(&import(&site, &file)), "read 1994, unchanged 1994");
        let mut table = read(&file);
        changed(&mut table, 100, "price", "43.21");
        let file = site.file("changed.csv", lines(&table).concat());
        assert_eq!(counters(&import(&site, &file)), "read 1994, updated 1, unchanged 1993");
    }

    fn every_part_of_an_article_arrives(database) {
        let Some(file) = shared(CATALOGUE) else { return };
        let site = Site::new(database);
        import(&site, &file);
        let server = site.serve();
        let article = |sku: &str| server.get(&format!("/api/v1/articles/{sku}")).json()["article"].clone();
        let variant = article("MH01-XS-Black");
        assert_eq!(variant["name"], json!([{"language": "en", "value": "Chaz Kangeroo Hoodie-XS-Black"}]));
        assert_eq!(variant["listPrice"], json!({"currency": "USD", "gross": false, "value": "52"}));
        assert_eq!(variant["category"], json!(["men/tops/hoodies-sweatshirts", "collections/eco-friendly"]));
        assert_eq!(variant["stock"], json!([{"warehouse": "main", "value": "100"}]));
        assert_eq!(variant["variantOf"], "MH01");
        assert_eq!(
            variant["axisValue"],
            json!([{"axis": "size", "value": "XS"}, {"axis": "color", "value": "Black"}])
        );
        let attributes = variant["attribute"].as_array().unwrap();
        assert!(attributes.contains(&json!({"code": "color", "value": "Black"})), "{attributes:?}");
        let parent = article("MH01");
        assert_eq!(parent["variantAxis"], json!(["size", "color"]));
        assert_eq!(parent["stock"], json!([]));
        let categories = server.get("/api/v1/categories?limit=1000").json();
        let hoodies = categories["category"].as_array().unwrap().iter();
        let hoodies = hoodies.clone().find(|c| c["id"] == "men/tops/hoodies-sweatshirts").expect("the category");
        assert_eq!(hoodies["parent"], "men/tops");
        assert_eq!(hoodies["name"][0]["value"], "Hoodies & Sweatshirts");
    }

    fn over_rest_and_over_soap(database) {
        let Some(file) = shared(CATALOGUE) else { return };
        let content = std::fs::read(&file).unwrap();
        let server = Site::new(database).serve();
        let path = "/api/v1/imports?kind=articles&profile=luma-shop&sourceName=products.csv";
        let reply = server.call("POST", path, &[("content-type", "text/csv")], &content);
        let run = server.finished_run(reply.json()["run"]["id"].as_i64().unwrap());
        assert_eq!(counters(&run), "read 1994, created 1994");
        assert_eq!(run["channel"], "rest");

        let encoded = openssl::base64::encode_block(&content);
        let envelope = format!(
            "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\"><e:Body>\
             <StartImport xmlns=\"urn:soapstone:exchange/v1\"><kind>articles</kind><profile>luma-shop</profile>\
             <sourceName>products.csv</sourceName><content>{encoded}</content></StartImport></e:Body></e:Envelope>"
        );
        let reply = server.call("POST", "/soap/exchange", &[("content-type", "text/xml")], envelope.as_bytes());
        let id = reply.body.split("id>").nth(1).and_then(|rest| rest.split('<').next()).and_then(|id| id.parse().ok());
        let run = server.finished_run(id.unwrap_or_else(|| panic!("{reply:?}")));
        assert_eq!(counters(&run), "read 1994, unchanged 1994");
        assert_eq!(run["channel"], "soap");
    }

    fn twenty_records_damaged(database) {
        let Some(file) = shared(CATALOGUE) else { return };
        let site = Site::new(database);
        let file = damaged(&site, &read(&file));
        let output = site.run(&["import", "articles", file.to_str().unwrap(), "--profile", "luma-shop", "--json"]);
        assert_eq!(output.code, 3, "{output:?}");
        let run = output.json();
        assert_eq!(counters(&run), "read 1994, created 1974, failed 20");
        assert_eq!(run["state"], "succeededWithErrors");
        let found = messages(&site.json(&["run", "messages", &run["id"].to_string()]));
        let expected = project("tests/exchange/damaged.messages");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&expected, &found).unwrap();
        }
        assert_eq!(found, std::fs::read_to_string(expected).unwrap());
        assert_eq!(found.lines().count(), 20);
    }
}

/// Twenty records made wrong, each in its own way.
fn damaged(site: &Site, table: &[csv::StringRecord]) -> PathBuf {
    let mut table = table.to_vec();
    let long = "x".repeat(300);
    let cells = [
        (6, "sku", ""),
        (56, "price", "abc"),
        (106, "price", "-5"),
        (156, "price", "12,50"),
        (206, "price", "1e5"),
        (256, "weight", "heavy"),
        (306, "product_online", "maybe"),
        (356, "qty", "many"),
        (406, "tax_class_name", "Wrong Class"),
        (456, "special_price", "x"),
        (606, "sku", &long),
        (656, "additional_attributes", "nonsense"),
        (956, "price", "123456789012345678901234567890123.5"),
    ];
    for (line, column, value) in cells {
        changed(&mut table, line, column, value);
    }
    for (line, from, until) in [(506, "2026-13-01 00:00:00", ""), (556, "2026-12-01 00:00:00", "2026-11-01 00:00:00")] {
        changed(&mut table, line, "special_price", "10");
        changed(&mut table, line, "special_price_from_date", from);
        changed(&mut table, line, "special_price_to_date", until);
    }
    let shortened: Vec<&str> = table[705].iter().take(table[0].len() - 1).collect();
    table[705] = csv::StringRecord::from(shortened);
    table[755].push_field("extra");
    let mut lines = lines(&table);
    let dash = lines[805].iter().position(|b| *b == b'-').unwrap();
    lines[805].splice(dash..=dash, [0xff, 0xfe]);
    // Cut off inside of a text in quotes, which is never closed.
    lines[855].truncate(400);
    lines[855].push(b'\n');
    let quote = lines[905].iter().position(|b| *b == b'"').unwrap();
    lines[905].remove(quote);
    site.file("damaged.csv", lines.concat())
}
