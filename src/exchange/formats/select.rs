//! Paths into foreign XML, as XPath writes the simple ones: `Name`, `Prices/Price[@type='net']`, `@id`, `Texts/Text[@lang='de']`,
//! `Image[1]`, `Option[Code='x']/Value`, `*/Name`, `.`.

use super::tree::Node;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Predicate {
    /// From 1.
    Place(usize),
    Attribute(String, String),
    Child(String, String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Child(String, Vec<Predicate>),
    Attribute(String),
    Own,
}

/// A path from a record to its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Select(Vec<Step>);

/// Cuts at slashes that are not in brackets.
fn steps(path: &str) -> Vec<&str> {
    let (mut all, mut begin, mut depth) = (Vec::new(), 0, 0_u32);
    for (place, char) in path.char_indices() {
        match char {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            '/' if depth == 0 => {
                all.push(&path[begin..place]);
                begin = place + 1;
            }
            _ => {}
        }
    }
    all.push(&path[begin..]);
    all
}

fn predicate(text: &str) -> Option<Predicate> {
    if let Ok(place) = text.trim().parse() {
        return (place > 0).then_some(Predicate::Place(place));
    }
    let (name, value) = text.split_once('=')?;
    let value = value.trim();
    let quoted = |quote: char| value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    let value = quoted('\'').or_else(|| quoted('"'))?.to_owned();
    let name = name.trim();
    Some(match name.strip_prefix('@') {
        Some(name) => Predicate::Attribute(name.to_owned(), value),
        None => Predicate::Child(name.to_owned(), value),
    })
}

fn is_name(name: &str) -> bool {
    name == "*" || (!name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.')))
}

/// Names are local ones.
fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

impl Select {
    /// Reads a path; None: it is none.
    pub fn parse(path: &str) -> Option<Self> {
        let all = steps(path.trim().trim_start_matches("./"));
        let last = all.len() - 1;
        let mut found = Vec::new();
        for (place, step) in all.into_iter().enumerate() {
            let step = step.trim();
            if matches!(step, "." | "text()") && place == last {
                found.push(Step::Own);
                continue;
            }
            if let Some(name) = step.strip_prefix('@') {
                if place != last || !is_name(local(name)) {
                    return None;
                }
                found.push(Step::Attribute(local(name).to_owned()));
                continue;
            }
            let (name, mut rest) = match step.find('[') {
                Some(begin) => step.split_at(begin),
                None => (step, ""),
            };
            let mut predicates = Vec::new();
            while !rest.is_empty() {
                let end = rest.find(']')?;
                predicates.push(predicate(rest.strip_prefix('[')?.get(..end - 1)?)?);
                rest = &rest[end + 1..];
            }
            if !is_name(local(name)) {
                return None;
            }
            found.push(Step::Child(local(name).to_owned(), predicates));
        }
        Some(Self(found))
    }

    /// What a record has there.
    pub fn values<'a>(&self, record: &'a Node) -> Vec<&'a str> {
        let mut nodes = vec![record];
        for step in &self.0 {
            match step {
                Step::Own => {}
                Step::Attribute(name) => return nodes.into_iter().filter_map(|node| node.attribute(name)).collect(),
                Step::Child(name, predicates) => {
                    nodes = nodes.into_iter().flat_map(|node| children(node, name, predicates)).collect();
                }
            }
        }
        nodes.into_iter().filter_map(Node::text).collect()
    }
}

fn children<'a>(node: &'a Node, name: &str, predicates: &[Predicate]) -> Vec<&'a Node> {
    let mut found: Vec<&Node> = node.children().iter().filter(|child| name == "*" || child.name == name).collect();
    for predicate in predicates {
        match predicate {
            Predicate::Place(place) => found = found.into_iter().skip(place - 1).take(1).collect(),
            Predicate::Attribute(name, value) => found.retain(|node| node.attribute(name) == Some(value)),
            Predicate::Child(name, value) => {
                found.retain(|node| node.all(name).into_iter().any(|child| child.text() == Some(value)));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_path_is_told() {
        for path in ["", "a//b", "@a/b", "a[", "a[b]", "a[@x=y]", "a b", "a[0]"] {
            assert_eq!(Select::parse(path), None, "{path}");
        }
        for path in ["a", "a/b", "@id", "a/@id", "p:a[@x='1/2'][2]/b", "./a", ".", "*/a", "a[b=\"c\"]/text()"] {
            assert!(Select::parse(path).is_some(), "{path}");
        }
    }
}
