//! Files of BMEcat and openTRANS: `KIND-NAME.xml` is imported, `KIND-NAME.report` is what the run says, what it refused, and what
//! is there afterwards. What is exported as openTRANS holds to its schema, and is taken again.

use super::{counters, messages};
use crate::support::{Database, Site, on_each_database, project, shared};
use serde_json::{Value, json};
use soapstone_runtime::validate::Validator;
use std::fmt::Write;
use std::io::Read;
use std::path::{Path, PathBuf};

on_each_database! {
    fn each_is_taken_as_expected(database) {
        let folder = project("tests/exchange/foreign");
        let is_case = |path: &PathBuf| path.extension().is_some_and(|e| e == "xml");
        let mut cases: Vec<PathBuf> = folder.read_dir().unwrap().map(|e| e.unwrap().path()).filter(is_case).collect();
        cases.sort();
        assert!(cases.len() > 5);
        let differing: Vec<String> = cases.iter().filter_map(|case| differs(case, database)).collect();
        assert!(differing.is_empty(), "{}", differing.join("\n"));
    }
}

fn differs(case: &Path, database: Database) -> Option<String> {
    let site = Site::new(database);
    let name = case.file_stem().unwrap().to_str().unwrap();
    let kind = name.split_once('-').unwrap().0;
    let run = site.run(&["import", kind, case.to_str().unwrap(), "--json"]).json();
    let id = run["id"].to_string();
    let told = |run: &Value| {
        format!("{} ({}): {}\n", run["state"].as_str().unwrap(), run["format"].as_str().unwrap(), counters(run))
    };
    let mut found = told(&run);
    found += &messages(&site.json(&["run", "messages", &id]));
    if run["artifact"].as_array().unwrap().iter().any(|artifact| artifact["kind"] == "rejected") {
        let _ = write!(found, "---- refused\n{}----\n", site.run(&["run", "file", &id]).stdout);
    }
    for kind in ["categories", "attributes", "articles", "price-entries", "orders"] {
        for record in site.run(&["export", kind, "-", "--format", "jsonl"]).stdout.lines() {
            let mut record: Value = serde_json::from_str(record).unwrap();
            record
                .as_object_mut()
                .unwrap()
                .retain(|name, value| name != "changedAt" && name != "version" && *value != json!([]));
            let _ = writeln!(found, "{kind} {record}");
        }
    }
    let again = site.run(&["import", kind, case.to_str().unwrap(), "--json"]).json();
    let _ = write!(found, "again {}", told(&again));
    let expected = case.with_extension("report");
    if std::env::var_os("UPDATE").is_some() && matches!(database, Database::Sqlite) {
        std::fs::write(&expected, &found).unwrap();
    }
    let expected = std::fs::read_to_string(&expected).unwrap_or_default();
    (found != expected).then(|| format!("==== {name}\n---- expected\n{expected}\n---- found\n{found}"))
}

/// The schema of openTRANS.
fn schema(folder: &Path) -> Validator {
    let names = ["opentrans_2_1.xsd", "bmecat_2005.xsd", "xmlmime.xsd", "xmldsig-core-schema.xsd"];
    let documents = names.map(|name| (name.to_owned(), std::fs::read_to_string(folder.join(name)).unwrap()));
    let root = ("http://www.opentrans.org/XMLSchema/2.1".to_owned(), names[0].to_owned());
    Validator::new(&documents, &[root]).unwrap()
}

on_each_database! {
    fn the_samples_are_taken(database) {
        let Some(folder) = shared("data/bmecat") else { return };
        let site = Site::new(database);
        for entry in folder.read_dir().unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|e| e == "xml") {
                let run = site.run(&["import", "articles", path.to_str().unwrap(), "--json"]).json();
                assert_eq!(run["state"], "succeeded", "{}: {run}", path.display());
            }
        }
        let article: Value = serde_json::from_str(site.run(&["export", "articles", "-", "--format", "jsonl"]).stdout.lines().next().unwrap()).unwrap();
        assert_eq!((&article["gtin"], &article["weight"]), (&json!("8712670911213"), &json!("1.37")));
    }

    fn orders_go_out_and_their_documents_come_in(database) {
        let Some(folder) = shared("data/opentrans") else { return };
        let site = Site::new(database);
        let server = site.serve();
        let address = json!({"company": "Käufer & Co", "firstName": "Eva", "lastName": "Muster", "street": "Weg 1", "postalCode": "8000", "city": "Zürich", "country": "CH"});
        let line = |sku: &str, quantity: &str| json!({"sku": sku, "text": sku, "quantity": quantity, "unitPrice": "10.81", "taxPercent": "8.1"});
        let order = |number: &str| json!({
            "number": number, "gross": true, "email": "eva@example.com", "language": "de-CH", "billingAddress": address, "paymentMethod": "invoice",
            "deliveryAddress": {"company": "Lager", "city": "Zug", "country": "CH"}, "comment": "<bitte> läuten", "reference": "R&1",
            "position": [line("a", "1"), line("b", "2"), line("c", "5")], "charge": [{"kind": "shipping", "amount": "9.00", "taxPercent": "8.1"}],
        });
        let orders = json!({"order": [order("GWAHJV-160131-1470"), json!({"number": "order-id-1", "position": [line("a", "5")]}), json!({"number": "guest", "position": [{"text": "x", "quantity": "1", "unitPrice": "1", "taxPercent": "8.1"}]})]});
        let created = server.post_json("/api/v1/orders", &orders).json();
        assert!(created["result"].as_array().unwrap().iter().all(|one| one["outcome"] == "created"), "{created}");
        let run = server.post_json("/api/v1/exports", &json!({"kind": "orders", "format": "openTrans", "mode": "incremental"})).json();
        let run = server.finished_run(run["run"]["id"].as_i64().unwrap());
        assert_eq!((counters(&run), &run["sourceName"]), ("read 3".to_owned(), &json!("orders.zip")));
        let path = site.folder().join("data/results").join(run["id"].to_string());
        let mut archive = zip::ZipArchive::new(std::fs::File::open(&path).unwrap()).unwrap();
        let schema = schema(&folder);
        for place in 0..archive.len() {
            let mut document = String::new();
            archive.by_index(place).unwrap().read_to_string(&mut document).unwrap();
            let wrong = schema.validate(&document, 0).err().unwrap_or_default();
            assert!(wrong.is_empty(), "{wrong:?}");
        }
        // Elsewhere it is the same order.
        let other = Site::new(Database::Sqlite);
        let run = other.run(&["import", "orders", path.to_str().unwrap(), "--json"]).json();
        assert_eq!((counters(&run), &run["format"]), ("read 3, created 3, warnings 4".to_owned(), &json!("openTrans")), "{}", messages(&other.json(&["run", "messages", "1"])));
        let taken: Value = serde_json::from_str(other.run(&["export", "orders", "-", "--format", "jsonl"]).stdout.lines().next().unwrap()).unwrap();
        let there = server.get("/api/v1/orders/GWAHJV-160131-1470").json()["order"].clone();
        for member in ["number", "reference", "billingAddress", "deliveryAddress", "email", "comment", "total", "net", "paymentMethod", "orderedAt"] {
            assert_eq!(taken[member], there[member], "{member}");
        }
        // What answers it.
        let send = |kind: &str, file: PathBuf| {
            let reply = server.call("POST", &format!("/api/v1/imports?kind={kind}"), &[("content-type", "application/xml")], &std::fs::read(file).unwrap());
            server.finished_run(reply.json()["run"]["id"].as_i64().unwrap())
        };
        let run = send("documents", folder.join("minimal_valid_orderresponse.xml"));
        assert_eq!(run["counters"]["created"], 1, "{}", server.get(&format!("/api/v1/runs/{}/messages", run["id"])).body);
        assert_eq!(server.get("/api/v1/orders/order-id-1").json()["order"]["state"], "confirmed");
        let run = send("documents", folder.join("examples/DispatchNotification/Example_DISPATCHNOTIFICATION_Testdistributor_Lieferavis.xml"));
        assert_eq!(counters(&run), "read 1, created 1");
        let shipments = server.get("/api/v1/shipments?order=GWAHJV-160131-1470").json();
        assert_eq!((&shipments["shipment"][0]["trackingNumber"], &shipments["shipment"][0]["carrier"]), (&json!("1Z7318301287125572"), &json!("Trans-O-Flex GmbH & Co. KG")));
        assert_eq!(server.get("/api/v1/orders/GWAHJV-160131-1470").json()["order"]["state"], "partiallyDelivered");
        let run = send("documents", folder.join("examples/Invoice/Example_INVOICE_Testdistributor_Rechnung.xml"));
        assert_eq!(run["counters"]["created"], 1, "{}", server.get(&format!("/api/v1/runs/{}/messages", run["id"])).body);
        let invoices = server.get("/api/v1/documents?order=GWAHJV-160131-1470&kind=invoice").json();
        assert_eq!(invoices["document"][0]["amount"], "1678.09");
        // Once more, nothing changes; as delivery status neither.
        let file = "examples/DispatchNotification/Example_DISPATCHNOTIFICATION_Testdistributor_Lieferavis.xml";
        assert_eq!(counters(&send("deliveryStatus", folder.join(file))), "read 1, unchanged 1");
        assert_eq!(counters(&send("articles", folder.join("minimal_valid_order.xml"))), "");
    }
}
