//! One article of a catalogue as the contract has it.

use super::super::Along;
use super::super::tree::Node;
use super::header::Catalogue;
use super::prices::{Prices, tax_class};
use crate::domain::basket::Selling;
use crate::domain::{Defaults, Issue, Rules};
use bigdecimal::BigDecimal;
use serde_json::{Map, Value, json};
use soapstone_contracts::catalog::{AttributeDefinition, Category};
use soapstone_contracts::common::Text;
use soapstone_runtime::Nillable;
use std::collections::HashSet;

/// How many attributes are remembered as defined: then all may be defined once more.
const MAX_DEFINED: usize = 100_000;

/// How much of a wrong number is told.
const SHOWN_CHARS: usize = 100;

/// Reads articles, with what was learned of the catalogue so far.
pub(super) struct Reading {
    pub catalogue: Catalogue,
    pub defaults: Defaults,
    pub selling: Selling,
    /// Attributes that were defined already.
    defined: HashSet<String>,
}

/// A record as REST has it.
pub(super) fn value<T: soapstone_runtime::Value>(record: &T) -> Value {
    serde_json::from_str(&soapstone_runtime::json::to_string(record)).unwrap_or_default()
}

/// A group as a category; None: it has no key, or is the catalogue itself.
pub(super) fn category(node: &Node, catalogue: &mut Catalogue) -> Option<Category> {
    let id = node.text_at("CLASSIFICATION_GROUP_ID|GROUP_ID")?.to_owned();
    if node.name == "CATALOG_STRUCTURE" && node.attribute("type") == Some("root") {
        catalogue.root = Some(id);
        return None;
    }
    let parent = node.text_at("CLASSIFICATION_GROUP_PARENT_ID|PARENT_ID");
    let parent = parent.filter(|parent| Some(*parent) != catalogue.root.as_deref() && *parent != "0");
    let name = |name: &Node| Some(Text { language: catalogue.language_of(name), value: name.text()?.to_owned() });
    Some(Category {
        id,
        parent: parent.map(|parent| Nillable::Value(parent.to_owned())),
        position: node.text_at("GROUP_ORDER|CLASSIFICATION_GROUP_ORDER").and_then(|order| order.parse().ok()),
        name: node.all("CLASSIFICATION_GROUP_NAME|GROUP_NAME").into_iter().filter_map(name).collect(),
        ..Category::default()
    })
}

/// What the members of an article are made of.
struct Members {
    members: Map<String, Value>,
    attributes: Vec<Value>,
}

impl Members {
    fn put(&mut self, member: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.members.insert(member.to_owned(), value.into());
        }
    }

    /// A member that may be there several times; none is as if nothing were said.
    fn put_all(&mut self, member: &str, values: Vec<Value>) {
        if !values.is_empty() {
            self.members.insert(member.to_owned(), Value::Array(values));
        }
    }

    fn attribute(&mut self, code: impl AsRef<str>, value: Option<&str>) {
        // A key is a token: without blanks at its ends, or two of them together.
        let code = code.as_ref().split_whitespace().collect::<Vec<_>>().join(" ");
        let code: String = code.chars().take(255).collect();
        if let Some(value) = value.filter(|_| !code.is_empty()) {
            self.attributes.push(json!({"code": code, "value": value}));
        }
    }
}

/// What a reference says of the other article.
fn relation(kind: &str) -> &'static str {
    match kind {
        "followup" => "successor",
        "accessories" | "sparepart" | "consists_of" | "mandatory" => "accessory",
        "select" => "option",
        "upselling" | "upsell" => "upSell",
        _ => "crossSell",
    }
}

impl Reading {
    pub fn new(catalogue: Catalogue, rules: &Rules) -> Self {
        let (defaults, selling) = (rules.defaults.clone(), rules.selling.clone());
        Self { catalogue, defaults, selling, defined: HashSet::new() }
    }

    /// The article as REST has it, and what comes along.
    pub fn article(&mut self, node: &Node, sku: &str) -> Result<(Value, Along), Vec<Issue>> {
        let mut members = Members { members: Map::new(), attributes: Vec::new() };
        let mut along = Along::default();
        members.put("sku", Some(sku));
        for details in node.all("ARTICLE_DETAILS|PRODUCT_DETAILS") {
            self.details(details, &mut members);
        }
        let mut categories = self.catalogue.groups.get(sku).cloned().unwrap_or_default();
        for features in node.all("ARTICLE_FEATURES|PRODUCT_FEATURES") {
            self.features(features, &mut members, &mut categories, &mut along);
        }
        categories.dedup();
        members.put_all("category", categories.into_iter().map(Value::from).collect());
        Self::order_details(node, &mut members)?;
        Prices::read(self, node, sku)?.put(&mut members.members, &mut members.attributes, &mut along);
        if let Some(tax) = node.text_at("ARTICLE_PRICE_DETAILS|PRODUCT_PRICE_DETAILS/ARTICLE_PRICE|PRODUCT_PRICE/TAX") {
            match tax_class(&self.selling, tax) {
                Some(class) => members.put("taxClass", Some(class)),
                None => members.attribute("tax", Some(tax)),
            }
        }
        self.media(node, &mut members);
        let reference = |reference: &Node| {
            let to = reference.text_at("ART_ID_TO|PROD_ID_TO")?;
            Some(json!({"kind": relation(reference.attribute("type").unwrap_or("")), "value": to}))
        };
        let references = node.all("ARTICLE_REFERENCE|PRODUCT_REFERENCE");
        members.put_all("relation", references.into_iter().filter_map(reference).collect());
        logistics(node, &mut members);
        for extension in node.all("USER_DEFINED_EXTENSIONS").into_iter().flat_map(Node::leaves) {
            members.attribute(extension.0, Some(extension.1));
        }
        let Members { mut members, attributes } = members;
        if !attributes.is_empty() {
            members.insert("attribute".to_owned(), Value::Array(attributes));
        }
        Ok((Value::Object(members), along))
    }

    fn texts(&self, nodes: Vec<&Node>) -> Vec<Value> {
        let text = |node: &Node| {
            let value = node.text()?;
            Some(match self.catalogue.language_of(node) {
                Some(language) => json!({"value": value, "language": language}),
                None => json!({"value": value}),
            })
        };
        nodes.into_iter().filter_map(text).collect()
    }

    fn details(&self, details: &Node, members: &mut Members) {
        members.put_all("name", self.texts(details.all("DESCRIPTION_SHORT")));
        members.put_all("longText", self.texts(details.all("DESCRIPTION_LONG")));
        members.put_all("shortText", self.texts(details.all("REMARKS")));
        let is_gtin = |node: &&Node| {
            matches!(node.attribute("type").map(str::to_ascii_lowercase).as_deref(), Some("gtin" | "ean"))
        };
        let international = details.all("INTERNATIONAL_PID").into_iter().find(is_gtin).and_then(Node::text);
        members.put("gtin", details.text_at("EAN").or(international));
        members.put("manufacturer", details.text_at("MANUFACTURER_NAME"));
        members.put("manufacturerNumber", details.text_at("MANUFACTURER_AID|MANUFACTURER_PID"));
        members.put("deliveryTime", details.text_at("DELIVERY_TIME"));
        let words: Vec<&str> = details.all("KEYWORD").into_iter().filter_map(Node::text).collect();
        members.put("metaKeywords", (!words.is_empty()).then(|| words.join(", ")));
        members.attribute("supplierAltId", details.text_at("SUPPLIER_ALT_AID|SUPPLIER_ALT_PID"));
        for buyer in details.all("BUYER_AID|BUYER_PID") {
            let code = buyer.attribute("type").map_or_else(|| "buyerId".to_owned(), |of| format!("buyerId.{of}"));
            members.attribute(code, buyer.text());
        }
        for class in details.all("SPECIAL_TREATMENT_CLASS") {
            members.attribute(format!("specialTreatment.{}", class.attribute("type").unwrap_or("")), class.text());
        }
        for status in details.all("ARTICLE_STATUS|PRODUCT_STATUS") {
            members.attribute("status", status.text());
            members.attribute("statusType", status.attribute("type"));
        }
    }

    fn features(&mut self, features: &Node, members: &mut Members, categories: &mut Vec<String>, along: &mut Along) {
        let system = features.text_at("REFERENCE_FEATURE_SYSTEM_NAME");
        for group in features.all("REFERENCE_FEATURE_GROUP_ID").into_iter().filter_map(Node::text) {
            match system {
                Some(system) if !self.catalogue.systems.contains(system) => members.attribute(system, Some(group)),
                _ => categories.push(group.to_owned()),
            }
        }
        for feature in features.all("FEATURE") {
            let Some(name) = feature.first("FNAME").filter(|name| name.text().is_some()) else { continue };
            let code = name.text().unwrap_or_default();
            // What there is to choose from is what the article may be.
            for value in ["FVALUE", "VARIANTS/VARIANT/FVALUE"].into_iter().flat_map(|path| feature.all(path)) {
                members.attribute(code, value.text());
            }
            if self.defined.len() >= MAX_DEFINED {
                self.defined.clear();
            }
            if self.defined.insert(code.to_owned()) {
                let named = Text { language: self.catalogue.language_of(name), value: code.to_owned() };
                along.attributes.push(AttributeDefinition {
                    code: code.split_whitespace().collect::<Vec<_>>().join(" "),
                    name: vec![named],
                    unit: feature.text_at("FUNIT").map(|unit| Nillable::Value(unit.to_owned())),
                    ..AttributeDefinition::default()
                });
            }
        }
    }

    /// The units. Articles are counted, and priced, in what they are ordered in.
    fn order_details(node: &Node, members: &mut Members) -> Result<(), Vec<Issue>> {
        let Some(details) = node.first("ARTICLE_ORDER_DETAILS|PRODUCT_ORDER_DETAILS") else { return Ok(()) };
        let number = |name: &str| details.text_at(name).map(|text| decimal(name, text)).transpose();
        let one = BigDecimal::from(1);
        members.put("unit", details.text_at("ORDER_UNIT"));
        members.attribute("contentUnit", details.text_at("CONTENT_UNIT"));
        for (name, code) in [
            ("NO_CU_PER_OU", "contentQuantity"),
            ("QUANTITY_MIN", "quantityMin"),
            ("QUANTITY_INTERVAL", "quantityInterval"),
        ] {
            if number(name)?.is_some_and(|number| number != one) {
                members.attribute(code, details.text_at(name));
            }
        }
        Ok(())
    }

    fn media(&self, node: &Node, members: &mut Members) {
        let mut media = Vec::new();
        for mime in node.all("MIME_INFO/MIME") {
            let Some(source) = mime.text_at("MIME_SOURCE") else { continue };
            let is_picture = mime.text_at("MIME_TYPE").is_none_or(|of| of.starts_with("image/"));
            let purpose = mime.text_at("MIME_PURPOSE");
            let role = match purpose {
                None | Some("normal" | "detail") if is_picture => None,
                None => Some("document"),
                purpose => purpose,
            };
            let address = match &self.catalogue.files {
                Some(root) if !source.contains("://") => format!("{root}/{source}"),
                _ => source.to_owned(),
            };
            let order = mime.text_at("MIME_ORDER").and_then(|order| order.parse::<i32>().ok());
            let mut one = json!({"value": address});
            if let Some(role) = role {
                one["role"] = json!(role);
            }
            if let Some(order) = order {
                one["position"] = json!((order - 1).max(0));
            }
            media.push(one);
        }
        members.put_all("media", media);
    }
}

fn logistics(node: &Node, members: &mut Members) {
    // In 1.2 some have them among the details of the order.
    for details in node.all("ARTICLE_LOGISTIC_DETAILS|PRODUCT_LOGISTIC_DETAILS") {
        members.attribute("customsTariffNumber", details.text_at("CUSTOMS_TARIFF_NUMBER/CUSTOMS_NUMBER"));
        members.attribute("countryOfOrigin", details.text_at("COUNTRY_OF_ORIGIN"));
        let Some(size) = details.first("PRODUCT_DIMENSIONS|ARTICLE_DIMENSIONS") else { continue };
        for (name, member) in [("WEIGHT", "weight"), ("LENGTH", "length"), ("WIDTH", "width"), ("DEPTH", "height")] {
            members.put(member, size.text_at(name));
        }
        members.attribute("volume", size.text_at("VOLUME"));
    }
}

/// How long a number may be, and how many zeros its exponent may stand for: it is written out later on.
const MAX_NUMBER_LEN: usize = 400;

/// A number as foreign formats have it, with a point for decimals, and an exponent perhaps.
pub(in crate::exchange::formats) fn number(text: &str) -> Option<BigDecimal> {
    let number = Some(text).filter(|text| text.len() <= MAX_NUMBER_LEN)?.parse::<BigDecimal>().ok()?;
    let zeros = number.fractional_digit_count().unsigned_abs();
    (zeros <= MAX_NUMBER_LEN as u64).then_some(number)
}

/// A number, with a point for decimals.
pub(in crate::exchange::formats) fn decimal(field: &str, text: &str) -> Result<BigDecimal, Vec<Issue>> {
    number(text).ok_or_else(|| {
        let shown: String = text.chars().take(SHOWN_CHARS).collect();
        let issue = Issue::error("source.number", format!("\"{shown}\" is no number")).of(field, text);
        vec![issue.suggest("write it as 12.5, without blanks or marks of thousands")]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_are_long_once_they_are_written_out_are_rejected() {
        assert_eq!(number("1.5e3").map(|number| number.to_plain_string()), Some("1500".to_owned()));
        for text in ["1e999999999", "1e-999999999", "1e9223372036854775807", &"9".repeat(1000), "", "x"] {
            assert_eq!(number(text), None, "{text}");
        }
    }
}
