//! Languages of BMEcat and openTRANS: three letters (ISO 639-2, both of its codes), where the web has two.

/// Three letters and two, where there are two; what is not here stays as it is.
const LANGUAGES: [(&str, &str); 44] = [
    ("ara", "ar"),
    ("bul", "bg"),
    ("cat", "ca"),
    ("ces", "cs"),
    ("cze", "cs"),
    ("chi", "zh"),
    ("zho", "zh"),
    ("dan", "da"),
    ("deu", "de"),
    ("ger", "de"),
    ("ell", "el"),
    ("gre", "el"),
    ("eng", "en"),
    ("est", "et"),
    ("fin", "fi"),
    ("fra", "fr"),
    ("fre", "fr"),
    ("heb", "he"),
    ("hrv", "hr"),
    ("hun", "hu"),
    ("ice", "is"),
    ("isl", "is"),
    ("ita", "it"),
    ("jpn", "ja"),
    ("kor", "ko"),
    ("lav", "lv"),
    ("lit", "lt"),
    ("ltz", "lb"),
    ("dut", "nl"),
    ("nld", "nl"),
    ("nor", "no"),
    ("pol", "pl"),
    ("por", "pt"),
    ("roh", "rm"),
    ("ron", "ro"),
    ("rum", "ro"),
    ("rus", "ru"),
    ("slk", "sk"),
    ("slo", "sk"),
    ("slv", "sl"),
    ("spa", "es"),
    ("srp", "sr"),
    ("swe", "sv"),
    ("tur", "tr"),
];

/// The tag of a language that is told by three letters.
pub(super) fn tag(code: &str) -> String {
    let code = code.trim().to_ascii_lowercase();
    LANGUAGES.iter().find(|(three, _)| *three == code).map_or(code, |(_, two)| (*two).to_owned())
}

/// The three letters of a language.
pub(in crate::exchange) fn three_letters(tag: &str) -> String {
    let language = tag.split('-').next().unwrap_or("").to_ascii_lowercase();
    // Both codes are known here; the terminological one is what openTRANS has.
    let preferred = [
        ("de", "deu"),
        ("fr", "fra"),
        ("cs", "ces"),
        ("zh", "zho"),
        ("el", "ell"),
        ("is", "isl"),
        ("nl", "nld"),
        ("ro", "ron"),
        ("sk", "slk"),
    ];
    let known = preferred.iter().map(|(two, three)| (*three, *two)).chain(LANGUAGES);
    known.into_iter().find(|(_, two)| *two == language).map_or(language, |(three, _)| three.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_have_two_letters_here_and_three_there() {
        assert_eq!(
            (tag("DEU"), tag("ger"), tag("fra"), tag("gsw"), tag("de")),
            ("de".into(), "de".into(), "fr".into(), "gsw".into(), "de".into())
        );
        assert_eq!(
            (three_letters("de-CH"), three_letters("en"), three_letters("gsw")),
            ("deu".into(), "eng".into(), "gsw".into())
        );
    }
}
