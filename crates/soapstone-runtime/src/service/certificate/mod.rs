//! Client certificates: their names, and the field of them that a user is known by.

mod der;
mod names;

use openssl::asn1::Asn1IntegerRef;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::x509::{GeneralNameRef, X509NameRef, X509Ref};
use std::fmt;
use std::str::FromStr;

/// A distinguished name as text (RFC 4514), such as `CN=erp,O=Shop`.
pub fn distinguished_name(name: &X509NameRef) -> String {
    name.to_der().map(|der| names::distinguished_name(&der)).unwrap_or_default()
}

/// A serial number, hexadecimal.
pub fn serial_number(number: &Asn1IntegerRef) -> Option<String> {
    let number = number.to_bn().and_then(|number| number.to_hex_str().map(|hex| hex.to_ascii_lowercase()));
    number.ok()
}

/// A certificate that a client has presented, and that was verified.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certificate {
    /// Its first common name.
    pub name: String,
    /// The SHA-256 digest of it, hexadecimal.
    pub fingerprint: String,
    /// Its subject (RFC 4514), such as `CN=erp,O=Shop`.
    pub subject: String,
    /// Its issuer, likewise.
    pub issuer: String,
    /// The number that the issuer gave it, hexadecimal.
    pub serial: String,
    pub common_names: Vec<String>,
    /// Alternative names by kind.
    pub emails: Vec<String>,
    pub hosts: Vec<String>,
    pub uris: Vec<String>,
    pub principals: Vec<String>,
}

impl Certificate {
    /// Reads the names of a certificate.
    pub fn of(certificate: &X509Ref) -> Self {
        let entries = certificate.subject_name().entries_by_nid(Nid::COMMONNAME);
        let common_names: Vec<String> = entries.filter_map(|entry| entry.data().to_string().ok()).collect();
        let digest = certificate.digest(MessageDigest::sha256());
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let alternatives = certificate.subject_alt_names();
        let all = |text: fn(&GeneralNameRef) -> Option<&str>| -> Vec<String> {
            alternatives.iter().flatten().filter_map(text).map(str::to_owned).collect()
        };
        Self {
            name: common_names.first().cloned().unwrap_or_default(),
            fingerprint: digest.map_or_else(|_| String::new(), |digest| hex(&digest)),
            subject: distinguished_name(certificate.subject_name()),
            issuer: distinguished_name(certificate.issuer_name()),
            serial: serial_number(certificate.serial_number()).unwrap_or_default(),
            emails: all(GeneralNameRef::email),
            hosts: all(GeneralNameRef::dnsname),
            uris: all(GeneralNameRef::uri),
            principals: certificate.to_der().map(|der| names::principal_names(&der)).unwrap_or_default(),
            common_names,
        }
    }

    /// The values of a field, as users are known by them.
    pub fn values(&self, field: CertificateField) -> Vec<String> {
        let values: &[String] = match field {
            CertificateField::CommonName => &self.common_names,
            CertificateField::Subject => std::slice::from_ref(&self.subject),
            CertificateField::Email => &self.emails,
            CertificateField::Dns => &self.hosts,
            CertificateField::Uri => &self.uris,
            CertificateField::Upn => &self.principals,
            CertificateField::Fingerprint => std::slice::from_ref(&self.fingerprint),
        };
        let mut values: Vec<String> = values.iter().map(|value| field.normalized(value)).collect();
        values.retain(|value| !value.is_empty());
        values.sort();
        values.dedup();
        values
    }
}

/// The field of a certificate that a user is known by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CertificateField {
    #[default]
    CommonName,
    /// The complete subject (RFC 4514).
    Subject,
    Email,
    Dns,
    Uri,
    /// The user principal name, an alternative name.
    Upn,
    /// The SHA-256 digest of the certificate.
    Fingerprint,
}

impl CertificateField {
    pub const ALL: [Self; 7] =
        [Self::CommonName, Self::Subject, Self::Email, Self::Dns, Self::Uri, Self::Upn, Self::Fingerprint];

    /// A value as it is stored and compared: without regard to case where the field has none, and to colons in fingerprints.
    pub fn normalized(self, value: &str) -> String {
        let value = value.trim();
        match self {
            Self::CommonName | Self::Subject | Self::Uri => value.to_owned(),
            Self::Email | Self::Dns | Self::Upn => value.to_lowercase(),
            Self::Fingerprint => {
                value.chars().filter(|c| !matches!(c, ':' | ' ')).map(|c| c.to_ascii_lowercase()).collect()
            }
        }
    }

    /// The name, as the setting has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::CommonName => "common-name",
            Self::Subject => "subject",
            Self::Email => "email",
            Self::Dns => "dns",
            Self::Uri => "uri",
            Self::Upn => "upn",
            Self::Fingerprint => "fingerprint",
        }
    }
}

impl fmt::Display for CertificateField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for CertificateField {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|field| field.name() == text).ok_or_else(|| {
            format!("Unknown field \"{text}\"; available fields: {}", Self::ALL.map(Self::name).join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use openssl::asn1::{Asn1Object, Asn1OctetString};
    use openssl::hash::MessageDigest;
    use openssl::pkey::PKey;
    use openssl::rsa::Rsa;
    use openssl::x509::extension::SubjectAlternativeName;
    use openssl::x509::{X509, X509Builder, X509Extension, X509NameBuilder};

    fn certificate(extend: impl FnOnce(&mut X509Builder)) -> X509 {
        let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
        let mut name = X509NameBuilder::new().unwrap();
        for (kind, text) in [("O", "Shop"), ("CN", "erp"), ("CN", "Erp Two")] {
            name.append_entry_by_text(kind, text).unwrap();
        }
        let mut builder = X509::builder().unwrap();
        builder.set_version(2).unwrap();
        builder.set_subject_name(&name.build()).unwrap();
        builder.set_pubkey(&key).unwrap();
        extend(&mut builder);
        builder.sign(&key, MessageDigest::sha256()).unwrap();
        builder.build()
    }

    #[test]
    fn every_field_has_its_values() {
        let made = certificate(|builder| {
            let mut names = SubjectAlternativeName::new();
            names
                .email("Erp@Shop.example")
                .dns("ERP.shop.example")
                .dns("erp.shop.example")
                .uri("urn:erp:1")
                .ip("127.0.0.1");
            let names = names.build(&builder.x509v3_context(None, None)).unwrap();
            builder.append_extension(names).unwrap();
        });
        let certificate = Certificate::of(&made);
        let values = |field| certificate.values(field);
        assert_eq!(values(CertificateField::CommonName), ["Erp Two", "erp"]);
        assert_eq!(values(CertificateField::Subject), ["CN=Erp Two,CN=erp,O=Shop"]);
        assert_eq!(values(CertificateField::Email), ["erp@shop.example"]);
        assert_eq!(values(CertificateField::Dns), ["erp.shop.example"]);
        assert_eq!(values(CertificateField::Uri), ["urn:erp:1"]);
        assert!(values(CertificateField::Upn).is_empty());
        assert_eq!(values(CertificateField::Fingerprint), std::slice::from_ref(&certificate.fingerprint));
        let shown = certificate
            .fingerprint
            .to_uppercase()
            .as_bytes()
            .chunks(2)
            .map(|pair| String::from_utf8_lossy(pair).into_owned())
            .collect::<Vec<_>>()
            .join(":");
        assert_eq!(CertificateField::Fingerprint.normalized(&shown), certificate.fingerprint);
    }

    #[test]
    fn a_user_principal_name_is_an_alternative_name() {
        // SEQUENCE { [0] { OID 1.3.6.1.4.1.311.20.2.3, [0] { UTF8String "Erp@shop" } }, [2] "erp.example" }
        let text = b"Erp@shop";
        let mut other = vec![6, 10, 0x2b, 6, 1, 4, 1, 0x82, 0x37, 0x14, 2, 3, 0xa0, 10, 0x0c, 8];
        other.extend_from_slice(text);
        let mut names = vec![0xa0, u8::try_from(other.len()).unwrap()];
        names.extend(other);
        names.extend([0x82, 11]);
        names.extend(b"erp.example");
        let mut der = vec![0x30, u8::try_from(names.len()).unwrap()];
        der.extend(names);
        let made = certificate(|builder| {
            let kind = Asn1Object::from_str("2.5.29.17").unwrap();
            let value = Asn1OctetString::new_from_bytes(&der).unwrap();
            builder.append_extension(X509Extension::new_from_der(&kind, false, &value).unwrap()).unwrap();
        });
        let certificate = Certificate::of(&made);
        assert_eq!(certificate.values(CertificateField::Upn), ["erp@shop"]);
        assert_eq!(certificate.values(CertificateField::Dns), ["erp.example"]);
    }

    #[test]
    fn fields_are_known_by_their_names() {
        for field in CertificateField::ALL {
            assert_eq!(field.name().parse(), Ok(field));
        }
        assert!("cn".parse::<CertificateField>().unwrap_err().contains("common-name, subject, email"));
    }
}
