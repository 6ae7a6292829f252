//! The `pattern` facet: XSD regular expressions (part 2, appendix F) on the `regex` crate.

use std::sync::OnceLock;

/// A pattern, compiled when it is first needed.
#[derive(Debug)]
pub struct Pattern {
    text: &'static str,
    /// None: the expression cannot be translated, and is left to libxml2.
    compiled: OnceLock<Option<regex::Regex>>,
}

impl Pattern {
    pub const fn new(text: &'static str) -> Self {
        Self { text, compiled: OnceLock::new() }
    }

    /// The expression as the contract has it.
    pub fn text(&self) -> &'static str {
        self.text
    }

    /// Whether the whole text matches.
    pub fn matches(&self, text: &str) -> bool {
        let compiled = self
            .compiled
            .get_or_init(|| regex::RegexBuilder::new(&translated(self.text)).size_limit(4 << 20).build().ok());
        compiled.as_ref().is_none_or(|regex| regex.is_match(text))
    }
}

/// An XSD regular expression in the syntax of the `regex` crate.
fn translated(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 8);
    out.push_str("^(?s:");
    let mut chars = pattern.chars().peekable();
    let mut in_class = 0_u32;
    let mut class_start = false;
    while let Some(c) = chars.next() {
        let first_in_class = std::mem::take(&mut class_start);
        match c {
            '\\' => escape(chars.next(), &mut chars, in_class > 0, &mut out),
            '[' => {
                in_class += 1;
                class_start = true;
                out.push('[');
            }
            ']' => {
                in_class = in_class.saturating_sub(1);
                out.push(']');
            }
            '^' if first_in_class => {
                class_start = true;
                out.push('^');
            }
            // Subtraction; any other hyphen in a class stands for itself or a range.
            '-' if in_class > 0 && chars.peek() == Some(&'[') => out.push_str("--"),
            '-' if in_class > 0 && (first_in_class || chars.peek() == Some(&']')) => out.push_str("\\-"),
            '.' if in_class == 0 => out.push_str("[^\\n\\r]"),
            '^' => out.push_str("\\^"),
            '$' => out.push_str("\\$"),
            '&' | '~' if in_class > 0 => {
                out.push('\\');
                out.push(c);
            }
            other => out.push(other),
        }
    }
    out.push_str(")$");
    out
}

fn escape(
    escaped: Option<char>,
    rest: &mut std::iter::Peekable<std::str::Chars<'_>>,
    in_class: bool,
    out: &mut String,
) {
    // NameStartChar and NameChar of XML 1.0, fifth edition.
    const INITIAL: &str = ":A-Z_a-z\\xC0-\\xD6\\xD8-\\xF6\\xF8-\\x{2FF}\\x{370}-\\x{37D}\\x{37F}-\\x{1FFF}\\x{200C}\\x{200D}\\x{2070}-\\x{218F}\\x{2C00}-\\x{2FEF}\\x{3001}-\\x{D7FF}\\x{F900}-\\x{FDCF}\\x{FDF0}-\\x{FFFD}\\x{10000}-\\x{EFFFF}";
    const NAME: &str = ":A-Z_a-z\\xC0-\\xD6\\xD8-\\xF6\\xF8-\\x{2FF}\\x{370}-\\x{37D}\\x{37F}-\\x{1FFF}\\x{200C}\\x{200D}\\x{2070}-\\x{218F}\\x{2C00}-\\x{2FEF}\\x{3001}-\\x{D7FF}\\x{F900}-\\x{FDCF}\\x{FDF0}-\\x{FFFD}\\x{10000}-\\x{EFFFF}\\-.0-9\\xB7\\x{300}-\\x{36F}\\x{203F}\\x{2040}";
    let mut class = |inside: &str, negated: bool| {
        let open = if negated { "[^" } else { "[" };
        out.push_str(open);
        out.push_str(inside);
        out.push(']');
    };
    match escaped {
        Some('i') if in_class => out.push_str(INITIAL),
        Some('c') if in_class => out.push_str(NAME),
        Some('i') => class(INITIAL, false),
        Some('c') => class(NAME, false),
        Some('I') => class(INITIAL, true),
        Some('C') => class(NAME, true),
        Some('w') => class("\\p{P}\\p{Z}\\p{C}", true),
        Some('W') => class("\\p{P}\\p{Z}\\p{C}", false),
        Some('d') => out.push_str("\\p{Nd}"),
        Some('D') => out.push_str("\\P{Nd}"),
        Some('s') if in_class => out.push_str(" \\t\\n\\r"),
        Some('s') => class(" \\t\\n\\r", false),
        Some('S') => class(" \\t\\n\\r", true),
        Some(kind @ ('p' | 'P')) if rest.peek() == Some(&'{') => {
            rest.next();
            let name: String = rest.by_ref().take_while(|c| *c != '}').collect();
            match name.strip_prefix("Is").and_then(block) {
                Some((first, last)) => class(&format!("\\x{{{first:x}}}-\\x{{{last:x}}}"), kind == 'P'),
                None => out.push_str(&format!("\\{kind}{{{name}}}")),
            }
        }
        Some(other) => {
            if !other.is_ascii_alphanumeric() || matches!(other, 'n' | 'r' | 't') {
                out.push('\\');
            }
            out.push(other);
        }
        None => out.push_str("\\\\"),
    }
}

/// The block of Unicode 3.1 with that name, without blanks (part 2, section F.1.1).
fn block(name: &str) -> Option<(u32, u32)> {
    const BLOCKS: &[(&str, u32, u32)] = &[
        ("BasicLatin", 0x0, 0x7F),
        ("Latin-1Supplement", 0x80, 0xFF),
        ("LatinExtended-A", 0x100, 0x17F),
        ("LatinExtended-B", 0x180, 0x24F),
        ("IPAExtensions", 0x250, 0x2AF),
        ("SpacingModifierLetters", 0x2B0, 0x2FF),
        ("CombiningDiacriticalMarks", 0x300, 0x36F),
        ("Greek", 0x370, 0x3FF),
        ("Cyrillic", 0x400, 0x4FF),
        ("Armenian", 0x530, 0x58F),
        ("Hebrew", 0x590, 0x5FF),
        ("Arabic", 0x600, 0x6FF),
        ("Syriac", 0x700, 0x74F),
        ("Thaana", 0x780, 0x7BF),
        ("Devanagari", 0x900, 0x97F),
        ("Bengali", 0x980, 0x9FF),
        ("Gurmukhi", 0xA00, 0xA7F),
        ("Gujarati", 0xA80, 0xAFF),
        ("Oriya", 0xB00, 0xB7F),
        ("Tamil", 0xB80, 0xBFF),
        ("Telugu", 0xC00, 0xC7F),
        ("Kannada", 0xC80, 0xCFF),
        ("Malayalam", 0xD00, 0xD7F),
        ("Sinhala", 0xD80, 0xDFF),
        ("Thai", 0xE00, 0xE7F),
        ("Lao", 0xE80, 0xEFF),
        ("Tibetan", 0xF00, 0xFFF),
        ("Myanmar", 0x1000, 0x109F),
        ("Georgian", 0x10A0, 0x10FF),
        ("HangulJamo", 0x1100, 0x11FF),
        ("Ethiopic", 0x1200, 0x137F),
        ("Cherokee", 0x13A0, 0x13FF),
        ("UnifiedCanadianAboriginalSyllabics", 0x1400, 0x167F),
        ("Ogham", 0x1680, 0x169F),
        ("Runic", 0x16A0, 0x16FF),
        ("Khmer", 0x1780, 0x17FF),
        ("Mongolian", 0x1800, 0x18AF),
        ("LatinExtendedAdditional", 0x1E00, 0x1EFF),
        ("GreekExtended", 0x1F00, 0x1FFF),
        ("GeneralPunctuation", 0x2000, 0x206F),
        ("SuperscriptsandSubscripts", 0x2070, 0x209F),
        ("CurrencySymbols", 0x20A0, 0x20CF),
        ("CombiningMarksforSymbols", 0x20D0, 0x20FF),
        ("LetterlikeSymbols", 0x2100, 0x214F),
        ("NumberForms", 0x2150, 0x218F),
        ("Arrows", 0x2190, 0x21FF),
        ("MathematicalOperators", 0x2200, 0x22FF),
        ("MiscellaneousTechnical", 0x2300, 0x23FF),
        ("ControlPictures", 0x2400, 0x243F),
        ("OpticalCharacterRecognition", 0x2440, 0x245F),
        ("EnclosedAlphanumerics", 0x2460, 0x24FF),
        ("BoxDrawing", 0x2500, 0x257F),
        ("BlockElements", 0x2580, 0x259F),
        ("GeometricShapes", 0x25A0, 0x25FF),
        ("MiscellaneousSymbols", 0x2600, 0x26FF),
        ("Dingbats", 0x2700, 0x27BF),
        ("BraillePatterns", 0x2800, 0x28FF),
        ("CJKRadicalsSupplement", 0x2E80, 0x2EFF),
        ("KangxiRadicals", 0x2F00, 0x2FDF),
        ("IdeographicDescriptionCharacters", 0x2FF0, 0x2FFF),
        ("CJKSymbolsandPunctuation", 0x3000, 0x303F),
        ("Hiragana", 0x3040, 0x309F),
        ("Katakana", 0x30A0, 0x30FF),
        ("Bopomofo", 0x3100, 0x312F),
        ("HangulCompatibilityJamo", 0x3130, 0x318F),
        ("Kanbun", 0x3190, 0x319F),
        ("BopomofoExtended", 0x31A0, 0x31BF),
        ("EnclosedCJKLettersandMonths", 0x3200, 0x32FF),
        ("CJKCompatibility", 0x3300, 0x33FF),
        ("CJKUnifiedIdeographsExtensionA", 0x3400, 0x4DB5),
        ("CJKUnifiedIdeographs", 0x4E00, 0x9FFF),
        ("YiSyllables", 0xA000, 0xA48F),
        ("YiRadicals", 0xA490, 0xA4CF),
        ("HangulSyllables", 0xAC00, 0xD7A3),
        ("PrivateUse", 0xE000, 0xF8FF),
        ("CJKCompatibilityIdeographs", 0xF900, 0xFAFF),
        ("AlphabeticPresentationForms", 0xFB00, 0xFB4F),
        ("ArabicPresentationForms-A", 0xFB50, 0xFDFF),
        ("CombiningHalfMarks", 0xFE20, 0xFE2F),
        ("CJKCompatibilityForms", 0xFE30, 0xFE4F),
        ("SmallFormVariants", 0xFE50, 0xFE6F),
        ("ArabicPresentationForms-B", 0xFE70, 0xFEFE),
        ("HalfwidthandFullwidthForms", 0xFF00, 0xFFEF),
        ("Specials", 0xFFF0, 0xFFFD),
        ("OldItalic", 0x10300, 0x1032F),
        ("Gothic", 0x10330, 0x1034F),
        ("Deseret", 0x10400, 0x1044F),
        ("ByzantineMusicalSymbols", 0x1D000, 0x1D0FF),
        ("MusicalSymbols", 0x1D100, 0x1D1FF),
        ("MathematicalAlphanumericSymbols", 0x1D400, 0x1D7FF),
        ("CJKUnifiedIdeographsExtensionB", 0x20000, 0x2A6D6),
        ("CJKCompatibilityIdeographsSupplement", 0x2F800, 0x2FA1F),
        ("Tags", 0xE0000, 0xE007F),
    ];
    BLOCKS.iter().find(|(known, ..)| *known == name).map(|(_, first, last)| (*first, *last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xsd_patterns_match_whole_values() {
        let matches = |pattern: &'static str, text: &str| {
            let pattern = Pattern::new(pattern);
            let found = pattern.matches(text);
            assert!(pattern.compiled.get().unwrap().is_some(), "{} is not translated", pattern.text());
            found
        };
        assert!(matches("[A-Z]{2}-\\d+", "CH-12"));
        assert!(!matches("[A-Z]{2}-\\d+", "CH-12x"));
        assert!(matches("[a-z-[aeiou]]+", "xyz"));
        assert!(!matches("[a-z-[aeiou]]+", "xaz"));
        assert!(matches("\\i\\c*", "_a-1"));
        assert!(matches("a$b", "a$b"));
        assert!(matches("[-+]?[0-9]+", "-1"));
        assert!(matches("[^-]+", "ab"));
        assert!(matches("\\p{IsBasicLatin}*", "abc"));
        assert!(!matches("[\\p{IsGreek}]*", "abc"));
        assert!(matches("\\w+", "ab$"));
        assert!(!matches("\\w+", "a-b"));
        assert!(matches("[\\w.\\-]+@[\\w\\-]+", "a.b@c-d"));
        assert!(matches("a|b[&amp;]", "a"));
    }
}
