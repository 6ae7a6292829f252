//! WS-Addressing 1.0: what a message says of itself, where its reply goes, and what the reply says.

use super::{Envelope, Fault, HeaderBlock, HeaderContent, Headers, StandardCode};
use crate::xml::{Scope, escape_attribute, escape_text};
use quick_xml::Reader;
use quick_xml::events::Event;

/// The namespace of WS-Addressing 1.0.
pub const WSA: &str = "http://www.w3.org/2005/08/addressing";
/// The reply goes back on the same connection.
const ANONYMOUS: &str = "http://www.w3.org/2005/08/addressing/anonymous";
/// There is to be no reply.
const NONE: &str = "http://www.w3.org/2005/08/addressing/none";
/// The action of faults that the contract does not declare (SOAP binding, section 6).
pub const FAULT_ACTION: &str = "http://www.w3.org/2005/08/addressing/soap/fault";
/// The action of faults of WS-Addressing itself.
const OWN_FAULT_ACTION: &str = "http://www.w3.org/2005/08/addressing/fault";

/// An endpoint reference.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reference {
    pub address: String,
    /// The reference parameters, each an element with its namespaces.
    parameters: Vec<String>,
}

/// Where a reply goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route<'a> {
    /// Back on the same connection.
    Back,
    /// Nowhere.
    Nowhere,
    /// To that address.
    To(&'a str),
}

/// What the header of a request says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addressing {
    pub action: String,
    pub message_id: Option<String>,
    reply_to: Option<Reference>,
    fault_to: Option<Reference>,
}

impl Addressing {
    /// Reads the header; None: the message does not use WS-Addressing.
    ///
    /// # Errors
    /// What is wrong with it, as section 6.4 of the SOAP binding wants it told.
    pub fn of(envelope: &Envelope<'_>) -> Result<Option<Self>, Box<Fault>> {
        let mut found = Self::default();
        let mut seen: Vec<&str> = Vec::new();
        for block in envelope.headers.0.iter().filter(|b| b.for_us && b.namespace == WSA) {
            let Some(text) = block.xml() else { continue };
            let name = block.local.as_str();
            if !matches!(name, "Action" | "MessageID" | "To" | "From" | "ReplyTo" | "FaultTo" | "RelatesTo") {
                continue;
            }
            if seen.contains(&name) && name != "RelatesTo" {
                let message = format!("The header wsa:{name} stands there more than once");
                return Err(invalid_header(&["InvalidAddressingHeader", "InvalidCardinality"], name, message));
            }
            seen.push(name);
            match name {
                "Action" => found.action = content(text),
                "MessageID" => found.message_id = Some(content(text)).filter(|id| !id.is_empty()),
                "ReplyTo" => found.reply_to = Some(reference(text, name)?),
                "FaultTo" => found.fault_to = Some(reference(text, name)?),
                "From" => drop(reference(text, name)?),
                _ => {}
            }
        }
        if seen.is_empty() {
            return Ok(None);
        }
        if found.action.is_empty() {
            return Err(missing("Action"));
        }
        Ok(Some(found))
    }

    /// The same, with replies that go back on the same connection.
    #[must_use]
    pub fn back(&self) -> Self {
        Self { reply_to: None, fault_to: None, ..self.clone() }
    }

    /// Sees to it that a reply can be told what it belongs to.
    ///
    /// # Errors
    /// If the message has no ID.
    pub fn can_be_answered(&self) -> Result<(), Box<Fault>> {
        if self.message_id.is_some() { Ok(()) } else { Err(missing("MessageID")) }
    }

    /// Where an answer goes, or a fault.
    pub fn route(&self, is_fault: bool) -> Route<'_> {
        match self.receiver(is_fault).map(|reference| reference.address.as_str()) {
            None | Some(ANONYMOUS) => Route::Back,
            Some(NONE) => Route::Nowhere,
            Some(address) => Route::To(address),
        }
    }

    fn receiver(&self, is_fault: bool) -> Option<&Reference> {
        let fault_to = if is_fault { self.fault_to.as_ref() } else { None };
        fault_to.or(self.reply_to.as_ref())
    }

    /// The header of an answer, or of a fault, with that action.
    pub fn reply_headers(&self, action: &str, message_id: &str, is_fault: bool) -> Headers {
        let mut headers = Headers::default();
        let receiver = self.receiver(is_fault);
        let mut push = |local: &str, value: &str| {
            let mut text = format!("<wsa:{local} xmlns:wsa=\"{WSA}\">");
            escape_text(value, &mut text);
            text.push_str(&format!("</wsa:{local}>"));
            headers.0.push(HeaderBlock::of(WSA, local, HeaderContent::Xml { text, origin: (1, 1) }));
        };
        push("Action", action);
        push("MessageID", message_id);
        if let Some(id) = &self.message_id {
            push("RelatesTo", id);
        }
        push("To", receiver.map_or(ANONYMOUS, |reference| &reference.address));
        for parameter in receiver.iter().flat_map(|reference| &reference.parameters) {
            headers.0.push(HeaderBlock::of("", "", HeaderContent::Xml { text: parameter.clone(), origin: (1, 1) }));
        }
        headers
    }

    /// The fault for an action that the operation does not have.
    pub fn action_not_supported(&self, known: &str) -> Box<Fault> {
        let message =
            format!("The action \"{}\" does not belong to the operation of the body; it is \"{known}\"", self.action);
        let mut detail = format!("<wsa:ProblemAction xmlns:wsa=\"{WSA}\"><wsa:Action>");
        escape_text(&self.action, &mut detail);
        detail.push_str("</wsa:Action></wsa:ProblemAction>");
        let mut fault = Fault::sender("soap.action_mismatch", 400, message);
        fault.standard = Some(Box::new(StandardCode { codes: &["ActionNotSupported"], ..code(detail) }));
        Box::new(fault)
    }

    /// The fault for a `SOAPAction` that says something else than `wsa:Action`.
    pub fn actions_differ(&self, soap_action: &str) -> Box<Fault> {
        let message = format!("The SOAPAction \"{soap_action}\" is not the wsa:Action \"{}\"", self.action);
        invalid_header(&["InvalidAddressingHeader", "ActionMismatch"], "Action", message)
    }

    /// The fault for a message ID that another message had already (SOAP binding, section 6.4.1).
    pub fn duplicate_message_id() -> Fault {
        let message = "Another message had this wsa:MessageID already; a message that is sent again must be the same, and another one \
                       needs an ID of its own";
        let codes = &["InvalidAddressingHeader", "DuplicateMessageID"];
        Fault { subcode: "soap.message_id_reused".into(), ..*invalid_header(codes, "MessageID", message.to_owned()) }
    }

    /// The fault for a reply that is to go where we send none.
    pub fn only_back(&self, is_fault: bool) -> Box<Fault> {
        let name = if is_fault && self.fault_to.is_some() { "FaultTo" } else { "ReplyTo" };
        let message = "Replies go back on the same connection only: the address is none that the server may send to";
        invalid_header(&["InvalidAddressingHeader", "OnlyAnonymousAddressSupported"], name, message.to_owned())
    }
}

/// The action of a fault.
pub fn fault_action<'a>(fault: &Fault, declared: Option<&'a str>) -> &'a str {
    match (&fault.standard, declared) {
        (Some(standard), _) if standard.namespace == WSA => OWN_FAULT_ACTION,
        (_, Some(declared)) => declared,
        _ => FAULT_ACTION,
    }
}

fn code(detail: String) -> StandardCode {
    StandardCode { namespace: WSA, prefix: "wsa", codes: &[], detail }
}

fn missing(name: &'static str) -> Box<Fault> {
    let message = format!("The header wsa:{name} is missing");
    invalid_header(&["MessageAddressingHeaderRequired"], name, message)
}

fn invalid_header(codes: &'static [&'static str], name: &str, message: String) -> Box<Fault> {
    let mut detail = format!("<wsa:ProblemHeaderQName xmlns:wsa=\"{WSA}\">wsa:");
    escape_text(name, &mut detail);
    detail.push_str("</wsa:ProblemHeaderQName>");
    let mut fault = Fault::sender("soap.addressing", 400, message);
    fault.standard = Some(Box::new(StandardCode { codes, ..code(detail) }));
    Box::new(fault)
}

/// The text of an element.
fn content(text: &str) -> String {
    let mut reader = Reader::from_str(text);
    let mut out = String::new();
    loop {
        match reader.read_event() {
            Ok(Event::Text(part)) => out.push_str(&part.xml10_content()),
            Ok(Event::CData(part)) => out.push_str(&part.xml10_content()),
            Ok(Event::GeneralRef(reference)) => out.extend(crate::xml::character(&reference)),
            Ok(Event::Eof) | Err(_) => return out.trim().to_owned(),
            Ok(_) => {}
        }
    }
}

/// An endpoint reference in the header of that name.
fn reference(text: &str, name: &str) -> Result<Reference, Box<Fault>> {
    let mut reader = Reader::from_str(text);
    let mut scope = Scope::default();
    let mut found = Reference::default();
    let mut path: Vec<String> = Vec::new();
    let broken =
        || invalid_header(&["InvalidAddressingHeader", "InvalidEPR"], name, format!("wsa:{name} cannot be read"));
    loop {
        let before = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        let (start, is_empty) = match reader.read_event().map_err(|_| broken())? {
            Event::Start(start) => (start, false),
            Event::Empty(start) => (start, true),
            Event::End(_) => {
                scope.pop(u32::try_from(path.len()).unwrap_or(u32::MAX));
                path.pop();
                continue;
            }
            Event::Text(part) if path.len() == 2 && path[1] == "Address" => {
                found.address.push_str(&part.xml10_content());
                continue;
            }
            Event::GeneralRef(part) if path.len() == 2 && path[1] == "Address" => {
                found.address.extend(crate::xml::character(&part));
                continue;
            }
            Event::Eof => break,
            _ => continue,
        };
        let depth = u32::try_from(path.len()).unwrap_or(u32::MAX - 1) + 1;
        scope.push(depth, &start);
        if path.len() == 2 && path[1] == "ReferenceParameters" {
            if !is_empty {
                reader.read_to_end(start.to_end().name()).map_err(|_| broken())?;
            }
            let after = usize::try_from(reader.buffer_position()).unwrap_or(before);
            let element = scope.standalone(text.get(before..after).unwrap_or_default(), &start);
            found.parameters.push(marked(&element, start.name().0.len()));
            scope.pop(depth);
        } else if is_empty {
            scope.pop(depth);
        } else {
            path.push(start.local_name().into_inner().to_owned());
        }
    }
    found.address = found.address.trim().to_owned();
    if found.address.is_empty() {
        let message = format!("wsa:{name} has no Address");
        return Err(invalid_header(&["InvalidAddressingHeader", "MissingAddressInEPR"], name, message));
    }
    if found.address.contains(|c: char| c.is_whitespace() || c.is_control() || "<>\"".contains(c)) {
        let message = format!("The address in wsa:{name} is no IRI");
        return Err(invalid_header(&["InvalidAddressingHeader", "InvalidAddress"], name, message));
    }
    Ok(found)
}

/// A reference parameter as a header block says that it is one.
fn marked(element: &str, name_length: usize) -> String {
    let (start, rest) = element.split_at((1 + name_length).min(element.len()));
    let mut out = format!("{start} xmlns:swsa=\"");
    escape_attribute(WSA, &mut out);
    out.push_str("\" swsa:IsReferenceParameter=\"true\"");
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::soap::Limits;

    fn read(header: &str) -> Result<Option<Addressing>, Box<Fault>> {
        let text = format!(
            "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/' xmlns:a='{WSA}'><s:Header>{header}</s:Header><s:Body/></s:Envelope>"
        );
        Addressing::of(&Envelope::parse(&text, &Limits::default()).unwrap())
    }

    fn codes(header: &str) -> Vec<&'static str> {
        read(header).unwrap_err().standard.unwrap().codes.to_vec()
    }

    #[test]
    fn the_reply_says_what_it_belongs_to() {
        let header = "<a:Action>urn:do</a:Action><a:MessageID> id&amp;1 </a:MessageID><a:ReplyTo><a:Address>http://h/x</a:Address>\
            <a:ReferenceParameters><p xmlns='urn:p'>1</p></a:ReferenceParameters></a:ReplyTo>\
            <a:FaultTo><a:Address>http://www.w3.org/2005/08/addressing/none</a:Address></a:FaultTo>";
        let found = read(header).unwrap().unwrap();
        assert_eq!((found.route(false), found.route(true)), (Route::To("http://h/x"), Route::Nowhere));
        let headers: String = found.reply_headers("urn:done", "urn:uuid:1", false).xml().collect();
        for part in [
            "<wsa:Action xmlns:wsa=\"http://www.w3.org/2005/08/addressing\">urn:done<",
            ">id&amp;1</wsa:RelatesTo>",
            ">http://h/x</wsa:To>",
        ] {
            assert!(headers.contains(part), "{part} is not in {headers}");
        }
        assert!(headers.contains("<p xmlns:swsa=\"http://www.w3.org/2005/08/addressing\" swsa:IsReferenceParameter=\"true\" xmlns='urn:p'>1</p>"), "{headers}");
    }

    #[test]
    fn what_is_wrong_has_a_code_of_the_specification() {
        assert_eq!(read("").unwrap(), None);
        assert_eq!(codes("<a:To>x</a:To>"), ["MessageAddressingHeaderRequired"]);
        assert_eq!(
            codes("<a:Action>x</a:Action><a:Action>y</a:Action>"),
            ["InvalidAddressingHeader", "InvalidCardinality"]
        );
        assert_eq!(codes("<a:Action>x</a:Action><a:ReplyTo/>"), ["InvalidAddressingHeader", "MissingAddressInEPR"]);
        let spaces = "<a:Action>x</a:Action><a:ReplyTo><a:Address>a b</a:Address></a:ReplyTo>";
        assert_eq!(codes(spaces), ["InvalidAddressingHeader", "InvalidAddress"]);
        assert!(read("<a:Action>x</a:Action>").unwrap().unwrap().can_be_answered().is_err());
    }
}
