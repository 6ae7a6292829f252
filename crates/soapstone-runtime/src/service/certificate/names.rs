//! Names in certificates: the distinguished name as text, and alternative names.

use super::der::{Element, Elements, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE};
use std::fmt::Write;

const SUBJECT_ALTERNATIVE_NAME: &str = "2.5.29.17";

/// The user principal name of Microsoft's directories.
const USER_PRINCIPAL_NAME: &str = "1.3.6.1.4.1.311.20.2.3";

/// Short names of attributes (RFC 4514, section 3, and two more that OpenSSL writes).
const ATTRIBUTES: [(&str, &str); 11] = [
    ("2.5.4.3", "CN"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.6", "C"),
    ("2.5.4.9", "STREET"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("0.9.2342.19200300.100.1.1", "UID"),
    ("2.5.4.5", "serialNumber"),
    ("1.2.840.113549.1.9.1", "emailAddress"),
];

/// A distinguished name in DER as text (RFC 4514): the last part first, as `CN=erp,O=Shop`. Empty if it cannot be read.
pub(super) fn distinguished_name(der: &[u8]) -> String {
    let Some(name) = Elements(der).next() else { return String::new() };
    let parts: Option<Vec<String>> = Elements(name.content).map(relative_name).collect();
    let mut parts = parts.unwrap_or_default();
    parts.reverse();
    parts.join(",")
}

fn relative_name(set: Element<'_>) -> Option<String> {
    let attribute = |pair: Element<'_>| {
        let mut members = Elements(pair.content);
        let (kind, value) = (members.next()?.dotted()?, members.next()?);
        let short = ATTRIBUTES.iter().find(|(dotted, _)| *dotted == kind).map(|(_, short)| *short);
        Some(match short.and_then(|short| Some((short, value.text()?))) {
            Some((short, text)) => format!("{short}={}", escaped(&text)),
            None => {
                let hex = value.whole.iter().fold(String::new(), |mut hex, byte| {
                    // Writing to a String cannot fail.
                    let _ = write!(hex, "{byte:02X}");
                    hex
                });
                format!("{kind}=#{hex}")
            }
        })
    };
    let attributes: Option<Vec<String>> = Elements(set.content).map(attribute).collect();
    Some(attributes?.join("+"))
}

/// A value with its special characters escaped (RFC 4514, section 2.4).
fn escaped(text: &str) -> String {
    let last = text.chars().count().saturating_sub(1);
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.chars().enumerate() {
        match c {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => out.extend(['\\', c]),
            ' ' if at == 0 || at == last => out.push_str("\\ "),
            '#' if at == 0 => out.push_str("\\#"),
            c if c.is_control() => {
                let mut bytes = [0; 4];
                for byte in c.encode_utf8(&mut bytes).bytes() {
                    // Writing to a String cannot fail.
                    let _ = write!(out, "\\{byte:02X}");
                }
            }
            c => out.push(c),
        }
    }
    out
}

/// The user principal names among the alternative names of a certificate in DER.
pub(super) fn principal_names(certificate: &[u8]) -> Vec<String> {
    alternative_names(certificate).map(|names| Elements(names).filter_map(principal_name).collect()).unwrap_or_default()
}

fn alternative_names(certificate: &[u8]) -> Option<&[u8]> {
    let whole = Elements(certificate).next()?;
    let signed = Elements(whole.content).next()?;
    let extensions = Elements(signed.content).find(|element| element.tag == 0xa3)?;
    let list = Elements(extensions.content).next()?;
    let extension = Elements(list.content).find(|extension| {
        Elements(extension.content).next().and_then(|kind| kind.dotted()).as_deref() == Some(SUBJECT_ALTERNATIVE_NAME)
    })?;
    let value = Elements(extension.content).find(|element| element.tag == OCTET_STRING)?;
    Elements(value.content).next().filter(|names| names.tag == SEQUENCE).map(|names| names.content)
}

/// The text of an `otherName` that is a user principal name.
fn principal_name(name: Element<'_>) -> Option<String> {
    if name.tag != 0xa0 {
        return None;
    }
    let mut members = Elements(name.content);
    let kind = members.next().filter(|kind| kind.tag == OBJECT_IDENTIFIER)?;
    if kind.dotted()? != USER_PRINCIPAL_NAME {
        return None;
    }
    let value = members.next().filter(|value| value.tag == 0xa0)?;
    Elements(value.content).next()?.text()
}

#[cfg(test)]
mod tests {
    use super::*;
    use openssl::x509::X509NameBuilder;

    fn name(entries: &[(&str, &str)]) -> String {
        let mut builder = X509NameBuilder::new().unwrap();
        for (kind, text) in entries {
            builder.append_entry_by_text(kind, text).unwrap();
        }
        distinguished_name(&builder.build().to_der().unwrap())
    }

    #[test]
    fn a_distinguished_name_is_written_as_rfc_4514_says() {
        assert_eq!(name(&[("C", "CH"), ("O", "Shop"), ("CN", "erp")]), "CN=erp,O=Shop,C=CH");
        assert_eq!(
            name(&[("O", "Müller, Söhne + Co"), ("CN", " #a\\\" ")]),
            "CN=\\ #a\\\\\\\"\\ ,O=Müller\\, Söhne \\+ Co"
        );
        assert_eq!(name(&[("CN", "#a;<b>")]), "CN=\\#a\\;\\<b\\>");
        assert_eq!(name(&[("emailAddress", "a@b.example")]), "emailAddress=a@b.example");
        // An attribute without a short name.
        assert_eq!(name(&[("title", "x")]), "2.5.4.12=#0C0178");
        assert_eq!(name(&[]), "");
        assert_eq!(distinguished_name(&[0x30, 3, 0x31, 9, 0]), "");
    }
}
