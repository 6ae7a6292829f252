//! A secured message, opened: its signature verified, what is encrypted opened, step by step in the order of the header
//! (WS-Security 1.1, section 5).

use super::algorithm::{DS, XENC};
use super::decrypt::{self, Key};
use super::document::{Message, Part};
use super::header::own_block;
use super::keys::Keys;
use super::verify::verified;
use super::{Protection, Security, WSSE, fault};
use crate::soap::{Envelope, Fault, Headers, Limits};
use crate::xml::{Element, Tree};
use openssl::x509::X509;

/// How many keys and pieces of content may be encrypted in one message: each is work for us.
const MAX_ENCRYPTED: usize = 16;

/// How many elements the header block may have.
const MAX_CHILDREN: usize = 64;

/// A secured message, opened.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The envelope, with nothing encrypted in it: exactly what was verified.
    pub text: String,
    /// Who signed it.
    pub signer: Option<X509>,
    signed: Vec<Part>,
    /// What another message with the same signature would have as well.
    pub(super) digest: Option<[u8; 32]>,
    /// Whether the content of the body was encrypted.
    pub was_encrypted: bool,
}

/// Whether a message may be signed or encrypted. One that hides it is refused later, as not understood.
pub fn is_secured(text: &str) -> bool {
    text.contains("xmldsig#") || text.contains("xmlenc#")
}

impl Opened {
    /// Opens a message.
    ///
    /// # Errors
    /// The fault to answer with.
    pub fn of(text: &str, keys: &Keys, limits: &Limits) -> Result<Option<Self>, Box<Fault>> {
        let parse = |text: &str| Envelope::parse(text, limits).map(|e| e.headers).map_err(|(_, fault)| Box::new(fault));
        let Some((block, _)) = own_block(&parse(text)?)? else { return Ok(None) };
        let mut opened =
            Self { text: text.to_owned(), signer: None, signed: Vec::new(), digest: None, was_encrypted: false };
        let mut known: Vec<Key> = Vec::new();
        let (mut count, mut number) = (0, 0);
        // Each step may change what the message is; then it is read again.
        while opened.step(block, &mut number, &mut known, &mut count, keys, &parse)? {}
        Ok(Some(opened))
    }

    /// Goes on in the header block until something changes; false: it came to its end.
    fn step(
        &mut self,
        block: usize,
        number: &mut usize,
        known: &mut Vec<Key>,
        count: &mut usize,
        keys: &Keys,
        parse: &impl Fn(&str) -> Result<Headers, Box<Fault>>,
    ) -> Result<bool, Box<Fault>> {
        let tree = Tree::parse(&self.text).map_err(|e| Box::new(Fault::invalid(vec![*e])))?;
        let message = Message::of(&tree, block)?;
        let children: Vec<Element<'_>> = message.security.children().collect();
        if children.len() > MAX_CHILDREN {
            let message = format!("The header Security has more than {MAX_CHILDREN} elements");
            return Err(fault(&["InvalidSecurity"], &message));
        }
        while let Some(child) = children.get(*number).copied() {
            *number += 1;
            let (key, list) = match (child.namespace(), child.local()) {
                (DS, "Signature") => {
                    self.verify(child, &message, keys)?;
                    // From here on it is read as it was verified, whatever another parser might have seen in it.
                    self.text = tree.text();
                    return Ok(true);
                }
                (XENC, "EncryptedKey") => {
                    let own = keys.own.as_deref().ok_or_else(no_key)?;
                    (Some(Key::open(child, &message, own)?), child.only(XENC, "ReferenceList"))
                }
                (XENC, "ReferenceList") => (None, Some(child)),
                _ => continue,
            };
            let own = keys.own.as_deref().ok_or_else(no_key)?;
            let references = list.map(decrypt::references).unwrap_or_default();
            *count += 1 + references.len();
            if *count > MAX_ENCRYPTED {
                let message = format!("More than {MAX_ENCRYPTED} keys and pieces are encrypted in the message");
                return Err(fault(&["InvalidSecurity"], &message));
            }
            for uri in &references {
                let is_body = message.is_body_content(uri);
                self.text = decrypt::opened(&self.text, block, uri, key.as_ref(), known, own)?;
                // What was hidden keeps the limits too.
                parse(&self.text)?;
                self.was_encrypted |= is_body;
            }
            known.extend(key);
            if !references.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn verify(&mut self, signature: Element<'_>, message: &Message<'_>, keys: &Keys) -> Result<(), Box<Fault>> {
        let trust = keys.trust.as_ref().ok_or_else(|| {
            let message = "Signatures are not taken here: nobody is trusted to sign (security-authority)";
            fault(&["UnsupportedSecurityToken"], message)
        })?;
        if self.signer.is_some() {
            return Err(fault(&["InvalidSecurity"], "There is more than one signature"));
        }
        let verified = verified(signature, message, trust)?;
        self.signer = Some(verified.signer);
        self.signed = verified.parts;
        self.digest = Some(verified.digest);
        Ok(())
    }

    /// How the reply to it is secured: as it was itself.
    pub fn reply_protection(&self, keys: &Keys) -> Protection {
        let signer = keys.own.clone().filter(|_| self.signer.is_some());
        let can_open = |signer: &X509| signer.public_key().is_ok_and(|key| key.rsa().is_ok());
        let receiver = self.signer.clone().filter(|signer| self.was_encrypted && can_open(signer));
        Protection { credentials: None, signer, receiver }
    }

    /// Sees to it that a signature covers all that is worked with, and takes out the header blocks that it does not.
    ///
    /// # Errors
    /// The fault that says what is not signed.
    pub fn covered(&self, headers: &mut Headers, security: &Security) -> Result<(), Box<Fault>> {
        if self.signer.is_none() {
            return Ok(());
        }
        let not_signed =
            |what: &str| Err(fault(&["InvalidSecurity"], &format!("The signature must cover {what}, and does not")));
        if !self.signed.contains(&Part::Body) {
            return not_signed("the body of the envelope");
        }
        if security.timestamp.is_none() || !self.signed.contains(&Part::Timestamp) {
            return not_signed("a Timestamp");
        }
        if security.token.is_some() && !self.signed.contains(&Part::UsernameToken) {
            return not_signed("the UsernameToken");
        }
        let mut number = 0;
        let mut refused = None;
        headers.0.retain(|block| {
            let is_signed = self.signed.contains(&Part::Header(number));
            number += 1;
            let is_security = block.local == "Security" && block.namespace == WSSE;
            if !is_signed && !is_security && (block.must_understand || block.namespace == crate::soap::WSA) {
                refused = Some(block.local.clone());
            }
            is_signed || is_security
        });
        refused.map_or(Ok(()), |name| not_signed(&format!("the header {name}")))
    }
}

fn no_key() -> Box<Fault> {
    let message = "Nothing can be encrypted for us: we have no key (security-certificate, security-key)";
    fault(&["UnsupportedSecurityToken"], message)
}

#[cfg(test)]
mod tests {
    use super::super::{Credentials, Identity, Trust};
    use super::*;
    use crate::soap::{HeaderBlock, HeaderContent, Version};
    use chrono::Utc;
    use openssl::asn1::Asn1Time;
    use openssl::bn::BigNum;
    use openssl::ec::{EcGroup, EcKey};
    use openssl::hash::MessageDigest;
    use openssl::nid::Nid;
    use openssl::pkey::{PKey, Private};
    use openssl::rsa::Rsa;
    use openssl::x509::X509NameBuilder;
    use std::sync::Arc;

    fn rsa() -> PKey<Private> {
        PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap()
    }

    fn curve(nid: Nid) -> PKey<Private> {
        PKey::from_ec_key(EcKey::generate(&EcGroup::from_curve_name(nid).unwrap()).unwrap()).unwrap()
    }

    fn identity(key: PKey<Private>) -> Identity {
        let mut name = X509NameBuilder::new().unwrap();
        name.append_entry_by_text("CN", "anna").unwrap();
        let name = name.build();
        let mut builder = X509::builder().unwrap();
        builder.set_version(2).unwrap();
        builder.set_serial_number(&BigNum::from_u32(77).unwrap().to_asn1_integer().unwrap()).unwrap();
        builder.set_subject_name(&name).unwrap();
        builder.set_issuer_name(&name).unwrap();
        builder.set_pubkey(&key).unwrap();
        builder.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
        builder.set_not_after(&Asn1Time::days_from_now(1).unwrap()).unwrap();
        builder.sign(&key, MessageDigest::sha256()).unwrap();
        Identity { certificate: builder.build(), key }
    }

    fn trusting(identity: &Identity) -> Keys {
        let trust = Trust::from_pem(&identity.certificate.to_pem().unwrap()).unwrap();
        Keys { own: Some(Arc::new(identity.clone())), trust: Some(trust) }
    }

    const BODY: &str = "<o:order xmlns:o='urn:o' a=\"&lt;1\">ä &amp; 😀\n<o:empty/></o:order>";

    fn envelope() -> String {
        let text = "<t:tag xmlns:t='urn:t'>x</t:tag>".to_owned();
        let block = HeaderBlock::of("urn:t", "tag", HeaderContent::Xml { text, origin: (1, 1) });
        Version::Soap12.wrap_with(&Headers(vec![block]), BODY)
    }

    fn open(text: &str, keys: &Keys) -> Result<Opened, String> {
        let code = |fault: Box<Fault>| fault.standard.map_or(fault.message, |s| s.codes.concat());
        let opened = Opened::of(text, keys, &Limits::default()).map_err(code)?.unwrap();
        let mut headers = Envelope::parse(&opened.text, &Limits::default()).unwrap().headers;
        let security = Security::of(&headers, true).map_err(code)?.unwrap();
        opened.covered(&mut headers, &security).map_err(code)?;
        Ok(opened)
    }

    #[test]
    fn what_is_signed_and_encrypted_is_opened_again() {
        for key in [rsa(), curve(Nid::X9_62_PRIME256V1), curve(Nid::SECP384R1), curve(Nid::SECP521R1)] {
            let is_rsa = key.rsa().is_ok();
            let own = identity(key);
            let keys = trusting(&own);
            let credentials = Credentials { name: "anna".to_owned(), secret: "s".to_owned(), as_digest: true };
            for (with_token, encrypted) in [(false, false), (true, false), (false, true), (true, true)] {
                let protection = Protection {
                    credentials: with_token.then(|| credentials.clone()),
                    signer: keys.own.clone(),
                    receiver: (encrypted && is_rsa).then(|| own.certificate.clone()),
                };
                let text = protection.applied(&envelope(), Utc::now()).unwrap();
                assert_eq!(text.contains("urn:o"), !(encrypted && is_rsa));
                let opened = open(&text, &keys).unwrap();
                assert!(opened.signer.is_some());
                assert_eq!(opened.was_encrypted, encrypted && is_rsa);
                assert!(opened.text.contains("ä &amp; 😀\n<o:empty/>"), "{}", opened.text);
                // Anything that changes is noticed.
                let changed = text.replace(">x</t:tag>", ">y</t:tag>");
                assert_eq!(open(&changed, &keys).unwrap_err(), "FailedCheck");
                if !encrypted {
                    let changed = text.replace("<o:empty/>", "");
                    assert_eq!(open(&changed, &keys).unwrap_err(), "FailedCheck");
                }
            }
        }
    }

    #[test]
    fn encryption_alone_tells_nobody() {
        let own = identity(rsa());
        let receiver = Some(own.certificate.clone());
        let protection = Protection { receiver, ..Protection::default() };
        let text = protection.applied(&envelope(), Utc::now()).unwrap();
        let opened = open(&text, &trusting(&own)).unwrap();
        assert!(opened.signer.is_none() && opened.was_encrypted);
        assert_eq!(open(&text, &trusting(&identity(rsa()))).unwrap_err(), "SecurityTokenUnavailable");
        assert_eq!(open(&text, &Keys::default()).unwrap_err(), "UnsupportedSecurityToken");
    }

    #[test]
    fn only_those_who_are_trusted_sign() {
        let (own, other) = (identity(rsa()), identity(rsa()));
        let protection = Protection { signer: Some(Arc::new(own.clone())), ..Protection::default() };
        let text = protection.applied(&envelope(), Utc::now()).unwrap();
        assert!(open(&text, &trusting(&own)).is_ok());
        assert_eq!(open(&text, &trusting(&other)).unwrap_err(), "FailedAuthentication");
        assert_eq!(open(&text, &Keys::default()).unwrap_err(), "UnsupportedSecurityToken");
    }

    #[test]
    fn what_is_not_signed_is_not_there() {
        let own = identity(rsa());
        let protection = Protection { signer: Some(Arc::new(own.clone())), ..Protection::default() };
        let text = protection.applied(&envelope(), Utc::now()).unwrap();
        let keys = trusting(&own);
        let with = |block: &str| text.replace("</soap:Header>", &format!("{block}</soap:Header>"));
        let headers = |text: &str| {
            let opened = Opened::of(text, &keys, &Limits::default()).unwrap().unwrap();
            let mut headers = Envelope::parse(&opened.text, &Limits::default()).unwrap().headers;
            let security = Security::of(&headers, true).unwrap().unwrap();
            opened.covered(&mut headers, &security).map(|()| headers).map_err(|fault| fault.message)
        };
        assert_eq!(headers(&with("<u:extra xmlns:u='urn:u'/>")).unwrap().0.len(), 2);
        let refused = headers(&with("<ReplyTo xmlns='http://www.w3.org/2005/08/addressing'/>")).unwrap_err();
        assert!(refused.contains("the header ReplyTo"), "{refused}");
    }
}
