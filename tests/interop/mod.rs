//! SOAP clients that others wrote, each doing the same things and printing what it got; what they print must agree.

use crate::support::{Database, Server, Site, on_each_database, project};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What every client must see, whichever SOAP version it speaks.
const EXPECTED: &str = include_str!("expected.txt");

/// Debian's own Python, which has Debian's zeep.
const DEBIAN_PYTHON: &str = "/usr/bin/python3";

fn check(server: &Server, command: &mut Command) {
    let output = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}; `make tools` installs the clients"));
    let printed = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(printed, EXPECTED, "\n{errors}\n{}", server.log());
    assert!(output.status.success(), "{errors}");
}

on_each_database! {
    fn zeep(database) {
        for version in ["1.1", "1.2"] {
            let server = Site::new(database).serve();
            check(&server, Command::new(DEBIAN_PYTHON).arg(project("tests/interop/zeep_client.py")).args([&server.base, version]));
        }
    }

    fn php(database) {
        for version in ["1.1", "1.2"] {
            let server = Site::new(database).serve();
            check(&server, Command::new("php").arg(project("tests/interop/client.php")).args([&server.base, version]));
        }
    }
}

#[test]
fn gsoap() {
    let site = Site::new(Database::Sqlite);
    let client = build_gsoap(site.folder(), &site.serve());
    for version in ["1.1", "1.2"] {
        let server = Site::new(Database::Sqlite).serve();
        check(&server, Command::new(&client).args([&server.base, version]));
    }
}

/// From the served contract to a C++ program, as gSOAP's manual has it.
fn build_gsoap(folder: &Path, server: &Server) -> PathBuf {
    let run = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).current_dir(folder).output();
        let output = output.unwrap_or_else(|e| panic!("{program}: {e}; `make tools` installs the clients"));
        assert!(
            output.status.success(),
            "{program}: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    };
    run("wsdl2h", &["-O2", "-o", "catalog.h", &format!("{}/soap/catalog?wsdl", server.base)]);
    run("soapcpp2", &["-j", "-C", "-x", "-I/usr/share/gsoap/import", "catalog.h"]);
    let main = project("tests/interop/gsoap_client.cpp");
    let main = main.to_str().unwrap();
    run(
        "g++",
        &["-O0", "-o", "client", "-I.", main, "soapC.cpp", "soapCatalogSoap11Proxy.cpp", "-lgsoap++", "-lgsoap"],
    );
    folder.join("client")
}
