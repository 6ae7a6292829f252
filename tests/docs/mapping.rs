//! The tables of `docs/mapping.md`: every element of the samples has its row, and every place is in our contracts.

use crate::support::{project, shared};
use quick_xml::Reader;
use quick_xml::events::Event;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

struct Row {
    /// From its end, name by name; `*` at its end stands for all below.
    path: Vec<String>,
    place: String,
}

fn rows(section: &str) -> Vec<Row> {
    let text = std::fs::read_to_string(project("docs/mapping.md")).unwrap();
    let section = text.split("\n## ").find(|part| part.starts_with(section)).unwrap();
    let cells = section.lines().filter_map(|line| line.strip_prefix("| `"));
    let row = |line: &str| {
        let (path, rest) = line.split_once("` | ").unwrap();
        let place = rest.split(" | ").next().unwrap().to_owned();
        Row { path: path.split('/').map(str::to_owned).collect(), place }
    };
    cells.map(row).collect()
}

/// Whether a name is that of a pattern, in which one `*` may stand for anything.
fn is_name(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name || (name.ends_with(&format!("_{pattern}")) && !pattern.starts_with('@')),
        Some((start, end)) => name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end),
    }
}

fn ends_with(path: &[String], pattern: &[String]) -> bool {
    path.len() >= pattern.len()
        && pattern.iter().rev().zip(path.iter().rev()).all(|(pattern, name)| is_name(pattern, name))
}

fn fits(row: &Row, path: &[String]) -> bool {
    match row.path.split_last() {
        Some((last, start)) if last == "*" && !start.is_empty() => {
            (start.len()..path.len()).any(|length| ends_with(&path[..length], start))
        }
        _ => ends_with(path, &row.path),
    }
}

/// The paths of all elements with text, and of attributes.
fn paths(file: &Path, found: &mut BTreeSet<Vec<String>>) {
    let text = std::fs::read_to_string(file).unwrap();
    let mut reader = Reader::from_str(&text);
    reader.config_mut().expand_empty_elements = true;
    let (mut path, mut is_leaf): (Vec<String>, bool) = (Vec::new(), false);
    let local = |name: &str| name.rsplit(':').next().unwrap().to_owned();
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => {
                path.push(local(start.name().as_ref()));
                is_leaf = true;
                for attribute in start.attributes().flatten() {
                    let name = attribute.key.as_ref().to_owned();
                    if !name.starts_with("xmlns") && !name.starts_with("xsi:") {
                        let name = format!("@{}", local(&name));
                        found.insert(path.iter().cloned().chain([name]).collect());
                    }
                }
            }
            Event::End(_) => {
                if is_leaf {
                    found.insert(path.clone());
                }
                is_leaf = false;
                path.pop();
            }
            Event::Eof => return,
            _ => {}
        }
    }
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "xml") {
            found.push(path);
        }
    }
}

fn compare(section: &str, folder: &str) {
    let Some(folder) = shared(folder) else { return };
    let (rows, mut all, mut found) = (rows(section), Vec::new(), BTreeSet::new());
    files(&folder, &mut all);
    all.iter().for_each(|file| paths(file, &mut found));
    assert!(found.len() > 100);
    let missing: Vec<String> =
        found.iter().filter(|path| !rows.iter().any(|row| fits(row, path))).map(|path| path.join("/")).collect();
    assert!(missing.is_empty(), "not in docs/mapping.md:\n{}", missing.join("\n"));
    let unused: Vec<String> =
        rows.iter().filter(|row| !found.iter().any(|path| fits(row, path))).map(|row| row.path.join("/")).collect();
    println!("rows for what no sample has: {unused:?}");
}

#[test]
fn every_element_of_the_bmecat_samples_has_its_row() {
    compare("BMEcat", "data/bmecat");
}

#[test]
fn every_element_of_the_opentrans_samples_has_its_row() {
    compare("openTRANS", "data/opentrans");
}

#[test]
fn every_place_is_in_a_contract() {
    for row in rows("BMEcat").into_iter().chain(rows("openTRANS")).filter(|row| row.place != "–") {
        let (service, rest) = row.place.split_once(' ').unwrap();
        let (of, member) = rest.split_once('.').unwrap();
        let schema = std::fs::read_to_string(project(&format!("xsd/{service}.xsd"))).unwrap();
        let start = schema.find(&format!("complexType name=\"{of}\"")).unwrap_or_else(|| panic!("{}", row.place));
        let whole = &schema[start..start + schema[start..].find("</xs:complexType>").unwrap()];
        assert!(whole.contains(&format!(" name=\"{member}\"")), "{}", row.place);
    }
}
