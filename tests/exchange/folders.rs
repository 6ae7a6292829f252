//! Ways in that nobody waits at: watched folders, the Caller, schedules.

use crate::support::{Reply, Server, Site, on_each_database};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// Waits until something is there.
fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what} did not come");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn text(path: &Path) -> String {
    until(&path.display().to_string(), || fs::read_to_string(path).ok())
}

fn articles(server: &Server) -> Vec<String> {
    let listed = server.get("/api/v1/articles?limit=1000").json();
    let articles = listed["article"].as_array().cloned().unwrap_or_default();
    articles.iter().map(|article| article["sku"].as_str().unwrap().to_owned()).collect()
}

fn runs(server: &Server) -> Vec<Value> {
    server.get("/api/v1/runs").json()["run"].as_array().cloned().unwrap_or_default()
}

fn hot(site: &Site, more: &str) -> std::path::PathBuf {
    let folder = site.folder().join("in");
    fs::create_dir_all(&folder).unwrap();
    fs::create_dir_all(site.folder().join("data")).unwrap();
    let text = format!(
        "[[folder]]\npath = {:?}\npattern = \"*.csv\"\nkind = \"articles\"\nsettle-seconds = 0.3\n{more}",
        folder.to_str().unwrap()
    );
    fs::write(site.folder().join("data/hot-folders.toml"), text).unwrap();
    folder
}

fn call(server: &Server, query: &str) -> Reply {
    server.get(&format!("/shop/Admin/caller/caller_aufruf.php?{query}"))
}

on_each_database! {
    fn a_file_in_a_watched_folder_is_imported_once_it_is_whole(database) {
        let site = Site::new(database);
        let folder = hot(&site, "");
        let server = site.serve();
        // It grows while it is watched, and is hidden or unfinished by its name.
        fs::write(folder.join("other.csv.part"), "sku\nNO\n").unwrap();
        fs::write(folder.join(".hidden.csv"), "sku\nNO\n").unwrap();
        fs::write(folder.join("notes.txt"), "no").unwrap();
        let mut content = "sku;weight\n".to_owned();
        for n in 0..8 {
            content.push_str(&format!("A-{n};1\n"));
            fs::write(folder.join("list.csv"), &content).unwrap();
            std::thread::sleep(Duration::from_millis(100));
        }
        let status = text(&folder.join("status/list.csv.ok"));
        assert!(status.contains("state succeeded") && status.contains("created 8"), "{status}");
        assert_eq!(articles(&server).len(), 8);
        let run = &runs(&server)[0];
        assert_eq!((&run["channel"], &run["sourceName"]), (&json!("hotFolder"), &json!("list.csv")));
        assert!(run["client"].as_str().is_some_and(|client| client.ends_with("/in")), "{run}");
        let filed: Vec<_> = fs::read_dir(folder.join("archive")).unwrap().flat_map(|day| fs::read_dir(day.unwrap().path()).unwrap()).collect();
        assert_eq!(filed.len(), 1);
        assert!(!folder.join("list.csv").exists());
        // A wrong one.
        fs::write(folder.join("list.csv"), "sku;weight\nB;1\nC;heavy\n").unwrap();
        let status = text(&folder.join("status/list.csv.err"));
        assert!(status.contains("state succeededWithErrors") && status.contains("csv.type"), "{status}");
        assert!(!folder.join("status/list.csv.ok").exists());
        assert_eq!(text(&folder.join("status/list.csv.rejected")), "sku;weight\nC;heavy\n");
        // One that cannot be a run at all.
        fs::write(folder.join("empty.csv"), "").unwrap();
        assert!(text(&folder.join("status/empty.csv.err")).contains("empty"));
        assert_eq!(runs(&server).len(), 2);
    }

    fn many_nodes_take_each_file_once(database) {
        let site = Site::new(database);
        let folder = hot(&site, "");
        let count = if matches!(database, Database::Sqlite) { 1 } else { 3 };
        let servers: Vec<Server> = (0..count).map(|_| site.serve()).collect();
        for n in 0..20 {
            fs::write(folder.join(format!("file-{n}.csv")), format!("sku\nF-{n}\n")).unwrap();
        }
        for n in 0..20 {
            text(&folder.join(format!("status/file-{n}.csv.ok")));
        }
        assert_eq!((articles(&servers[0]).len(), runs(&servers[0]).len()), (20, 20));
    }

    fn a_killed_node_leaves_no_file_behind(database) {
        let site = Site::new(database);
        let folder = hot(&site, "");
        for n in 0..5 {
            let server = site.serve();
            fs::write(folder.join(format!("file-{n}.csv")), format!("sku\nK-{n}\n")).unwrap();
            until("the file's taking", || (!folder.join(format!("file-{n}.csv")).exists()).then_some(()));
            server.kill();
        }
        let server = site.serve();
        for n in 0..5 {
            text(&folder.join(format!("status/file-{n}.csv.ok")));
        }
        assert_eq!((articles(&server).len(), runs(&server).len()), (5, 5));
    }

    fn the_caller_imports_and_says_how_it_went(database) {
        let site = Site::new(database);
        let folder = site.folder().join("data/caller");
        let server = site.serve();
        let nothing = call(&server, "do=set_artikel");
        assert_eq!((nothing.status, nothing.body.starts_with("ERR set_artikel_inp.csv")), (409, true), "{nothing:?}");
        assert_eq!(call(&server, "do=fly").status, 400);
        let rows = "\"Artikel-Nr\";\"Name\";\"Preis\";\"Aktionspreis\";\"Aktion von\";\"Aktion bis\";\"Aktiv von\";\"Aktiv bis\";\"weight\"\n\
                    \"A 1\";\"Hammer; groß\";19.90;15;2026-01-01 00:00:00;2026-12-31 23:59:59;;;1.2\n\"A 2\";\"Zange\";5;;;;;;\n";
        fs::write(folder.join("set_artikel_inp.csv"), rows).unwrap();
        let done = call(&server, "do=set_artikel");
        assert_eq!((done.status, done.body.starts_with("OK run 1")), (200, true), "{done:?}");
        assert_eq!(text(&folder.join("set_artikel_ok.csv")).lines().nth(1), Some("1;2;2;0;0;0;0;0;0"));
        assert!(!folder.join("set_artikel_tmp.csv").exists() && !folder.join("set_artikel_inp.csv").exists());
        let article = server.get("/api/v1/articles/A%201").json()["article"].clone();
        assert_eq!((&article["listPrice"]["value"], &article["specialPrice"]["value"], &article["weight"]), (&json!("19.90"), &json!("15"), &json!("1.2")));
        assert_eq!(article["specialPrice"]["until"], "2026-12-31T23:59:59Z");
        // Some of them, one of them wrong.
        fs::write(folder.join("set_artikel_inkrementell_inp.csv"), "Artikel-Nr;Preis\nA 1;21.50\nA 2;much\n").unwrap();
        let done = call(&server, "do=set_artikel_inkrementell");
        assert!(done.body.starts_with("ERR run 2: succeeded with errors"), "{done:?}");
        let told = text(&folder.join("set_artikel_inkrementell_err.csv"));
        assert!(told.contains("error;3;") && told.contains(";Preis;much;csv.type;"), "{told}");
        assert_eq!(server.get("/api/v1/articles/A%201").json()["article"]["listPrice"]["value"], "21.50");
        // The whole stock: what is missing goes, but much of it only if somebody approves.
        fs::write(folder.join("set_artikel_inp.csv"), "Artikel-Nr\nA 1\n").unwrap();
        let done = call(&server, "do=set_artikel");
        assert!(done.body.starts_with("ERR run 3: waiting for approval"), "{done:?}");
        assert!(text(&folder.join("set_artikel_err.csv")).contains("import.much_missing"));
        server.post_json("/api/v1/runs/3/approve", &json!({}));
        text(&folder.join("set_artikel_ok.csv"));
        until("the end", || (!folder.join("set_artikel_err.csv").exists()).then_some(()));
        assert_eq!(articles(&server), ["A 1"]);
    }

    fn the_caller_knows_each_of_its_files(database) {
        let site = Site::new(database);
        let folder = site.folder().join("data/caller");
        let server = site.serve();
        fs::create_dir_all(&folder).unwrap();
        for (job, rows) in [
            ("set_kategorien", "Kategorie-Nr;Name\n10;Werkzeug\n"),
            ("set_hersteller", "Hersteller-Nr;Name\nh;Hersteller\n"),
            ("set_kontierungsgruppen", "Kontierungsgruppe;Name\nk;Konto\n"),
            ("set_artikel_inkrementell", "Artikel-Nr;Name;Preis\na;A;10\nb;B;2\n"),
            ("set_kunden", "Kunden-Nr;E-Mail;Firma\nK1;a@example.com;A\nK2;b@example.com;B\n"),
            ("set_lieferadressen", "Kunden-Nr;Adress-Nr;Ort;Land\nK1;1;Zug;CH\n"),
            ("set_optionsartikel", "Artikel-Nr;Optionsartikel-Nr\na;b\n"),
            ("set_debitorenpreise", "Artikel-Nr;Kunden-Nr;Kundengruppe;Ab Menge;Preis\na;K1;;1;9\na;;GOLD;5;8\n"),
            ("set_zeilenrabatte", "Kunden-Nr;Artikel-Nr;Rabatt\nK1;a;5\n"),
            ("set_lager", "Artikel-Nr;Lager;Bestand\na;main;7\n"),
            ("set_gutscheine", "Gutschein-Nr;Betrag\nG1;20\n"),
            ("set_seriennummern", "Artikel-Nr;Serien-Nr;Garantie bis\na;S1;2027-12-31\n"),
            ("set_kunden_vereinen", "Kunden-Nr;Ziel-Kunden-Nr\nK2;K1\n"),
        ] {
            fs::write(folder.join(format!("{job}_inp.csv")), rows).unwrap();
            let done = call(&server, &format!("do={job}"));
            let told = || fs::read_to_string(folder.join(format!("{job}_err.csv"))).unwrap_or_default();
            assert!(done.body.starts_with("OK"), "{job}: {done:?} {}", told());
        }
        let price = json!({"line": [{"sku": "a", "quantity": "1"}], "customer": "K1", "currency": "CHF"});
        let found = server.post_json("/api/v1/prices/find", &price);
        assert!(found.body.contains("9"), "{found:?}");
        server.post_json("/api/v1/orders", &json!({"order": [{"number": "O1", "position": [{"text": "x", "quantity": "1", "unitPrice": "1", "taxPercent": "8.1"}]}]}));
        fs::write(folder.join("set_lieferstatus_inp.csv"), "Bestellungs-Nr;Versender;Paket-Nr\nO1;Post;99.1\n").unwrap();
        assert!(call(&server, "do=set_lieferstatus").body.starts_with("OK"));
        assert_eq!(server.get("/api/v1/shipments?order=O1").json()["shipment"][0]["trackingNumber"], "99.1");
    }

    fn the_caller_gives_orders_until_they_are_taken(database) {
        let site = Site::new(database);
        let folder = site.folder().join("data/caller");
        let server = site.serve();
        let order = |number: &str| json!({"order": [{
            "number": number, "comment": "<b>", "paymentMethod": "cashOnDelivery", "deliveryAddress": {"city": "Zug", "country": "CH"},
            "position": [{"text": "x", "quantity": "2", "unitPrice": "11.15", "taxPercent": "8.1"}],
            "charge": [{"kind": "shipping", "amount": "4.70", "taxPercent": "8.1"}, {"kind": "cashOnDelivery", "amount": "15", "taxPercent": "8.1"}],
        }]});
        server.post_json("/api/v1/orders", &order("C1"));
        let done = call(&server, "do=get_bestellungen");
        assert!(done.body.starts_with("OK"), "{done:?}");
        let file = text(&folder.join("get_bestellungen_out.xml"));
        for tag in [
            "<BESTELLUNGS_ID>C1</BESTELLUNGS_ID>", "<BEZAHLUNGSART>Nachnahme</BEZAHLUNGSART>", "<VERSANDKOSTEN>4.7</VERSANDKOSTEN>",
            "<ARTIKELTOTAL>22.3</ARTIKELTOTAL>", "<NACHNAHMEBETRAG>15</NACHNAHMEBETRAG>", "<ANMERKUNG>&lt;b&gt;</ANMERKUNG>",
            "<WAEHRUNG>CHF</WAEHRUNG>", "<LIEFERANSCHRIFT_ADRESS_ID>C1-L</LIEFERANSCHRIFT_ADRESS_ID>",
        ] {
            assert!(file.contains(tag), "{tag} is not in {file}");
        }
        // It lies there still: nothing else is handed out, and nothing twice.
        server.post_json("/api/v1/orders", &order("C2"));
        let again = call(&server, "do=get_bestellungen");
        assert_eq!((again.status, again.body.contains("still there")), (409, true), "{again:?}");
        fs::remove_file(folder.join("get_bestellungen_out.xml")).unwrap();
        until("the confirmation", || (server.get("/api/v1/orders/C1").json()["order"]["exportState"] == "exported").then_some(()));
        assert!(call(&server, "do=get_bestellungen").body.starts_with("OK"));
        let file = text(&folder.join("get_bestellungen_out.xml"));
        assert!(file.contains("C2") && !file.contains("C1"), "{file}");
        // From a time on, whoever has them.
        let all = call(&server, "do=get_bestellungen_ab&datetime_ab=2020-01-01%2000:00:00");
        assert!(all.body.starts_with("OK"), "{all:?}");
        let file = text(&folder.join("get_bestellungen_ab_out.xml"));
        assert!(file.contains("C1") && file.contains("C2"));
        assert_eq!(call(&server, "do=get_bestellungen_ab&datetime_ab=gestern").status, 409);
    }

    fn a_schedule_is_kept_once_by_all_nodes(database) {
        let site = Site::new(database);
        fs::create_dir_all(site.folder().join("data")).unwrap();
        let out = site.folder().join("out");
        let text = format!("[[schedule]]\nname = \"stock\"\ncron = \"*/1 * * * * *\"\nzone = \"Europe/Zurich\"\nexport = \"articles\"\nformat = \"csv\"\npath = {:?}\n", out.to_str().unwrap());
        fs::write(site.folder().join("data/schedules.toml"), text).unwrap();
        let count = if matches!(database, Database::Sqlite) { 1 } else { 2 };
        let servers: Vec<Server> = (0..count).map(|_| site.serve()).collect();
        until("three files", || fs::read_dir(&out).ok().filter(|files| fs::read_dir(&out).map_or(0, Iterator::count) >= 3 || { let _ = files; false }));
        let runs = runs(&servers[0]);
        let mut times: Vec<String> = runs.iter().map(|run| run["createdAt"].as_str().unwrap()[..19].to_owned()).collect();
        let all = times.len();
        times.dedup();
        assert!(times.len() + 1 >= all, "more than one run a second: {times:?}");
        assert!(runs.iter().all(|run| run["channel"] == "schedule"), "{runs:?}");
    }

    fn a_wrong_file_of_folders_is_told_at_the_start(database) {
        let site = Site::new(database);
        fs::create_dir_all(site.folder().join("data")).unwrap();
        fs::write(site.folder().join("data/hot-folders.toml"), "[[folder]]\npath = \"x\"\nkind = \"colours\"\n").unwrap();
        let told = site.run(&["serve", "--listen", "127.0.0.1:0"]);
        assert!(told.code != 0 && told.stderr.contains("hot-folders") && told.stderr.contains("colours"), "{told:?}");
    }
}
