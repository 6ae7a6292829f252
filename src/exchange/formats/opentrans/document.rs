//! ORDERRESPONSE, DISPATCHNOTIFICATION and INVOICE as documents of orders.

use super::super::bmecat::{decimal, number};
use super::super::tree::Node;
use super::party::Parties;
use super::{Record, date_time, line_number};
use crate::domain::Issue;
use bigdecimal::BigDecimal;
use serde_json::{Value, json};
use soapstone_contracts::orders::Shipment;
use std::collections::BTreeMap;

/// A document that names one order.
struct Part {
    order: String,
    number: String,
    parts: Vec<Value>,
}

/// Characters of a document's text.
const MAX_TEXT: usize = 1000;

fn info(node: &Node) -> Option<&Node> {
    node.first(&format!("{0}_HEADER/{0}_INFO", node.name))
}

/// How many bytes the copies of a PDF may have: each order of a document has one.
const MAX_COPIES: usize = 128 << 20;

/// The PDF that a document brings along, in base64.
fn pdf(node: &Node) -> Option<String> {
    let own = info(node).map(|info| info.all("MIME_INFO/MIME")).unwrap_or_default();
    let mut all = node.all("MIME_INFO/MIME").into_iter().chain(own);
    let pdf = all.find(|mime| mime.text_at("MIME_TYPE") == Some("application/pdf"))?;
    Some(pdf.text_at("MIME_EMBEDDED")?.split_whitespace().collect())
}

/// The document as the contract has it, one for each order.
pub(super) fn records(node: &Node) -> Vec<Record> {
    let parts = match parts(node) {
        Ok(parts) => parts,
        Err(record) => return vec![*record],
    };
    let kind = match node.name.as_str() {
        "ORDERRESPONSE" => "orderConfirmation",
        "DISPATCHNOTIFICATION" => "deliveryNote",
        _ if total(node).is_some_and(|total| total < BigDecimal::default()) => "creditNote",
        _ => "invoice",
    };
    let is_one = parts.len() == 1;
    let pdf = pdf(node);
    if pdf.as_ref().is_some_and(|pdf| pdf.len().saturating_mul(parts.len()) > MAX_COPIES) {
        let text = format!("a PDF for {} orders is larger than {MAX_COPIES} bytes in all", parts.len());
        let issue = Issue::error("message.limit", text).suggest("send a document for each order");
        return vec![Record::refused(None, issue)];
    }
    let record = |part: Part| {
        let mut members = json!({"number": part.number, "kind": kind, "order": part.order});
        let info = info(node);
        let date = format!("{}_DATE", node.name);
        let date = info.and_then(|info| info.text_at(&date)).map(|text| text.chars().take(10).collect::<String>());
        let text: Vec<&str> =
            info.map(|info| info.all("REMARKS").into_iter().filter_map(Node::text).collect()).unwrap_or_default();
        let text: String = text.join("\n").chars().take(MAX_TEXT).collect();
        // An invoice for several orders does not say what each comes to.
        let amount = total(node).filter(|_| is_one && node.name == "INVOICE");
        for (member, value) in [
            ("date", date),
            ("text", Some(text).filter(|text| !text.is_empty())),
            ("amount", amount.map(|amount| amount.abs().normalized().to_plain_string())),
            ("pdf", pdf.clone()),
        ] {
            if let Some(value) = value {
                members[member] = json!(value);
            }
        }
        if !part.parts.is_empty() {
            members["part"] = Value::Array(part.parts.clone());
        }
        let shipments =
            if node.name == "DISPATCHNOTIFICATION" { shipment(node, &part).into_iter().collect() } else { Vec::new() };
        Record { key: Some(part.number), change: Ok(members), shipments }
    };
    parts.into_iter().map(record).collect()
}

/// A delivery note as shipments alone.
pub(super) fn shipments(node: &Node) -> Vec<Record> {
    let parts = match parts(node) {
        Ok(parts) => parts,
        Err(record) => return vec![*record],
    };
    let record = |part: Part| {
        let value = shipment(node, &part).map(|shipment| soapstone_runtime::json::to_string(&shipment));
        let value = value.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        Record { key: Some(part.number), change: Ok(value), shipments: Vec::new() }
    };
    parts.into_iter().map(record).collect()
}

fn total(node: &Node) -> Option<BigDecimal> {
    number(node.text_at(&format!("{}_SUMMARY/TOTAL_AMOUNT", node.name))?)
}

/// What was sent, and how to follow it.
fn shipment(node: &Node, part: &Part) -> Option<Shipment> {
    let info = info(node)?;
    let package = || info.text_at("LOGISTIC_DETAILS_INFO/PACKAGE_INFO/PACKAGE/PACKAGE_ID");
    let carrier = info
        .all("REMARKS")
        .into_iter()
        .find(|remark| matches!(remark.attribute("type"), Some("delivererCode" | "deliverer" | "carrier")));
    let at = info.text_at("DISPATCHNOTIFICATION_DATE").map(date_time);
    let value = json!({
        "key": part.number,
        "order": part.order,
        "carrier": Parties::of(info).deliverer().or_else(|| carrier.and_then(Node::text)),
        "trackingNumber": info.text_at("SHIPMENT_ID").or_else(package),
        "part": part.parts,
        "shippedAt": at,
    });
    let members = value.as_object()?.iter().filter(|(_, value)| !value.is_null());
    let members: serde_json::Map<String, Value> = members.map(|(name, value)| (name.clone(), value.clone())).collect();
    soapstone_runtime::json::from_value(Value::Object(members)).ok()
}

/// The lines of each order, or why they cannot be told.
fn parts(node: &Node) -> Result<Vec<Part>, Box<Record>> {
    let name = &node.name;
    let info = info(node);
    let id = info.and_then(|info| info.text_at(&format!("{name}_ID")));
    let order_of_head = info
        .and_then(|info| info.text_at("ORDER_ID"))
        .or_else(|| node.text_at(&format!("{name}_HEADER/ORDER_HISTORY/ORDER_ID")))
        .or_else(|| info.and_then(|info| info.text_at("ORDER_REFERENCE/ORDER_ID")));
    let mut lines: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    let mut orders: Vec<&str> = Vec::new();
    for (item, place) in node.all(&format!("{name}_ITEM_LIST/{name}_ITEM")).into_iter().zip(1..) {
        let order = item.text_at("ORDER_REFERENCE/ORDER_ID").or(order_of_head);
        let line = item.text_at("ORDER_REFERENCE/LINE_ITEM_ID").or_else(|| item.text_at("LINE_ITEM_ID")).unwrap_or("");
        let Some(order) = order else {
            let text = format!("line {line} of {name} does not say which order it is of");
            let issue = Issue::error("opentrans.no_order", text).of("ORDER_REFERENCE/ORDER_ID", "");
            return Err(Box::new(Record::refused(id.map(str::to_owned), issue.suggest("name the order it answers"))));
        };
        let quantity = item.text_at("QUANTITY").unwrap_or("");
        let quantity = decimal("QUANTITY", quantity).map_err(|issues| {
            Box::new(Record { key: id.map(str::to_owned), change: Err(issues), shipments: Vec::new() })
        })?;
        let part = json!({"position": line_number(line).unwrap_or(place), "quantity": quantity.normalized().to_plain_string()});
        if !orders.contains(&order) {
            orders.push(order);
        }
        lines.entry(order).or_default().push(part);
    }
    let number = match (id, order_of_head, name.as_str()) {
        (Some(id), _, _) => id.to_owned(),
        (None, Some(order), "ORDERRESPONSE") => {
            let sequence = info.and_then(|info| info.text_at("ORDERCHANGE_SEQUENCE_ID")).unwrap_or("0");
            format!("{order}-{sequence}")
        }
        _ => {
            let issue =
                Issue::error("opentrans.incomplete", format!("{name} has no {name}_ID")).of(&format!("{name}_ID"), "");
            return Err(Box::new(Record::refused(None, issue.suggest("give it its number"))));
        }
    };
    let is_one = orders.len() == 1;
    let part = |order: &str| Part {
        order: order.to_owned(),
        number: if is_one { number.clone() } else { format!("{number}/{order}") },
        parts: lines.get(order).cloned().unwrap_or_default(),
    };
    Ok(orders.into_iter().map(part).collect())
}
