//! Keys as they are compared.

use unicode_normalization::{UnicodeNormalization, is_nfc};

/// A key in Unicode form C: `é` is the same key whether it came as one character or two.
pub fn compared(key: &str) -> String {
    if is_nfc(key) { key.to_owned() } else { key.nfc().collect() }
}

/// A name in Unicode form C and small letters: for what is the same whatever its case.
pub fn folded(name: &str) -> String {
    compared(&compared(name).to_lowercase())
}

/// The file's name without the path before it, of a path or an address.
pub fn base_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_form_fold() {
        assert_eq!(folded("CAFE\u{301}.JPG"), folded("caf\u{e9}.jpg"));
        assert_eq!((base_name("/m/h/a.jpg"), base_name("C:\\b.png"), base_name("c.gif")), ("a.jpg", "b.png", "c.gif"));
    }

    #[test]
    fn both_forms_of_a_letter_are_one_key() {
        assert_eq!(compared("Caf\u{e9}"), compared("Cafe\u{301}"));
        assert_ne!(compared("a"), compared("A"));
    }
}
