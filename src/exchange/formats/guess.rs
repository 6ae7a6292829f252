//! What a file holds, where nobody said it: told by what things are called in it.

use super::csv::form;
use super::packed::{Packing, head, unpacked_head};
use super::recognised::{of_root, root};
use crate::exchange::kinds::{KINDS, Kind};
use crate::exchange::{Profile, Profiles, Spooled};
use crate::pictures::open_zip;
use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::Value;
use soapstone_contracts::exchange::RunKind;
use std::path::Path;
use std::sync::LazyLock;

/// What a file seems to hold, and how it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guess {
    pub kind: RunKind,
    /// The mapping profile that its columns are of.
    pub profile: Option<String>,
}

/// Less than that share of what is called in a file is not enough, in percent.
const ENOUGH: usize = 50;

/// What a file seems to hold; None: nobody can tell.
pub fn guess(source: &Spooled, name: &str, profiles: &Profiles) -> Option<Guess> {
    let plain = |kind| Some(Guess { kind, profile: None });
    let archive = Packing::of(&head(&source.path).ok()?) == Packing::Zip;
    if archive && let Some(kind) = of_archive(&source.path) {
        return plain(kind);
    }
    let head = unpacked_head(&source.path).ok()?;
    let text: String = head.iter().filter(|b| b.is_ascii() && **b != 0).map(|b| char::from(*b)).collect();
    let text = text.trim_start();
    if text.starts_with('<') {
        return match of_root(root(text)) {
            "bmecat" => plain(RunKind::Articles),
            "openTrans" if matches!(root(text), "ORDER" | "OPENTRANS") => plain(RunKind::Orders),
            "openTrans" => plain(RunKind::Documents),
            _ => of_xml(text, profiles),
        };
    }
    if text.starts_with('{') {
        let Ok(Value::Object(members)) = serde_json::from_str(text.lines().next()?) else { return None };
        let names: Vec<String> = members.keys().cloned().collect();
        return best(&names, name).map(|(kind, _)| Guess { kind, profile: None });
    }
    of_table(&form(&source.path).ok()?.names, name, profiles)
}

/// A ZIP of pictures, or of documents; None: of something else.
fn of_archive(path: &Path) -> Option<RunKind> {
    let mut archive = open_zip(std::fs::File::open(path).ok()?).ok()?;
    for place in 0..archive.len() {
        let entry = archive.by_index_raw(place).ok()?;
        if entry.is_dir() {
            continue;
        }
        let ending = entry.name().rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
        return match ending.as_str() {
            "jpg" | "jpeg" | "png" | "webp" | "gif" | "tif" | "tiff" | "bmp" => Some(RunKind::Pictures),
            "pdf" | "doc" | "docx" | "odt" => Some(RunKind::ArticleDocuments),
            _ => None,
        };
    }
    None
}

/// By the names of the root and of the first element in it.
fn of_xml(text: &str, profiles: &Profiles) -> Option<Guess> {
    let mut reader = Reader::from_str(text);
    let mut names = Vec::new();
    // The text may be cut off anywhere.
    while names.len() < 2 {
        match reader.read_event() {
            Ok(Event::Start(start) | Event::Empty(start)) => names.push(start.local_name().into_inner().to_owned()),
            Ok(Event::Eof) | Err(_) => break,
            Ok(_) => {}
        }
    }
    let (root, record) = (names.first()?, names.get(1).map_or("", String::as_str));
    let native = KINDS.iter().find(|kind| kind.request_name() == root || kind.element.local == record);
    if let Some(kind) = native {
        return Some(Guess { kind: kind.of, profile: None });
    }
    // Of foreign XML a profile names the records.
    let of_profile = |name: String| {
        let profile = Profile::parse(&profiles.text(&name)?).ok()?;
        let wanted = profile.xml.as_ref()?.record.rsplit('/').next()?.to_owned();
        let is_here = text.contains(&format!("<{wanted}>")) || text.contains(&format!("<{wanted} "));
        let kind = is_here.then(|| kind_of(&profile)).flatten()?;
        Some(Guess { kind, profile: Some(name) })
    };
    profiles.names().into_iter().find_map(of_profile)
}

/// By what its columns are called: a profile that names most of them, else the contract.
fn of_table(columns: &[String], name: &str, profiles: &Profiles) -> Option<Guess> {
    let mut found: Option<(Guess, usize)> =
        best(columns, name).map(|(kind, share)| (Guess { kind, profile: None }, share));
    for profile_name in profiles.names() {
        let Some(profile) = profiles.text(&profile_name).and_then(|text| Profile::parse(&text).ok()) else { continue };
        let wanted = profile.columns();
        if profile.xml.is_some() || wanted.is_empty() || !wanted.iter().all(|column| columns.contains(column)) {
            continue;
        }
        // All that it needs is there, which a table of the contract's names has by chance only.
        let share = ENOUGH + 50 * wanted.len() / columns.len().max(1);
        if let Some(kind) = kind_of(&profile)
            && found.as_ref().is_none_or(|(_, best)| share > *best)
        {
            found = Some((Guess { kind, profile: Some(profile_name) }, share));
        }
    }
    found.map(|(guess, _)| guess)
}

/// The kind that has all members which a profile fills.
fn kind_of(profile: &Profile) -> Option<RunKind> {
    let members: Vec<String> = profile.fields.keys().cloned().collect();
    best(&members, "").map(|(kind, _)| kind)
}

/// The kind of whose members most are named, with how many of a hundred; the name of the file decides between equals.
fn best(names: &[String], file: &str) -> Option<(RunKind, usize)> {
    let file = file.to_lowercase().replace(['-', '_', ' '], "");
    let mut found: Option<(RunKind, usize, bool)> = None;
    for called in &*CALLED {
        let share = called.share(names);
        let is_named = file.contains(&called.of.as_str().to_lowercase());
        let is_better = found.is_none_or(|(_, best, named)| (share, is_named) > (best, named));
        if share >= ENOUGH && is_better {
            found = Some((called.of, share, is_named));
        }
    }
    found.map(|(kind, share, _)| (kind, share))
}

/// What the members of a kind are called, in small letters.
struct Called {
    of: RunKind,
    members: Vec<String>,
    required: Vec<String>,
    /// One of these has to be there.
    keys: Vec<String>,
}

/// Read once: the schemas are large, and each profile is compared with all of them.
static CALLED: LazyLock<Vec<Called>> = LazyLock::new(|| KINDS.iter().map(Called::of).collect());

impl Called {
    fn of(kind: &Kind) -> Self {
        let (_, schema) = kind.schema();
        let members = schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.to_lowercase());
        let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        Self {
            of: kind.of,
            members: members.collect(),
            required: required.map(str::to_lowercase).collect(),
            keys: kind.keys.iter().map(|key| key.to_lowercase()).collect(),
        }
    }

    /// How many of the names it has as members, of a hundred; none without a key.
    fn share(&self, names: &[String]) -> usize {
        // `listPrice/currency`, `name[de]`
        let base = |name: &String| name.split(['/', '[']).next().unwrap_or_default().trim().to_lowercase();
        let names: Vec<String> = names.iter().map(base).collect();
        let has = |member: &String| names.contains(member);
        if names.is_empty() || !self.required.iter().all(has) || !self.keys.iter().any(has) {
            return 0;
        }
        names.iter().filter(|name| self.members.contains(name)).count() * 100 / names.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, content: &str) -> Option<(&'static str, Option<String>)> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        let size = content.len() as u64;
        let source = Spooled { path, sha256: String::new(), size };
        let profiles = Profiles::in_folder(folder.path());
        guess(&source, name, &profiles).map(|guess| (guess.kind.as_str(), guess.profile))
    }

    #[test]
    fn a_file_is_told_by_what_is_in_it() {
        for (name, content, kind) in [
            ("a.xml", "<UpsertCustomers xmlns='urn:soapstone:customers/v1'/>", Some("customers")),
            ("a.xml", "<articles><article><sku>1</sku>", Some("articles")),
            ("a.xml", "<?xml version='1.0'?><!-- <order> --><x:list xmlns:x='y'><x:booking/>", Some("credits")),
            ("a.xml", "<BMECAT version='1.2'/>", Some("articles")),
            ("a.xml", "<ORDER xmlns='x'/>", Some("orders")),
            ("a.xml", "<INVOICE xmlns='x'/>", Some("documents")),
            ("a.xml", "<html><body>", None),
            ("a.csv", "sku;name[de];listPrice;weight\n", Some("articles")),
            ("a.csv", "number,company,email\n", Some("customers")),
            ("a.csv", "\u{feff}code;type;filterable\r\n", Some("attributes")),
            ("a.csv", "sku;warehouse;quantity\n", Some("stock")),
            ("a.csv", "key;website;country\n", Some("manufacturers")),
            ("warehouses.csv", "key;name\n", Some("warehouses")),
            ("units.csv", "key;name\n", Some("units")),
            ("a.csv", "colour;shape\n", None),
            ("a.jsonl", "{\"number\":\"1\",\"into\":\"2\"}\n{", Some("customerMerges")),
            ("a.jsonl", "{\"code\":\"X\",\"percent\":\"5\"}\n", Some("vouchers")),
            ("a.txt", "hello", None),
            ("a.txt", "", None),
        ] {
            assert_eq!(of(name, content).map(|(kind, _)| kind), kind, "{name} {content}");
        }
    }

    #[test]
    fn a_table_of_a_profile_is_read_with_it() {
        let profiles = Profiles::in_folder(Path::new("/nowhere"));
        let profile = Profile::parse(&profiles.text("luma-shop").unwrap()).unwrap();
        let header = profile.columns().join(",");
        let expected = Some(("articles", Some("luma-shop".to_owned())));
        assert_eq!(of("products.csv", &format!("store_view,{header}\n")), expected);
        let cut = header.split_once(',').unwrap().1;
        assert_ne!(of("products.csv", &format!("{cut}\n")), expected);
    }
}
