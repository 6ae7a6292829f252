//! Replies that go to another address.

use crate::support::{Database, Site};
use std::io::{Read, Write};
use std::net::TcpListener;

#[test]
fn a_reply_goes_where_it_is_wanted() {
    let receiver = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = receiver.local_addr().unwrap();
    let server = Site::new(Database::Sqlite).serve_with(&[&format!("reply-hosts=erp.example,{address}")]);
    let envelope = format!(
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:a=\"http://www.w3.org/2005/08/addressing\"><s:Header>\
         <a:Action>urn:soapstone:catalog/v1/ListCategories</a:Action><a:MessageID>urn:x:1</a:MessageID>\
         <a:ReplyTo><a:Address>http://{address}/replies</a:Address></a:ReplyTo></s:Header>\
         <s:Body><ListCategories xmlns=\"urn:soapstone:catalog/v1\"/></s:Body></s:Envelope>"
    );
    let accepted = server.call("POST", "/soap/catalog", &[("content-type", "text/xml")], envelope.as_bytes());
    assert_eq!((accepted.status, accepted.body.as_str()), (202, ""), "{accepted:?}");
    let (mut connection, _) = receiver.accept().unwrap();
    let mut message = Vec::new();
    while !message.windows(16).any(|w| w == b"</soap:Envelope>") {
        let mut piece = [0; 4096];
        let length = connection.read(&mut piece).unwrap();
        assert!(length > 0, "{}", String::from_utf8_lossy(&message));
        message.extend_from_slice(&piece[..length]);
    }
    connection.write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n").unwrap();
    let message = String::from_utf8(message).unwrap();
    for part in [
        "POST /replies HTTP/1.1",
        "soapaction: \"urn:soapstone:catalog/v1:Catalog:ListCategoriesResponse\"",
        ">urn:x:1</wsa:RelatesTo>",
        "ListCategoriesResponse",
    ] {
        assert!(message.contains(part), "{part} is not in {message}");
    }
}
