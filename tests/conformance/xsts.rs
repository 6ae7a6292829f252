//! The schemas and instances of the W3C's XML Schema Test Suite, read, written and validated.

use super::loaded::{Loaded, root_name, without_prolog};
use soapstone_runtime::xml::Scope;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Schemas with which libxml2 comes to no end.
const ENDLESS: &[&str] = &["msData/particles/particlesZ012.xsd"];

struct Pair {
    test: String,
    instance: String,
    valid: bool,
}

fn pairs(folder: &Path) -> BTreeMap<String, Vec<Pair>> {
    let manifest = std::fs::read_to_string(folder.join("manifest.tsv")).unwrap();
    let mut by_schema: BTreeMap<String, Vec<Pair>> = BTreeMap::new();
    for line in manifest.lines().skip(1).filter(|line| !line.is_empty()) {
        let cells: Vec<&str> = line.split('\t').collect();
        by_schema.entry(cells[2].to_owned()).or_default().push(Pair {
            test: format!("{}/{}", cells[0], cells[1]),
            instance: cells[3].to_owned(),
            valid: cells[4] == "valid",
        });
    }
    by_schema
}

/// The valid instances of each schema that can be tried, with their names.
pub fn valid_documents(folder: &Path) -> BTreeMap<String, Vec<(PathBuf, String)>> {
    let mut found = pairs(folder);
    found.retain(|schema, _| !ENDLESS.contains(&schema.as_str()));
    let documents = |pairs: Vec<Pair>| -> Vec<(PathBuf, String)> {
        pairs.into_iter().filter(|p| p.valid).map(|p| (folder.join(&p.instance), p.test)).collect()
    };
    found.into_iter().map(|(schema, pairs)| (schema, documents(pairs))).filter(|(_, list)| !list.is_empty()).collect()
}

#[derive(Default)]
struct Tally {
    counts: BTreeMap<&'static str, usize>,
    /// What was found where, by kind.
    lists: BTreeMap<&'static str, Vec<String>>,
}

impl Tally {
    fn add(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    fn note(&mut self, what: &'static str, place: &str, why: &str) {
        self.add(what);
        let why = why.split_whitespace().collect::<Vec<_>>().join(" ");
        self.lists.entry(what).or_default().push(format!("{place}: {why}"));
    }

    fn count(&self, what: &str) -> usize {
        self.counts.get(what).copied().unwrap_or(0)
    }
}

/// The chapter of the report.
pub fn report(folder: &Path) -> String {
    let mut tally = Tally::default();
    for (schema, pairs) in pairs(folder) {
        let loaded = if ENDLESS.contains(&schema.as_str()) {
            tally.note("libxml2: no schema", &schema, "libxml2 comes to no end with it");
            continue;
        } else {
            Loaded::of(&folder.join(&schema))
        };
        let loaded = match loaded {
            Ok(loaded) => loaded,
            Err(problem) => {
                tally.note(
                    "not loaded",
                    &schema,
                    &format!("{} [{}]", problem.message.replace(&*folder.to_string_lossy(), ""), problem.code),
                );
                continue;
            }
        };
        if let Err(why) = &loaded.validator {
            let why = why.lines().next().unwrap_or_default();
            tally.note("libxml2: no schema", &schema, why.split_once(": ").map_or(why, |(_, why)| why));
        }
        for pair in pairs {
            one(folder, &loaded, &pair, &mut tally);
        }
    }
    told(&tally)
}

fn one(folder: &Path, loaded: &Loaded, pair: &Pair, tally: &mut Tally) {
    let bytes = std::fs::read(folder.join(&pair.instance)).unwrap();
    let text = soapstone_runtime::xml::decode(&bytes, None).unwrap();
    if let Ok(validator) = &loaded.validator {
        match (validator.validate(&text, 0), pair.valid) {
            (Ok(()), true) | (Err(_), false) => tally.add("libxml2: as expected"),
            (Ok(()), false) => tally.note("libxml2: accepts", &pair.test, "it should not be valid"),
            (Err(problems), true) => tally.note("libxml2: refuses", &pair.test, &problems[0].message),
        }
    }
    let body = without_prolog(&text);
    let root = root_name(body, &Scope::default());
    let message = loaded.message(&root);
    match (message, pair.valid) {
        (None, false) => tally.add("reader: refuses"),
        (None, true) => tally.note("valid: fails", &pair.test, &format!("no element {root}")),
        (Some(message), true) => match loaded.round_trip(message, body, &Scope::default()) {
            Ok(()) => tally.add("valid: all well"),
            Err(why) => tally.note("valid: fails", &pair.test, &why),
        },
        (Some(message), false) => match soapstone::dynamic::xml_of(loaded.shapes, message, body, Scope::default()) {
            Err(_) => tally.add("reader: refuses"),
            Ok(_) => tally.add("reader: accepts"),
        },
    }
}

fn told(tally: &Tally) -> String {
    let mut out = String::from("## W3C XML Schema Test Suite (Microsoft and Boeing, XSD 1.0)\n\n");
    let valid = tally.count("valid: all well") + tally.count("valid: fails");
    let invalid = tally.count("reader: refuses") + tally.count("reader: accepts");
    let _ = writeln!(out, "| what | count |\n| --- | --- |");
    let rows = [
        ("pairs of a schema and a valid instance that could be tried", valid),
        (
            "read, written, equal after canonicalisation, valid, and the same by way of JSON",
            tally.count("valid: all well"),
        ),
        ("pairs with an invalid instance", invalid),
        ("of those, refused by the reader alone", tally.count("reader: refuses")),
        ("instances on which libxml2, as we wrap it, agrees with the suite", tally.count("libxml2: as expected")),
        ("valid ones that it refuses", tally.count("libxml2: refuses")),
        ("invalid ones that it accepts", tally.count("libxml2: accepts")),
        ("schemas that it does not take", tally.count("libxml2: no schema")),
        ("schemas that cannot be loaded", tally.count("not loaded")),
    ];
    for (what, count) in rows {
        let _ = writeln!(out, "| {what} | {count} |");
    }
    for (title, key) in [
        ("Valid instances that do not make it, each with the reason", "valid: fails"),
        ("Schemas that cannot be loaded: files that they need are not in the corpus", "not loaded"),
        ("Schemas that libxml2 does not take", "libxml2: no schema"),
        ("Valid instances that libxml2 refuses (hints where schemas lie are not followed)", "libxml2: refuses"),
        ("Invalid instances that libxml2 accepts", "libxml2: accepts"),
    ] {
        let _ = writeln!(out, "\n### {title}\n");
        for line in tally.lists.get(key).into_iter().flatten() {
            let _ = writeln!(out, "- {}", line.replace('|', "\\|"));
        }
    }
    out
}
