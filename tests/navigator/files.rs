//! Files that are looked at before they are imported, corrected afterwards; profiles and filters that are written and tried.

use crate::support::{Database, Reply, Server, Site, on_each_database, shared};

const FORM: [(&str, &str); 1] = [("content-type", "application/x-www-form-urlencoded")];

/// Sends a file with other fields, as a form does.
fn send(server: &Server, path: &str, file: (&str, &[u8]), fields: &[(&str, &str)]) -> Reply {
    let mut body = Vec::new();
    for (field, value) in fields {
        body.extend(format!("--B\r\ncontent-disposition: form-data; name=\"{field}\"\r\n\r\n{value}\r\n").bytes());
    }
    let (name, content) = file;
    body.extend(format!("--B\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n").bytes());
    body.extend(content);
    body.extend(b"\r\n--B--\r\n");
    server.call("POST", path, &[("content-type", "multipart/form-data; boundary=B")], &body)
}

/// Drops a file; gives the page that shows what is in it.
fn looked_at(server: &Server, name: &str, content: &[u8]) -> (String, String) {
    let looked = send(server, "/navigator/import", (name, content), &[("look", "1"), ("kind", "")]);
    assert_eq!(looked.status, 303, "{looked:?}");
    let address = looked.header("location").to_owned();
    let page = server.get(&address);
    assert_eq!(page.status, 200, "{page:?}");
    (address, page.body)
}

fn has(page: &str, parts: &[&str]) {
    for part in parts {
        assert!(page.contains(part), "{part} is not in {page}");
    }
}

on_each_database! {
    fn a_file_is_recognised_shown_and_then_imported(database) {
        let server = Site::new(database).serve();
        let table = b"number;company;blocked\nK1;<b>M\xc3\xbcller;no\nK2;Rot;perhaps\n";
        let (address, page) = looked_at(&server, "kunden.csv", table);
        has(&page, &["it seems to hold customers", "kunden.csv", "&#60;b&#62;Müller", "perhaps", "class=\"said bad\""]);
        assert!(!page.contains("<b>M"), "{page}");
        let path = address.split('?').next().unwrap();
        // As something else it cannot be read.
        has(&server.get(&format!("{path}?name=kunden.csv&kind=stock")).body, &["role=\"alert\""]);
        let start = |fields: &str| {
            let fields = format!("sourceName=kunden.csv&kind=customers&format=csv&profile=&{fields}");
            server.call("POST", path, &FORM, fields.as_bytes())
        };
        let tried = start("dryRun=true");
        assert_eq!((tried.status, tried.header("location")), (303, "/navigator/runs/1"), "{tried:?}");
        assert_eq!(server.finished_run(1)["dryRun"], true);
        assert_eq!(start("").header("location"), "/navigator/runs/2");
        let run = server.finished_run(2);
        assert_eq!((run["counters"]["created"].as_i64(), run["counters"]["failed"].as_i64()), (Some(1), Some(1)), "{run}");
        assert_eq!((run["sourceName"].as_str(), run["channel"].as_str()), (Some("kunden.csv"), Some("navigator")));
        for (unknown, status) in [
            ("/navigator/import/0000", 404),
            (&format!("/navigator/import/{}", "0".repeat(64)), 404),
            ("/navigator/import/..%2f..%2fx", 400),
        ] {
            assert_eq!(server.get(unknown).status, status, "{unknown}");
            assert_eq!(server.call("POST", unknown, &FORM, b"kind=stock").status, status, "{unknown}");
        }
        let (_, page) = looked_at(&server, "noise.bin", b"\x01\x02\x03 nothing");
        has(&page, &["Nobody can tell", "role=\"alert\""]);
    }

    fn the_place_of_a_message_is_shown_and_a_corrected_file_taken(database) {
        let server = Site::new(database).serve();
        let table = b"\xef\xbb\xbfsku;weight\nA;1\nB;heavy\nC;2\n";
        let packed = {
            let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            std::io::Write::write_all(&mut packer, table).unwrap();
            packer.finish().unwrap()
        };
        let begun = send(&server, "/navigator/import", ("list.csv.gz", &packed), &[("kind", "articles")]);
        assert_eq!(begun.header("location"), "/navigator/runs/1", "{begun:?}");
        assert_eq!(server.finished_run(1)["counters"]["failed"], 1);
        let page = server.get("/navigator/runs/1").body;
        has(&page, &["/navigator/runs/1/source?line=3", "The refused records, corrected", "/navigator/runs/1?code=csv.type#messages", "Try it again"]);
        let source = server.get("/navigator/runs/1/source?line=3&column=3");
        has(&source.body, &["<tr class=\"it\"", "B;<mark>heavy</mark>", "A;1", "C;2"]);
        assert_eq!(server.get("/navigator/runs/1/source?line=99").status, 404);
        assert_eq!(server.get("/navigator/runs/9/source?line=1").status, 404);
        has(&server.get("/navigator/runs/1?code=csv.type").body, &["heavy"]);
        assert!(!server.get("/navigator/runs/1?code=other.code").body.contains("<pre>heavy"));
        let corrected = send(&server, "/navigator/runs/1/corrected", ("mended.csv", b"sku;weight\nB;3\n"), &[]);
        assert_eq!((corrected.status, corrected.header("location")), (303, "/navigator/runs/2"), "{corrected:?}");
        let run = server.finished_run(2);
        assert_eq!((run["retryOf"].as_i64(), run["counters"]["created"].as_i64()), (Some(1), Some(1)), "{run}");
        assert_eq!(server.get("/api/v1/articles/B").json()["article"]["weight"], "3");
        // What the first file would change now: nothing but what it refused.
        let again = server.call("POST", "/navigator/runs/1/try-again", &FORM, b"");
        assert_eq!(again.header("location"), "/navigator/runs/3", "{again:?}");
        let run = server.finished_run(3);
        assert_eq!((run["dryRun"].as_bool(), run["counters"]["unchanged"].as_i64()), (Some(true), Some(2)), "{run}");
        has(&server.get("/navigator/runs/2").body, &["Beside earlier runs of its kind", "usual, of 1"]);
        let unknown = send(&server, "/navigator/runs/9/corrected", ("a.csv", b"sku\nA\n"), &[]);
        assert_eq!((unknown.status, unknown.body.contains("run.not_found")), (404, true), "{unknown:?}");
    }

    fn a_profile_is_proposed_tried_kept_and_its_versions_come_back(database) {
        let site = Site::new(database);
        let server = site.serve();
        has(&server.get("/navigator/profiles").body, &["luma-shop", "comes along", "New filter"]);
        let table = "Artikelnr;Bezeichnung;Preis;Farbe\nA1;Lampe;12,50;rot\nA2;Stuhl;teuer;blau\n";
        let proposed = send(&server, "/navigator/profiles/new", ("erp.csv", table.as_bytes()), &[("kind", "articles")]);
        assert_eq!(proposed.status, 200, "{proposed:?}");
        has(&proposed.body, &["Not saved yet", "value=\"erp\"", "sku = &#34;Artikelnr&#34;"]);
        let profile = "description = \"Ours\"\n[csv]\ndecimal = \",\"\n[fields]\nsku = \"Artikelnr\"\nname = { column = \"Bezeichnung\", language = \"de\" }\n\
                       listPrice = { column = \"Preis\", currency = \"CHF\", gross = true }\n";
        let fields = [("name", "erp"), ("ending", "toml"), ("text", profile), ("kind", "")];
        let tried = send(&server, "/navigator/profiles/test", ("erp.csv", table.as_bytes()), &fields);
        assert_eq!(tried.status, 200, "{tried:?}");
        has(&tried.body, &["The first records of erp.csv", "12.50 CHF", "teuer", "Not saved yet"]);
        let save = |name: &str, ending: &str, text: &str| {
            let mut body = url::form_urlencoded::Serializer::new(String::new());
            body.extend_pairs([("name", name), ("ending", ending), ("text", text)]);
            server.call("POST", "/navigator/profiles/save", &FORM, body.finish().as_bytes())
        };
        let saved = save("erp", "toml", profile);
        assert_eq!((saved.status, saved.header("location")), (303, "/navigator/profiles/edit?name=erp&ending=toml"), "{saved:?}");
        let second = profile.replace("Ours", "Ours, again").replace('\n', "\r\n");
        assert_eq!(save("erp", "toml", &second).status, 303);
        let kept = std::fs::read_to_string(site.folder().join("data/profiles/erp.toml")).unwrap();
        assert!(kept.contains("Ours, again") && !kept.contains('\r'), "{kept}");
        let page = server.get("/navigator/profiles/edit?name=erp&ending=toml").body;
        let stamp = page.split("version=").nth(1).and_then(|rest| rest.split('"').next()).unwrap().to_owned();
        let earlier = server.get(&format!("/navigator/profiles/edit?name=erp&ending=toml&version={stamp}"));
        has(&earlier.body, &["An earlier version", "description = &#34;Ours&#34;"]);
        let wrong = save("erp", "toml", "[fields]\nsku = 1\n");
        assert_eq!((wrong.status, wrong.body.contains("role=\"alert\"")), (422, true), "{wrong:?}");
        for name in ["", "../erp", "a b"] {
            assert_eq!(save(name, "toml", profile).status, 422, "{name}");
        }
        // With the profile that is kept now, a file of it is recognised; with a filter, its records go through that.
        let filter = "// Without chairs\nif record.sku == \"A2\" { skip(); }\nwarn(\"name\", \"looked at\");\n";
        let tried = send(&server, "/navigator/profiles/test", ("erp.csv", table.replace("teuer", "9").as_bytes()), &[("name", "erp"), ("ending", "rhai"), ("text", filter)]);
        has(&tried.body, &["The filter passes over it", "looked at", "12.50 CHF"]);
        let wrong = send(&server, "/navigator/profiles/test", ("erp.csv", table.as_bytes()), &[("name", "erp"), ("ending", "rhai"), ("text", "let x = ;")]);
        has(&wrong.body, &["The filter is not valid: line 1"]);
        assert_eq!(save("erp", "rhai", filter).status, 303);
        has(&server.get("/navigator/profiles").body, &["Without chairs", "Ours, again"]);
        let (_, page) = looked_at(&server, "list.csv", table.as_bytes());
        has(&page, &["<option selected>erp</option>", "12.50 CHF", "looked at"]);
        let removed = server.call("POST", "/navigator/profiles/remove", &FORM, b"name=erp&ending=rhai");
        assert_eq!(removed.header("location"), "/navigator/profiles", "{removed:?}");
        assert!(!server.get("/navigator/profiles").body.contains("Without chairs"));
        assert_eq!(server.call("POST", "/navigator/profiles/remove", &FORM, b"name=luma-shop&ending=toml").status, 404);
    }
}

#[test]
fn the_luma_catalogue_is_recognised() {
    let Some(luma) = shared("data/luma-shop/products.csv") else { return };
    let server = Site::new(Database::Sqlite).serve();
    let (_, page) = looked_at(&server, "products.csv", &std::fs::read(luma).unwrap());
    has(&page, &["it seems to hold articles", "<option selected>luma-shop</option>", "MH01-XS-Black", "more fields"]);
}
