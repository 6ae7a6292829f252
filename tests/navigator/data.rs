//! The data as the pages show it.

use crate::support::{Database, Server, Site, on_each_database};
use serde_json::json;

const FORM: [(&str, &str); 1] = [("content-type", "application/x-www-form-urlencoded")];

fn put(server: &Server, path: &str, records: &serde_json::Value) {
    let reply = server.post_json(path, records);
    assert!(reply.status == 200 && !reply.body.contains("\"failed\""), "{reply:?}");
}

/// A small shop.
fn stocked(server: &Server) {
    put(
        server,
        "/api/v1/categories",
        &json!({"category": [
            {"id": "lamps", "name": [{"value": "Lamps"}, {"language": "de", "value": "Leuchten"}]},
            {"id": "lamps/desk", "parent": "lamps", "name": [{"value": "For <desks>"}]},
            {"id": "chairs"}
        ]}),
    );
    put(
        server,
        "/api/v1/articles",
        &json!({"article": [
            {"sku": "L/1", "name": [{"language": "en", "value": "Desk lamp"}, {"language": "de", "value": "Tischleuchte"}],
             "category": ["lamps/desk"], "listPrice": {"value": "100.00", "currency": "CHF"}, "variantAxis": ["colour"],
             "tierPrice": [{"minimumQuantity": "10", "value": "90.00", "currency": "CHF"}],
             "stock": [{"warehouse": "main", "value": "5"}], "attribute": [{"code": "watts", "value": "40"}],
             "relation": [{"kind": "accessory", "value": "B1"}]},
            {"sku": "L/1-red", "variantOf": "L/1", "axisValue": [{"axis": "colour", "value": "red"}],
             "name": [{"language": "en", "value": "Desk lamp, red"}]},
            {"sku": "B1", "name": [{"language": "en", "value": "Bulb <i>"}], "active": false}
        ]}),
    );
    put(
        server,
        "/api/v1/customers",
        &json!({"customer": [
            {"number": "K1", "company": "Muster & Co", "email": "a@example.com", "priceGroup": "dealers",
             "billingAddress": {"street": "Weg 1", "city": "Bern", "country": "CH"}},
            {"number": "K2", "lastName": "Muster", "firstName": "Eva"}
        ]}),
    );
    put(
        server,
        "/api/v1/price-entries",
        &json!({"entry": [
            {"key": "p1", "sku": "L/1", "priceGroup": "dealers", "price": {"value": "80.00", "currency": "CHF"}},
            {"key": "p2", "sku": "L/1", "customer": "K2", "price": {"value": "70.00", "currency": "CHF"}}
        ]}),
    );
    put(
        server,
        "/api/v1/orders",
        &json!({"order": [
            {"number": "O/1", "customer": "K1", "position": [{"sku": "L/1", "quantity": "4", "unitPrice": "80", "taxPercent": "8.1"}]},
            {"number": "O/2", "position": [{"text": "By hand", "quantity": "1", "unitPrice": "10", "taxPercent": "8.1"}]}
        ]}),
    );
    put(
        server,
        "/api/v1/documents",
        &json!({"document": [
            {"number": "D1", "kind": "deliveryNote", "order": "O/1", "part": [{"position": 1, "quantity": "3"}]},
            {"number": "I1", "kind": "invoice", "order": "O/1"}
        ]}),
    );
    put(server, "/api/v1/payments", &json!({"payment": [{"key": "pay1", "order": "O/1", "state": "authorised"}]}));
    put(
        server,
        "/api/v1/shipments",
        &json!({"shipment": [
            {"key": "s1", "order": "O/1", "carrier": "Post", "trackingNumber": "99.1", "trackingUrl": "https://post.example/99.1"},
            {"key": "s2", "order": "O/1", "trackingUrl": "javascript:alert(1)"}
        ]}),
    );
}

/// Sees to it that a page has all of these, and none of those.
fn shows(server: &Server, path: &str, parts: &[&str], not: &[&str]) {
    let page = server.get(path);
    assert_eq!(page.status, 200, "{path}: {}", page.body);
    for part in parts {
        assert!(page.body.contains(part), "{path} lacks {part}: {}", page.body);
    }
    for part in not {
        assert!(!page.body.contains(part), "{path} has {part}: {}", page.body);
    }
}

on_each_database! {
    fn articles_are_found_and_shown(database) {
        let server = Site::new(database).serve();
        stocked(&server);
        shows(&server, "/navigator/articles", &["3 in all", "L/1-red", "Desk lamp", "100.00 CHF", "Bulb &#60;i&#62;", "not active"], &[]);
        shows(&server, "/navigator/articles?text=bulb", &["B1"], &["L/1"]);
        shows(&server, "/navigator/articles?category=lamps/desk", &["L/1"], &["B1"]);
        let parts = ["From 10 pieces", "90.00 CHF", "watts", "L/1-red", "accessory", "main", "Reserved for orders", "lamps%2Fdesk"];
        shows(&server, "/navigator/article?sku=L%2F1", &parts, &[]);
        shows(&server, "/navigator/article?sku=L%2F1-red", &["variant of", "red"], &[]);
        let none = server.get("/navigator/article?sku=%3Cb%3E");
        assert_eq!((none.status, none.body.contains("<b>")), (404, false), "{none:?}");
    }

    fn categories_are_a_tree(database) {
        let server = Site::new(database).serve();
        stocked(&server);
        shows(&server, "/navigator/categories", &["3 are shown", "<details open>", "For &#60;desks&#62;", "chairs"], &[]);
        let page = server.get("/navigator/categories").body;
        assert_eq!((page.matches("<details").count(), page.matches("</details>").count()), (1, 1), "{page}");
        shows(&server, "/navigator/categories?text=desk", &["For &#60;desks&#62;"], &["chairs"]);
    }

    fn customers_are_merged_and_the_merge_undone(database) {
        let server = Site::new(database).serve();
        stocked(&server);
        shows(&server, "/navigator/customers", &["Muster &#38; Co", "Bern", "K2"], &[]);
        shows(&server, "/navigator/customers?group=dealers", &["K1"], &["K2"]);
        shows(&server, "/navigator/customer?number=K1", &["Weg 1", "dealers", "O/1", "Merge it into"], &["O/2"]);
        let merged = server.call("POST", "/navigator/customer/merge", &FORM, b"number=K1&into=K2");
        assert_eq!((merged.status, merged.header("location")), (303, "/navigator/customer?number=K1"), "{merged:?}");
        shows(&server, "/navigator/customer?number=K1", &["Eva Muster", "K1 → K2", "O/1", ">Undo<"], &[]);
        let cycle = server.call("POST", "/navigator/customer/merge", &FORM, b"number=K2&into=K1");
        assert!(cycle.status == 422 && cycle.body.contains("customer."), "{cycle:?}");
        assert_eq!(server.call("POST", "/navigator/customer/undo", &FORM, b"number=K1").status, 303);
        shows(&server, "/navigator/customer?number=K1", &["Muster &#38; Co", "undone"], &[">Undo<"]);
        assert_eq!(server.call("POST", "/navigator/customer/delete", &FORM, b"number=K1").status, 404);
        assert_eq!(server.get("/navigator/customer?number=none").status, 404);
    }

    fn orders_show_what_became_of_them(database) {
        let server = Site::new(database).serve();
        stocked(&server);
        shows(&server, "/navigator/orders", &["O/1", "O/2", "partially delivered", "a@example.com"], &[]);
        let page = server.get("/navigator/orders").body;
        assert!(page.find("O/2") < page.find("O/1"), "the latest is first: {page}");
        shows(&server, "/navigator/orders?state=open", &["O/2"], &["O/1"]);
        shows(&server, "/navigator/orders?customer=K1&export=new", &["O/1"], &["O/2"]);
        let parts = ["Delivery note", "3 pieces", "D1", "I1", "authorised", "https://post.example/99.1", "value=\"75\"", "Tax at 8.1 %"];
        shows(&server, "/navigator/order?number=O%2F1", &parts, &["href=\"javascript"]);
        let page = server.get("/navigator/order?number=O%2F1").body;
        assert_eq!(page.matches("<g class=\"box").count(), 6, "{page}");
        assert_eq!(page.matches("class=\"way\"").count(), 5, "{page}");
        shows(&server, "/navigator/order?number=O/2", &["By hand"], &[]);
        assert_eq!(server.get("/navigator/order?number=none").status, 404);
    }

    fn prices_are_explained(database) {
        let server = Site::new(database).serve();
        stocked(&server);
        shows(&server, "/navigator/prices", &["Find the price"], &["came into question"]);
        let found = "/navigator/prices?sku=L%2F1&quantity=10&customer=";
        shows(&server, &format!("{found}K1"), &["80.00", "This price holds", "Another one goes before it", "group dealers"], &[]);
        shows(&server, &format!("{found}K2&at=2026-11-01T08:30&policy=best"), &["70.00", "customer K2", "2026-11-01 08:30:00 UTC"], &[]);
        shows(&server, found, &["90.00"], &[]);
        shows(&server, "/navigator/prices?sku=none", &["article.not_found"], &[]);
        shows(&server, "/navigator/prices?sku=B1&quantity=x%3Cb", &["is not a decimal number"], &["x<b"]);
        shows(&server, "/navigator/prices?sku=B1&at=soon", &["soon: "], &[]);
        shows(&server, "/navigator/prices?sku=B1&customer=K9", &["There is no customer"], &[]);
    }
}

#[test]
fn pages_speak_german() {
    let server = Site::new(Database::Sqlite).serve();
    stocked(&server);
    let german = |path: &str| server.call("GET", path, &[("accept-language", "de-CH, en;q=0.5")], b"").body;
    for (path, parts) in [
        ("/navigator/articles", ["lang=\"de\"", "Tischleuchte", "Preissimulator"]),
        ("/navigator/categories", ["Leuchten", "werden gezeigt", "Kategorien"]),
        ("/navigator/order?number=O%2F1", ["teilweise geliefert", "Lieferschein", "3 Stück"]),
        ("/navigator/prices?sku=L%2F1", ["Dieser Preis gilt", "Listenpreis", "Menge"]),
    ] {
        let page = german(path);
        for part in parts {
            assert!(page.contains(part), "{path} lacks {part}: {page}");
        }
    }
    // What somebody chose counts more than what the browser would rather have.
    let chosen = server.get("/navigator/language/de?to=/navigator/orders%3Fstate=open");
    assert_eq!((chosen.status, chosen.header("location")), (303, "/navigator/orders?state=open"));
    let (cookie, _) = chosen.header("set-cookie").split_once(';').unwrap();
    let headers = [("cookie", cookie), ("accept-language", "en")];
    assert!(server.call("GET", "/navigator/orders", &headers, b"").body.contains("Bestellungen"));
    assert_eq!(server.get("/navigator/language/de?to=https://evil.example/").header("location"), "/navigator");
    assert_eq!(server.get("/navigator/language/xx").header("set-cookie"), "");
}
