//! `soapstone contract`: what it says of contracts, right and wrong, and the code it prints.

mod diff;
mod dynamic;
pub mod examples;
mod flat;
mod hostile;
mod profile;

use crate::support::{Database, Site, contracts, project, shared};
use serde_json::Value;
use soapstone_codegen::{Generator, Parts};

#[test]
fn the_printed_code_is_what_the_build_compiles() {
    let site = Site::new(Database::Sqlite);
    let files = [project("wsdl/catalog.wsdl"), project("wsdl/exchange.wsdl")];
    let arguments = [files[0].to_str().unwrap(), files[1].to_str().unwrap()];
    let printed = site.run(&["contract", "rust", arguments[0], arguments[1]]).stdout;
    let mut generator = Generator::new();
    for file in &files {
        generator.add(file).unwrap();
    }
    assert_eq!(printed, generator.generate(Parts { server: true, ..Parts::default() }).unwrap());
}

#[test]
fn the_code_says_nothing_of_the_folder_that_the_contract_lay_in() {
    let site = Site::new(Database::Sqlite);
    let schema = "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema' targetNamespace='urn:a'>
        <xs:import namespace='http://www.w3.org/XML/1998/namespace'/>
        <xs:element name='a'><xs:complexType><xs:attribute ref='xml:lang'/></xs:complexType></xs:element></xs:schema>";
    let wsdl = "<definitions xmlns='http://schemas.xmlsoap.org/wsdl/' xmlns:s='http://schemas.xmlsoap.org/wsdl/soap/' xmlns:a='urn:a' targetNamespace='urn:a'>
        <types><xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'><xs:import namespace='urn:a' schemaLocation='types/a.xsd'/></xs:schema></types>
        <message name='m'><part name='p' element='a:a'/></message>
        <portType name='T'><operation name='Do'><input message='a:m'/></operation></portType>
        <binding name='B' type='a:T'><s:binding transport='http://schemas.xmlsoap.org/soap/http'/>
        <operation name='Do'><s:operation soapAction=''/><input><s:body use='literal'/></input></operation></binding></definitions>";
    let mut printed = Vec::new();
    for folder in ["one", "another/deeper"] {
        let types = site.folder().join(folder).join("types");
        std::fs::create_dir_all(&types).unwrap();
        std::fs::write(types.join("a.xsd"), schema).unwrap();
        let file = site.folder().join(folder).join("a.wsdl");
        std::fs::write(&file, wsdl).unwrap();
        let output = site.run(&["contract", "rust", file.to_str().unwrap()]);
        assert_eq!(output.code, 0, "{output:?}");
        printed.push(output.stdout);
    }
    assert!(printed[0].contains("name: \"types/a.xsd\""));
    assert_eq!(printed[0], printed[1]);
}

#[test]
fn our_own_contracts_are_right() {
    let site = Site::new(Database::Sqlite);
    let output = site.run(&["contract", "check", project("wsdl").to_str().unwrap(), project("xsd").to_str().unwrap()]);
    assert_eq!(output.code, 0, "{output:?}");
    // Each contract and its REST binding, the schemas, and a line on all.
    for name in contracts() {
        let mut files = vec![format!("wsdl/{name}.wsdl: ok"), format!("xsd/{name}.xsd: ok")];
        // Listeners are called by SOAP; web hooks need no binding.
        if name != "listener" {
            files.push(format!("wsdl/{name}.rest.wsdl: ok"));
        }
        for file in files {
            assert!(output.stdout.contains(&file), "{file}: {}", output.stdout);
        }
    }
}

#[test]
fn a_contract_that_is_wrong_is_told_by_its_place() {
    let site = Site::new(Database::Sqlite);
    let wsdl = std::fs::read_to_string(project("wsdl/catalog.wsdl")).unwrap();
    let wsdl = wsdl.replace("../xsd/", &format!("{}/", project("xsd").display()));
    let line_of = |text: &str| wsdl.lines().position(|line| line.contains(text)).unwrap() + 1;
    for (right, wrong, line) in [
        ("type=\"cat:Catalog\">", "type=\"cat:Katalog\">", "<wsdl:binding name=\"CatalogSoap11\""),
        ("element=\"cat:GetArticle\"/>", "element=\"cat:GetArtikel\"/>", "element=\"cat:GetArticle\"/>"),
        (
            "message=\"cat:GetArticleRequest\"",
            "message=\"cat:GetArtikelRequest\"",
            "<wsdl:operation name=\"GetArticle\">",
        ),
        ("binding=\"cat:CatalogSoap12\"", "binding=\"nowhere:CatalogSoap12\"", "binding=\"cat:CatalogSoap12\""),
    ] {
        let file = site.file("wrong.wsdl", wsdl.replacen(right, wrong, 1));
        let output = site.run(&["contract", "check", file.to_str().unwrap(), "--json"]);
        assert_eq!(output.code, 1, "{output:?}");
        let told: Value = serde_json::from_str(&output.stdout).unwrap();
        assert_eq!(told["verdict"], "invalid", "{told}");
        let problem = &told["problems"][0];
        assert_eq!(problem["line"], line_of(line), "{wrong}: {problem}");
        assert!(problem["remedy"].as_str().is_some_and(|remedy| !remedy.is_empty()), "{problem}");
    }
}

#[test]
fn contracts_of_others_give_a_verdict_each() {
    let Some(folder) = shared("corpus/wsdl") else { return };
    let site = Site::new(Database::Sqlite);
    let output = site.run(&["contract", "check", folder.to_str().unwrap(), "--json"]);
    assert!(output.stderr.is_empty(), "{}", output.stderr);
    let lines: Vec<Value> = output.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.len() > 200, "{}", lines.len());
    for line in &lines {
        let problems = line["problems"].as_array().unwrap();
        assert!(line["verdict"] == "ok" || !problems.is_empty(), "{line}");
        for problem in problems {
            assert!(problem["message"].is_string() && problem["code"].is_string(), "{line}");
        }
    }
    let ok = lines.iter().filter(|line| line["verdict"] == "ok").count();
    println!("{ok} of {} are ok", lines.len());
}

#[test]
fn a_crate_that_is_written_compiles_as_it_is() {
    let site = Site::new(Database::Sqlite);
    let folder = site.folder().join("crate");
    let contract = project("examples/document-server/wsdl/stock.wsdl");
    let arguments = ["contract", "rust", contract.to_str().unwrap(), "--out", folder.to_str().unwrap()];
    let output = site.run(&[&arguments[..], &["--emit", "types,server,client"]].concat());
    assert_eq!(output.code, 0, "{output:?}");
    let again = site.run(&["contract", "rust", contract.to_str().unwrap(), "--emit", "types,server,client"]);
    assert_eq!(std::fs::read_to_string(folder.join("src/lib.rs")).unwrap(), again.stdout);
    // The versions that are there, and what was compiled of them already.
    std::fs::copy(project("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let checked = std::process::Command::new(env!("CARGO"))
        .args(["clippy", "--quiet", "--offline", "--", "-D", "warnings"])
        .current_dir(&folder)
        .env("CARGO_TARGET_DIR", project("target/conformance/target"))
        .output()
        .unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    let types = site.run(&["contract", "rust", contract.to_str().unwrap(), "--emit", "types"]).stdout;
    assert!(
        types.contains("pub struct GetStock") && !types.contains("pub trait") && !types.contains("Client"),
        "{types}"
    );
}
