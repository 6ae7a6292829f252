//! The REST facade.

use super::{Attack, Right, post};

fn rest(body: impl AsRef<[u8]>) -> Vec<u8> {
    post("/api/v1/articles", "content-type: application/json\r\n", body)
}

pub fn attacks() -> Vec<Attack> {
    let of = |name, bytes, right| Attack { name, bytes, right };
    let told = Right::Told(&["\"code\":\"message.", "<com:outcome>", "\"outcome\""]);
    vec![
        of("arrays nested 100,000 deep", rest("[".repeat(100_000)), told),
        of("objects nested 100,000 deep", rest("{\"a\":".repeat(100_000)), told),
        of("a number beyond all bounds", rest("{\"article\":[{\"sku\":\"V\",\"weight\":1e99999}]}"), told),
        of(
            "a number of a million digits",
            rest(format!("{{\"article\":[{{\"sku\":\"V\",\"weight\":{}}}]}}", "9".repeat(1_000_000))),
            told,
        ),
        of("the same member twice", rest("{\"article\":[],\"article\":[]}"), told),
        of("half a surrogate", rest("{\"article\":[{\"sku\":\"\\ud800\"}]}"), told),
        of("a NUL", rest("{\"article\":[{\"sku\":\"\\u0000\"}]}"), told),
        of("invalid UTF-8", rest(b"{\"article\":[{\"sku\":\"\xff\"}]}"), told),
        of("members that belong to no object", rest("{\"__proto__\":{\"x\":1},\"article\":[]}"), told),
        of("markup in a fragment", rest("{\"article\":[{\"sku\":\"V\",\"name\":[{\"value\":\"<x>\"}]}]}"), told),
        of(
            "a million members",
            rest(format!("{{{}}}", (0..1_000_000).map(|n| format!("\"m{n}\":1")).collect::<Vec<_>>().join(","))),
            told,
        ),
    ]
}
