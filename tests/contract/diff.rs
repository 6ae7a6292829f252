//! `soapstone contract diff`: each change told by whom it concerns. The cases are changes to one contract.

use crate::support::{Database, Site, project};

/// What is replaced by what in the stock's contract, the exit code, and what is said.
const CASES: &[(&str, &str, i32, &str)] = &[
    ("How much of what there is.", "How much there is.", 0, "Nothing changed"),
    ("Tells the stock of articles.", "Tells stocks.", 0, "cosmetic   Stock.GetStock: the documentation changed"),
    ("location=\"http://localhost/soap/stock\"", "location=\"http://elsewhere/\"", 0, "the address changed"),
    (
        "name=\"sku\" type=\"t:Sku\" maxOccurs=\"unbounded\"",
        "name=\"sku\" type=\"t:Sku\" minOccurs=\"0\" maxOccurs=\"unbounded\"",
        5,
        "compatible Stock.GetStock request/GetStock/sku: minOccurs 1 has become 0",
    ),
    (
        "name=\"sku\" type=\"t:Sku\" maxOccurs=\"unbounded\"",
        "name=\"sku\" type=\"t:Sku\" maxOccurs=\"5\"",
        6,
        "breaking   Stock.GetStock request/GetStock/sku: maxOccurs unbounded has become 5",
    ),
    (
        "name=\"quantity\" type=\"xs:decimal\"",
        "name=\"quantity\" type=\"xs:int\"",
        5,
        "compatible Stock.GetStock response/GetStockResponse/stock/quantity: xs:decimal has become xs:int",
    ),
    (
        "name=\"quantity\" type=\"xs:decimal\"",
        "name=\"quantity\" type=\"xs:string\"",
        6,
        "xs:decimal has become xs:string",
    ),
    (
        "name=\"quantity\" type=\"xs:decimal\"",
        "name=\"amount\" type=\"xs:decimal\"",
        6,
        "breaking   Stock.GetStock response/GetStockResponse/stock/quantity: the element is gone",
    ),
    ("soapAction=\"urn:example:stock/GetStock\"", "soapAction=\"urn:other\"", 6, "the SOAPAction"),
    ("[A-Z]{2}-[0-9]{3}", "[A-Z]{2}-[0-9]{4}", 6, "the pattern changed"),
    ("<wsdl:fault name=\"UnknownArticle\" message=\"t:UnknownArticleFault\"/>", "", 5, "is gone"),
];

#[test]
fn changes_are_told_by_whom_they_concern() {
    let site = Site::new(Database::Sqlite);
    let old = project("examples/document-server/wsdl/stock.wsdl");
    let text = std::fs::read_to_string(&old).unwrap();
    for (before, after, code, said) in CASES {
        assert!(text.contains(before), "{before}");
        let mut new = text.replacen(before, after, 1);
        if after.is_empty() {
            new = new.replace("<wsdl:fault name=\"UnknownArticle\"><soap:fault name=\"UnknownArticle\" use=\"literal\"/></wsdl:fault>", "");
        }
        let new = site.file("new.wsdl", new);
        let output = site.run(&["contract", "diff", old.to_str().unwrap(), new.to_str().unwrap()]);
        assert_eq!(output.code, *code, "{after}: {output:?}");
        assert!(output.stdout.contains(said), "{after}: {}", output.stdout);
    }
}

#[test]
fn an_operation_more_is_compatible_and_one_less_breaks() {
    let site = Site::new(Database::Sqlite);
    let catalog = project("wsdl/catalog.wsdl");
    let text = std::fs::read_to_string(&catalog).unwrap().replace("../xsd/", &format!("{}/", project("xsd").display()));
    let renamed = site.file(
        "renamed.wsdl",
        text.replace("\"GetArticle\"", "\"FetchArticle\"").replace("cat:FetchArticle\"", "cat:GetArticle\""),
    );
    let told = site.json(&["contract", "diff", catalog.to_str().unwrap(), renamed.to_str().unwrap()]);
    assert_eq!(told["impact"], "breaking", "{told}");
    let changes = told["changes"].to_string();
    assert!(changes.contains("the operation is gone") && changes.contains("the operation is new"), "{changes}");
}
