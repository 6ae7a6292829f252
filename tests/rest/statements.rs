//! How many statements an answer takes: as many for a page of many records as for one of few.

use crate::support::{Server, Site, on_each_database};
use serde_json::{Value, json};

/// How many records there are of each kind.
const MANY: usize = 40;

/// What runs in the background may send some of its own meanwhile.
const NOISE: u64 = 8;

fn statements(server: &Server) -> u64 {
    let text = server.get("/metrics").body;
    let line = text.lines().find_map(|line| line.strip_prefix("soapstone_database_statements_total "));
    line.unwrap_or_else(|| panic!("{text}")).parse().unwrap()
}

/// How often it is tried for few records, and for many: what runs in the background while a machine is busy falls away by that.
const FEW_TIMES: usize = 5;
const MANY_TIMES: usize = 60;

/// The least that it took, of several times, or the first that is no more than enough.
fn taken(server: &Server, times: usize, enough: u64, ask: impl Fn()) -> u64 {
    let mut least = u64::MAX;
    for _ in 0..times {
        let before = statements(server);
        ask();
        least = least.min(statements(server) - before);
        if least <= enough {
            break;
        }
    }
    least
}

fn put(server: &Server, path: &str, member: &str, record: impl Fn(usize) -> Value) {
    let records: Vec<Value> = (0..MANY).map(record).collect();
    let reply = server.post_json(path, &json!({member: records}));
    let results = reply.json()["result"].as_array().unwrap_or_else(|| panic!("{reply:?}")).clone();
    assert!(results.iter().all(|r| r["outcome"] == "created"), "{path}: {results:?}");
}

fn fill(server: &Server) {
    put(server, "/api/v1/articles", "article", |n| {
        json!({"sku": format!("A{n}"), "name": [{"value": "a"}], "listPrice": {"value": "10"}, "stock": [{"value": "5"}],
            "tierPrice": [{"minimumQuantity": "10", "value": "9"}], "packagingUnit": [{"unit": "box", "factor": "12"}],
            "attribute": [{"code": "c", "value": "v"}], "media": [{"value": format!("a{n}.gif")}],
            "relation": [{"kind": "crossSell", "value": "A1"}]})
    });
    put(server, "/api/v1/categories", "category", |n| json!({"id": format!("C{n}"), "name": [{"value": "c"}]}));
    put(
        server,
        "/api/v1/attributes",
        "definition",
        |n| json!({"code": format!("D{n}"), "type": "choice", "name": [{"value": "d"}], "choice": [{"value": "x", "name": [{"value": "y"}]}]}),
    );
    put(server, "/api/v1/customers", "customer", |n| {
        json!({"number": format!("K{n}"), "priceGroup": "G", "billingAddress": {"city": "a"}, "deliveryAddress": [{"city": "b"}],
            "attribute": [{"code": "c", "value": "v"}], "consent": [{"purpose": "news", "given": true}]})
    });
    put(
        server,
        "/api/v1/customer-groups",
        "group",
        |n| json!({"kind": "price", "key": format!("G{n}"), "name": [{"value": "g"}]}),
    );
    put(
        server,
        "/api/v1/price-entries",
        "entry",
        |n| json!({"key": format!("P{n}"), "sku": format!("A{n}"), "customer": format!("K{n}"), "price": {"value": "8"}}),
    );
    put(
        server,
        "/api/v1/line-discounts",
        "discount",
        |n| json!({"key": format!("L{n}"), "sku": format!("A{n}"), "customer": format!("K{n}"), "percent": "5"}),
    );
    put(server, "/api/v1/vouchers", "voucher", |n| json!({"code": format!("V{n}"), "percent": "5"}));
    put(server, "/api/v1/orders", "order", |n| {
        json!({"number": format!("O{n}"), "customer": format!("K{n}"), "billingAddress": {"city": "a"},
            "position": [{"sku": format!("A{n}"), "quantity": "2", "unitPrice": "1", "serial": ["s"]}],
            "charge": [{"kind": "shipping", "amount": "9"}], "attribute": [{"code": "c", "value": "v"}]})
    });
    put(
        server,
        "/api/v1/documents",
        "document",
        |n| json!({"number": format!("D{n}"), "kind": "deliveryNote", "order": format!("O{n}"), "part": [{"position": 1, "quantity": "1"}]}),
    );
    put(
        server,
        "/api/v1/shipments",
        "shipment",
        |n| json!({"key": format!("S{n}"), "order": format!("O{n}"), "carrier": "c", "part": [{"position": 1, "quantity": "1"}]}),
    );
    put(
        server,
        "/api/v1/payments",
        "payment",
        |n| json!({"key": format!("Z{n}"), "order": format!("O{n}"), "state": "paid"}),
    );
    put(
        server,
        "/api/v1/warehouses",
        "warehouse",
        |n| json!({"key": format!("W{n}"), "name": [{"value": "w"}], "address": {"city": "a"}}),
    );
    for (path, member) in
        [("manufacturers", "manufacturer"), ("units", "unit"), ("accounting-groups", "accountingGroup")]
    {
        put(server, &format!("/api/v1/{path}"), member, |n| json!({"key": format!("M{n}"), "name": [{"value": "m"}]}));
    }
    put(
        server,
        "/api/v1/serial-numbers",
        "serialNumber",
        |n| json!({"sku": format!("A{n}"), "number": format!("{n}")}),
    );
    put(
        server,
        "/api/v1/signal-targets",
        "target",
        |n| json!({"key": format!("T{n}"), "url": "http://127.0.0.1:9/", "active": false, "form": "soap11", "event": ["test"], "warehouse": ["w"]}),
    );
    let gif = "R0lGODlhAQABAIAAAP8AAP///yH5BAAAAAAALAAAAAABAAEAAAICRAEAOw==";
    put(
        server,
        "/api/v1/pictures",
        "picture",
        |n| json!({"fileName": format!("a{n}.gif"), "content": gif, "text": [{"value": "t"}]}),
    );
    put(
        server,
        "/api/v1/article-documents",
        "articleDocument",
        |n| json!({"fileName": format!("f{n}.pdf"), "sku": format!("A{n}"), "content": "AA==", "title": [{"value": "t"}]}),
    );
}

const LISTS: &[&str] = &[
    "articles",
    "categories",
    "attributes",
    "customers",
    "price-entries",
    "line-discounts",
    "vouchers",
    "orders",
    "documents",
    "shipments",
    "payments",
    "warehouses",
    "stocks",
    "manufacturers",
    "units",
    "accounting-groups",
    "serial-numbers",
    "signal-targets",
    "pictures",
    "article-documents",
];

on_each_database! {
    fn a_page_of_many_takes_as_many_statements_as_one_of_few(database) {
        let server = Site::new(database).serve();
        fill(&server);
        let mut wrong = Vec::new();
        for list in LISTS {
            let page = |limit: usize| server.get(&format!("/api/v1/{list}?limit={limit}"));
            let members = page(MANY).json();
            let records = members.as_object().unwrap().values().find_map(Value::as_array).map_or(0, Vec::len);
            assert!(records >= MANY, "{list}: {members}");
            let few = taken(&server, FEW_TIMES, 0, || drop(page(2)));
            let many = taken(&server, MANY_TIMES, few + NOISE, || drop(page(MANY)));
            if many > few + NOISE {
                wrong.push(format!("{list}: {few} for 2, {many} for {MANY}"));
            }
        }
        assert!(wrong.is_empty(), "{wrong:?}");
    }

    fn many_lines_take_as_many_statements_as_few(database) {
        let server = Site::new(database).serve();
        fill(&server);
        let lines = |count: usize| (0..count).map(|n| json!({"sku": format!("A{n}"), "quantity": "1"})).collect::<Vec<_>>();
        for (path, more) in [("prices/find", json!({"customer": "K1"})), ("availability", json!({})), ("baskets/simulate", json!({"customer": "K1"}))] {
            let ask = |count: usize| {
                let mut body = more.clone();
                body["line"] = json!(lines(count));
                let reply = server.post_json(&format!("/api/v1/{path}"), &body);
                assert_eq!(reply.status, 200, "{path}: {}", reply.body);
            };
            let few = taken(&server, FEW_TIMES, 0, || ask(2));
            let many = taken(&server, MANY_TIMES, few + NOISE, || ask(MANY));
            assert!(many <= few + NOISE, "{path}: {few} for 2, {many} for {MANY}");
        }
    }

    fn many_records_are_written_in_few_statements(database) {
        let server = Site::new(database).serve();
        let article = |n: usize| json!({"sku": format!("B{n}"), "name": [{"value": "b"}], "listPrice": {"value": "1"}, "stock": [{"value": "1"}]});
        let put = |first: usize, count: usize| {
            let records: Vec<Value> = (first..first + count).map(article).collect();
            let before = statements(&server);
            server.post_json("/api/v1/articles", &json!({"article": records}));
            statements(&server) - before
        };
        let (few, many) = (put(0, 8), put(1000, 512));
        // Tables are written 64 rows at a time, or by COPY.
        assert!(many < few + 100, "{few} for 8, {many} for 512");
    }
}

#[test]
fn what_copy_writes_is_what_was_sent() {
    let server = Site::new(crate::support::Database::Postgres).serve();
    let odd = "tab\t, back\\slash \\N \\. line\nbreak, \u{1f600} and \"quotes\" 'too'";
    let article = |n: usize, text: &str| json!({"sku": format!("X{n}"), "name": [{"value": text}], "listPrice": {"value": "1.50"}, "activeFrom": "2026-11-01T10:00:00.25Z"});
    for text in [odd, "changed"] {
        let records: Vec<Value> = (0..300).map(|n| article(n, text)).collect();
        let reply = server.post_json("/api/v1/articles", &json!({"article": records})).json();
        assert!(reply["result"].as_array().unwrap().iter().all(|r| r["outcome"] != "failed"), "{reply}");
        let found = server.get("/api/v1/articles/X299").json();
        let found = &found["article"];
        assert_eq!((&found["name"][0]["value"], &found["listPrice"]["value"]), (&json!(text), &json!("1.50")));
        assert_eq!((&found["activeFrom"], &found["weight"]), (&json!("2026-11-01T10:00:00.25Z"), &Value::Null));
    }
}
