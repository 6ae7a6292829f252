//! DER elements, as far as names in certificates need them.

/// An element: its tag, and its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Element<'a> {
    pub tag: u8,
    pub content: &'a [u8],
    /// The element with its tag and length.
    pub whole: &'a [u8],
}

pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const SEQUENCE: u8 = 0x30;

/// The elements of a sequence; it ends where the input is malformed.
#[derive(Clone, Copy)]
pub(super) struct Elements<'a>(pub &'a [u8]);

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        let whole = std::mem::take(&mut self.0);
        let (&tag, rest) = whole.split_first()?;
        // Tags of several bytes occur nowhere in a certificate.
        if tag & 0x1f == 0x1f {
            return None;
        }
        let (&first, mut rest) = rest.split_first()?;
        let length = if first < 0x80 {
            usize::from(first)
        } else {
            let count = usize::from(first & 0x7f);
            let (digits, after) = rest.split_at_checked(count).filter(|_| (1..=4).contains(&count))?;
            rest = after;
            digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit))
        };
        let (content, after) = rest.split_at_checked(length)?;
        self.0 = after;
        Some(Element { tag, content, whole: whole.get(..whole.len() - after.len())? })
    }
}

impl Element<'_> {
    /// An object identifier in dotted form.
    pub fn dotted(&self) -> Option<String> {
        if self.tag != OBJECT_IDENTIFIER {
            return None;
        }
        let mut numbers: Vec<u64> = Vec::new();
        let mut number: u64 = 0;
        for byte in self.content {
            number = number.checked_mul(128)? | u64::from(byte & 0x7f);
            if byte & 0x80 == 0 {
                numbers.push(std::mem::take(&mut number));
            }
        }
        let (first, rest) = numbers.split_first()?;
        let root = (first / 40).min(2);
        let all = [root, first - root * 40].into_iter().chain(rest.iter().copied());
        Some(all.map(|number| number.to_string()).collect::<Vec<_>>().join("."))
    }

    /// The text of a string, whatever its kind.
    pub fn text(&self) -> Option<String> {
        match self.tag {
            // UTF8String, NumericString, PrintableString, IA5String, VisibleString.
            0x0c | 0x12 | 0x13 | 0x16 | 0x1a => String::from_utf8(self.content.to_vec()).ok(),
            // TeletexString, in practice Latin-1.
            0x14 => Some(self.content.iter().map(|byte| char::from(*byte)).collect()),
            // BMPString.
            0x1e => {
                let (pairs, []) = self.content.as_chunks() else { return None };
                let units: Vec<u16> = pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
                String::from_utf16(&units).ok()
            }
            // UniversalString.
            0x1c => {
                let (quads, []) = self.content.as_chunks() else { return None };
                quads.iter().map(|quad| char::from_u32(u32::from_be_bytes(*quad))).collect()
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_read_and_nothing_beyond_the_input() {
        let read = |bytes: &[u8]| Elements(bytes).map(|e| (e.tag, e.content.len())).collect::<Vec<_>>();
        assert_eq!(read(&[0x0c, 1, b'a', 0x30, 0]), [(0x0c, 1), (0x30, 0)]);
        let long: Vec<u8> = [0x04, 0x81, 0x80].into_iter().chain([0; 0x80]).collect();
        assert_eq!(read(&long), [(0x04, 0x80)]);
        for wrong in [
            &[0x0c][..],
            &[0x0c, 2, 0],
            &[0x0c, 0x80, 0],
            &[0x0c, 0x85, 0, 0, 0, 0, 0],
            &[0x1f, 1, 0],
            &[0x0c, 0x84, 255, 255, 255, 255],
        ] {
            assert_eq!(read(wrong), [], "{wrong:?}");
        }
    }

    #[test]
    fn identifiers_and_texts_of_all_kinds_are_read() {
        let element = |tag, content| Element { tag, content, whole: content };
        let dotted = |bytes: &[u8]| Elements(bytes).next().and_then(|e| e.dotted());
        assert_eq!(dotted(&[6, 3, 0x55, 4, 3]).as_deref(), Some("2.5.4.3"));
        assert_eq!(
            dotted(&[6, 10, 0x2b, 6, 1, 4, 1, 0x82, 0x37, 0x14, 2, 3]).as_deref(),
            Some("1.3.6.1.4.1.311.20.2.3")
        );
        assert_eq!(element(0x1e, &[0, 0xe4, 0, b'b']).text().as_deref(), Some("äb"));
        assert_eq!(element(0x1c, &[0, 0, 0, 0xe4]).text().as_deref(), Some("ä"));
        assert_eq!(element(0x14, &[0xe4]).text().as_deref(), Some("ä"));
        assert_eq!(element(0x1e, &[0]).text(), None);
        assert_eq!(element(0x0c, &[0xff]).text(), None);
    }
}
