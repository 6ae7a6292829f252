//! The projects in `examples/`, built and used as a newcomer would.

use crate::support::{Database, Site, project};
use serde_json::json;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// The program of an example.
pub fn built(name: &str) -> PathBuf {
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--offline", "--locked", "-p", name])
        .current_dir(project(""))
        .status()
        .unwrap();
    assert!(status.success());
    // Beside our own program.
    PathBuf::from(env!("CARGO_BIN_EXE_soapstone")).with_file_name(name)
}

/// An example's server, which ends with the test.
struct Running {
    child: Child,
    base: String,
}

impl Running {
    fn start(name: &str) -> Self {
        Self::start_with(name, &[])
    }

    fn start_with(name: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(built(name));
        let mut child = command.args(arguments).arg("127.0.0.1:0").stdout(Stdio::piped()).spawn().unwrap();
        let mut base = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut base).unwrap();
        Self { child, base: base.trim().to_owned() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_typed_client_calls_a_server_of_ones_own() {
    let server = Running::start("example-document-server");
    let client = built("example-client");
    let ask = |sku: &[&str]| {
        let address = format!("{}/soap/stock", server.base);
        let output = Command::new(&client).arg(address).args(sku).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(ask(&["AB-123", "AB-124"]).1, "AB-123: 7\nAB-124: 0\n");
    assert_eq!(ask(&["ZZ-999"]).1, "ZZ-999: unknown\n");
    let (code, _, error) = ask(&["nonsense"]);
    assert_eq!(code, Some(1));
    assert!(error.contains("pattern [A-Z]{2}-[0-9]{3}"), "{error}");
    let mut reply = ureq::get(&format!("{}/api/stock?sku=AB-123", server.base)).call().unwrap();
    assert_eq!(reply.body_mut().read_to_string().unwrap(), "{\"stock\":[{\"sku\":\"AB-123\",\"quantity\":\"7\"}]}");
}

#[test]
fn php_speaks_to_the_encoded_service() {
    let server = Running::start("example-rpc-encoded");
    let script = "
        $client = new SoapClient($argv[1], ['cache_wsdl' => WSDL_CACHE_NONE]);
        $session = $client->login('me', 'secret');
        foreach ($client->productList($session, ['MÜ-1']) as $product) {
            echo $product->product_id, ' ', $product->sku, ' ', $product->price, ' ', implode(',', $product->category_ids), \"\\n\";
        }
        echo count($client->productList($session, [])), \"\\n\";
        try { $client->login('me', 'wrong'); } catch (SoapFault $fault) { echo $fault->getMessage(), \"\\n\"; }
    ";
    let output = Command::new("php")
        .args(["-r", script, "--", &format!("{}/soap/shop?wsdl", server.base)])
        .output()
        .unwrap_or_else(|e| panic!("php: {e}; `make tools` installs it"));
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "1 MÜ-1 12.50 3,7\n2\nAccess denied.\n");
}

#[test]
fn headers_and_attachments_go_both_ways() {
    let server = Running::start_with("example-documents", &["serve"]);
    let file = tempfile::NamedTempFile::new().unwrap();
    // Large enough for a file on both sides.
    let content: Vec<u8> = (0..600_000_u32).flat_map(u32::to_le_bytes).collect();
    std::fs::write(file.path(), &content).unwrap();
    let address = format!("{}/soap/documents", server.base);
    let output = Command::new(built("example-documents")).arg("call").arg(&address).arg(file.path()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let left = (1_u64 << 30) - content.len() as u64;
    let told = format!(
        "stored {0} bytes, Some({left}) left\nfetched the same: true\nA picture: image/png, {0} bytes\nthe copy is the same: true\n",
        content.len()
    );
    assert_eq!(String::from_utf8(output.stdout).unwrap(), told);
}

#[test]
fn a_gateway_passes_headers_and_attachments_on() {
    let upstream = Running::start_with("example-documents", &["serve"]);
    let site = Site::new(Database::Sqlite);
    let address = format!("{}/soap/documents", upstream.base);
    let contract = project("examples/documents/wsdl/documents.wsdl");
    let gateway = site.serve_contract("gateway", &contract, &["--upstream", &address]);
    let headers = [("content-type", "application/json"), ("soap-header-caller", "{\"name\":\"\\u00fc\"}")];
    let stored = gateway.call("POST", "/api/Store", &headers, b"{\"name\":\"n\",\"content\":\"AAAA\"}");
    assert_eq!((stored.status, stored.body.as_str()), (200, "{\"size\":3}"), "{stored:?}");
    assert_eq!(stored.header("soap-header-quota"), "{\"left\":1073741821}");
    let without = gateway.call("POST", "/api/Store", &headers[..1], b"{\"name\":\"n\",\"content\":\"AAAA\"}");
    assert_eq!(without.status, 422, "{without:?}");
    assert!(without.body.contains("The header \\\"Caller\\\" is missing"), "{}", without.body);
    let picture = json!({"mediaType": "image/jpeg", "content": "AAAA"});
    let described = gateway.post_json("/api/Describe", &json!({"title": "t", "@attachments": {"picture": picture}}));
    assert_eq!(described.status, 200, "{described:?}");
    assert_eq!(described.json()["text"], "t: image/jpeg, 3 bytes");
    assert_eq!(described.json()["@attachments"]["copy"], picture);
    let operation = gateway.get("/openapi.json").json()["paths"]["/Store"]["post"].clone();
    assert_eq!(operation["parameters"][0]["name"], "Soap-Header-Caller", "{operation}");
    assert!(operation["responses"]["200"]["headers"]["Soap-Header-Quota"].is_object(), "{operation}");
}
