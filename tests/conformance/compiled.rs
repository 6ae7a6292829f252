//! Compiled code on documents of others: types generated from schemas of every group of the suite, and from openTRANS with
//! BMEcat, built into one program that reads and writes what it is given.

use super::canonical::difference;
use super::compile::{crate_folder, write};
use super::loaded::{Loaded, files, root_name, without_prolog};
use soapstone_codegen::Parts;
use soapstone_runtime::xml::Scope;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How many schemas are taken of each folder of the suite.
const SCHEMAS_A_FOLDER: usize = 26;

/// A document with the function that reads it.
struct Task {
    function: usize,
    input: PathBuf,
    name: String,
}

#[derive(Default)]
struct Program {
    modules: usize,
    /// Functions by the path of their type.
    functions: BTreeMap<String, usize>,
    table: Vec<String>,
    tasks: Vec<Task>,
}

impl Program {
    /// Adds a schema with documents of it.
    fn add(&mut self, folder: &Path, loaded: &Loaded, documents: &[(PathBuf, String)]) {
        let module = format!("c{}", self.modules);
        let mut used = false;
        for (path, name) in documents {
            let bytes = std::fs::read(path).unwrap();
            let text = soapstone_runtime::xml::decode(&bytes, None).unwrap();
            let root = root_name(without_prolog(&text), &Scope::default());
            let Some(item) = loaded.program.message_of(&root).map(|item| &loaded.program.items[item]) else { continue };
            let type_path = format!("{module}::{}::{}", loaded.program.modules[item.module].name, item.name);
            let next = self.table.len();
            let function = *self.functions.entry(type_path.clone()).or_insert(next);
            if function == next {
                self.table.push(format!("trip::<{type_path}>"));
            }
            self.tasks.push(Task { function, input: path.clone(), name: name.clone() });
            used = true;
        }
        if used {
            let code = loaded.generator.generate(Parts::default()).unwrap();
            write(&folder.join(format!("src/{module}.rs")), &code);
            self.modules += 1;
        }
    }

    fn main(&self) -> String {
        let mut out = String::from(
            "#![allow(warnings)]
use soapstone_runtime::{Message, xml};

fn trip<T: Message>(text: &str) -> Result<String, String> {
    xml::from_str::<T>(text).map(|value| xml::to_string(&value)).map_err(|error| error.to_string())
}

fn main() {
    let list = std::fs::read_to_string(std::env::args().nth(1).unwrap()).unwrap();
    for line in list.lines() {
        let cells: Vec<&str> = line.split('\\t').collect();
        let bytes = std::fs::read(cells[1]).unwrap();
        let text = xml::decode(&bytes, None).unwrap();
        let outcome = TABLE[cells[0].parse::<usize>().unwrap()](&text[cells[3].parse::<usize>().unwrap()..]);
        std::fs::write(cells[2], match outcome { Ok(text) => format!(\"ok\\n{text}\"), Err(why) => format!(\"no\\n{why}\") }).unwrap();
    }
}

",
        );
        for module in 0..self.modules {
            let _ = writeln!(out, "mod c{module};");
        }
        let _ = writeln!(out, "static TABLE: &[fn(&str) -> Result<String, String>] = &[{}];", self.table.join(", "));
        out
    }
}

/// The chapter of the report.
pub fn report(corpus: &Path, data: &Path) -> String {
    let folder = crate_folder("compiled");
    let mut program = Program::default();
    let mut validators = Vec::new();
    let suite = corpus.join("xsts");
    let mut folders: BTreeMap<String, usize> = BTreeMap::new();
    for (schema, documents) in super::xsts::valid_documents(&suite) {
        let group = schema.rsplit_once('/').map_or("", |(group, _)| group).to_owned();
        let taken = folders.entry(group).or_default();
        if *taken >= SCHEMAS_A_FOLDER {
            continue;
        }
        let Ok(loaded) = Loaded::of(&suite.join(&schema)) else { continue };
        *taken += 1;
        let before = program.tasks.len();
        program.add(&folder, &loaded, &documents);
        validators.extend((before..program.tasks.len()).map(|_| loaded.validator.clone().ok()));
    }
    for (schema, documents) in [("opentrans/opentrans_2_1.xsd", "opentrans"), ("opentrans/bmecat_2005.xsd", "bmecat")] {
        let loaded = Loaded::of(&data.join(schema)).unwrap();
        let documents: Vec<_> = files(&data.join(documents), "xml")
            .into_iter()
            .map(|path| (path.clone(), path.strip_prefix(data).unwrap().display().to_string()))
            .filter(|(path, _)| {
                let text = std::fs::read_to_string(path).unwrap();
                loaded.validator.as_ref().is_ok_and(|v| v.validate(&text, 0).is_ok())
            })
            .collect();
        let before = program.tasks.len();
        program.add(&folder, &loaded, &documents);
        validators.extend((before..program.tasks.len()).map(|_| loaded.validator.clone().ok()));
    }
    write(&folder.join("src/main.rs"), &program.main());
    let good = run(&folder, &program.tasks, &validators);
    let mut out = String::from("## Compiled code\n\n");
    let _ = writeln!(
        out,
        "{} documents (up to {SCHEMAS_A_FOLDER} schemas of each folder of the suite, {} folders; openTRANS and BMEcat) are read and \
         written by compiled types, {} in all: equal after canonicalisation, and valid where libxml2 calls the original so: \
         {} of them.\n",
        program.tasks.len(),
        folders.len(),
        program.table.len(),
        good.0
    );
    for line in good.1 {
        let _ = writeln!(out, "- {}", line.replace('|', "\\|"));
    }
    out
}

/// Builds the program, runs it, and looks at what it wrote: how many documents are the same, and what of the others.
fn run(
    folder: &Path,
    tasks: &[Task],
    validators: &[Option<soapstone_runtime::validate::Validator>],
) -> (usize, Vec<String>) {
    let build = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--offline"])
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", folder.join("../target"))
        .env_remove("RUSTFLAGS")
        // The tests beside this one want to get on as well.
        .env("CARGO_BUILD_JOBS", "1")
        .output()
        .unwrap();
    assert!(
        build.status.success(),
        "{}",
        String::from_utf8_lossy(&build.stderr).chars().take(4000).collect::<String>()
    );
    let outputs = tempfile::tempdir().unwrap();
    let mut list = String::new();
    let mut texts = Vec::new();
    for (number, task) in tasks.iter().enumerate() {
        let bytes = std::fs::read(&task.input).unwrap();
        let text = soapstone_runtime::xml::decode(&bytes, None).unwrap().into_owned();
        let begin = text.len() - without_prolog(&text).len();
        let output = outputs.path().join(number.to_string());
        let _ = writeln!(list, "{}\t{}\t{}\t{begin}", task.function, task.input.display(), output.display());
        texts.push(text);
    }
    let tasks_file = outputs.path().join("list");
    std::fs::write(&tasks_file, list).unwrap();
    let ran = Command::new(folder.join("../target/debug/compiled")).arg(&tasks_file).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let (mut good, mut notes) = (0, Vec::new());
    for (number, task) in tasks.iter().enumerate() {
        let outcome = std::fs::read_to_string(outputs.path().join(number.to_string())).unwrap();
        let (verdict, written) = outcome.split_once('\n').unwrap();
        let original = without_prolog(&texts[number]);
        let why = if verdict == "no" {
            Some(format!("refused: {written}"))
        } else if let Some(why) = difference(original, written) {
            Some(format!("changed: {why}"))
        } else {
            let validator = validators[number].as_ref().filter(|v| v.validate(original, 0).is_ok());
            validator.and_then(|v| v.validate(written, 0).err()).map(|p| format!("not valid any more: {}", p[0]))
        };
        match why {
            None => good += 1,
            Some(why) => notes.push(format!("{}: {}", task.name, why.split_whitespace().collect::<Vec<_>>().join(" "))),
        }
    }
    (good, notes)
}
