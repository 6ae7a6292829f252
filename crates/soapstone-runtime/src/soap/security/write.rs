//! Writes the header block `wsse:Security` of a request.

use super::{HOLDS, WSSE, WSU, digest_of};
use crate::soap::{HeaderBlock, HeaderContent};
use crate::xml::escape_text;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, SecondsFormat, Utc};
use openssl::error::ErrorStack;

const PROFILE: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0";
const BASE64: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary";

/// Who a client says that it is, in every message.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    pub name: String,
    pub secret: String,
    /// Whether a digest of the secret is sent, and not itself.
    pub as_digest: bool,
}

impl std::fmt::Debug for Credentials {
    /// Secrets are for no log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("name", &self.name).field("as_digest", &self.as_digest).finish()
    }
}

impl Credentials {
    /// The header block of one message: it holds for a few minutes, and once.
    ///
    /// # Errors
    /// If openssl gives no random numbers, or no digest.
    pub fn header(&self, now: DateTime<Utc>) -> Result<HeaderBlock, ErrorStack> {
        let time = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Millis, true);
        let (created, expires) = (time(now), time(now + HOLDS));
        let mut nonce = [0; 16];
        openssl::rand::rand_bytes(&mut nonce)?;
        let mut text = format!(
            "<wsse:Security xmlns:wsse=\"{WSSE}\" xmlns:wsu=\"{WSU}\" soap:mustUnderstand=\"1\"><wsu:Timestamp>\
             <wsu:Created>{created}</wsu:Created><wsu:Expires>{expires}</wsu:Expires></wsu:Timestamp>\
             <wsse:UsernameToken><wsse:Username>"
        );
        escape_text(&self.name, &mut text);
        let kind = if self.as_digest { "PasswordDigest" } else { "PasswordText" };
        text.push_str(&format!("</wsse:Username><wsse:Password Type=\"{PROFILE}#{kind}\">"));
        if self.as_digest {
            text.push_str(&digest_of(&nonce, &created, &self.secret)?);
        } else {
            escape_text(&self.secret, &mut text);
        }
        text.push_str(&format!(
            "</wsse:Password><wsse:Nonce EncodingType=\"{BASE64}\">{}</wsse:Nonce><wsu:Created>{created}</wsu:Created>\
             </wsse:UsernameToken></wsse:Security>",
            STANDARD.encode(nonce)
        ));
        let content = HeaderContent::Xml { text, origin: (1, 1) };
        Ok(HeaderBlock { must_understand: true, ..HeaderBlock::of(WSSE, "Security", content) })
    }
}
