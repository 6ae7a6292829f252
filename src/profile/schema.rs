//! Requirements on schemas, in a WSDL or on their own.

use super::Findings;
use super::tree::{Element, WSDL, XSD};
use soapstone_contract::Contract;

const ENCODING: &str = "http://schemas.xmlsoap.org/soap/encoding/";
const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// Attributes whose value is a name, or several.
const NAMES: [&str; 7] = ["type", "base", "ref", "itemType", "memberTypes", "substitutionGroup", "refer"];

pub(super) fn check(root: &Element, contract: &Contract, trees: &[(&str, Element)], found: &mut Findings<'_>) {
    for schema in root.deep().into_iter().filter(|element| element.is(XSD, "schema")) {
        one(schema, contract, trees, found);
    }
    for import in root.deep() {
        for child in import.all(XSD, "import") {
            let is_in_schema = import.is(XSD, "schema");
            found.expect(is_in_schema, "R2003", child.line, || "an xsd:import stands outside of a schema".to_owned());
        }
    }
}

fn one(schema: &Element, contract: &Contract, trees: &[(&str, Element)], found: &mut Findings<'_>) {
    let imported: Vec<&str> = schema.all(XSD, "import").map(|i| i.attribute("namespace").unwrap_or("")).collect();
    let target = schema.attribute("targetNamespace").unwrap_or("");
    for import in schema.all(XSD, "import") {
        let location = import.attribute("schemaLocation").unwrap_or("");
        let to = contract.links.iter().find(|link| link.from == found.place && link.location == location);
        if let Some((_, tree)) = to.and_then(|link| trees.iter().find(|(name, _)| *name == link.to)) {
            found.expect(tree.is(XSD, "schema"), "R2011", import.line, || format!("{location} is no schema"));
        }
    }
    for element in schema.deep().into_iter().filter(|element| element.namespace == XSD) {
        for name in NAMES.iter().filter_map(|attribute| element.attribute(attribute)).flat_map(str::split_whitespace) {
            let (namespace, local) = element.resolved(name);
            // A chameleon takes the namespace of whoever includes it.
            let is_known = namespace == target
                || namespace.is_empty()
                || [XSD, XML].contains(&namespace.as_str())
                || imported.contains(&namespace.as_str());
            found.expect(is_known, "R2102", element.line, || {
                format!("{local} is in {namespace}, which is not imported")
            });
            let derives = matches!(element.local.as_str(), "extension" | "restriction");
            found.expect(!(derives && namespace == ENCODING && local == "Array"), "R2110", element.line, || {
                "a type is derived from soapenc:Array".to_owned()
            });
        }
        let has_array_type = element.attribute_of(WSDL, "arrayType").is_some();
        found.expect(!has_array_type, "R2111", element.line, || "there is a wsdl:arrayType".to_owned());
        if element.local == "element"
            && let Some(name) = element.attribute("name")
        {
            found.expect(!name.starts_with("ArrayOf"), "R2112", element.line, || format!("an element is named {name}"));
        }
    }
}
