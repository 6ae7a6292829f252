//! Messages with a `wsa:MessageID` that are sent twice.

use crate::support::{Database, Reply, Server, Site, on_each_database};
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

fn message(version: &str, action: &str, id: &str, header: &str, body: &str) -> String {
    let namespace = match version {
        "1.1" => "http://schemas.xmlsoap.org/soap/envelope/",
        _ => "http://www.w3.org/2003/05/soap-envelope",
    };
    format!(
        "<s:Envelope xmlns:s=\"{namespace}\" xmlns:a=\"http://www.w3.org/2005/08/addressing\"><s:Header>\
         <a:Action>{action}</a:Action><a:MessageID>{id}</a:MessageID>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    )
}

fn order(id: &str, text: &str) -> String {
    let body = format!(
        "<CreateOrders xmlns=\"urn:soapstone:orders/v1\"><order><position><text>{text}</text><quantity>1</quantity>\
         <unitPrice>1</unitPrice></position></order></CreateOrders>"
    );
    message("1.1", "urn:soapstone:orders/v1/CreateOrders", id, "", &body)
}

fn send(server: &Server, path: &str, message: &str) -> Reply {
    let media = if message.contains("2003/05") { "application/soap+xml" } else { "text/xml" };
    server.call("POST", path, &[("content-type", media)], message.as_bytes())
}

fn replayed(reply: &Reply) -> (u16, bool) {
    (reply.status, reply.header("idempotency-replayed") == "true")
}

/// The content of a reply's body: its header is another one each time.
fn body(reply: &Reply) -> &str {
    reply.body.split("<soap:Body>").nth(1).unwrap_or(&reply.body)
}

fn orders(server: &Server) -> usize {
    server.get("/api/v1/orders").json()["order"].as_array().unwrap().len()
}

fn customers(server: &Server) -> usize {
    let (mut count, mut cursor) = (0, String::new());
    loop {
        let page = server.get(&format!("/api/v1/customers?limit=1000{cursor}")).json();
        count += page["customer"].as_array().unwrap().len();
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return count,
        }
    }
}

on_each_database! {
    fn a_message_that_is_sent_twice_is_executed_once(database) {
        let server = Site::new(database).serve();
        let (first, again) =
            (send(&server, "/soap/orders", &order("urn:m:1", "a")), send(&server, "/soap/orders", &order("urn:m:1", "a")));
        assert_eq!((replayed(&first), replayed(&again)), ((200, false), (200, true)), "{first:?} {again:?}");
        assert_eq!(body(&first), body(&again));
        assert!(again.body.contains(">urn:m:1</wsa:RelatesTo>"), "{again:?}");
        // What is the same in another version of SOAP is the same.
        let other = order("urn:m:1", "a").replace("http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope");
        let again = send(&server, "/soap/orders", &other);
        assert_eq!(replayed(&again), (200, true));
        assert!(again.body.contains("2003/05/soap-envelope") && body(&again).contains("created"), "{again:?}");
        assert_eq!(orders(&server), 1);
        let reused = send(&server, "/soap/orders", &order("urn:m:1", "b"));
        assert!(reused.status == 500 && reused.body.contains(":DuplicateMessageID</faultcode>"), "{reused:?}");
        // An ID belongs to the service, whatever the operation.
        let cancel = "<CancelOrders xmlns=\"urn:soapstone:orders/v1\"><number>O-100001</number></CancelOrders>";
        let reused = send(&server, "/soap/orders", &message("1.1", "urn:soapstone:orders/v1/CancelOrders", "urn:m:1", "", cancel));
        assert!(reused.body.contains(":DuplicateMessageID</faultcode>"), "{reused:?}");
        assert_eq!(orders(&server), 1);
        // One that only reads is read again.
        let list = |number: &str| {
            let body = format!("<ListOrders xmlns=\"urn:soapstone:orders/v1\"><number>{number}</number></ListOrders>");
            send(&server, "/soap/orders", &message("1.1", "urn:soapstone:orders/v1/ListOrders", "urn:m:2", "", &body))
        };
        assert_eq!((replayed(&list("O-100001")), replayed(&list("O-2"))), ((200, false), (200, false)));
    }

    fn a_fault_of_the_operation_is_its_answer(database) {
        let server = Site::new(database).serve();
        let update = || {
            let body = "<UpdateOrder xmlns=\"urn:soapstone:orders/v1\"><order><number>O-1</number></order></UpdateOrder>";
            send(&server, "/soap/orders", &message("1.2", "urn:soapstone:orders/v1/UpdateOrder", "urn:m:1", "", body))
        };
        let (first, again) = (update(), update());
        assert_eq!((replayed(&first), replayed(&again)), ((400, false), (400, true)), "{first:?} {again:?}");
        assert!(again.body.contains("order.not_found") && again.body.contains(">urn:m:1</wsa:RelatesTo>"), "{again:?}");
        // Its declared detail decides the action of the fault, also of a stored one.
        let action = |reply: &Reply| reply.body.split("Action ").nth(1).unwrap().split("</").next().unwrap().to_owned();
        assert_eq!(action(&first), action(&again));
    }

    fn a_streamed_message_is_resumed_behind_its_last_batch(database) {
        let server = Site::new(database).serve_with(&["batch-size=100"]);
        // Customers without a number get a new one: twice would be two customers.
        let mut records = String::new();
        for number in 0..1_550 {
            let _ = writeln!(records, "<customer><company>{} {number}</company></customer>", "x".repeat(80));
            // It is longer than what is not streamed.
            let _ = write!(records, "<!-- {} -->", "y".repeat(700));
        }
        let body = format!("<UpsertCustomers xmlns=\"urn:soapstone:customers/v1\">{records}</UpsertCustomers>");
        let whole = message("1.1", "urn:soapstone:customers/v1/UpsertCustomers", "urn:m:1", "", &body);
        let customers = || customers(&server);
        // Cut off in the middle of a batch.
        let address = server.base.strip_prefix("http://").unwrap();
        let mut connection = TcpStream::connect(address).unwrap();
        let head = format!(
            "POST /soap/customers HTTP/1.1\r\nhost: localhost\r\ncontent-type: text/xml\r\ncontent-length: {}\r\n\r\n",
            whole.len()
        );
        connection.write_all(head.as_bytes()).unwrap();
        connection.write_all(&whole.as_bytes()[..whole.len() * 9 / 10]).unwrap();
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
        while customers() < 1_000 {
            assert!(std::time::Instant::now() < deadline, "{} customers", customers());
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        drop(connection);
        let mut reply = send(&server, "/soap/customers", &whole);
        while reply.body.contains("soap.message_in_progress") {
            assert!(std::time::Instant::now() < deadline, "{reply:?}");
            reply = send(&server, "/soap/customers", &whole);
        }
        assert_eq!(reply.status, 200, "{}", &reply.body[..reply.body.len().min(3000)]);
        assert_eq!(reply.body.matches("outcome>created<").count(), 1_550);
        assert_eq!(customers(), 1_550);
        let again = send(&server, "/soap/customers", &whole);
        assert_eq!((self::body(&again) == self::body(&reply), customers()), (true, 1_550));
    }
}

#[test]
fn a_reply_to_another_address_is_sent_again() {
    let receiver = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = receiver.local_addr().unwrap();
    let hosts = format!("reply-hosts={address}");
    let server = Site::new(Database::Sqlite).serve_with(&[&hosts, "outbound-allow=127.0.0.1"]);
    let header = format!("<a:ReplyTo><a:Address>http://{address}/replies</a:Address></a:ReplyTo></s:Header>");
    let message = order("urn:m:1", "a").replace("</s:Header>", &header);
    let delivered = || {
        let accepted = send(&server, "/soap/orders", &message);
        assert_eq!(accepted.status, 202, "{accepted:?}");
        let (mut connection, _) = receiver.accept().unwrap();
        let mut text = Vec::new();
        while !text.windows(16).any(|w| w == b"</soap:Envelope>") {
            let mut piece = [0; 4096];
            let length = connection.read(&mut piece).unwrap();
            assert!(length > 0, "{}", String::from_utf8_lossy(&text));
            text.extend_from_slice(&piece[..length]);
        }
        connection.write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n").unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains(">urn:m:1</wsa:RelatesTo>"), "{text}");
        text.split("<soap:Body>").nth(1).unwrap().to_owned()
    };
    assert_eq!(delivered(), delivered());
    assert_eq!(orders(&server), 1);
}
