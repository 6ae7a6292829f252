//! Values that mean something to others than to the contract, and numbers beyond all bounds.

use super::{Attack, Right, article, envelope, soap};

fn upsert(content: &str) -> Vec<u8> {
    soap(envelope(
        "",
        &format!("<c:UpsertArticles><c:article><c:sku>V</c:sku>{content}</c:article></c:UpsertArticles>"),
    ))
}

pub fn attacks() -> Vec<Attack> {
    let of = |name, bytes, right| Attack { name, bytes, right };
    let unknown = Right::Told(&["article.not_found"]);
    let invalid = Right::Told(&["message.type", "message.facet", "message.invalid", "<com:outcome>"]);
    vec![
        of("SQL that is always true", soap(article("' OR '1'='1")), unknown),
        of("SQL that ends a statement", soap(article("'; DROP TABLE articles; --")), unknown),
        of("SQL by a comment", soap(article("x'/**/UNION/**/SELECT/**/1--")), unknown),
        of("an XPath", soap(article("'] | //*[name()='x")), unknown),
        of("a path", soap(article("../../../../etc/passwd")), unknown),
        of("a template", soap(article("${jndi:ldap://127.0.0.1:9/x}{{7*7}}")), unknown),
        of("markup", soap(article("&lt;script&gt;alert(1)&lt;/script&gt;")), unknown),
        of("a command", soap(article("$(touch /tmp/x);`id`|id")), unknown),
        of(
            "formats",
            soap(article("%s%n%x%p".repeat(100).get(..60).unwrap())),
            Right::Told(&["article.not_found", "message."]),
        ),
        of(
            "a decimal of a million digits",
            upsert(&format!("<c:weight>{}</c:weight>", "9".repeat(1_000_000))),
            invalid,
        ),
        of("a decimal with an exponent", upsert("<c:weight>1e999999999</c:weight>"), invalid),
        of(
            "a million zeros before a number",
            upsert(&format!("<c:weight>{}1</c:weight>", "0".repeat(1_000_000))),
            invalid,
        ),
        of(
            "a year beyond all calendars",
            upsert("<c:activeFrom>999999999999999999999-01-01T00:00:00Z</c:activeFrom>"),
            invalid,
        ),
        of(
            "a text of 20 MB",
            upsert(&format!("<c:longText language=\"en\">{}</c:longText>", "x".repeat(20 << 20))),
            Right::Told(&["<com:outcome>", "message."]),
        ),
        of("a key of 1 MB", soap(article(&"k".repeat(1 << 20))), Right::Told(&["message.", "article.not_found"])),
        of(
            "blanks that a pattern goes over again and again",
            soap(article(&format!("{}!", " a".repeat(100_000)))),
            Right::Told(&["message.", "article.not_found"]),
        ),
        of(
            "a cursor that nobody gave out",
            soap(envelope("", "<c:ListArticles><c:cursor>AAAA' OR 1=1</c:cursor></c:ListArticles>")),
            Right::Told(&["list.", "message.", "ListArticlesResponse"]),
        ),
    ]
}
