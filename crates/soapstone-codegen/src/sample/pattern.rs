//! Texts that XSD regular expressions match.

/// Finds a text that an XSD regular expression matches, for the expressions that schemas commonly have.
pub(super) struct Pattern<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
}

impl Pattern<'_> {
    pub fn sample(pattern: &str) -> String {
        Pattern { rest: pattern.chars().peekable() }.alternatives()
    }

    /// The first branch; the others are read past.
    fn alternatives(&mut self) -> String {
        let first = self.branch();
        while self.rest.peek() == Some(&'|') {
            self.rest.next();
            self.branch();
        }
        first
    }

    fn branch(&mut self) -> String {
        let mut out = String::new();
        while let Some(&c) = self.rest.peek() {
            if c == '|' || c == ')' {
                break;
            }
            self.rest.next();
            let atom = match c {
                '(' => {
                    let inner = self.alternatives();
                    self.rest.next();
                    inner
                }
                '[' => self.class().to_string(),
                '\\' => escape(self.rest.next().unwrap_or('\\')).to_string(),
                '.' => "x".to_owned(),
                other => other.to_string(),
            };
            let times = self.quantifier();
            for _ in 0..times {
                out.push_str(&atom);
            }
        }
        out
    }

    fn quantifier(&mut self) -> usize {
        match self.rest.peek() {
            Some('?' | '*') => {
                self.rest.next();
                0
            }
            Some('+') => {
                self.rest.next();
                1
            }
            Some('{') => {
                self.rest.next();
                let mut digits = String::new();
                let mut counting = true;
                for c in self.rest.by_ref() {
                    match c {
                        '}' => break,
                        ',' => counting = false,
                        digit if counting => digits.push(digit),
                        _ => {}
                    }
                }
                digits.parse().unwrap_or(1)
            }
            _ => 1,
        }
    }

    fn class(&mut self) -> char {
        let negated = self.rest.next_if_eq(&'^').is_some();
        let mut first = None;
        let mut depth = 1;
        while let Some(c) = self.rest.next() {
            match c {
                '[' => depth += 1,
                ']' => {
                    depth -= 1;
                    if depth == 0 {
                        break;
                    }
                }
                '\\' => {
                    let c = escape(self.rest.next().unwrap_or('\\'));
                    first.get_or_insert(c);
                }
                other => {
                    first.get_or_insert(other);
                }
            }
        }
        match first {
            Some(_) if negated => 'x',
            Some(c) => c,
            None => 'x',
        }
    }
}

fn escape(c: char) -> char {
    match c {
        'd' => '1',
        'w' | 'i' | 'c' | 'S' | 'D' => 'x',
        's' => ' ',
        'n' => '\n',
        't' => '\t',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_give_samples() {
        assert_eq!(Pattern::sample("[A-Z]{3}"), "AAA");
        assert_eq!(Pattern::sample("(CH|DE)-\\d{2,4}(x)?"), "CH-11");
        assert_eq!(Pattern::sample("[a-zA-Z]{2,8}(-[a-zA-Z0-9]{1,8})*"), "aa");
    }
}
