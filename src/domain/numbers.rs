//! Ranges of numbers.

use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

/// Numbers with a prefix, from one to another, such as `S-000001..S-999999`: all of them as long as the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    prefix: String,
    width: usize,
    first: i64,
    last: i64,
}

/// So many digits fit into what counts them.
const MAX_DIGITS: usize = 18;

impl FromStr for Range {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (first, last) =
            text.split_once("..").ok_or("a range is written as its first and last number, such as S-0001..S-9999")?;
        let (prefix, start) = split(first.trim());
        let (other, end) = split(last.trim());
        if prefix != other || start.len() != end.len() {
            return Err("both numbers of a range begin alike and have as many digits".to_owned());
        }
        if start.is_empty() || start.len() > MAX_DIGITS {
            return Err(format!("the numbers of a range end in 1 to {MAX_DIGITS} digits"));
        }
        let number = |digits: &str| digits.parse::<i64>().map_err(|e| e.to_string());
        let range = Self { prefix: prefix.to_owned(), width: start.len(), first: number(start)?, last: number(end)? };
        if range.first > range.last { Err("a range ends after it begins".to_owned()) } else { Ok(range) }
    }
}

/// A number's beginning, and the digits at its end.
fn split(number: &str) -> (&str, &str) {
    let beginning = number.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    number.split_at(beginning)
}

impl Display for Range {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.number(self.first), self.number(self.last))
    }
}

impl Range {
    /// What the range is counted under: a range that is only made longer goes on counting.
    pub fn name(&self) -> String {
        format!("{}{}", self.prefix, "#".repeat(self.width))
    }

    pub fn first(&self) -> i64 {
        self.first
    }

    pub fn last(&self) -> i64 {
        self.last
    }

    /// The number that comes at a place.
    pub fn number(&self, place: i64) -> String {
        format!("{}{place:0width$}", self.prefix, width = self.width)
    }

    /// The place of a number, if it is of this range.
    pub fn place(&self, number: &str) -> Option<i64> {
        let digits = number.strip_prefix(&self.prefix)?;
        if digits.len() != self.width || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        digits.parse().ok().filter(|place| (self.first..=self.last).contains(place))
    }

    pub fn overlaps(&self, other: &Self) -> bool {
        self.name() == other.name() && self.first <= other.last && other.first <= self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &str) -> Range {
        text.parse().unwrap()
    }

    #[test]
    fn numbers_keep_prefix_and_width() {
        let range = range("K2-0001..K2-0099");
        assert_eq!((range.number(7), range.place("K2-0007")), ("K2-0007".to_owned(), Some(7)));
        for other in ["K2-7", "K2-0100", "0007", "K2-000x", "k2-0007", ""] {
            assert_eq!(range.place(other), None, "{other}");
        }
        assert_eq!(range.to_string(), "K2-0001..K2-0099");
    }

    #[test]
    fn wrong_ranges_say_why() {
        for (text, why) in [
            ("1000", "such as"),
            ("A-1..B-9", "begin alike"),
            ("A-1..A-99", "as many digits"),
            ("A..A", "digits"),
            ("A-9..A-1", "after it begins"),
            ("1000000000000000000..9000000000000000000", "1 to 18"),
        ] {
            let told = text.parse::<Range>().unwrap_err();
            assert!(told.contains(why), "{text}: {told}");
        }
    }
}
