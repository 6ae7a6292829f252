//! Reads the header block `wsse:Security`.

use super::algorithm::{DS, XENC};
use super::{WSSE, WSU, fault};
use crate::soap::{Fault, HeaderBlock, Headers};
use crate::xml::Tree;
use chrono::{DateTime, Utc};

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
        let Some((_, block)) = own_block(headers)? else { return Ok(None) };
        let unreadable = || invalid("The header Security cannot be read");
        let tree = Tree::parse(block.xml().unwrap_or_default()).map_err(|_| unreadable())?;
        let mut security = Self::default();
        for element in tree.root().ok_or_else(unreadable)?.children() {
            let inner = |namespace: &str, local: &str| element.children().find(|child| child.is(namespace, local));
            match (element.namespace(), element.local()) {
                (WSU, "Timestamp") => {
                    if security.timestamp.is_some() {
                        return Err(invalid("There is more than one Timestamp"));
                    }
                    let time_of = |name: &str| match inner(WSU, name) {
                        None => Ok(None),
                        Some(element) => {
                            let no_time = || invalid("A time in the Timestamp is none");
                            time(&element.text()).map(Some).ok_or_else(no_time)
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
                        |namespace: &str, name: &str| inner(namespace, name).map(|e| e.text().trim().to_owned());
                    let name = text_of(WSSE, "Username").unwrap_or_default();
                    let Some(password) = inner(WSSE, "Password") else {
                        return Err(fault(&["InvalidSecurityToken"], "The UsernameToken has no password"));
                    };
                    let kind = password.attribute("", "Type");
                    let kind = kind.as_deref().unwrap_or("#PasswordText");
                    let password = match kind.rsplit_once('#').map(|(_, kind)| kind) {
                        Some("PasswordText") => Password::Text(password.text()),
                        Some("PasswordDigest") => Password::Digest(password.text().trim().to_owned()),
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

/// The header block Security that is for us, with its number; None: there is none.
///
/// # Errors
/// If there are several: nobody can say which one counts.
pub(super) fn own_block(headers: &Headers) -> Result<Option<(usize, &HeaderBlock)>, Box<Fault>> {
    let is_own = |block: &HeaderBlock| block.for_us && block.local == "Security" && block.namespace == WSSE;
    let mut own = headers.0.iter().enumerate().filter(|(_, block)| is_own(block));
    let first = own.next();
    if own.next().is_some() {
        return Err(fault(&["InvalidSecurity"], "There is more than one header Security for the same receiver"));
    }
    Ok(first)
}

/// A time in UTC (WS-Security 1.1, section 10: `xsd:dateTime`).
pub(super) fn time(text: &str) -> Option<DateTime<Utc>> {
    use crate::value::Simple;
    let time = crate::DateTime::parse(text.trim()).ok()?;
    time.to_utc(chrono::FixedOffset::east_opt(0)?)
}
