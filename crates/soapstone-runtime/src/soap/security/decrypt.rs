//! Opens what is encrypted for us (XML Encryption 1.1; WS-Security 1.1, section 9): the text of a message with what was
//! meant in the places of `xenc:EncryptedData`.

use super::algorithm::{self, DS, XENC, XENC_11};
use super::document::Message;
use super::keys::Identity;
use super::token::{Named, decoded, unavailable};
use super::{WSSE, fault};
use crate::soap::Fault;
use crate::xml::{Element, Tree};
use openssl::encrypt::Decrypter;
use openssl::rsa::Padding;
use openssl::symm::{Cipher, decrypt_aead};
use quick_xml::Reader;
use quick_xml::events::Event;
use std::ops::Range;

/// How long the initialization vector and the tag of GCM are (XML Encryption 1.1, section 5.2.4).
const VECTOR: usize = 12;
const TAG: usize = 16;

/// A key that came with the message.
pub(super) struct Key {
    id: Option<String>,
    bytes: Vec<u8>,
}

fn failed() -> Box<Fault> {
    // Why it failed would help those who guess.
    fault(&["FailedCheck"], "What is encrypted cannot be opened: it was changed, or is for another key")
}

fn broken(what: &str) -> Box<Fault> {
    fault(&["InvalidSecurity"], &format!("The encryption is not complete: {what}"))
}

fn algorithm_of(element: Element<'_>, namespace: &str, local: &str) -> Option<String> {
    element.only(namespace, local).and_then(|method| method.attribute("", "Algorithm"))
}

fn cipher_value(element: Element<'_>) -> Result<Vec<u8>, Box<Fault>> {
    let value = element.only(XENC, "CipherData").and_then(|data| data.only(XENC, "CipherValue"));
    decoded(&value.ok_or_else(|| broken("there is no CipherValue"))?.text())
}

impl Key {
    /// Opens `xenc:EncryptedKey`.
    ///
    /// # Errors
    /// The fault to answer with.
    pub fn open(element: Element<'_>, message: &Message<'_>, own: &Identity) -> Result<Self, Box<Fault>> {
        let method = element.only(XENC, "EncryptionMethod").ok_or_else(|| broken("there is no EncryptionMethod"))?;
        let (digest, mask) = algorithm::key_transport(
            method.attribute("", "Algorithm").as_deref(),
            algorithm_of(method, DS, "DigestMethod").as_deref(),
            algorithm_of(method, XENC_11, "MGF").as_deref(),
        )?;
        if let Some(key_info) = element.only(DS, "KeyInfo")
            && !Named::by(key_info, message)?.means(&own.certificate)
        {
            return Err(unavailable("It is encrypted for another certificate than ours"));
        }
        let value = cipher_value(element)?;
        let opened = || {
            let mut decrypter = Decrypter::new(&own.key)?;
            decrypter.set_rsa_padding(Padding::PKCS1_OAEP)?;
            decrypter.set_rsa_oaep_md(digest)?;
            decrypter.set_rsa_mgf1_md(mask)?;
            let mut bytes = vec![0; decrypter.decrypt_len(&value)?];
            let length = decrypter.decrypt(&value, &mut bytes)?;
            bytes.truncate(length);
            Ok::<_, openssl::error::ErrorStack>(bytes)
        };
        Ok(Self { id: element.attribute("", "Id"), bytes: opened().map_err(|_| failed())? })
    }
}

/// The IDs of what a list of references names, each as `#ID`.
pub(super) fn references(list: Element<'_>) -> Vec<String> {
    let data = list.children().filter(|child| child.is(XENC, "DataReference"));
    data.filter_map(|reference| reference.attribute("", "URI")).collect()
}

/// The text of a message with one `xenc:EncryptedData` opened: by that key, or by the one that it names.
///
/// # Errors
/// The fault to answer with.
pub(super) fn opened(
    text: &str,
    block: usize,
    uri: &str,
    key: Option<&Key>,
    keys: &[Key],
    own: &Identity,
) -> Result<String, Box<Fault>> {
    let tree = Tree::parse(text).map_err(|_| failed())?;
    let message = Message::of(&tree, block)?;
    let unknown = || broken("a reference leads to no EncryptedData of the body or of the security header");
    let data = message.referred(uri).filter(|element| element.is(XENC, "EncryptedData")).ok_or_else(unknown)?;
    if !message.may_be_encrypted(data) {
        return Err(unknown());
    }
    let cipher = algorithm::cipher(algorithm_of(data, XENC, "EncryptionMethod").as_deref())?;
    let inner;
    let key = match (key, data.only(DS, "KeyInfo")) {
        (Some(key), _) => key,
        (None, Some(info)) if info.only(XENC, "EncryptedKey").is_some() => {
            let element = info.only(XENC, "EncryptedKey").ok_or_else(unknown)?;
            inner = Key::open(element, &message, own)?;
            &inner
        }
        (None, info) => {
            let reference = info.and_then(|info| info.only(WSSE, "SecurityTokenReference"));
            let uri = reference.and_then(|r| r.only(WSSE, "Reference")).and_then(|r| r.attribute("", "URI"));
            let id = uri.as_deref().and_then(|uri| uri.strip_prefix('#'));
            let named = keys.iter().find(|key| id.is_some() && key.id.as_deref() == id);
            named.ok_or_else(|| unavailable("The key of what is encrypted is not in the message"))?
        }
    };
    let plain = plain(&cipher_value(data)?, &key.bytes, cipher)?;
    let elements = elements(&plain).ok_or_else(|| broken("what was encrypted is no content of an element"))?;
    if message.is_in_block(data) && elements != 1 {
        return Err(broken("what was encrypted in the security header is not one element"));
    }
    let range = range_of(text, &uri[1..]).ok_or_else(unknown)?;
    Ok([&text[..range.start], &plain, &text[range.end..]].concat())
}

fn plain(value: &[u8], key: &[u8], cipher: Cipher) -> Result<String, Box<Fault>> {
    if value.len() < VECTOR + TAG || key.len() != cipher.key_len() {
        return Err(failed());
    }
    let (vector, rest) = value.split_at(VECTOR);
    let (data, tag) = rest.split_at(rest.len() - TAG);
    let bytes = decrypt_aead(cipher, key, Some(vector), &[], data, tag).map_err(|_| failed())?;
    String::from_utf8(bytes).map_err(|_| failed())
}

/// How many elements a text has side by side; None: it does not stand on its own.
fn elements(text: &str) -> Option<usize> {
    let mut reader = Reader::from_str(text);
    let (mut depth, mut count) = (0_usize, 0);
    loop {
        match reader.read_event().ok()? {
            Event::Start(_) => {
                count += usize::from(depth == 0);
                depth += 1;
            }
            Event::Empty(_) => count += usize::from(depth == 0),
            Event::End(_) => depth = depth.checked_sub(1)?,
            Event::DocType(_) | Event::Decl(_) | Event::PI(_) => return None,
            Event::Eof => return (depth == 0).then_some(count),
            _ => {}
        }
    }
}

/// Where the `EncryptedData` of that ID stands in a text.
fn range_of(text: &str, id: &str) -> Option<Range<usize>> {
    let mut reader = Reader::from_str(text);
    loop {
        let before = usize::try_from(reader.buffer_position()).ok()?;
        let (start, is_empty) = match reader.read_event().ok()? {
            Event::Start(start) => (start, false),
            Event::Empty(start) => (start, true),
            Event::Eof => return None,
            _ => continue,
        };
        let own = start.attributes().flatten().find(|a| a.key.0 == "Id");
        let own = own.and_then(|a| quick_xml::escape::unescape(&a.value).ok().map(std::borrow::Cow::into_owned));
        if start.local_name().into_inner() != "EncryptedData" || own.as_deref() != Some(id) {
            continue;
        }
        if !is_empty {
            reader.read_to_end(start.to_end().name()).ok()?;
        }
        return Some(before..usize::try_from(reader.buffer_position()).ok()?);
    }
}
