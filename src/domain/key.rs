//! Keys as they are compared.

use unicode_normalization::{UnicodeNormalization, is_nfc};

/// A key in Unicode form C: `é` is the same key whether it came as one character or two.
pub fn compared(key: &str) -> String {
    if is_nfc(key) { key.to_owned() } else { key.nfc().collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_a_letter_are_one_key() {
        assert_eq!(compared("Caf\u{e9}"), compared("Cafe\u{301}"));
        assert_ne!(compared("a"), compared("A"));
    }
}
