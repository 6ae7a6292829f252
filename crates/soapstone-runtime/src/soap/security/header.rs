//! Reads the header block `wsse:Security`.

use super::algorithm::{DS, XENC};
use super::{WSSE, WSU, fault};
use crate::soap::{Fault, Headers};
use crate::xml::{Scope, character};
use chrono::{DateTime, Utc};
use quick_xml::Reader;
use quick_xml::events::Event;

/// From when to when a message holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timestamp {
    pub created: DateTime<Utc>,
    pub expires: Option<DateTime<Utc>>,
}

/// A password as it was sent.
#[derive(Clone, PartialEq, Eq)]
pub enum Password {
    Text(String),
    Digest(String),
}

impl std::fmt::Debug for Password {
    /// Passwords are for no log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if matches!(self, Self::Text(_)) { "Text(…)" } else { "Digest(…)" })
    }
}

/// Who somebody says that he is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsernameToken {
    pub name: String,
    pub password: Password,
    pub nonce: Option<String>,
    /// As it was written: the digest is made of it.
    pub created: Option<String>,
}

/// The header block `wsse:Security` that is for us.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Security {
    pub timestamp: Option<Timestamp>,
    pub token: Option<UsernameToken>,
}

impl Security {
    /// Finds and reads the block; `is_opened`: signatures were verified, and what was encrypted is opened. None: there
    /// is none for us.
    ///
    /// # Errors
    /// What is wrong with it, or beyond us.
    pub fn of(headers: &Headers, is_opened: bool) -> Result<Option<Self>, Box<Fault>> {
        let invalid = |message: &str| fault(&["InvalidSecurity"], message);
        let mut own = headers.0.iter().filter(|b| b.for_us && b.local == "Security" && b.namespace == WSSE);
        let Some(block) = own.next() else { return Ok(None) };
        if own.next().is_some() {
            return Err(invalid("There is more than one header Security for the same receiver"));
        }
        let found =
            elements(block.xml().unwrap_or_default()).ok_or_else(|| invalid("The header Security cannot be read"))?;
        let mut security = Self::default();
        for element in found.iter().filter(|element| element.path.is_empty()) {
            let inner = |namespace: &str, local: &str| -> Option<&Element> {
                let mut inner = found
                    .iter()
                    .filter(|e| e.path.as_slice() == [element.number] && e.local == local && e.namespace == namespace);
                inner.next()
            };
            match (element.namespace.as_str(), element.local.as_str()) {
                (WSU, "Timestamp") => {
                    if security.timestamp.is_some() {
                        return Err(invalid("There is more than one Timestamp"));
                    }
                    let time_of = |name: &str| match inner(WSU, name) {
                        None => Ok(None),
                        Some(element) => {
                            let no_time = || invalid("A time in the Timestamp is none");
                            time(&element.text).map(Some).ok_or_else(no_time)
                        }
                    };
                    let created =
                        time_of("Created")?.ok_or_else(|| invalid("The Timestamp does not say when it was Created"))?;
                    security.timestamp = Some(Timestamp { created, expires: time_of("Expires")? });
                }
                (WSSE, "UsernameToken") => {
                    if security.token.is_some() {
                        return Err(invalid("There is more than one UsernameToken"));
                    }
                    let text_of =
                        |namespace: &str, name: &str| inner(namespace, name).map(|e| e.text.trim().to_owned());
                    let name = text_of(WSSE, "Username").unwrap_or_default();
                    let Some(password) = inner(WSSE, "Password") else {
                        return Err(fault(&["InvalidSecurityToken"], "The UsernameToken has no password"));
                    };
                    let kind = password.kind.as_deref().unwrap_or("#PasswordText");
                    let password = match kind.rsplit_once('#').map(|(_, kind)| kind) {
                        Some("PasswordText") => Password::Text(password.text.clone()),
                        Some("PasswordDigest") => Password::Digest(password.text.trim().to_owned()),
                        _ => {
                            let message = "Passwords are sent as PasswordText or as PasswordDigest";
                            return Err(fault(&["UnsupportedSecurityToken"], message));
                        }
                    };
                    let nonce = text_of(WSSE, "Nonce").filter(|nonce| !nonce.is_empty());
                    security.token = Some(UsernameToken { name, password, nonce, created: text_of(WSU, "Created") });
                }
                (DS, "Signature") | (XENC, "EncryptedKey" | "ReferenceList") | (WSSE, "BinarySecurityToken")
                    if is_opened => {}
                (_, name) => {
                    let message = format!(
                        "{name} is not understood here: a Timestamp, a UsernameToken, a Signature by an X.509 \
                         certificate and EncryptedKey are"
                    );
                    return Err(fault(&["UnsupportedSecurityToken"], &message));
                }
            }
        }
        Ok(Some(security))
    }
}

/// A time in UTC (WS-Security 1.1, section 10: `xsd:dateTime`).
pub(super) fn time(text: &str) -> Option<DateTime<Utc>> {
    use crate::value::Simple;
    let time = crate::DateTime::parse(text.trim()).ok()?;
    time.to_utc(chrono::FixedOffset::east_opt(0)?)
}

/// An element in the block.
struct Element {
    number: usize,
    /// The numbers of the elements around it, without the block itself.
    path: Vec<usize>,
    namespace: String,
    local: String,
    /// Its attribute `Type`.
    kind: Option<String>,
    text: String,
}

/// All elements in the block; None: it cannot be read.
fn elements(text: &str) -> Option<Vec<Element>> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut scope = Scope::default();
    let mut found: Vec<Element> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let mut depth = 0;
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                depth += 1;
                scope.push(depth, &start);
                if depth == 1 {
                    continue;
                }
                let name = start.name().0;
                let (prefix, local) = name.split_once(':').unwrap_or(("", name));
                let kind = start.attributes().flatten().find(|a| a.key.0 == "Type").map(|a| a.value.into_owned());
                let number = found.len();
                found.push(Element {
                    number,
                    path: open.clone(),
                    namespace: scope.uri(prefix)?.to_owned(),
                    local: local.to_owned(),
                    kind,
                    text: String::new(),
                });
                open.push(number);
            }
            Event::End(_) => {
                scope.pop(depth);
                depth -= 1;
                open.pop();
            }
            Event::Text(part) => add(&mut found, &open, &part.xml10_content()),
            Event::CData(part) => add(&mut found, &open, &part.xml10_content()),
            Event::GeneralRef(reference) => {
                add(&mut found, &open, character(&reference)?.encode_utf8(&mut [0; 4]));
            }
            Event::Eof => return Some(found),
            _ => {}
        }
    }
}

fn add(found: &mut [Element], open: &[usize], text: &str) {
    if let Some(element) = open.last().and_then(|number| found.get_mut(*number)) {
        element.text.push_str(text);
    }
}
