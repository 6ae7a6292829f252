//! Attachments: bombs, references that lead elsewhere, what is no multipart message.

use super::{Attack, Right, envelope, post};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;

const ROOT: &str = "Content-Type: application/xop+xml; type=\"text/xml\"";

fn import(href: &str) -> String {
    envelope(
        "",
        &format!(
            "<StartImport xmlns=\"urn:soapstone:exchange/v1\"><kind>articles</kind><sourceName>a</sourceName><content><i:Include xmlns:i=\"http://www.w3.org/2004/08/xop/include\" href=\"{href}\"/></content></StartImport>"
        ),
    )
}

fn related(boundary: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let media = format!("content-type: multipart/related; boundary=\"{boundary}\"; type=\"application/xop+xml\"\r\n");
    post("/soap/exchange", &media, body)
}

fn message(root: &str, parts: &str) -> Vec<u8> {
    related("b", format!("--b\r\n{ROOT}\r\n\r\n{root}\r\n{parts}--b--\r\n"))
}

pub fn attacks(lure: &str) -> Vec<Attack> {
    let of = |name, bytes, right| Attack { name, bytes, right };
    let part = "--b\r\nContent-ID: <x>\r\n\r\nx\r\n";
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    let spaces = vec![b' '; 1 << 20];
    (0..300).for_each(|_| bomb.write_all(&spaces).unwrap());
    let bomb = bomb.finish().unwrap();
    let mut twice = GzEncoder::new(Vec::new(), Compression::best());
    twice.write_all(&bomb).unwrap();
    let compressed = |encoding: &str, bytes: &[u8]| {
        post("/soap/catalog", &format!("content-type: text/xml\r\ncontent-encoding: {encoding}\r\n"), bytes)
    };
    let refused = Right::Told(&["soap.multipart", "soap.attachment", "message.", "http."]);
    vec![
        of("bytes from the network (CVE-2022-46364)", message(&import(&format!("{lure}/x")), ""), refused),
        of("bytes from a file (CVE-2022-46364)", message(&import("file:///etc/passwd"), ""), refused),
        of("bytes from nowhere", message(&import("cid:y"), part), refused),
        of(
            "bytes that nobody asks for",
            message(&import("cid:x"), &format!("{part}--b\r\nContent-ID: <y>\r\n\r\ny\r\n")),
            refused,
        ),
        of("a part that refers to itself", message(&import("cid:root"), ""), refused),
        of("101 parts", message(&import("cid:x"), &part.repeat(101)), Right::Status(413)),
        of("100,000 parts", message(&import("cid:x"), &part.repeat(100_000)), Right::Status(413)),
        of(
            "a part's header of 1 MB",
            message(&import("cid:x"), &format!("--b\r\nX: {}\r\n\r\nx\r\n", "x".repeat(1 << 20))),
            refused,
        ),
        of("a part's header without end", related("b", format!("--b\r\n{}", "X: y\r\n".repeat(100_000))), refused),
        of("no last boundary", related("b", format!("--b\r\n{ROOT}\r\n\r\n{}", import("cid:x"))), refused),
        of("no boundary at all", related("b", import("cid:x")), refused),
        of("a boundary of 10,000 characters", related(&"b".repeat(10_000), "--"), refused),
        of(
            "content that looks like its boundary",
            related("b", "--b\r\n\r\n".to_owned() + "\r\n--bb".repeat(200_000).as_str()),
            refused,
        ),
        of(
            "a DOCTYPE in the envelope's part",
            message("<!DOCTYPE x [<!ENTITY a \"b\">]><x>&a;</x>", ""),
            Right::Told(&["message.forbidden"]),
        ),
        of(
            "base64 that is none",
            message(&import("cid:x"), "--b\r\nContent-ID: <x>\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!!\r\n"),
            refused,
        ),
        of("an envelope that inflates to 300 MB", compressed("gzip", &bomb), Right::Status(413)),
        of("the same, compressed twice", compressed("gzip, gzip", &twice.finish().unwrap()), refused),
        of("a compression that there is not", compressed("zstd-of-nobody", b"x"), refused),
        of("compressed bytes that are none", compressed("gzip", b"no gzip at all"), refused),
        of("compressed bytes that are cut off", compressed("gzip", &bomb[..bomb.len() / 2]), Right::Refused),
        of(
            "an attachment with a way out in its name",
            message(
                &import("cid:x"),
                "--b\r\nContent-ID: <x>\r\nContent-Disposition: attachment; filename=\"../../../../tmp/x\"\r\n\r\nsku\n1\n\r\n",
            ),
            Right::Told(&["<exc:run", "message."]),
        ),
    ]
}
