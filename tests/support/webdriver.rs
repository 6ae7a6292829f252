//! A browser that is driven as a person would, by WebDriver: Debian's Chromium behind its chromedriver.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use ureq::Agent;
use ureq::http::Request;

/// What WebDriver calls a reference to an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// How long a page may take to show what is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

pub struct Browser {
    driver: Child,
    session: String,
    agent: Agent,
}

impl Browser {
    /// Starts one with a profile of its own; it may not look beyond this machine.
    pub fn start(profile: &Path) -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|e| panic!("chromedriver: {e}; `make tools` installs it"));
        let mut said = BufReader::new(driver.stdout.take().unwrap()).lines().map_while(Result::ok);
        let port = said.find_map(|line| {
            let port = line.split("started successfully on port ").nth(1)?;
            Some(port.trim_end_matches('.').to_owned())
        });
        let address = format!("http://127.0.0.1:{}", port.expect("chromedriver tells its port"));
        // What it says later must not fill the pipe.
        std::thread::spawn(move || said.for_each(drop));
        let agent: Agent = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(60)))
            .build()
            .into();
        let profile = format!("--user-data-dir={}", profile.display());
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--lang=en",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            &profile,
        ];
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "goog:chromeOptions": {"args": arguments}
        }}});
        let mut browser = Self { driver, session: format!("{address}/session"), agent };
        let begun = browser.ask("POST", "", &wanted);
        let id = begun["sessionId"].as_str().unwrap_or_else(|| panic!("no session: {begun}")).to_owned();
        browser.session = format!("{address}/session/{id}");
        browser
    }

    fn try_ask(&self, method: &str, path: &str, body: &Value) -> Result<Value, Value> {
        let request = Request::builder().method(method).uri(format!("{}{path}", self.session));
        let request = request.header("content-type", "application/json");
        let body = if method == "GET" || method == "DELETE" { String::new() } else { body.to_string() };
        let mut response = self.agent.run(request.body(body.as_bytes()).unwrap()).unwrap();
        let mut text = String::new();
        response.body_mut().as_reader().read_to_string(&mut text).unwrap();
        let value: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
        if response.status().is_success() { Ok(value["value"].clone()) } else { Err(value["value"].clone()) }
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        self.try_ask(method, path, body).unwrap_or_else(|wrong| panic!("{method} {path} {body}: {wrong}"))
    }

    pub fn go(&self, address: &str) {
        self.ask("POST", "/url", &json!({"url": address}));
    }

    pub fn address(&self) -> String {
        self.ask("GET", "/url", &Value::Null).as_str().unwrap().to_owned()
    }

    /// The first element that an XPath finds, as soon as there is one.
    fn find(&self, path: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.try_ask("POST", "/element", &json!({"using": "xpath", "value": path})) {
                Ok(found) => return found[ELEMENT].as_str().unwrap().to_owned(),
                Err(wrong) if Instant::now() > deadline => {
                    panic!("{path} is not on {}: {wrong}\n{}", self.address(), self.text())
                }
                Err(_) => std::thread::sleep(Duration::from_millis(50)),
            }
        }
    }

    /// Clicks what an XPath finds; once more if the page was drawn anew in between.
    pub fn click_on(&self, path: &str) {
        for attempt in 0.. {
            let element = self.find(path);
            match self.try_ask("POST", &format!("/element/{element}/click"), &json!({})) {
                Ok(_) => return,
                Err(wrong) if wrong["error"] == "stale element reference" && attempt < 5 => {}
                Err(wrong) => panic!("{path} cannot be clicked: {wrong}"),
            }
        }
    }

    /// Clicks a link or button by what it says.
    pub fn click(&self, says: &str) {
        self.click_on(&format!("(//a|//button|//summary)[normalize-space(.)={says:?} or @aria-label={says:?}]"));
    }

    /// Types into the field of that name.
    pub fn fill(&self, name: &str, text: &str) {
        let element = self
            .find(&format!("//main//*[(self::input or self::textarea) and @name={name:?} and not(@type='hidden')]"));
        if !text.starts_with('/') {
            // Files cannot be cleared.
            let _ = self.try_ask("POST", &format!("/element/{element}/clear"), &json!({}));
        }
        self.ask("POST", &format!("/element/{element}/value"), &json!({"text": text}));
    }

    /// Chooses a file.
    pub fn choose(&self, file: &Path) {
        let element = self.find("//input[@type='file']");
        self.ask(
            "POST",
            &format!("/element/{element}/value"),
            &json!({"text": file.canonicalize().unwrap().to_str().unwrap()}),
        );
    }

    /// Waits until the page says something.
    pub fn sees(&self, text: &str) {
        self.find(&format!("//body[contains(normalize-space(.), \"{text}\")]"));
    }

    /// All that the page says.
    pub fn text(&self) -> String {
        self.run("return document.body.innerText").as_str().unwrap_or_default().to_owned()
    }

    pub fn run(&self, script: &str) -> Value {
        self.ask("POST", "/execute/sync", &json!({"script": script, "args": []}))
    }

    /// Runs a script that calls its last argument when it is done.
    pub fn run_long(&self, script: &str) -> Value {
        self.ask("POST", "/execute/async", &json!({"script": script, "args": []}))
    }

    /// Answers what the page asks with yes.
    pub fn agree(&self) {
        self.ask("POST", "/alert/accept", &json!({}));
    }

    /// Speaks to the browser itself.
    pub fn command(&self, name: &str, parameters: &Value) -> Value {
        self.ask("POST", "/goog/cdp/execute", &json!({"cmd": name, "params": parameters}))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.try_ask("DELETE", "", &Value::Null);
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
