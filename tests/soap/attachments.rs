//! Operations of our own whose binary values come by MTOM.

use crate::support::{Database, Site};

#[test]
fn a_large_source_is_imported_by_mtom() {
    let site = Site::new(Database::Sqlite);
    let server = site.serve_with(&["attachment-memory=1000"]);
    let articles: String = (0..5_000).map(|n| format!("<article><sku>A-{n}</sku></article>")).collect();
    let source = format!("<articles xmlns=\"urn:soapstone:catalog/v1\">{articles}</articles>");
    let envelope = "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>\
        <StartImport xmlns=\"urn:soapstone:exchange/v1\"><kind>articles</kind><sourceName>a.xml</sourceName><content>\
        <i:Include xmlns:i=\"http://www.w3.org/2004/08/xop/include\" href=\"cid:source\"/></content></StartImport></s:Body></s:Envelope>";
    let body = format!(
        "--b\r\nContent-Type: application/xop+xml; type=\"text/xml\"\r\n\r\n{envelope}\r\n--b\r\nContent-ID: <source>\r\n\r\n{source}\r\n--b--\r\n"
    );
    let media = "multipart/related; boundary=b; type=\"application/xop+xml\"";
    let reply = server.call("POST", "/soap/exchange", &[("content-type", media)], body.as_bytes());
    assert_eq!(reply.status, 200, "{reply:?}");
    assert!(reply.header("content-type").contains("application/xop+xml"), "{reply:?}");
    let run = server.finished_run(1);
    assert_eq!((run["state"].as_str(), run["counters"]["created"].as_i64()), (Some("succeeded"), Some(5000)), "{run}");
    // Nothing is left of the attachment's file.
    let left = std::fs::read_dir(site.folder().join("data/attachments")).unwrap().count();
    assert_eq!(left, 0);
}
