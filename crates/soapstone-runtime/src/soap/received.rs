//! Faults that another server answers with.

use crate::message::Message;
use crate::problem::Read;
use crate::xml::{Scope, XmlSource};
use quick_xml::Reader;
use quick_xml::events::Event;

/// A fault as it was received, of either version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReceivedFault {
    /// `Client` or `Server`, `Sender` or `Receiver`, or what the server made of it; without prefix.
    pub code: String,
    /// Of SOAP 1.2.
    pub subcode: Option<String>,
    pub message: String,
    /// The elements of the detail, each whole and with its namespaces.
    pub detail: Vec<String>,
}

impl ReceivedFault {
    /// Reads the fault's element.
    pub fn parse(text: &str, scope: &Scope<'_>) -> Self {
        let mut fault = Self::default();
        let mut reader = Reader::from_str(text);
        let mut scope = scope.outer();
        // Local names from the fault's element down.
        let mut path: Vec<String> = Vec::new();
        loop {
            let before = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
            let event = match reader.read_event() {
                Ok(Event::Eof) | Err(_) => return fault.trimmed(),
                Ok(event) => event,
            };
            match event {
                Event::Start(start) => {
                    let depth = u32::try_from(path.len()).unwrap_or(u32::MAX - 1) + 1;
                    scope.push(depth, &start);
                    let in_detail = path.len() == 2 && path[1].eq_ignore_ascii_case("detail");
                    if in_detail {
                        if reader.read_to_end(start.to_end().name()).is_err() {
                            return fault.trimmed();
                        }
                        let after = usize::try_from(reader.buffer_position()).unwrap_or(before);
                        fault.detail.push(scope.standalone(&text[before..after], &start));
                        scope.pop(depth);
                    } else {
                        path.push(start.local_name().into_inner().to_owned());
                    }
                }
                Event::Empty(start) if path.len() == 2 && path[1].eq_ignore_ascii_case("detail") => {
                    let after = usize::try_from(reader.buffer_position()).unwrap_or(before);
                    fault.detail.push(scope.standalone(&text[before..after], &start));
                }
                Event::End(_) => {
                    scope.pop(u32::try_from(path.len()).unwrap_or(u32::MAX));
                    path.pop();
                }
                Event::Text(part) => fault.add(&path, &part.xml10_content()),
                Event::CData(part) => fault.add(&path, &part.xml10_content()),
                Event::GeneralRef(reference) => {
                    if let Some(character) = crate::xml::character(&reference) {
                        fault.add(&path, character.encode_utf8(&mut [0; 4]));
                    }
                }
                _ => {}
            }
        }
    }

    fn add(&mut self, path: &[String], text: &str) {
        let names: Vec<&str> = path.iter().skip(1).map(String::as_str).collect();
        match names.as_slice() {
            ["faultcode"] | ["Code", "Value"] => self.code.push_str(text),
            ["faultstring"] | ["Reason", "Text"] => self.message.push_str(text),
            ["Code", "Subcode", "Value"] => self.subcode.get_or_insert_default().push_str(text),
            _ => {}
        }
    }

    fn trimmed(mut self) -> Self {
        self.code = local(&self.code);
        self.subcode = self.subcode.as_deref().map(local);
        self.message = self.message.trim().to_owned();
        self
    }

    /// The first element of the detail as a declared fault.
    ///
    /// # Errors
    /// Where and why it is not that fault; None where there is no detail.
    pub fn detail<T: Message>(&self) -> Option<Read<T>> {
        self.detail.first().map(|text| XmlSource::new(text).message(T::ELEMENT))
    }

    /// Whether the server calls it our mistake.
    pub fn is_ours(&self) -> bool {
        self.code.starts_with("Client") || self.code == "Sender"
    }
}

/// A name without its prefix.
fn local(name: &str) -> String {
    name.trim().rsplit(':').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_of_both_versions_are_read() {
        let text = "<s:Fault xmlns:s='urn:s'><faultcode>s:Client.Auth</faultcode><faultstring>No &amp; no</faultstring><detail><x:a xmlns:x='urn:x'>s:1</x:a><b/></detail></s:Fault>";
        let fault = ReceivedFault::parse(text, &Scope::default());
        assert_eq!((fault.code.as_str(), fault.message.as_str()), ("Client.Auth", "No & no"));
        assert!(fault.is_ours());
        assert_eq!(fault.detail.len(), 2);
        assert!(
            fault.detail[0].starts_with("<x:a") && fault.detail[0].contains("xmlns:s=\"urn:s\""),
            "{}",
            fault.detail[0]
        );
        let text = "<Fault><Code><Value>e:Receiver</Value><Subcode><Value>m:Timeout</Value></Subcode></Code><Reason><Text>Later</Text></Reason></Fault>";
        let fault = ReceivedFault::parse(text, &Scope::default());
        assert_eq!((fault.code.as_str(), fault.subcode.as_deref()), ("Receiver", Some("Timeout")));
        assert!(!fault.is_ours());
    }
}
