//! The cells of a table: by name, and read as people and their spreadsheets write them.

use super::columns::Plain;
use crate::domain::Issue;
use crate::exchange::profile::Condition;
use csv::ByteRecord;
use soapstone_runtime::Decimal;

/// How much of a wrong cell is shown.
const SHOWN: usize = 200;

/// One record's cells, by name.
pub struct Cells<'a> {
    pub names: &'a [String],
    pub record: &'a ByteRecord,
}

impl<'a> Cells<'a> {
    pub fn at(&self, index: usize) -> Result<&'a str, Box<Issue>> {
        let bytes = self.record.get(index).unwrap_or_default();
        let text = std::str::from_utf8(bytes).map_err(|e| {
            let name = self.names.get(index).map_or("", String::as_str);
            let text = format!("\"{name}\" is not valid UTF-8 from byte {} on", e.valid_up_to() + 1);
            let issue = Issue::error("csv.encoding", text);
            let issue = issue.of(name, &String::from_utf8_lossy(&bytes[..bytes.len().min(SHOWN)]));
            Box::new(issue.suggest("save the file in one encoding; name it in the profile if it is not UTF-8"))
        })?;
        Ok(as_text(text))
    }

    pub fn named(&self, name: &str) -> Result<&'a str, Box<Issue>> {
        match self.names.iter().position(|n| n == name) {
            Some(index) => self.at(index),
            None => Ok(""),
        }
    }

    pub fn meets(&self, condition: Option<&Condition>) -> Result<bool, Box<Issue>> {
        match condition {
            Some(condition) => {
                let value = self.named(&condition.column)?;
                Ok(condition.is.iter().any(|wanted| wanted == value))
            }
            None => Ok(true),
        }
    }
}

/// Spreadsheets are kept from reading `00123` as a number by `="00123"`.
fn as_text(cell: &str) -> &str {
    cell.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"')).unwrap_or(cell)
}

/// A cell as the contract has such values. What cannot be read stays as it is, to be refused with its own words.
pub fn read(plain: Plain, text: &str, mark: char) -> String {
    match plain {
        Plain::Text => text.to_owned(),
        Plain::Number => number(text, mark),
        Plain::Boolean => boolean(text),
        Plain::Date => date(text.trim()).unwrap_or_else(|| text.trim().to_owned()),
        Plain::Time => time(text),
    }
}

/// Whether a cell of a time says that there is none, as databases write it.
pub fn is_no_time(plain: Plain, text: &str) -> bool {
    matches!(plain, Plain::Date | Plain::Time) && text.starts_with("0000-00-00")
}

fn boolean(text: &str) -> String {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "ja" | "y" | "j" | "x" | "wahr" => "true".to_owned(),
        "false" | "0" | "no" | "nein" | "n" | "falsch" => "false".to_owned(),
        _ => text.to_owned(),
    }
}

/// A number with a point, without marks of thousands, its sign in front.
fn number(text: &str, mark: char) -> String {
    let thousands = if mark == ',' { '.' } else { ',' };
    let is_space = |c: char| matches!(c, ' ' | '\'' | '’' | '\u{a0}' | '\u{202f}' | '\u{2009}');
    let plain: String = text
        .trim()
        .chars()
        .filter(|c| *c != thousands && !is_space(*c))
        .map(|c| if c == mark { '.' } else { c })
        .collect();
    let plain = match plain.strip_suffix('-') {
        Some(amount) => format!("-{amount}"),
        None => plain,
    };
    let is_number = plain.parse::<Decimal>().is_ok();
    // `1,234,5` is no number with a mark left out.
    let is_grouped = !text.contains(thousands) || groups(text.trim(), thousands, mark);
    if is_number && is_grouped { plain } else { text.trim().to_owned() }
}

/// Whether marks of thousands stand where they should.
fn groups(text: &str, thousands: char, mark: char) -> bool {
    let whole = text.trim_end_matches('-').split(mark).next().unwrap_or("");
    let fraction = text.split_once(mark).map_or("", |(_, fraction)| fraction);
    let mut parts = whole.trim_start_matches(['-', '+']).split(thousands);
    let first = parts.next().unwrap_or("");
    (1..=3).contains(&first.len()) && parts.all(|part| part.len() == 3) && !fraction.contains(thousands)
}

/// Which mark a cell says that decimals have; None: it does not say.
pub fn decimal_mark(text: &str) -> Option<char> {
    let text = text.trim();
    let place = text.rfind(['.', ','])?;
    let mark = char::from(*text.as_bytes().get(place)?);
    let fraction = &text[place + 1..];
    let other = if mark == ',' { '.' } else { ',' };
    let digits = fraction.trim_end_matches('-');
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    // `1.234` says nothing; `1.234,5`, `12,50` and `0.123` do.
    let is_alone = text.matches(mark).count() == 1;
    let whole = text[..place].trim_start_matches(['-', '+']);
    let is_clear = text[..place].contains(other) || digits.len() != 3 || whole == "0" || whole.len() > 3;
    (is_alone && is_clear).then_some(mark)
}

/// `31.12.2026` as XML Schema writes it.
fn date(text: &str) -> Option<String> {
    let mut parts = text.split('.');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    let is = |part: &str, lengths: &[usize]| lengths.contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    let is_date = parts.next().is_none() && is(day, &[1, 2]) && is(month, &[1, 2]) && is(year, &[4]);
    is_date.then(|| format!("{year}-{month:0>2}-{day:0>2}"))
}

/// `2026-11-30 12:00:00`, `2026-11-30` and `30.11.2026 12:00` as XML Schema writes them.
fn time(text: &str) -> String {
    let text = text.trim();
    let (day, rest) = match text.split_once([' ', 'T']) {
        Some((day, rest)) => (day, rest.trim()),
        None => (text, ""),
    };
    let day = date(day).unwrap_or_else(|| day.to_owned());
    let looks_like_a_day = day.len() == 10 && day.as_bytes().get(4) == Some(&b'-');
    match rest.len() {
        _ if !looks_like_a_day => text.to_owned(),
        0 => format!("{day}T00:00:00"),
        4 | 5 => format!("{day}T{rest:0>5}:00"),
        7 => format!("{day}T{rest:0>8}"),
        _ => format!("{day}T{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_people_write_them() {
        for (text, mark, number) in [
            ("1234.50", '.', "1234.50"),
            ("1'234.50", '.', "1234.50"),
            ("1,234.50", '.', "1234.50"),
            ("1.234,50", ',', "1234.50"),
            ("1 234,50", ',', "1234.50"),
            ("12,5-", ',', "-12.5"),
            ("-3", ',', "-3"),
            // What is none stays as it is.
            ("1,23,4", '.', "1,23,4"),
            ("12,50", '.', "12,50"),
            ("abc", '.', "abc"),
            ("1e5", '.', "1e5"),
        ] {
            assert_eq!(super::number(text, mark), number, "{text}");
        }
    }

    #[test]
    fn the_mark_of_decimals_is_seen_where_it_is_clear() {
        for (text, mark) in [
            ("12,50", Some(',')),
            ("1.234,5", Some(',')),
            ("12.50", Some('.')),
            ("1,234.5", Some('.')),
            ("0.123", Some('.')),
            ("1234,500", Some(',')),
            ("1.234", None),
            ("1,234", None),
            ("1,234,567", None),
            ("12", None),
            ("a.b", None),
        ] {
            assert_eq!(decimal_mark(text), mark, "{text}");
        }
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        for (text, time) in [
            ("2026-11-30 12:00:00", "2026-11-30T12:00:00"),
            ("2026-11-30", "2026-11-30T00:00:00"),
            ("2026-11-30T12:00:00Z", "2026-11-30T12:00:00Z"),
            ("30.11.2026 9:05", "2026-11-30T09:05:00"),
            ("1.2.2026", "2026-02-01T00:00:00"),
            ("soon", "soon"),
            ("1.2.26", "1.2.26"),
        ] {
            assert_eq!(super::time(text), time, "{text}");
        }
        assert_eq!(read(Plain::Date, "31.12.2026", '.'), "2026-12-31");
    }

    #[test]
    fn what_spreadsheets_wrap_is_unwrapped() {
        assert_eq!(as_text("=\"00123\""), "00123");
        assert_eq!(as_text("=A1"), "=A1");
    }
}
