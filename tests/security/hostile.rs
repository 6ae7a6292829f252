//! Hostile secured messages: signatures wrapped in all published ways, replays, wrong algorithms, confused keys,
//! transforms that loop, entities in what is signed. None is done; each is answered with the right fault.
//!
//! The shapes of wrapping are those of McIntosh and Austel ("XML Signature Element Wrapping Attacks and Countermeasures",
//! 2005), Somorovsky and others ("All Your Clouds are Belong to us", 2011), and Jensen and others (2009).

use super::{Secured, call};
use crate::support::{Database, Server};
use chrono::{TimeDelta, Utc};
use soapstone_runtime::soap::security::{Credentials, Protection};
use soapstone_runtime::soap::{HeaderBlock, HeaderContent, Headers, Version};
use std::sync::Arc;

/// What was signed, and what somebody wants done in its name.
const ASKED: &str = "<ListCategories xmlns=\"urn:soapstone:catalog/v1\"/>";
const WANTED: &str =
    "<UpsertCategories xmlns=\"urn:soapstone:catalog/v1\"><category><code>EVIL</code></category></UpsertCategories>";
const WSA: &str = "http://www.w3.org/2005/08/addressing";
const WSU: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";
const WSSE: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";

/// A signed message, in pieces that can be put together in other ways.
struct Pieces {
    text: String,
    /// The signed body as a whole, and its ID.
    body: String,
    id: String,
    security: String,
    signature: String,
    timestamp: String,
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let from = text.find(start).unwrap_or_else(|| panic!("{start} is not in {text}"));
    let length = text[from..].find(end).unwrap_or_else(|| panic!("{end} is not in {text}")) + end.len();
    &text[from..from + length]
}

impl Pieces {
    fn of(text: String) -> Self {
        let body = between(&text, "<soap:Body", "</soap:Body>").to_owned();
        let id = between(&body, "wsu:Id=\"", "\">").trim_start_matches("wsu:Id=\"").trim_end_matches("\">").to_owned();
        let security = between(&text, "<wsse:Security ", "</wsse:Security>").to_owned();
        let signature = between(&text, "<ds:Signature ", "</ds:Signature>").to_owned();
        let timestamp = between(&text, "<wsu:Timestamp", "</wsu:Timestamp>").to_owned();
        Self { text, body, id, security, signature, timestamp }
    }

    /// With another body in the place of the signed one, and something more in the header.
    fn other(&self, body: &str, in_header: &str) -> String {
        self.text.replace(&self.body, body).replace("</soap:Header>", &format!("{in_header}</soap:Header>"))
    }
}

fn wanted(attributes: &str) -> String {
    format!("<soap:Body{attributes}>{WANTED}</soap:Body>")
}

/// Name, message, what is in the answer.
type Case = (&'static str, String, &'static str);

fn wrapped(pieces: &Pieces) -> Vec<Case> {
    let Pieces { text, body, id, security, signature, timestamp } = pieces;
    let own = |attribute: &str| format!(" {attribute}=\"{id}\"");
    let in_wrapper = format!("<w:Wrapper xmlns:w=\"urn:w\">{body}</w:Wrapper>");
    let not_signed = "must cover the body";
    let envelope = format!(
        "<w:Old xmlns:w=\"urn:w\">{}</w:Old>",
        text.replacen("<?xml version=\"1.0\" encoding=\"utf-8\"?>", "", 1)
    );
    let fresh = "<wsu:Timestamp><wsu:Created>2026-01-01T00:00:00Z</wsu:Created><wsu:Expires>2099-01-01T00:00:00Z</wsu:Expires></wsu:Timestamp>";
    vec![
        ("the body in a wrapper in the header", pieces.other(&wanted(""), &in_wrapper), not_signed),
        ("the body in a wrapper, another ID", pieces.other(&wanted(" wsu:Id=\"other\""), &in_wrapper), not_signed),
        ("the ID twice", pieces.other(&wanted(&own("wsu:Id")), &in_wrapper), "stands at two elements"),
        ("the ID twice, once as xml:id", pieces.other(&wanted(&own("xml:id")), &in_wrapper), "stands at two elements"),
        ("the ID without a namespace", pieces.other(&wanted(&own("Id")), &in_wrapper), not_signed),
        (
            "the ID by another prefix",
            pieces.other(&wanted(&format!(" xmlns:u=\"{WSU}\" u:Id=\"{id}\"")), &in_wrapper),
            "stands at two elements",
        ),
        ("the body in the new body", text.replace(body, &format!("<soap:Body>{WANTED}{body}</soap:Body>")), not_signed),
        (
            "the body under the element wanted",
            text.replace(body, &format!("<soap:Body><x xmlns=\"urn:x\">{body}</x>{WANTED}</soap:Body>")),
            not_signed,
        ),
        (
            "the body in the security header",
            text.replace(body, &wanted("")).replace("</wsse:Security>", &format!("{body}</wsse:Security>")),
            "UnsupportedSecurityToken",
        ),
        (
            "the body in an Object of the signature",
            text.replace(body, &wanted(""))
                .replace("</ds:Signature>", &format!("<ds:Object>{body}</ds:Object></ds:Signature>")),
            not_signed,
        ),
        ("two bodies, the signed one first", text.replace(body, &format!("{body}{}", wanted(""))), "soap.bad_envelope"),
        ("two bodies, the signed one last", text.replace(body, &format!("{}{body}", wanted(""))), "soap.bad_envelope"),
        (
            "a body of another namespace",
            text.replace(body, &format!("<Body xmlns=\"urn:x\">{WANTED}</Body>{body}")),
            "soap.bad_envelope",
        ),
        ("the old envelope in the header", pieces.other(&wanted(""), &envelope), "stands at two elements"),
        (
            "another timestamp beside the signed one",
            text.replace(timestamp, &format!("{fresh}{timestamp}")),
            "more than one Timestamp",
        ),
        (
            "the signed timestamp in a wrapper",
            text.replace(timestamp, fresh)
                .replace("</soap:Header>", &format!("<w xmlns=\"urn:w\">{timestamp}</w></soap:Header>")),
            "must cover a Timestamp",
        ),
        (
            "the signed timestamp in an Object",
            text.replace(timestamp, fresh)
                .replace("</ds:Signature>", &format!("<ds:Object>{timestamp}</ds:Object></ds:Signature>")),
            "must cover a Timestamp",
        ),
        ("without a timestamp", text.replace(timestamp, ""), "is not in the message"),
        (
            "the signature in a header for somebody else",
            text.replace(body, &wanted("")).replace("<wsse:Security ", "<wsse:Security soap:actor=\"urn:other\" "),
            "access.unknown",
        ),
        (
            "the signature for somebody else, and nothing for us",
            text.replace(body, &wanted("")).replace(
                security,
                &format!(
                    "<wsse:Security></wsse:Security>{}",
                    security.replace("<wsse:Security ", "<wsse:Security soap:actor=\"urn:other\" ")
                ),
            ),
            "access.unknown",
        ),
        (
            "two headers for us",
            pieces.other(body, &format!("<wsse:Security>{timestamp}</wsse:Security>")),
            "more than one header Security",
        ),
        ("the signature twice", text.replace(signature, &format!("{signature}{signature}")), "more than one signature"),
        (
            "the signature deeper in the header",
            text.replace(signature, &format!("<w xmlns=\"urn:w\">{signature}</w>")),
            "UnsupportedSecurityToken",
        ),
        ("the signature taken out", text.replace(signature, ""), "UnsupportedSecurityToken"),
        ("all security taken out", text.replace(security, ""), "access.unknown"),
        (
            "an answer wanted elsewhere, not signed",
            pieces.other(
                body,
                &format!(
                    "<a:Action xmlns:a=\"{WSA}\">urn:soapstone:catalog/v1:Catalog:ListCategoriesRequest</a:Action>\
                     <a:ReplyTo xmlns:a=\"{WSA}\"><a:Address>http://127.0.0.1:9/</a:Address></a:ReplyTo>"
                ),
            ),
            "must cover the header",
        ),
        (
            "a user that nobody signed",
            text.replace(
                "</wsse:Security>",
                "<wsse:UsernameToken><wsse:Username>admin</wsse:Username><wsse:Password>x</wsse:Password>\
                 </wsse:UsernameToken></wsse:Security>",
            ),
            "must cover the UsernameToken",
        ),
        ("other content", text.replace(ASKED, WANTED), "FailedCheck"),
        (
            "a comment in the content",
            text.replace(ASKED, &ASKED.replace("/>", "><!-- x --></ListCategories>")),
            "ListCategoriesResponse",
        ),
        (
            "another namespace for the content",
            text.replace("<soap:Body", "<soap:Body xmlns=\"urn:evil\"").replace(ASKED, "<ListCategories/>"),
            "FailedCheck",
        ),
    ]
}

/// Signed with other algorithms, other keys, other transforms than are taken.
fn confused(secured: &Secured, pieces: &Pieces) -> Vec<Case> {
    let Pieces { text, id, signature, .. } = pieces;
    let more = "http://www.w3.org/2001/04/xmldsig-more#";
    let ds = "http://www.w3.org/2000/09/xmldsig#";
    let exclusive = "http://www.w3.org/2001/10/xml-exc-c14n#";
    let method = format!("{more}rsa-sha256");
    let transform = format!("<ds:Transform Algorithm=\"{exclusive}\"/>");
    let transforms = |other: &str| text.replace(&transform, other);
    let key_info = between(signature, "<ds:KeyInfo>", "</ds:KeyInfo>");
    let keyed = |inner: &str| text.replace(key_info, &format!("<ds:KeyInfo>{inner}</ds:KeyInfo>"));
    let signed_by = |name: &str| {
        let protection = Protection { signer: Some(Arc::new(secured.identity(name))), ..Protection::default() };
        protection.applied(&Version::Soap11.wrap(ASKED), Utc::now()).unwrap()
    };
    let (by_server, by_other) = (signed_by("server"), signed_by("other"));
    let other_token = between(&by_other, "<wsse:BinarySecurityToken", "</wsse:BinarySecurityToken>");
    let own_token = between(text, "<wsse:BinarySecurityToken", "</wsse:BinarySecurityToken>");
    let content = |token: &str| token.split_once('>').unwrap().1.replace("</wsse:BinarySecurityToken>", "");
    let uri = format!("URI=\"#{id}\"");
    let reference = between(signature, "<ds:Reference", "</ds:Reference>");
    vec![
        ("SHA-1 and RSA", text.replace(&method, &format!("{ds}rsa-sha1")), "UnsupportedAlgorithm"),
        ("MD5 and RSA", text.replace(&method, &format!("{more}rsa-md5")), "UnsupportedAlgorithm"),
        ("DSA", text.replace(&method, &format!("{ds}dsa-sha1")), "UnsupportedAlgorithm"),
        ("HMAC with the public key", text.replace(&method, &format!("{more}hmac-sha256")), "UnsupportedAlgorithm"),
        ("HMAC of one bit", text.replace(&format!("<ds:SignatureMethod Algorithm=\"{method}\"/>"), &format!("<ds:SignatureMethod Algorithm=\"{more}hmac-sha256\"><ds:HMACOutputLength>1</ds:HMACOutputLength></ds:SignatureMethod>")), "UnsupportedAlgorithm"),
        ("no algorithm", text.replace(&method, ""), "UnsupportedAlgorithm"),
        ("an algorithm for another kind of key", text.replace(&method, &format!("{more}ecdsa-sha256")), "FailedCheck"),
        ("another digest than signed", text.replace(&method, &format!("{more}rsa-sha512")), "FailedCheck"),
        ("SHA-1 as a digest", text.replace("http://www.w3.org/2001/04/xmlenc#sha256", &format!("{ds}sha1")), "FailedCheck"),
        ("inclusive canonical XML", text.replace(&format!("<ds:CanonicalizationMethod Algorithm=\"{exclusive}\"/>"), "<ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/TR/2001/REC-xml-c14n-20010315\"/>"), "UnsupportedAlgorithm"),
        ("canonical XML with comments", text.replace(&format!("{exclusive}\"/><ds:SignatureMethod"), &format!("{exclusive}WithComments\"/><ds:SignatureMethod")), "UnsupportedAlgorithm"),
        ("a transform by XSLT that loops", transforms("<ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xslt-19991116\"><xsl:stylesheet version=\"1.0\" xmlns:xsl=\"http://www.w3.org/1999/XSL/Transform\"><xsl:template match=\"/\"><xsl:call-template name=\"l\"/></xsl:template><xsl:template name=\"l\"><xsl:call-template name=\"l\"/></xsl:template></xsl:stylesheet></ds:Transform>"), "FailedCheck"),
        ("a transform by XPath", transforms("<ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xpath-19991116\"><ds:XPath>count(//. | //@* | //namespace::*) = 0</ds:XPath></ds:Transform>"), "FailedCheck"),
        ("ten thousand transforms", transforms(&transform.repeat(10_000)), "FailedCheck"),
        ("no transform", transforms(""), "FailedCheck"),
        ("ten thousand references", text.replace(reference, &reference.repeat(10_000)), "FailedCheck"),
        ("a reference to the whole message", text.replace(&uri, "URI=\"\""), "FailedCheck"),
        ("a reference to a file", text.replace(&uri, "URI=\"file:///etc/passwd\""), "FailedCheck"),
        ("a reference to the web", text.replace(&uri, "URI=\"http://127.0.0.1:9/\""), "FailedCheck"),
        ("a reference by XPointer", text.replace(&uri, "URI=\"#xpointer(//*)\""), "FailedCheck"),
        ("a key as a value", keyed("<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>AQAB</ds:Modulus><ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>"), "UnsupportedSecurityToken"),
        ("a key by name", keyed("<ds:KeyName>connector</ds:KeyName>"), "UnsupportedSecurityToken"),
        ("a key from the web", keyed("<ds:RetrievalMethod URI=\"http://127.0.0.1:9/key\"/>"), "UnsupportedSecurityToken"),
        ("two keys", keyed("<ds:KeyName>a</ds:KeyName><ds:KeyName>b</ds:KeyName>"), "InvalidSecurityToken"),
        ("no key", keyed(""), "InvalidSecurityToken"),
        ("a certificate that is nowhere", keyed("<wsse:SecurityTokenReference><wsse:Reference URI=\"#nowhere\"/></wsse:SecurityTokenReference>"), "SecurityTokenUnavailable"),
        ("a certificate by an unknown number", keyed("<wsse:SecurityTokenReference><ds:X509Data><ds:X509IssuerSerial><ds:X509IssuerName>CN=x</ds:X509IssuerName><ds:X509SerialNumber>1</ds:X509SerialNumber></ds:X509IssuerSerial></ds:X509Data></wsse:SecurityTokenReference>"), "SecurityTokenUnavailable"),
        ("the certificate of another", text.replace(&content(own_token), &content(other_token)), "FailedCheck"),
        ("a certificate that is none", text.replace(&content(own_token), "AAAA"), "InvalidSecurityToken"),
        ("a signature that is empty", text.replace(between(signature, "<ds:SignatureValue>", "</ds:SignatureValue>"), "<ds:SignatureValue></ds:SignatureValue>"), "FailedCheck"),
        ("a signature that is no base64", text.replace("<ds:SignatureValue>", "<ds:SignatureValue>!"), "InvalidSecurity"),
        ("no SignedInfo", text.replace(between(signature, "<ds:SignedInfo", "</ds:SignedInfo>"), ""), "InvalidSecurity"),
        ("a certificate for servers signs no request", by_server, "extended key usage"),
        ("a signature by a certificate of no user", by_other.clone(), "access.unknown"),
        ("a DOCTYPE before what is signed", text.replacen("<soap:Envelope", "<!DOCTYPE x [<!ENTITY e \"v\">]><soap:Envelope", 1), "message.forbidden"),
        ("an entity in what is signed", text.replace("<ds:SignatureValue>", "<ds:SignatureValue>&e;"), "message.malformed"),
        (
            "a hundred thousand elements in the security header",
            text.replace("</wsse:Security>", &format!("{}</wsse:Security>", "<x xmlns=\"urn:x\"/>".repeat(40_000))),
            "more than 64 elements",
        ),
        (
            "ten thousand prefixes",
            text.replacen(
                &format!("<ds:CanonicalizationMethod Algorithm=\"{exclusive}\"/>"),
                &format!(
                    "<ds:CanonicalizationMethod Algorithm=\"{exclusive}\"><e:InclusiveNamespaces xmlns:e=\"{exclusive}\" \
                     PrefixList=\"{}\"/></ds:CanonicalizationMethod>",
                    "p ".repeat(10_000)
                ),
                1,
            ),
            "more than 64 prefixes",
        ),
        ("a SAML assertion", text.replace("</wsse:Security>", "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"/></wsse:Security>"), "UnsupportedSecurityToken"),
    ]
}

/// Encrypted, and changed.
fn encrypted(secured: &Secured) -> Vec<Case> {
    let public = std::fs::read(secured.certs.join("server.pem")).unwrap();
    let receiver = Some(openssl::x509::X509::from_pem(&public).unwrap());
    let signer = Some(Arc::new(secured.identity("client")));
    let make = || {
        let protection = Protection { signer: signer.clone(), receiver: receiver.clone(), credentials: None };
        protection.applied(&Version::Soap11.wrap(ASKED), Utc::now()).unwrap()
    };
    let text = make();
    let values: Vec<&str> =
        text.match_indices("<xenc:CipherValue>").map(|(at, found)| &text[at + found.len()..]).collect();
    let value = |number: usize| values[number].split('<').next().unwrap();
    let flipped = |text: &str| {
        let (at, other) = if &text[40..41] == "A" { (40, "B") } else { (40, "A") };
        format!("{}{other}{}", &text[..at], &text[at + 1..])
    };
    let enc = "http://www.w3.org/2001/04/xmlenc#";
    let enc11 = "http://www.w3.org/2009/xmlenc11#";
    let key = between(&text, "<xenc:EncryptedKey", "</xenc:EncryptedKey>");
    let data_reference = between(key, "<xenc:DataReference", "/>");
    let thumbprint = between(key, "ThumbprintSHA1\">", "<");
    vec![
        ("a bit of the content flipped", text.replace(value(1), &flipped(value(1))), "FailedCheck"),
        ("a bit of the key flipped", text.replace(value(0), &flipped(value(0))), "FailedCheck"),
        ("content cut off", text.replace(value(1), "AAAA"), "FailedCheck"),
        (
            "a cipher that notices nothing",
            text.replace(&format!("{enc11}aes256-gcm"), &format!("{enc}aes256-cbc")),
            "UnsupportedAlgorithm",
        ),
        (
            "a shorter cipher than the key",
            text.replace(&format!("{enc11}aes256-gcm"), &format!("{enc11}aes128-gcm")),
            "FailedCheck",
        ),
        (
            "RSA 1.5 for the key",
            text.replace(&format!("{enc11}rsa-oaep"), &format!("{enc}rsa-1_5")),
            "UnsupportedAlgorithm",
        ),
        ("for another certificate", text.replace(thumbprint, "ThumbprintSHA1\">AAAA<"), "SecurityTokenUnavailable"),
        (
            "a hundred thousand references",
            text.replace(data_reference, &data_reference.repeat(40_000)),
            "InvalidSecurity",
        ),
        ("a thousand keys", text.replace(key, &key.repeat(1000)), "stands at two elements"),
        (
            "content that is somewhere else",
            text.replace(value(1), "").replace(
                "<xenc:CipherValue></xenc:CipherValue>",
                "<xenc:CipherReference URI=\"http://127.0.0.1:9/\"/>",
            ),
            "InvalidSecurity",
        ),
        (
            "a reference to nothing",
            text.replace(data_reference, "<xenc:DataReference URI=\"#nowhere\"/>"),
            "InvalidSecurity",
        ),
        (
            "a reference to what is not encrypted",
            text.replace(
                data_reference,
                &format!("<xenc:DataReference URI=\"#{}\"/>", between(&text, "token-", "\"").trim_end_matches('"')),
            ),
            "InvalidSecurity",
        ),
        ("no reference", text.replace(data_reference, ""), "FailedCheck"),
        ("right", make(), "EncryptedData"),
    ]
}

fn run(server: &Server, cases: Vec<Case>) {
    assert!(cases.len() > 10);
    let mut wrong = Vec::new();
    for (name, message, right) in cases {
        let answer = call(server, &message);
        if !answer.contains(right) || answer.contains("UpsertCategoriesResponse") {
            wrong.push(format!("{name}: {right} is not in {answer}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Each case has a message of its own, so that none is taken for a replay.
fn each(secured: &Secured, cases: impl Fn(&Pieces) -> Vec<Case>) -> Vec<Case> {
    let make = || cases(&Pieces::of(secured.signed(&Headers::default(), ASKED)));
    (0..make().len()).map(|number| make().swap_remove(number)).collect()
}

#[test]
fn wrapped_signatures() {
    let secured = Secured::new(Database::Sqlite);
    let server = secured.serve(&[]);
    run(&server, each(&secured, wrapped));
    assert!(!server.get("/api/v1/categories").body.contains("EVIL"));
}

#[test]
fn confused_algorithms_and_keys() {
    let secured = Secured::new(Database::Sqlite);
    run(&secured.serve(&[]), each(&secured, |pieces| confused(&secured, pieces)));
}

#[test]
fn encryption_that_was_changed() {
    let secured = Secured::new(Database::Sqlite);
    run(&secured.serve(&[]), encrypted(&secured));
}

/// Somebody whom nobody vouches for, with the name of a user.
#[test]
fn certificates_of_strangers() {
    let secured = Secured::new(Database::Sqlite);
    let server = secured.serve(&[]);
    let others =
        Secured { site: crate::support::Site::new(Database::Sqlite), certs: secured.site.folder().join("others") };
    let made = others.site.run(&["cert", "dev", others.certs.to_str().unwrap(), "--client", "erp"]);
    assert_eq!(made.code, 0, "{made:?}");
    let answer = call(&server, &others.signed(&Headers::default(), ASKED));
    assert!(answer.contains("wsse:FailedAuthentication") && answer.contains("not trusted"), "{answer}");
}

#[test]
fn messages_of_yesterday_and_tomorrow() {
    let secured = Secured::new(Database::Sqlite);
    let server = secured.serve(&[]);
    let protection = Protection { signer: Some(Arc::new(secured.identity("client"))), ..Protection::default() };
    for shift in [TimeDelta::days(-1), TimeDelta::minutes(-11), TimeDelta::minutes(6), TimeDelta::days(1)] {
        let text = protection.applied(&Version::Soap11.wrap(ASKED), Utc::now() + shift).unwrap();
        let answer = call(&server, &text);
        assert!(answer.contains("wsu:MessageExpired"), "{shift}: {answer}");
    }
}

/// A header that is signed counts; so does a user whose token is signed.
#[test]
fn what_is_signed_counts() {
    let secured = Secured::new(Database::Sqlite);
    let server = secured.serve(&[]);
    let text = format!("<a:Action xmlns:a=\"{WSA}\">urn:soapstone:catalog/v1:Catalog:ListCategoriesRequest</a:Action>");
    let action = HeaderBlock::of(WSA, "Action", HeaderContent::Xml { text, origin: (1, 1) });
    let text = format!("<a:MessageID xmlns:a=\"{WSA}\">urn:x:1</a:MessageID>");
    let id = HeaderBlock::of(WSA, "MessageID", HeaderContent::Xml { text, origin: (1, 1) });
    let answer = call(&server, &secured.signed(&Headers(vec![action, id]), ASKED));
    assert!(answer.contains(">urn:x:1</") && answer.contains("ListCategoriesResponse"), "{answer}");
    let credentials = Credentials { name: "connector".to_owned(), secret: "guess".to_owned(), as_digest: true };
    let signer = Some(Arc::new(secured.identity("client")));
    let protection = Protection { credentials: Some(credentials), signer, receiver: None };
    let answer = call(&server, &protection.applied(&Version::Soap11.wrap(ASKED), Utc::now()).unwrap());
    // A wrong password is wrong, whatever the certificate is.
    assert!(answer.contains("wsse:FailedAuthentication"), "{answer}");
    assert!(answer.contains(WSSE));
}
