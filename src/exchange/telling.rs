//! What a run has to say of its records: of each code the first are kept, and all are counted.

use super::formats::{Columns, Item};
use crate::domain::{Issue, printable};
use crate::reporting::RunMessage;
use crate::store::runs::{Counts, Said};

/// How many messages of one code are kept.
const KEPT: i64 = 1000;

/// Characters kept of a key, of a field and a value that are complained of, and of a text. All may quote what a file says.
const MAX_KEY_CHARS: usize = 255;
const MAX_VALUE_CHARS: usize = 200;
const MAX_TEXT_CHARS: usize = 2_000;

/// Where something stands in a source.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    pub record: Option<i64>,
    pub line: Option<i64>,
    pub column: Option<i64>,
    pub key: Option<String>,
    /// The source's own names for members.
    pub columns: Option<Columns>,
}

impl Place {
    pub fn of(item: &Item) -> Self {
        let (key, columns) = (item.key.clone(), item.columns.clone());
        Self { record: Some(item.number), line: item.line, column: item.column, key, columns }
    }
}

/// What is to be told, on top of what was.
pub(super) struct Telling {
    /// Messages so far.
    pub number: i64,
    counts: Counts,
    said: Said,
}

impl Telling {
    /// Goes on after so many messages, counted by code.
    pub fn after(number: i64, counts: Counts) -> Self {
        Self { number, counts, said: Said::default() }
    }

    /// Tells of something.
    pub fn tell(&mut self, place: &Place, issue: &Issue) {
        self.number += 1;
        let code = (issue.severity.as_str().to_owned(), issue.code.to_owned());
        let count = self.counts.entry(code.clone()).or_default();
        *count += 1;
        self.said.counts.insert(code, *count);
        if *count <= KEPT {
            self.said.messages.push(message(self.number, place, issue));
        }
    }

    /// What was told since this was asked last.
    pub fn said(&mut self) -> Said {
        std::mem::take(&mut self.said)
    }
}

fn message(number: i64, place: &Place, issue: &Issue) -> RunMessage {
    // What the rules call by the contract's name, the file may call otherwise.
    let field = issue.field.as_ref().map(|field| match &place.columns {
        Some(columns) => columns.name_of(field).unwrap_or_else(|| field.clone()),
        None => field.clone(),
    });
    let shown = |text: &str, most: usize| printable(text, most).into_owned();
    RunMessage {
        number,
        severity: issue.severity.as_str().to_owned(),
        code: issue.code.to_owned(),
        record_key: place.key.as_deref().map(|key| shown(key, MAX_KEY_CHARS)),
        record: place.record,
        line: place.line,
        column: place.column,
        field: field.map(|field| shown(&field, MAX_VALUE_CHARS)),
        value: issue.value.as_deref().map(|value| shown(value, MAX_VALUE_CHARS)),
        text: shown(&issue.text, MAX_TEXT_CHARS),
        suggestion: issue.suggestion.as_deref().map(|text| shown(text, MAX_TEXT_CHARS)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_each_code_are_kept_and_all_are_counted() {
        let mut telling = Telling::after(0, Counts::new());
        for _ in 0..KEPT + 5 {
            telling.tell(&Place::default(), &Issue::error("csv.type", "no"));
        }
        telling.tell(&Place::default(), &Issue::warning("picture.no_article", "no"));
        let said = telling.said();
        assert_eq!(said.messages.len(), 1001);
        assert_eq!(said.messages.last().map(|m| m.number), Some(KEPT + 6));
        assert_eq!(said.counts[&("error".to_owned(), "csv.type".to_owned())], KEPT + 5);
        assert!(telling.said().counts.is_empty());
    }

    #[test]
    fn what_a_file_says_is_cut_and_steers_no_terminal() {
        let mut telling = Telling::after(0, Counts::new());
        let issue = Issue::error("csv.type", "no: \u{1b}[2J\nforged").of(&"f".repeat(9_000), &"v".repeat(9_000));
        let place = Place { key: Some("\r\nA-1".to_owned()), ..Place::default() };
        telling.tell(&place, &issue.suggest("s".repeat(1 << 20)));
        let message = telling.said().messages.remove(0);
        assert_eq!(message.text, "no: \\u{1b}[2J\\nforged");
        assert_eq!(message.record_key.as_deref(), Some("\\r\\nA-1"));
        let lengths =
            [message.field, message.value, message.suggestion].map(|text| text.map(|text| text.chars().count()));
        assert_eq!(lengths, [Some(201), Some(201), Some(2_001)]);
    }
}
