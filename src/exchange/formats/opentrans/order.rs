//! ORDER as an order.

use super::super::bmecat::decimal;
use super::super::language;
use super::super::tree::Node;
use super::party::{Parties, address, numbers};
use super::{Record, date_time, line_number};
use crate::domain::Issue;
use bigdecimal::BigDecimal;
use serde_json::{Map, Value, json};

/// What an item of ours is marked by that stands for a charge of the order.
pub(in crate::exchange) const CHARGE: &str = "UDX.SOAPSTONE.CHARGE";

/// What members of ours are called that openTRANS has no element for.
const OWN: [(&str, &str); 4] = [
    ("UDX.SOAPSTONE.PAYMENTMETHOD", "paymentMethod"),
    ("UDX.SOAPSTONE.PREPAID", "prepaid"),
    ("UDX.SOAPSTONE.SHIPPINGMETHOD", "shippingMethod"),
    ("UDX.SOAPSTONE.WEIGHT", "weight"),
];

/// Characters of a line's text.
const MAX_TEXT: usize = 1000;

/// An order in the making.
#[derive(Default)]
struct Order {
    members: Map<String, Value>,
    attributes: Vec<Value>,
    positions: Vec<Value>,
    charges: Vec<Value>,
}

impl Order {
    fn put(&mut self, member: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.members.insert(member.to_owned(), value.into());
        }
    }

    fn attribute(&mut self, code: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.attributes.push(json!({"code": code, "value": value}));
        }
    }
}

pub(super) fn record(node: &Node) -> Record {
    let key = node.text_at("ORDER_HEADER/ORDER_INFO/ORDER_ID").map(str::to_owned);
    let change = order(node);
    Record { key, change, shipments: Vec::new() }
}

fn order(node: &Node) -> Result<Value, Vec<Issue>> {
    let Some(info) = node.first("ORDER_HEADER/ORDER_INFO") else {
        return Err(vec![
            Issue::error("opentrans.incomplete", "the order has no ORDER_INFO").suggest("send the whole order"),
        ]);
    };
    let mut order = Order::default();
    order.put("number", info.text_at("ORDER_ID"));
    order.put("reference", info.text_at("CUSTOMER_ORDER_REFERENCE/ORDER_ID"));
    order.put("orderedAt", info.text_at("ORDER_DATE").map(date_time));
    let languages = info.all("LANGUAGE");
    let language = languages.iter().find(|node| node.attribute("default") == Some("true")).or(languages.first());
    order.put("language", language.and_then(|node| node.text()).map(language::tag));
    order.put("currency", info.text_at("CURRENCY"));
    // Prices of openTRANS have no tax in them.
    order.put("gross", Some(false));
    let remarks: Vec<String> = info.all("REMARKS").into_iter().filter_map(remark).collect();
    order.put("comment", (!remarks.is_empty()).then(|| remarks.join("\n")));
    parties(info, &mut order);
    order.put("paymentMethod", info.first("PAYMENT").and_then(payment_method));
    order.put("shippingMethod", info.text_at("TRANSPORT/INCOTERM"));
    header_attributes(node, info, &mut order);
    for (item, place) in node.all("ORDER_ITEM_LIST/ORDER_ITEM").into_iter().zip(1..) {
        position(item, place, &mut order)?;
    }
    let Order { mut members, attributes, positions, charges } = order;
    for (member, values) in [("position", positions), ("charge", charges), ("attribute", attributes)] {
        if !values.is_empty() {
            members.insert(member.to_owned(), Value::Array(values));
        }
    }
    Ok(Value::Object(members))
}

/// A remark, with its type before it, unless that says nothing.
fn remark(node: &Node) -> Option<String> {
    let text = node.text()?;
    Some(match node.attribute("type") {
        None | Some("general") => text.to_owned(),
        Some(of) => format!("{of}: {text}"),
    })
}

fn parties(info: &Node, order: &mut Order) {
    let parties = Parties::of(info);
    let buyer = parties.buyer();
    if let Some(buyer) = buyer {
        let (own, other) = numbers(buyer);
        order.put("customer", own);
        order.attribute("buyerPartyId", other);
        order.attribute("taxNumber", buyer.text_at("ADDRESS/TAX_NUMBER"));
        order.attribute("vatId", buyer.text_at("ADDRESS/VAT_ID"));
        let email = buyer.text_at("ADDRESS/EMAIL").or_else(|| buyer.text_at("ADDRESS/CONTACT_DETAILS/EMAILS/EMAIL"));
        order.put("email", email);
    }
    let mut billing = parties.invoiced().and_then(address).or_else(|| buyer.and_then(address));
    // What the order has need not be in its address too.
    if let Some(billing) = billing.as_mut().and_then(Value::as_object_mut)
        && billing.get("email") == order.members.get("email")
    {
        billing.remove("email");
    }
    let delivery = parties.delivered().and_then(address).filter(|delivery| Some(delivery) != billing.as_ref());
    order.put("billingAddress", billing);
    order.put("deliveryAddress", delivery);
}

fn payment_method(payment: &Node) -> Option<String> {
    let kinds = [("CARD", "card"), ("ACCOUNT", "transfer"), ("DEBIT", "debit"), ("CHECK", "cheque"), ("CASH", "cash")];
    let (element, method) = kinds.into_iter().find(|(name, _)| payment.first(name).is_some())?;
    let of = payment.first(element).and_then(|node| node.attribute("type")).filter(|_| method == "card");
    Some(of.map_or_else(|| method.to_owned(), |of| format!("{method} {of}")))
}

fn header_attributes(node: &Node, info: &Node, order: &mut Order) {
    order.attribute("openTransType", node.attribute("type").filter(|of| *of != "standard"));
    for (name, value) in node.first("ORDER_HEADER/SOURCING_INFO").map(Node::leaves).unwrap_or_default() {
        order.attribute(name, Some(value));
    }
    order.attribute("deliveryStart", info.text_at("DELIVERY_DATE/DELIVERY_START_DATE"));
    order.attribute("deliveryEnd", info.text_at("DELIVERY_DATE/DELIVERY_END_DATE"));
    order.attribute("deliveryType", info.first("DELIVERY_DATE").and_then(|date| date.attribute("type")));
    order.attribute("termsAndConditions", info.text_at("TERMS_AND_CONDITIONS"));
    order.attribute("partialShipmentAllowed", info.text_at("PARTIAL_SHIPMENT_ALLOWED"));
    order.attribute("transportLocation", info.text_at("TRANSPORT/LOCATION"));
    order.attribute("transportRemark", info.text_at("TRANSPORT/TRANSPORT_REMARK"));
    order.attribute("centralRegulation", info.text_at("PAYMENT/CENTRAL_REGULATION"));
    order.attribute("paymentDays", info.text_at("PAYMENT/PAYMENT_TERMS/TIME_FOR_PAYMENT/DAYS"));
    for (name, value) in info.first("HEADER_UDX").map(Node::leaves).unwrap_or_default() {
        match OWN.iter().find(|(own, _)| *own == name) {
            Some((_, "prepaid")) => order.put("prepaid", Some(value == "true")),
            Some((_, member)) => order.put(member, Some(value)),
            // It is worked out again.
            None if name == "UDX.SOAPSTONE.TOTALGROSS" => {}
            None => order.attribute(name, Some(value)),
        }
    }
}

/// Reads a number of a line.
fn number(item: &Node, path: &str) -> Result<Option<BigDecimal>, Vec<Issue>> {
    item.text_at(path).map(|text| decimal(path.rsplit('/').next().unwrap_or(path), text)).transpose()
}

fn plain(number: &BigDecimal) -> String {
    number.normalized().to_plain_string()
}

fn position(item: &Node, place: i32, order: &mut Order) -> Result<(), Vec<Issue>> {
    let hundred = BigDecimal::from(100);
    let id = item.text_at("LINE_ITEM_ID").unwrap_or("");
    let line = line_number(id).unwrap_or(place);
    let text = item.text_at("PRODUCT_ID/DESCRIPTION_SHORT").or_else(|| item.text_at("PRODUCT_ID/DESCRIPTION_LONG"));
    let text: Option<String> = text.map(|text| text.chars().take(MAX_TEXT).collect());
    let amount = number(item, "PRODUCT_PRICE_FIX/PRICE_AMOUNT")?;
    let per = number(item, "PRODUCT_PRICE_FIX/PRICE_QUANTITY")?.filter(|per| *per > BigDecimal::default());
    let price = amount.map(|amount| per.map_or_else(|| amount.clone(), |per| &amount / per));
    let rate = number(item, "PRODUCT_PRICE_FIX/TAX_DETAILS_FIX/TAX")?.map(|rate| plain(&(rate * &hundred)));
    if let Some(kind) = item.text_at(&format!("ITEM_UDX/{CHARGE}")) {
        let mut charge = json!({"kind": kind, "amount": plain(&price.unwrap_or_default())});
        for (member, value) in [("taxPercent", rate), ("text", text)] {
            if let Some(value) = value {
                charge[member] = json!(value);
            }
        }
        order.charges.push(charge);
        return Ok(());
    }
    let mut position = json!({"number": line});
    let mut put = |member: &str, value: Option<String>| {
        if let Some(value) = value {
            position[member] = json!(value);
        }
    };
    put("sku", item.text_at("PRODUCT_ID/SUPPLIER_PID").map(str::to_owned));
    put("text", text);
    put("quantity", number(item, "QUANTITY")?.map(|quantity| plain(&quantity)));
    put("unit", item.text_at("ORDER_UNIT").map(str::to_owned));
    put("unitPrice", price.map(|price| plain(&price)));
    put("taxPercent", rate);
    let mut discount = None;
    for one in item.all("PRODUCT_PRICE_FIX/ALLOW_OR_CHARGES_FIX/ALLOW_OR_CHARGE") {
        let percent = number(one, "ALLOW_OR_CHARGE_VALUE/AOC_PERCENTAGE_FACTOR")?;
        let is_allowance = one.attribute("type") == Some("allowance");
        if let Some(percent) = percent.filter(|_| is_allowance && discount.is_none()) {
            discount = Some(plain(&(percent * &hundred)));
        } else if let Some(amount) = number(one, "ALLOW_OR_CHARGE_VALUE/AOC_MONETARY_AMOUNT")? {
            let amount = if is_allowance { -amount } else { amount };
            order.charges.push(charge(one, &amount));
        }
    }
    put("discountPercent", discount);
    // With charges in it, it is not what the line comes to here.
    if order.charges.is_empty() {
        put("amount", number(item, "PRICE_LINE_AMOUNT")?.map(|amount| plain(&amount)));
    }
    let lots = item.all("PRODUCT_ID/LOT_NUMBER").into_iter().filter_map(Node::text).map(|lot| format!("LOT {lot}"));
    let serials: Vec<String> = item
        .all("PRODUCT_ID/SERIAL_NUMBER")
        .into_iter()
        .filter_map(Node::text)
        .map(str::to_owned)
        .chain(lots)
        .collect();
    if !serials.is_empty() {
        position["serial"] = json!(serials);
    }
    order.positions.push(position);
    line_attributes(item, id, line, order);
    Ok(())
}

/// What a line says beside what it is.
fn line_attributes(item: &Node, id: &str, line: i32, order: &mut Order) {
    if line_number(id).is_none() && !id.is_empty() {
        order.attribute(&format!("lineItemId.{line}"), Some(id));
    }
    let mut put = |code: &str, value: Option<&str>| order.attribute(&format!("{code}.{line}"), value);
    put("buyerId", item.text_at("PRODUCT_ID/BUYER_PID"));
    put("configuration", item.text_at("PRODUCT_ID/CONFIG_CODE_FIX"));
    put("partialShipmentAllowed", item.text_at("PARTIAL_SHIPMENT_ALLOWED"));
    put("deliveryStart", item.text_at("DELIVERY_DATE/DELIVERY_START_DATE"));
    put("deliveryEnd", item.text_at("DELIVERY_DATE/DELIVERY_END_DATE"));
    put("customerOrder", item.text_at("CUSTOMER_ORDER_REFERENCE/ORDER_ID"));
    for remark in item.all("REMARKS") {
        match remark.attribute("type") {
            None | Some("general") => put("remarks", remark.text()),
            Some(of) => put(&format!("remarks.{of}"), remark.text()),
        }
    }
    for part in ["SOURCING_INFO", "ITEM_UDX"] {
        for (name, value) in item.first(part).map(Node::leaves).unwrap_or_default() {
            put(name, Some(value));
        }
    }
}

/// What comes on top, or off.
pub(super) fn charge(node: &Node, amount: &BigDecimal) -> Value {
    let of = node.text_at("ALLOW_OR_CHARGE_TYPE").unwrap_or("");
    let kind = match of {
        "freight" | "express" | "transport" => "shipping",
        "packing" | "packaging" => "packaging",
        "small_order" | "minimum_quantity" => "smallQuantity",
        "cash_on_delivery" => "cashOnDelivery",
        _ => "other",
    };
    let text = [node.text_at("ALLOW_OR_CHARGE_NAME"), node.text_at("ALLOW_OR_CHARGE_DESCR")];
    let text = text.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let text = if text.is_empty() { of.to_owned() } else { text };
    json!({"kind": kind, "amount": plain(amount), "text": text})
}
