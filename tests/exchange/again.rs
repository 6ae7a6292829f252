//! Files that are sent again: what a text made is not read once more, but only as long as it is what the text made it.

use super::{counters, messages};
use crate::support::{Site, on_each_database};
use serde_json::{Value, json};

/// An article as XML.
fn article(sku: &str, members: &str) -> String {
    format!("<article>\n  <sku>{sku}</sku>{members}\n</article>\n")
}

fn named(sku: &str, name: &str) -> String {
    article(sku, &format!("<name>{name}</name>"))
}

fn import(site: &Site, kind: &str, records: &[String], more: &[&str]) -> Value {
    let text = format!("<all xmlns=\"urn:soapstone:catalog/v1\">\n{}</all>\n", records.concat());
    let file = site.file("records.xml", text).to_string_lossy().into_owned();
    site.run(&[&["import", kind, &file, "--json"], more].concat()).json()
}

fn counted(site: &Site, records: &[String]) -> String {
    counters(&import(site, "articles", records, &[]))
}

fn name_of(site: &Site, sku: &str) -> Value {
    site.serve().get(&format!("/api/v1/articles/{sku}")).json()["article"]["name"][0]["value"].clone()
}

on_each_database! {
    fn what_is_known_is_not_read(database) {
        let site = Site::new(database);
        let records: Vec<String> = (0..1200).map(|number| named(&format!("A&amp;{number}"), "Lamp")).collect();
        assert_eq!(counted(&site, &records), "read 1200, created 1200");
        // What nobody but the database knows of shows that the text is not compared.
        site.sql("UPDATE article_texts SET text = 'Table'");
        assert_eq!(counted(&site, &records), "read 1200, unchanged 1200");
        let run = import(&site, "articles", &records, &["--dry-run"]);
        assert_eq!(counters(&run), "read 1200, unchanged 1200");
        assert_eq!(name_of(&site, "A&7"), "Table");
        // Another root may declare other namespaces; white space is another text.
        let spaced: Vec<String> = records.iter().map(|record| record.replace("  <sku>", " <sku>")).collect();
        assert_eq!(counted(&site, &spaced), "read 1200, updated 1200");
        site.sql("UPDATE article_texts SET text = 'Table'");
        assert_eq!(counted(&site, &spaced), "read 1200, unchanged 1200");
    }

    fn a_text_that_made_nothing_new_is_known_too(database) {
        let site = Site::new(database);
        let file = site.file("articles.csv", "sku,name\nA,Lamp\n");
        site.run(&["import", "articles", file.to_str().unwrap()]);
        assert_eq!(counted(&site, &[named("A", "Lamp")]), "read 1, unchanged 1");
        site.sql("UPDATE article_texts SET text = 'Table'");
        assert_eq!(counted(&site, &[named("A", "Lamp")]), "read 1, unchanged 1");
        assert_eq!(name_of(&site, "A"), "Table");
    }

    fn what_others_changed_is_read(database) {
        let site = Site::new(database);
        let records = [named("A", "Lamp"), article("B", "<stock>3</stock>"), named("C", "Chair")];
        assert_eq!(counted(&site, &records), "read 3, created 3");
        let server = site.serve();
        assert_eq!(server.call("PATCH", "/api/v1/articles/A", &[("Content-Type", "application/json")], br#"{"name":[{"value":"Table"}]}"#).status, 200);
        assert_eq!(server.post_json("/api/v1/stock-bookings", &json!({"booking": [{"sku": "B", "quantity": "7"}]})).status, 200);
        assert_eq!(server.call("DELETE", "/api/v1/articles/C", &[], b"").status, 200);
        drop(server);
        assert_eq!(counted(&site, &records), "read 3, created 1, updated 2");
        assert_eq!(counted(&site, &records), "read 3, unchanged 3");
        assert_eq!(name_of(&site, "A"), "Lamp");
    }

    fn what_the_same_file_changed_is_read(database) {
        let site = Site::new(database);
        let (first, second) = (named("A", "Lamp"), article("<![CDATA[A]]>", "<name>Table</name>"));
        counted(&site, std::slice::from_ref(&first));
        let there_and_back = [first.clone(), second.clone(), first.clone(), named("B", "Chair")];
        assert_eq!(counted(&site, &there_and_back), "read 4, created 1, updated 2, unchanged 1");
        assert_eq!(name_of(&site, "A"), "Lamp");
        assert_eq!(counted(&site, &[first.clone(), second]), "read 2, updated 1, unchanged 1");
        assert_eq!(name_of(&site, "A"), "Table");
        assert_eq!(counted(&site, &[first]), "read 1, updated 1");
    }

    fn what_is_told_is_told_again(database) {
        let site = Site::new(database);
        let definition = |kind: &str| format!("<definition><code>power</code><type>{kind}</type></definition>");
        import(&site, "attributes", &[definition("text")], &[]);
        let versions = article("B", "").replace("<article>", "<article ifVersion=\"0\">");
        let records = [article("A", "<attribute code=\"power\">much</attribute>"), versions, article("C", "<category>none</category>")];
        assert_eq!(counted(&site, &records), "read 3, created 2, failed 1");
        assert_eq!(counted(&site, &records), "read 3, unchanged 1, failed 2");
        // What the text says is wrong by now.
        import(&site, "attributes", &[definition("number")], &[]);
        let run = import(&site, "articles", &records, &[]);
        assert_eq!(counters(&run), "read 3, failed 3");
        let said = messages(&site.json(&["run", "messages", &run["id"].to_string()]));
        assert!(said.contains("recordKey A | field attribute"), "{said}");
    }

    fn a_full_file_keeps_what_is_known(database) {
        let site = Site::new(database);
        let records: Vec<String> = (0..20).map(|number| named(&format!("A-{number}"), "Lamp")).collect();
        counted(&site, &records);
        let run = import(&site, "articles", &records[1..], &["--full"]);
        assert_eq!(counters(&run), "read 19, unchanged 19, deleted 1");
    }

    fn a_filter_sees_what_is_known(database) {
        let site = Site::new(database);
        let records = [named("A", "Lamp"), named("B", "Lamp")];
        counted(&site, &records);
        std::fs::create_dir_all(site.folder().join("data/profiles")).unwrap();
        site.file("data/profiles/own.rhai", "if record.sku == \"A\" { skip(); }");
        let run = import(&site, "articles", &records, &["--profile", "own"]);
        assert_eq!(counters(&run), "read 2, unchanged 1, skipped 1");
    }

    fn rows_are_known_too(database) {
        let site = Site::new(database);
        let import = |text: String| {
            let file = site.file("articles.csv", text);
            counters(&site.json(&["import", "articles", file.to_str().unwrap()]))
        };
        let rows: Vec<String> = (0..1200).map(|n| format!("A-{n};Lamp;1,5")).collect();
        let table = |head: &str, rows: &[String]| format!("{head}\n{}\n", rows.join("\n"));
        let (all, head) = (table("sku;name;weight", &rows), "sku;name;weight");
        assert_eq!(import(all.clone()), "read 1200, created 1200");
        site.sql("UPDATE article_texts SET text = 'Table'");
        assert_eq!(import(all), "read 1200, unchanged 1200");
        // Cells are told apart, and other columns make other records of the same rows.
        let moved = ["A-0;Lam;p1,5".to_owned(), rows[1].clone()];
        assert_eq!(import(table(head, &moved)), "read 2, unchanged 1, failed 1");
        assert_eq!(import(table("sku;shortText;weight", &rows[..3])), "read 3, updated 3");
        assert_eq!(import(table(head, &rows[..3])), "read 3, updated 3");
        // The first row again is not what the second has made of it.
        let there_and_back = [rows[5].clone(), " A-5 ;Chair;2".to_owned(), rows[5].clone()];
        assert_eq!(import(table(head, &there_and_back)), "read 3, updated 2, unchanged 1");
        assert_eq!(import(table(head, &rows[5..6])), "read 1, unchanged 1");
        assert_eq!(name_of(&site, "A-5"), "Lamp");
    }

    fn a_full_table_keeps_what_is_known_however_its_keys_are_spaced(database) {
        let site = Site::new(database);
        let rows: String = (0..20).map(|n| format!(" A   {n} ;Lamp\n")).collect();
        let file = site.file("articles.csv", format!("sku;name\n{rows}"));
        let import = || counters(&site.json(&["import", "articles", file.to_str().unwrap(), "--full", "--delete-at-most", "100"]));
        assert_eq!(import(), "read 20, created 20");
        assert_eq!(import(), "read 20, unchanged 20");
    }

    fn rows_that_bring_categories_along_are_read(database) {
        let site = Site::new(database);
        std::fs::create_dir_all(site.folder().join("data/profiles")).unwrap();
        let profile = "[fields]\nsku = { column = \"no\" }\nname = { column = \"title\", language = \"en\" }\n\n\
                       [categories]\ncolumn = \"path\"\nlevels = \"/\"\n";
        site.file("data/profiles/own.toml", profile);
        let file = site.file("list.csv", "no,title,path\nA,Lamp,home/light\nB,Lamp,home/light\n");
        let import = || counters(&site.json(&["import", "articles", file.to_str().unwrap(), "--profile", "own"]));
        assert_eq!(import(), "read 2, created 2");
        site.sql("UPDATE article_texts SET text = 'Table'");
        // The second row needs what the first one brought.
        assert_eq!(import(), "read 2, updated 1, unchanged 1");
        assert_eq!(name_of(&site, "A"), "Lamp");
    }

    fn a_broken_file_is_told_where_it_breaks(database) {
        let site = Site::new(database);
        let records = [named("A", "Lamp"), named("B", "Lamp"), "<article><sku>C</skul></article>".to_owned()];
        assert_eq!(counted(&site, &records), "read 2, created 2");
        let run = import(&site, "articles", &records, &[]);
        assert_eq!((counters(&run).as_str(), &run["state"]), ("read 2, unchanged 2", &"failed".into()));
        let said = messages(&site.json(&["run", "messages", &run["id"].to_string()]));
        assert!(said.starts_with("line 8 "), "{said}");
    }
}
