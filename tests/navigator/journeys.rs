//! The Navigator as a person uses it, from the first start to the log-out, in a browser that clicks; each page also looked at by axe.

use crate::support::webdriver::Browser;
use crate::support::{Database, Server, Site, project, shared};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const PASSWORD: &str = "correct horse battery";

/// What finds faults that keep people from using a page; None: it is not installed.
fn axe() -> Option<String> {
    let file = project("target/axe/node_modules/axe-core/axe.min.js");
    let text = std::fs::read_to_string(&file).ok();
    if text.is_none() {
        println!("skipped: there is no {}; `make tools` installs it", file.display());
    }
    text
}

/// Sees to it that a page has no fault that is serious, and asked nothing of other hosts.
fn is_sound(browser: &Browser, axe: Option<&str>, base: &str, path: &str) {
    browser.go(&format!("{base}{path}"));
    let asked = browser.run("return performance.getEntriesByType('resource').map((entry) => entry.name)");
    for address in asked.as_array().unwrap() {
        assert!(address.as_str().unwrap().starts_with(base), "{path} asks {address}");
    }
    let Some(axe) = axe else { return };
    browser.run(axe);
    let found = browser.run_long(
        "const done = arguments[arguments.length - 1]; axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', \
         'best-practice']}).then((result) => done(result.violations.filter((v) => ['serious', 'critical'].includes(v.impact))\
         .map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(' | ')}`)), (error) => done([String(error)]))",
    );
    assert_eq!(found, json!([]), "axe of {path}");
}

/// What the journeys work on.
struct Catalogue {
    file: PathBuf,
    /// An article, what it is called, and its picture.
    sku: &'static str,
    name: &'static str,
    picture: Option<(&'static str, PathBuf)>,
}

fn catalogue() -> Catalogue {
    match shared("data/luma-shop/products.csv") {
        Some(file) => Catalogue {
            picture: Some(("mh01-black_main.jpg", file.with_file_name("images").join("mh01-black_main.jpg"))),
            file,
            sku: "MH01-XS-Black",
            name: "Chaz Kangeroo Hoodie-XS-Black",
        },
        None => Catalogue { file: project("demo/articles.csv"), sku: "SP-1001", name: "", picture: None },
    }
}

/// Waits until the run that the page shows is over, and gives its number.
fn is_over(browser: &Browser, state: &str) -> i64 {
    browser.sees(state);
    let address = browser.address();
    address.rsplit('/').next().and_then(|id| id.split(['?', '#']).next()).unwrap().parse().unwrap()
}

fn first_start(browser: &Browser, base: &str) {
    browser.go(&format!("{base}/navigator"));
    browser.click("Add the first user");
    browser.fill("name", "anna");
    browser.fill("password", PASSWORD);
    browser.fill("again", PASSWORD);
    browser.click("Add the user and log in");
    browser.sees("anna");
}

/// Adds a token, and gives it.
fn token(browser: &Browser) -> String {
    browser.click("Access");
    browser.click_on("//form[contains(@action, 'add-token')]//select[@name='user']/option[1]");
    browser.click_on("//form[contains(@action, 'add-token')]//input[@name='name']");
    let script = "document.querySelector('form[action$=\"add-token\"] input[name=name]').value = 'shop'";
    browser.run(script);
    browser.click_on("//form[contains(@action, 'add-token')]//button");
    browser.sees("shown this once only");
    browser.run("return document.querySelector('.told pre').textContent").as_str().unwrap().to_owned()
}

fn import(browser: &Browser, catalogue: &Catalogue) {
    browser.click("New import");
    browser.choose(&catalogue.file);
    browser.click("Look at it");
    browser.sees("it seems to hold articles");
    browser.sees(catalogue.sku);
    browser.click("Try it: tell what would change");
    is_over(browser, "succeeded");
    browser.sees("What would change");
    browser.click("Import it now");
    is_over(browser, "succeeded");
}

fn correct(browser: &Browser, site: &Site) {
    let wrong = site.file("prices.csv", "sku;weight\nA1;1\nA2;heavy\n");
    browser.click("New import");
    browser.choose(&wrong);
    browser.click("Look at it");
    browser.sees("heavy");
    browser.click("Import it now");
    is_over(browser, "succeeded with errors");
    browser.click_on("//a[contains(@href, '/source?line=3')]");
    browser.sees("A2;heavy");
    browser.run("history.back()");
    browser.sees("The refused records, corrected");
    browser.choose(&site.file("mended.csv", "sku;weight\nA2;2\n"));
    browser.click("Import them");
    browser.sees("mended.csv");
    is_over(browser, "succeeded");
}

fn find_article(browser: &Browser, catalogue: &Catalogue) {
    browser.click("Articles");
    browser.fill("text", catalogue.sku);
    browser.click("Show");
    browser.click(catalogue.sku);
    browser.sees(catalogue.name);
    if catalogue.picture.is_some() {
        let width = "return [...document.querySelectorAll('.gallery img')].map((image) => image.naturalWidth)[0] ?? 0";
        browser.run_long(
            "const done = arguments[0]; const image = document.querySelector('.gallery img'); \
                          image.complete ? done() : image.addEventListener('load', () => done())",
        );
        assert!(browser.run(width).as_i64().unwrap() > 100, "the picture is not there");
    }
    browser.click("Simulate a price");
    browser.click("Find the price");
    browser.sees("This price holds");
}

fn export(browser: &Browser, server: &Server, bearer: &(&str, &str)) {
    browser.click("Exports");
    browser.sees("1 orders were not handed out yet");
    browser.click_on("//input[@name='incremental']");
    browser.click("Start");
    is_over(browser, "succeeded");
    browser.click("Exports");
    browser.click("Confirm: export 1");
    browser.sees("0 orders were not handed out yet");
    let order = server.call("GET", "/api/v1/orders/X1", &[*bearer], b"").json();
    assert_eq!(order["order"]["exportState"], "exported", "{order}");
    browser.click("Orders");
    browser.click("X1");
    browser.sees("What became of it");
}

/// What becomes of the order, and prices of its customer, so that there is something to see.
fn move_on(server: &Server, bearer: &(&str, &str), catalogue: &Catalogue) {
    let price = |key: &str, of: Value, value: &str| {
        let mut entry = json!({"key": key, "sku": catalogue.sku, "price": {"value": value, "currency": "USD"}});
        entry.as_object_mut().unwrap().extend(of.as_object().unwrap().clone());
        entry
    };
    let part = json!([{"position": 1, "quantity": "1"}]);
    for (path, body) in [
        (
            "price-entries",
            json!({"entry": [price("p1", json!({"customer": "K1"}), "41.50"), price("p2", json!({"minimumQuantity": "5"}), "45")]}),
        ),
        (
            "documents",
            json!({"document": [
                {"number": "AB-7001", "kind": "orderConfirmation", "order": "X1"},
                {"number": "LS-8001", "kind": "deliveryNote", "order": "X1", "part": part},
                {"number": "RE-9001", "kind": "invoice", "order": "X1"}
            ]}),
        ),
        ("payments", json!({"payment": [{"key": "pay-1", "order": "X1", "state": "paid", "method": "card"}]})),
        (
            "shipments",
            json!({"shipment": [{"key": "s1", "order": "X1", "carrier": "Post", "trackingNumber": "99.00.1"}]}),
        ),
    ] {
        let headers = [*bearer, ("content-type", "application/json")];
        let put = server.call("POST", &format!("/api/v1/{path}"), &headers, body.to_string().as_bytes());
        assert!(put.status == 200 && !put.body.contains("\"failed\""), "{put:?}");
    }
}

fn replay(browser: &Browser) {
    browser.click("Messages");
    browser.fill("text", "X1");
    browser.click("Show");
    browser.click_on("//tr[contains(., 'Orders.CreateOrders')]//a");
    browser.click("Replay as a dry run");
    browser.sees("dry run, nothing was written");
    is_over(browser, "succeeded");
}

/// The pages, as pictures have them.
const PAGES: &[(&str, &str)] = &[
    ("overview", "/navigator"),
    ("runs", "/navigator/runs"),
    ("dry-run", "/navigator/runs/1"),
    ("run", "/navigator/runs/3"),
    ("source", "/navigator/runs/3/source?line=3&column=4"),
    ("import", "/navigator/import"),
    ("exports", "/navigator/exports"),
    ("channels", "/navigator/channels"),
    ("profiles", "/navigator/profiles"),
    ("profile", "/navigator/profiles/edit?name=luma-shop&ending=toml"),
    ("articles", "/navigator/articles"),
    ("categories", "/navigator/categories"),
    ("customers", "/navigator/customers"),
    ("customer", "/navigator/customer?number=K1"),
    ("orders", "/navigator/orders"),
    ("order", "/navigator/order?number=X1"),
    ("contracts", "/navigator/contracts"),
    ("contract", "/navigator/contract?service=Pricing"),
    ("operation", "/navigator/contract?service=Catalog&operation=GetArticle"),
    ("hooks", "/navigator/hooks"),
    ("messages", "/navigator/messages"),
    ("access", "/navigator/access"),
    ("system", "/navigator/system"),
    ("soap", "/soap/catalog"),
    ("api", "/api"),
];

/// Takes a picture of the whole page.
fn picture(browser: &Browser, base: &str, (name, path): (&str, &str), look: &str) {
    let folder = project("target/screenshots");
    std::fs::create_dir_all(&folder).unwrap();
    let (width, scheme) = match look {
        "phone" => (390, "light"),
        "dark" => (1280, "dark"),
        _ => (1280, "light"),
    };
    let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
    browser.command("Emulation.setEmulatedMedia", &media);
    let metrics = json!({"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": look == "phone"});
    browser.command("Emulation.setDeviceMetricsOverride", &metrics);
    browser.go(&format!("{base}{path}"));
    let overflow = browser.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth");
    assert!(overflow.as_i64().unwrap() <= 1, "{path} is {overflow} wider than a {look} of {width}");
    let size = browser.command("Page.getLayoutMetrics", &json!({}))["cssContentSize"].clone();
    let height = size["height"].as_f64().unwrap().clamp(400.0, 2_400.0);
    let clip = json!({"x": 0, "y": 0, "width": width, "height": height, "scale": 1});
    let wanted = json!({"format": "png", "captureBeyondViewport": true, "clip": clip});
    let shown = browser.command("Page.captureScreenshot", &wanted);
    let bytes = base64(shown["data"].as_str().unwrap());
    assert!(bytes.starts_with(b"\x89PNG") && bytes.len() > 8_000, "{name}: {} bytes", bytes.len());
    std::fs::write(folder.join(format!("{name}-{look}.png")), bytes).unwrap();
}

fn base64(text: &str) -> Vec<u8> {
    openssl::base64::decode_block(text).unwrap()
}

/// The address of the page of the price simulator for an article.
fn simulator(catalogue: &Catalogue) -> String {
    format!("/navigator/prices?sku={}&customer=K1&quantity=5&currency=USD", catalogue.sku)
}

#[test]
fn a_person_goes_through_all_of_it() {
    let (site, catalogue, axe) = (Site::new(Database::Sqlite), catalogue(), axe());
    let server = site.serve_with(&["capture-clients=*"]);
    let (base, axe) = (server.base.as_str(), axe.as_deref());
    let browser = Browser::start(&site.folder().join("browser"));
    is_sound(&browser, axe, base, "/navigator/setup");
    first_start(&browser, base);
    let secret = token(&browser);
    let bearer = format!("Bearer {secret}");
    let bearer = ("authorization", bearer.as_str());
    import(&browser, &catalogue);
    if let Some((name, file)) = &catalogue.picture {
        let put = server.call("PUT", &format!("/api/v1/pictures/{name}"), &[bearer], &std::fs::read(file).unwrap());
        assert!(put.status < 300, "{put:?}");
        is_ready(&server, &bearer, name);
    }
    correct(&browser, &site);
    find_article(&browser, &catalogue);
    let json = ("content-type", "application/json");
    let customer = json!({"customer": [{"number": "K1", "company": "Muster", "billingAddress": {"city": "Bern"}}]});
    server.call("POST", "/api/v1/customers", &[bearer, json], customer.to_string().as_bytes());
    let position = json!([{"sku": catalogue.sku, "quantity": "2", "unitPrice": "10", "taxPercent": "8.1"}]);
    let order = json!({"order": [{"number": "X1", "customer": "K1", "position": position}]});
    let made = server.call("POST", "/api/v1/orders", &[bearer, json], order.to_string().as_bytes());
    assert!(made.body.contains("\"created\""), "{made:?}");
    export(&browser, &server, &bearer);
    move_on(&server, &bearer, &catalogue);
    replay(&browser);
    let simulator = simulator(&catalogue);
    let article = format!("/navigator/article?sku={}", catalogue.sku);
    let more = [("prices", simulator.as_str()), ("article", &article)];
    for page in PAGES.iter().copied().chain(more) {
        is_sound(&browser, axe, base, page.1);
        for look in ["light", "dark", "phone"] {
            picture(&browser, base, page, look);
        }
    }
    browser.command("Emulation.clearDeviceMetricsOverride", &json!({}));
    browser.go(&format!("{base}/navigator/access"));
    browser.click_on("//form[contains(@action, 'revoke-token')]//button");
    browser.agree();
    browser.sees("revoked");
    assert_eq!(server.call("GET", "/api/v1/orders/X1", &[bearer], b"").status, 401);
    browser.click("Log out");
    browser.sees("Password");
    for look in ["light", "dark", "phone"] {
        picture(&browser, base, ("login", "/navigator/login"), look);
    }
    is_sound(&browser, axe, base, "/navigator/login");
    browser.go(&format!("{base}/navigator/runs"));
    browser.sees("Password");
}

fn is_ready(server: &Server, bearer: &(&str, &str), name: &str) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    loop {
        let picture = server.call("GET", &format!("/api/v1/pictures/{name}"), &[*bearer], b"").json();
        if picture["picture"]["state"] == "ready" {
            return;
        }
        assert!(std::time::Instant::now() < deadline, "{picture}");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}

/// With a run at work, its page moves by itself.
#[test]
fn a_page_moves_while_a_run_is_at_work() {
    let site = Site::new(Database::Sqlite);
    let table: String = (0..200_000).fold("sku;weight\n".to_owned(), |mut table, n| {
        table.push_str(&format!("A{n};{n}\n"));
        table
    });
    let file: &Path = &site.file("many.csv", table);
    let server = site.serve();
    let browser = Browser::start(&site.folder().join("browser"));
    browser.go(&format!("{}/navigator/import", server.base));
    browser.choose(file);
    browser.click("Look at it");
    browser.click("Import it now");
    browser.run("window.isTheSame = true");
    browser.sees("succeeded");
    browser.sees("200\u{202f}000");
    assert_eq!(browser.run("return window.isTheSame === true"), true, "the page was loaded anew");
}
