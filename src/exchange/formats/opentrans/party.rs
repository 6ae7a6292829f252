//! Parties of a document: who is the buyer, who gets the invoice, and where the goods go.

use super::super::tree::Node;
use serde_json::{Map, Value, json};

/// The parties of an order.
pub(super) struct Parties<'a> {
    all: Vec<&'a Node>,
    info: &'a Node,
}

impl<'a> Parties<'a> {
    pub fn of(info: &'a Node) -> Self {
        Self { all: info.all("PARTIES/PARTY"), info }
    }

    fn with_role(&self, role: &str) -> Option<&'a Node> {
        let has = |party: &&&Node| party.all("PARTY_ROLE").into_iter().any(|own| own.text() == Some(role));
        self.all.iter().find(has).copied()
    }

    fn with_id(&self, id: &str) -> Option<&'a Node> {
        let has = |party: &&&Node| party.all("PARTY_ID").into_iter().any(|own| own.text() == Some(id));
        self.all.iter().find(has).copied()
    }

    /// Who is told by a reference.
    fn referred(&self, path: &str) -> Option<&'a Node> {
        let id = self.info.text_at(path)?;
        self.with_id(id)
    }

    pub fn buyer(&self) -> Option<&'a Node> {
        self.with_role("buyer").or_else(|| self.referred("ORDER_PARTIES_REFERENCE/BUYER_IDREF"))
    }

    pub fn invoiced(&self) -> Option<&'a Node> {
        let recipient = || self.referred("ORDER_PARTIES_REFERENCE/INVOICE_RECIPIENT_IDREF");
        self.with_role("invoice_recipient").or_else(recipient)
    }

    pub fn delivered(&self) -> Option<&'a Node> {
        let path = "ORDER_PARTIES_REFERENCE/SHIPMENT_PARTIES_REFERENCE/DELIVERY_IDREF";
        self.with_role("delivery").or_else(|| self.referred(path))
    }

    /// Who carries the goods.
    pub fn deliverer(&self) -> Option<&'a str> {
        let party =
            self.with_role("deliverer").or_else(|| self.referred("SHIPMENT_PARTIES_REFERENCE/DELIVERER_IDREF"))?;
        party.text_at("ADDRESS/NAME").or_else(|| party.text_at("PARTY_ID"))
    }
}

/// The number that this shop gave the buyer; and those that others did.
pub(super) fn numbers(party: &Node) -> (Option<&str>, Option<&str>) {
    let ids = party.all("PARTY_ID");
    let own = ids.iter().find(|id| id.attribute("type") == Some("supplier_specific")).and_then(|id| id.text());
    let other = ids.iter().find(|id| id.attribute("type") != Some("supplier_specific")).and_then(|id| id.text());
    (own, other)
}

/// A party's address as REST has it.
pub(super) fn address(party: &Node) -> Option<Value> {
    let node = party.first("ADDRESS")?;
    let contact = node.first("CONTACT_DETAILS");
    let of_contact = |path: &str| contact.and_then(|contact| contact.text_at(path));
    let joined = |parts: [Option<&str>; 4]| {
        let joined = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
        (!joined.is_empty()).then_some(joined)
    };
    let additions = ["NAME2", "NAME3", "DEPARTMENT", "ADDRESS_REMARKS"].map(|name| node.text_at(name));
    let salutation = match (of_contact("TITLE"), of_contact("ACADEMIC_TITLE")) {
        (Some(title), Some(academic)) => Some(format!("{title} {academic}")),
        (title, academic) => title.or(academic).map(str::to_owned),
    };
    let postal_code = node.text_at("ZIP").or_else(|| node.text_at("ZIPBOX"));
    let email = node.text_at("EMAIL").or_else(|| of_contact("EMAILS/EMAIL"));
    let members = [
        ("company", node.text_at("NAME").map(str::to_owned)),
        ("salutation", salutation),
        ("firstName", of_contact("FIRST_NAME").map(str::to_owned)),
        ("lastName", of_contact("CONTACT_NAME").map(str::to_owned)),
        ("addition", joined(additions)),
        ("street", node.text_at("STREET").map(str::to_owned)),
        ("postBox", node.text_at("BOXNO").map(str::to_owned)),
        ("postalCode", postal_code.map(str::to_owned)),
        ("city", node.text_at("CITY").map(str::to_owned)),
        ("region", node.text_at("STATE").map(str::to_owned)),
        ("country", node.text_at("COUNTRY_CODED").map(str::to_owned)),
        ("phone", node.text_at("PHONE").or_else(|| of_contact("PHONE")).map(str::to_owned)),
        ("email", email.map(str::to_owned)),
    ];
    let members: Map<String, Value> =
        members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value?)))).collect();
    (!members.is_empty()).then_some(Value::Object(members))
}
