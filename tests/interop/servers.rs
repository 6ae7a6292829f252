//! Our own generated client (`examples/client`) against servers that others wrote, all from one contract.

use super::clients::{build, installed, jars, source};
use crate::contract::examples::built;
use crate::support::project;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const CONTRACT: &str = "examples/document-server/wsdl/stock.wsdl";

/// A server that others wrote, which ends with the test.
struct Foreign {
    child: Child,
    address: String,
}

impl Foreign {
    /// Starts a program that is told its port, and waits until it listens.
    fn start(command: impl FnOnce(u16) -> Command) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = command(port);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = child.unwrap_or_else(|e| panic!("{command:?}: {e}; `make tools`, or `make interop`, installs it"));
        let foreign = Self { child, address: format!("http://127.0.0.1:{port}/") };
        let deadline = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "{command:?} does not listen");
            std::thread::sleep(Duration::from_millis(50));
        }
        foreign
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks for articles that are there, for one that is not, and again.
fn check(server: &Foreign) {
    let client = built("example-client");
    for (asked, told) in [
        (&["AB-123", "AB-124", "AB-125"][..], "AB-123: 7.25\nAB-124: 0\nAB-125: 0.123456789012345678\n"),
        (&["AB-123", "ZZ-999"], "ZZ-999: unknown\n"),
        (&["AB-124"], "AB-124: 0\n"),
    ] {
        let output = Command::new(&client).arg(&server.address).args(asked).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), told, "{}", String::from_utf8_lossy(&output.stderr));
    }
}

fn contract() -> String {
    project(CONTRACT).display().to_string()
}

#[test]
fn in_php() {
    check(&Foreign::start(|port| {
        let mut command = Command::new("php");
        command.arg("-S").arg(format!("127.0.0.1:{port}")).arg(source("servers/stock.php"));
        command.env("STOCK_WSDL", contract());
        command
    }));
}

#[test]
fn by_gsoap() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    build(path, "wsdl2h", &["-O2", "-o", "stock.h", &contract()]);
    build(path, "soapcpp2", &["-1", "-j", "-S", "-x", "-I/usr/share/gsoap/import", "stock.h"]);
    let main = source("servers/stock.cpp");
    let generated = ["soapC.cpp", "soapStockSoapService.cpp"];
    build(
        path,
        "g++",
        &[&["-O0", "-o", "server", "-I.", main.to_str().unwrap()], &generated[..], &["-lgsoap++"]].concat(),
    );
    let program = path.join("server");
    check(&Foreign::start(|port| {
        let mut command = Command::new(program);
        command.arg(port.to_string());
        command
    }));
}

#[test]
#[ignore = "make interop installs it"]
fn in_node() {
    let folder = tempfile::tempdir().unwrap();
    let script = with_packages(folder.path(), "servers/stock.js");
    check(&Foreign::start(|port| {
        let mut command = Command::new("node");
        command.arg(script).arg(port.to_string()).arg(contract());
        command
    }));
}

/// A script in a folder where its packages are found.
fn with_packages(folder: &Path, script: &str) -> std::path::PathBuf {
    let copied = folder.join("server.js");
    std::fs::copy(source(script), &copied).unwrap();
    std::os::unix::fs::symlink(installed("node_modules"), folder.join("node_modules")).unwrap();
    copied
}

#[test]
#[ignore = "make interop installs it"]
fn by_metro() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for made in ["src", "out"] {
        std::fs::create_dir(path.join(made)).unwrap();
    }
    let jars = jars("metro");
    let tool = ["-cp", &jars, "com.sun.tools.ws.WsImport", "-quiet", "-Xnocompile", "-s", "src", "-p", "stock"];
    build(path, "java", &[&tool[..], &[&contract()]].concat());
    let main = source("servers/StockServer.java");
    let compiler = ["-nowarn", "-cp", &jars, "-sourcepath", "src", "-d", "out", "src/stock/package-info.java"];
    build(path, "javac", &[&compiler[..], &[main.to_str().unwrap()]].concat());
    let class_path = format!("{}:{jars}", path.join("out").display());
    check(&Foreign::start(|port| {
        let mut command = Command::new("java");
        command.args(["-cp", &class_path, "StockServer"]).arg(port.to_string());
        command
    }));
}
