//! What a run has to say of its records: of each code the first are kept, and all are counted.

use super::formats::{Columns, Item};
use crate::domain::Issue;
use crate::reporting::RunMessage;
use crate::store::runs::{Counts, Said};

/// How many messages of one code are kept.
const KEPT: i64 = 1000;

/// Characters kept of a value that is complained of.
const MAX_VALUE: usize = 200;

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
    RunMessage {
        number,
        severity: issue.severity.as_str().to_owned(),
        code: issue.code.to_owned(),
        record_key: place.key.clone(),
        record: place.record,
        line: place.line,
        column: place.column,
        field,
        value: issue.value.as_deref().map(shortened),
        text: issue.text.clone(),
        suggestion: issue.suggestion.clone(),
    }
}

/// A value as far as a person wants to see it.
fn shortened(value: &str) -> String {
    match value.char_indices().nth(MAX_VALUE) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value.to_owned(),
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
}
