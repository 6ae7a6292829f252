//! Pictures: in by form, ZIP and PUT, made ready in the background, out as files.

use crate::support::{Database, Reply, Server, Site, on_each_database, shared};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};
use std::io::{Cursor, Write};
use std::time::Duration;

fn picture(width: u32, height: u32, color: [u8; 3], format: ImageFormat) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    DynamicImage::from(RgbImage::from_pixel(width, height, Rgb(color))).write_to(&mut out, format).unwrap();
    out.into_inner()
}

fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        archive.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(content).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// Waits until no picture waits any more.
fn made(server: &Server) -> Value {
    for _ in 0..4800 {
        let progress = server.get("/api/v1/picture-progress").json();
        if progress["waiting"] == 0 {
            return progress;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{:?}", server.get("/api/v1/picture-progress"));
}

fn put(server: &Server, name: &str, content: &[u8]) -> Reply {
    server.call("PUT", &format!("/api/v1/pictures/{name}"), &[("content-type", "image/png")], content)
}

fn outcomes(reply: &Reply) -> Vec<(String, String, Vec<String>)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let codes = |result: &Value| result["message"].as_array().unwrap().iter().map(|m| text(&m["code"])).collect();
    let json = reply.json();
    let results = json["result"].as_array().unwrap_or_else(|| panic!("{reply:?}")).clone();
    results.iter().map(|r| (text(&r["key"]), text(&r["outcome"]), codes(r))).collect()
}

fn articles(server: &Server, skus: &[&str]) {
    let articles: Vec<Value> = skus.iter().map(|sku| json!({"sku": sku})).collect();
    server.post_json("/api/v1/articles", &json!({"article": articles}));
}

on_each_database! {
    fn a_picture_is_made_ready_in_all_sizes(database) {
        let server = Site::new(database).serve();
        articles(&server, &["A-1"]);
        let reply = put(&server, "a-1.png", &picture(1000, 500, [200, 10, 10], ImageFormat::Png));
        assert_eq!(outcomes(&reply), [("a-1.png".to_owned(), "created".to_owned(), vec![])]);
        let progress = made(&server);
        assert_eq!((&progress["ready"], &progress["orphans"], &progress["readyInLastMinute"]), (&json!(1), &json!(0), &json!(1)));
        let told = server.get("/api/v1/pictures?sku=A-1").json();
        let told = &told["picture"][0];
        assert_eq!((&told["state"], &told["article"], &told["position"]), (&json!("ready"), &json!(["A-1"]), &json!(1)));
        let sizes: Vec<_> = told["rendition"].as_array().unwrap().iter().map(|r| (r["size"].clone(), r["width"].clone())).collect();
        assert_eq!(sizes, [(150, 150), (150, 150), (400, 400), (400, 400), (1200, 1000), (1200, 1000)].map(|(s, w)| (json!(s), json!(w))));
        // The larger size that there is not is served by the largest there is.
        for (file, media, width) in [("400.webp", "image/webp", 400), ("2400.jpg", "image/jpeg", 1000), ("300.jpg", "image/jpeg", 400), ("original", "image/png", 1000)] {
            let reply = server.get(&format!("/api/v1/pictures/A-1.PNG/{file}"));
            assert_eq!((reply.status, reply.header("content-type")), (200, media), "{file}");
            assert_eq!(image::load_from_memory(&reply.bytes).unwrap().width(), width, "{file}");
            let path = format!("/api/v1/pictures/a-1.png/{file}");
            let again = server.call("GET", &path, &[("if-none-match", reply.header("etag"))], b"");
            assert_eq!(again.status, 304, "{file}");
        }
    }

    fn a_damaged_picture_fails_and_the_rest_go_on(database) {
        let server = Site::new(database).serve();
        let whole = picture(600, 400, [0, 90, 0], ImageFormat::Png);
        let files: Vec<(&str, &[u8])> = vec![("cut.png", &whole[..whole.len() / 2]), ("whole.png", &whole)];
        let headers = [("content-type", "application/zip")];
        let reply = server.call("POST", "/api/v1/pictures", &headers, &zip(&files));
        assert_eq!(outcomes(&reply).iter().map(|o| o.1.as_str()).collect::<Vec<_>>(), ["created", "created"]);
        let progress = made(&server);
        assert_eq!((&progress["ready"], &progress["failed"]), (&json!(1), &json!(1)));
        let failed = server.get("/api/v1/pictures?state=failed").json();
        assert_eq!(failed["picture"][0]["fileName"], "cut.png");
        assert!(!failed["picture"][0]["error"].as_str().unwrap().is_empty());
        let none = server.get("/api/v1/pictures/cut.png/400.jpg");
        assert_eq!((none.status, none.json()["code"].as_str()), (409, Some("picture.not_ready")));
        // Sent anew, it is as good as any other.
        put(&server, "cut.png", &whole);
        assert_eq!(made(&server)["failed"], 0);
    }

    fn a_picture_finds_the_article_that_comes_later(database) {
        let server = Site::new(database).serve();
        let reply = put(&server, "late-1_3.png", &picture(400, 400, [1, 2, 3], ImageFormat::Png));
        assert_eq!(outcomes(&reply)[0].2, ["picture.no_article"]);
        articles(&server, &["LATE-1"]);
        for _ in 0..600 {
            let found = server.get("/api/v1/pictures?sku=LATE-1").json();
            if let Some(picture) = found["picture"].as_array().unwrap().first() {
                assert_eq!((&picture["position"], &picture["version"]), (&json!(3), &json!(2)));
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("{:?}", server.get("/api/v1/pictures"));
    }
}

#[test]
fn names_are_matched_whatever_their_case_and_form() {
    let server = Site::new(Database::Sqlite).serve();
    articles(&server, &["Über_2", "caf\u{e9}", "MiXeD", "X", "X_2"]);
    let small = picture(300, 300, [9, 9, 9], ImageFormat::Png);
    let names = ["u\u{308}ber_2.png", "CAFE\u{301}_4.png", "mixed.png", "x_2.png", "x_3.png", "y.png"];
    let files: Vec<(&str, &[u8])> = names.iter().map(|name| (*name, small.as_slice())).collect();
    server.call("POST", "/api/v1/pictures", &[("content-type", "application/zip")], &zip(&files));
    let told = server.get("/api/v1/pictures").json();
    let mut found: Vec<(String, i64)> = Vec::new();
    for picture in told["picture"].as_array().unwrap() {
        let sku = picture["sku"].as_str().unwrap_or("-").to_owned();
        found.push((sku, picture["position"].as_i64().unwrap_or(0)));
    }
    found.sort();
    let expected = [("-", 0), ("MiXeD", 1), ("X", 3), ("X_2", 1), ("caf\u{e9}", 4), ("Über_2", 1)];
    assert_eq!(found, expected.map(|(sku, position)| (sku.to_owned(), position)));
}

#[test]
fn the_same_content_is_kept_once_and_goes_with_its_last_picture() {
    let site = Site::new(Database::Sqlite);
    let server = site.serve();
    let content = picture(500, 500, [7, 70, 170], ImageFormat::Png);
    for name in ["one.png", "two.png"] {
        put(&server, name, &content);
        made(&server);
    }
    let database = rusqlite::Connection::open(site.folder().join("data/soapstone.sqlite")).unwrap();
    let count = || database.query_row("SELECT count(*) FROM contents", [], |row| row.get::<_, i64>(0)).unwrap();
    // The original, and JPEG and WebP in three sizes.
    assert_eq!(count(), 7);
    assert_eq!(outcomes(&put(&server, "one.png", &content))[0].1, "unchanged");
    server.call("DELETE", "/api/v1/pictures/one.png", &[], b"");
    assert_eq!(count(), 7);
    let replaced = put(&server, "two.png", &picture(400, 400, [1, 1, 1], ImageFormat::Png));
    assert_eq!(outcomes(&replaced)[0].2, ["picture.replaced", "picture.no_article"]);
    made(&server);
    assert_eq!(count(), 5);
    server.call("DELETE", "/api/v1/pictures/two.png", &[], b"");
    assert_eq!(count(), 0);
}

#[test]
fn a_form_has_pictures_and_archives() {
    let server = Site::new(Database::Sqlite).serve_with(&["max-picture=20000"]);
    let small = picture(300, 300, [5, 5, 5], ImageFormat::Png);
    let archive = zip(&[("a/b/in.png", &small), ("__MACOSX/._in.png", b"x"), ("notes.txt", b"hello")]);
    let mut body = Vec::new();
    for (name, content) in [("one.png", &small), ("all.ZIP", &archive), ("large.png", &vec![0; 30000])] {
        body.extend_from_slice(
            format!("--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n").as_bytes(),
        );
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--b--\r\n");
    let headers = [("content-type", "multipart/form-data; boundary=b")];
    let reply = server.call("POST", "/api/v1/pictures", &headers, &body);
    let told: Vec<_> = outcomes(&reply).into_iter().map(|(key, outcome, _)| (key, outcome)).collect();
    let expected =
        [("one.png", "created"), ("a/b/in.png", "created"), ("notes.txt", "failed"), ("large.png", "failed")];
    assert_eq!(told, expected.map(|(key, outcome)| (key.to_owned(), outcome.to_owned())));
    assert_eq!(server.get("/api/v1/pictures/in.png").status, 200);
    let broken = server.call("POST", "/api/v1/pictures", &[("content-type", "application/zip")], b"no archive");
    assert_eq!((broken.status, broken.json()["code"].as_str()), (422, Some("picture.bad_archive")));
}

#[test]
fn the_pictures_of_a_real_shop_find_their_articles() {
    let Some(folder) = shared("data/luma-shop") else { return };
    let site = Site::new(Database::Sqlite);
    let products = folder.join("products.csv");
    site.run(&["import", "articles", products.to_str().unwrap(), "--profile", "luma-shop"]);
    let server = site.serve();
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder.join("images")).unwrap() {
        let path = entry.unwrap().path();
        files.push((path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(path).unwrap()));
    }
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, content)| (name.as_str(), content.as_slice())).collect();
    let reply = server.call("POST", "/api/v1/pictures", &[("content-type", "application/zip")], &zip(&files));
    assert!(outcomes(&reply).iter().all(|(_, outcome, _)| outcome == "created"), "{reply:?}");
    let progress = made(&server);
    assert_eq!((progress["ready"].as_u64(), &progress["failed"]), (Some(files.len() as u64), &json!(0)));
    let own = server.get("/api/v1/pictures?sku=MH01-XS-Black").json();
    assert_eq!(own["picture"][0]["fileName"], "mh01-black_main.jpg", "{progress} {own}");
    assert_eq!(progress["orphans"], 0);
}
