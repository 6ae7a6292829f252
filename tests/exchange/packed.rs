//! Packed sources, and archives whose files are the records.

use super::{counters, messages};
use crate::support::{Site, on_each_database, shared};
use std::io::{Cursor, Write};

const CSV: &[u8] = b"sku;name\nA;a\nB;b\n";

fn gzipped(content: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    out.write_all(content).unwrap();
    out.finish().unwrap()
}

fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        out.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        out.write_all(content).unwrap();
    }
    out.finish().unwrap().into_inner()
}

on_each_database! {
    fn they_are_unpacked(database) {
        let xml = b"<articles xmlns=\"urn:soapstone:catalog/v1\"><article><sku>A</sku></article><article><sku>B</sku></article></articles>";
        for (name, content) in [
            ("list.csv.gz", gzipped(CSV)),
            ("two.csv.gz", [gzipped(b"sku;name\nA;a\n"), gzipped(b"B;b\n")].concat()),
            ("list.zip", zipped(&[("__MACOSX/._list.csv", b"rubbish"), ("list.csv", CSV)])),
            ("list.xml.gz", gzipped(xml)),
            ("list.jsonl.gz", gzipped(b"{\"sku\":\"A\"}\n{\"sku\":\"B\"}\n")),
        ] {
            let site = Site::new(database);
            let file = site.file(name, content);
            let run = site.run(&["import", "articles", file.to_str().unwrap(), "--json"]).json();
            assert_eq!((counters(&run).as_str(), &run["progress"]), ("read 2, created 2", &100.into()), "{name}: {run}");
            let left: Vec<_> = site.folder().join("data/sources").read_dir().unwrap().map(|e| e.unwrap().file_name()).collect();
            assert_eq!(left.len(), 1, "{name}: copies stay: {left:?}");
        }
    }

    fn damaged_ones_are_told(database) {
        let whole = gzipped(&[CSV, &b"C;c\n".repeat(10_000)].concat());
        for (name, content, told) in [
            ("cut.csv.gz", whole[..whole.len() / 2].to_vec(), "source.packed"),
            ("several.zip", zipped(&[("a.csv", CSV), ("b.csv", CSV)]), "source.packed"),
            ("none.zip", zipped(&[]), "source.packed"),
            ("cut.zip", zipped(&[("a.csv", CSV)])[..40].to_vec(), "source.packed"),
            ("empty.gz", gzipped(b""), "import.empty"),
        ] {
            let site = Site::new(database);
            let file = site.file(name, content);
            let run = site.run(&["import", "articles", file.to_str().unwrap(), "--json"]);
            let all = format!("{}{}", run.stdout, run.stderr);
            let said = if run.stdout.contains("\"id\"") { messages(&site.json(&["run", "messages", "1"])) } else { all };
            assert!(run.code != 0 && (said.contains(told) || said.contains("unpacked") || said.contains("files") || said.contains("empty")), "{name}: {said}");
        }
    }

    fn pictures_come_as_a_zip(database) {
        let Some(folder) = shared("data/luma-shop/images") else { return };
        let mut files: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        let files: Vec<(String, Vec<u8>)> = files
            .into_iter()
            .filter(|path| path.is_file())
            .take(6)
            .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap()))
            .collect();
        let mut entries: Vec<(&str, &[u8])> = files.iter().map(|(name, content)| (name.as_str(), content.as_slice())).collect();
        entries.push(("notes.txt", b"no picture"));
        let site = Site::new(database);
        let file = site.file("pictures.zip", zipped(&entries));
        let run = site.run(&["import", "pictures", file.to_str().unwrap(), "--json"]).json();
        assert_eq!(run["format"], "zip", "{run}");
        assert_eq!((&run["counters"]["created"], &run["counters"]["failed"]), (&6.into(), &1.into()), "{run}");
        assert!(messages(&site.json(&["run", "messages", "1"])).contains("recordKey notes.txt"));
        let again = site.run(&["import", "pictures", file.to_str().unwrap(), "--json"]).json();
        assert_eq!(again["counters"]["unchanged"], 6, "{again}");
    }
}
