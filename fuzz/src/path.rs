//! Any text as the path of a request: what is accepted is the same after another normalization, and means nothing that was rejected.

#![no_main]

use libfuzzer_sys::fuzz_target;
use soapstone::http::path::normalize;

fuzz_target!(|text: &str| {
    let Ok(path) = normalize(text) else { return };
    assert_eq!(normalize(&path).as_deref(), Ok(&*path), "{text}");
    assert!(path.starts_with('/') && path.is_ascii() && !path.contains("//"), "{text}");
    assert!(path.split('/').all(|segment| segment != "." && segment != ".."), "{text}");
    // No letter, digit, dot, hyphen, underscore or tilde is hidden behind an escape.
    for (place, _) in path.match_indices('%') {
        let digits = path.get(place + 1..place + 3).unwrap_or_else(|| panic!("{text}"));
        let byte = u8::from_str_radix(digits, 16).unwrap_or_else(|_| panic!("{text}"));
        assert!(!(byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)), "{text}");
        assert_eq!(digits, digits.to_ascii_uppercase(), "{text}");
    }
});
