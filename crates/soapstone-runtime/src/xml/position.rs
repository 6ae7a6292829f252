//! Byte offsets to lines and columns, counted only when somebody asks.

/// Line and column (in characters), from 1, of a byte offset.
pub fn line_and_column(text: &str, offset: usize) -> (u32, u32) {
    let mut end = offset.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let before = &text[..end];
    let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |l| l.chars().count()) + 1;
    (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
}

/// Lines and columns of offsets that go up, in one pass over the text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Forward {
    offset: usize,
    line: u32,
    column: u32,
}

impl Default for Forward {
    fn default() -> Self {
        Self { offset: 0, line: 1, column: 1 }
    }
}

impl Forward {
    /// Line and column of an offset that is not before the last one.
    pub fn to(&mut self, text: &str, offset: usize) -> (u32, u32) {
        let (line, column) =
            line_and_column(text.get(self.offset..).unwrap_or_default(), offset.saturating_sub(self.offset));
        self.column = if line == 1 { self.column + column - 1 } else { column };
        self.line += line - 1;
        self.offset = offset;
        (self.line, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn going_forward_finds_the_same_places() {
        let text = "aä\n\nb\ncde";
        let mut forward = Forward::default();
        for offset in [0, 1, 3, 4, 5, 7, 9] {
            assert_eq!(forward.to(text, offset), line_and_column(text, offset), "{offset}");
        }
    }
}
