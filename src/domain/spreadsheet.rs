//! Tables for spreadsheets: what would be a formula there is marked as text, so that opening a table runs nothing (OWASP, CSV
//! injection). The mark is taken off again where a table is read that says of itself, in its header, that it has marks.

use std::borrow::Cow;

/// Stands before what would be a formula, and before itself.
pub const MARK: char = '\'';

/// Whether a spreadsheet would take a cell for more than text.
fn is_formula(cell: &str) -> bool {
    match cell.chars().next() {
        Some('-') => !is_negative_number(cell),
        Some(first) => matches!(first, '=' | '+' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠'),
        None => false,
    }
}

/// `-12.50`, `-3`: a spreadsheet is to calculate with it.
fn is_negative_number(cell: &str) -> bool {
    let digits = cell.strip_prefix('-').unwrap_or(cell);
    let (whole, fraction) = digits.split_once(['.', ',']).unwrap_or((digits, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_digits(whole) && is_digits(fraction)
}

/// A cell as it is written for a spreadsheet.
pub fn marked(cell: &str) -> Cow<'_, str> {
    if cell.starts_with(MARK) || is_formula(cell) { Cow::Owned(format!("{MARK}{cell}")) } else { Cow::Borrowed(cell) }
}

/// The name of a table's first column, which says that its cells are marked.
pub fn marked_header(name: &str) -> String {
    format!("{MARK}{name}")
}

/// A cell of a marked table as it was.
pub fn unmarked(cell: &str) -> &str {
    cell.strip_prefix(MARK).unwrap_or(cell)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_marked_and_numbers_are_not() {
        for formula in
            ["=1+1", "+1", "@SUM(A1)", "\tx", "\r=1", "\n=1", "-1+cmd|' /C calc'!A0", "-", "-a", "-1.2.3", "＝1"]
        {
            assert_eq!(marked(formula), format!("'{formula}"), "{formula:?}");
        }
        for plain in ["", "a=b", "-12.50", "-3", "-0,5", "12", "2026-11-30", " =1"] {
            assert_eq!(marked(plain), plain, "{plain:?}");
        }
    }

    #[test]
    fn what_is_marked_is_read_back_exactly() {
        for cell in ["=1", "'=1", "''", "'", "-5", "-x", "plain", "it's", "", "'''=x"] {
            assert_eq!(unmarked(&marked(cell)), cell, "{cell:?}");
        }
    }
}
