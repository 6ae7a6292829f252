//! Filters: a Rhai script sees each record before it is compared and written, and may change it, pass over it, refuse it, or warn of
//! it. What it may use of time, memory and steps is bounded; it reaches neither files nor the network.

mod lookup;
mod stage;
mod values;

pub use lookup::Lookup;
pub(super) use stage::{filter, on_some};

use crate::domain::Issue;
use crate::error::ServiceError;
use rhai::{AST, Dynamic, Engine, EvalAltResult, ParseError, Position, Scope};
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Steps of one record.
const MAX_OPERATIONS: u64 = 200_000;

/// After how many steps it looks at the clock.
const LOOKS_AT_CLOCK: u64 = 256;

/// Time of one record.
const MAX_TIME: Duration = Duration::from_secs(1);

/// Bytes of a text, and items of a list or members of an object, that a script makes.
const MAX_STRING: usize = 1 << 20;
const MAX_ITEMS: usize = 10_000;

/// How deep functions call each other.
const MAX_CALLS: usize = 32;

/// Warnings of one record.
const MAX_WARNINGS: usize = 20;

/// What a script makes of a record.
#[derive(Debug, PartialEq)]
pub enum Filtered {
    /// None: it is as it was.
    Kept(Option<Value>),
    Skipped,
    Refused(Issue),
}

/// What a script said of the record at hand.
#[derive(Default)]
struct Said {
    skipped: bool,
    refused: Option<Issue>,
    warnings: Vec<Issue>,
    /// What is there under its key.
    existing: Option<Value>,
    lookup: Option<Lookup>,
    deadline: Option<Instant>,
}

type Shared = Arc<Mutex<Said>>;

fn said<T>(shared: &Shared, work: impl FnOnce(&mut Said) -> T) -> T {
    work(&mut shared.lock().unwrap_or_else(PoisonError::into_inner))
}

/// A script that is ready to run.
pub struct Filter {
    engine: Engine,
    script: AST,
    said: Shared,
    /// Whether it asks what is there already.
    pub wants_existing: bool,
}

/// Nothing more of the script is run; no `try` catches it.
fn end() -> Box<EvalAltResult> {
    Box::new(EvalAltResult::ErrorTerminated(Dynamic::UNIT, Position::NONE))
}

fn issue(code: &'static str, text: &str, field: Option<&str>, is_warning: bool) -> Issue {
    let issue = if is_warning { Issue::warning(code, text) } else { Issue::error(code, text) };
    match field {
        Some(field) => Issue { field: Some(field.to_owned()), ..issue },
        None => issue,
    }
}

fn engine(shared: &Shared) -> Engine {
    let mut engine = Engine::new();
    engine
        .set_max_operations(MAX_OPERATIONS)
        .set_max_string_size(MAX_STRING)
        .set_max_array_size(MAX_ITEMS)
        .set_max_map_size(MAX_ITEMS)
        .set_max_call_levels(MAX_CALLS)
        .set_strict_variables(true)
        .disable_symbol("eval");
    let own = shared.clone();
    engine.on_progress(move |operations| {
        if operations % LOOKS_AT_CLOCK != 0 {
            return None;
        }
        let is_late = said(&own, |said| said.deadline.is_some_and(|deadline| Instant::now() > deadline));
        is_late.then(|| Dynamic::from("time"))
    });
    engine.on_print(|text| log::info!("a filter says: {text}"));
    engine.on_debug(|text, _, at| log::debug!("a filter says at {at:?}: {text}"));
    let own = shared.clone();
    engine.register_fn("skip", move || -> Result<(), Box<EvalAltResult>> {
        said(&own, |said| said.skipped = true);
        Err(end())
    });
    for with_field in [false, true] {
        let refuse = {
            let own = shared.clone();
            move |field: Option<&str>, text: &str| -> Result<(), Box<EvalAltResult>> {
                said(&own, |said| said.refused = Some(issue("filter.refused", text, field, false)));
                Err(end())
            }
        };
        let warn = {
            let own = shared.clone();
            move |field: Option<&str>, text: &str| {
                said(&own, |said| {
                    if said.warnings.len() < MAX_WARNINGS {
                        said.warnings.push(issue("filter.warning", text, field, true));
                    }
                });
            }
        };
        if with_field {
            engine.register_fn("reject", move |field: &str, text: &str| refuse(Some(field), text));
            engine.register_fn("warn", move |field: &str, text: &str| warn(Some(field), text));
        } else {
            engine.register_fn("reject", move |text: &str| refuse(None, text));
            engine.register_fn("warn", move |text: &str| warn(None, text));
        }
    }
    let own = shared.clone();
    engine.register_fn("existing", move || {
        said(&own, |said| said.existing.as_ref().map_or(Dynamic::UNIT, values::dynamic))
    });
    let own = shared.clone();
    engine.register_fn("lookup", move |kind: &str, key: &str| -> Result<Dynamic, Box<EvalAltResult>> {
        let lookup = said(&own, |said| said.lookup.clone());
        let found = match lookup {
            Some(lookup) => lookup.find(kind, key)?,
            None => None,
        };
        Ok(found.as_ref().map_or(Dynamic::UNIT, values::dynamic))
    });
    engine
}

fn place(at: Position) -> String {
    match (at.line(), at.position()) {
        (Some(line), Some(column)) => format!("line {line}, column {column}"),
        (Some(line), None) => format!("line {line}"),
        _ => "the script".to_owned(),
    }
}

impl Filter {
    /// Makes a script ready.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn compile(text: &str) -> Result<Self, ServiceError> {
        let shared = Shared::default();
        let engine = engine(&shared);
        let mut scope = Scope::new();
        // What a script is given, so that a wrong name is told now.
        scope.push("record", rhai::Map::new()).push_constant("run", rhai::Map::new());
        let wrong = |ParseError(kind, at): ParseError| {
            let message = format!("The filter is not valid: {}: {kind}", place(at));
            ServiceError::invalid("filter.invalid", message)
        };
        let script = engine.compile_with_scope(&scope, text).map_err(wrong)?;
        Ok(Self { engine, script, said: shared, wants_existing: text.contains("existing(") })
    }

    /// Lets the script look records up.
    #[must_use]
    pub fn with(self, lookup: Lookup) -> Self {
        said(&self.said, |said| said.lookup = Some(lookup));
        self
    }

    /// Runs the script on a record. `run` is what it may know of the run; `existing` what is there under the record's key. Gives
    /// what it warns of, too.
    pub fn apply(&self, record: &Value, run: &rhai::Map, existing: Option<Value>) -> (Filtered, Vec<Issue>) {
        said(&self.said, |said| {
            (said.skipped, said.refused, said.existing) = (false, None, existing);
            said.warnings.clear();
            said.deadline = Some(Instant::now() + MAX_TIME);
        });
        let mut scope = Scope::new();
        scope.push_dynamic("record", values::dynamic(record)).push_constant("run", run.clone());
        let ran = self.engine.run_ast_with_scope(&mut scope, &self.script);
        let (skipped, refused, warnings) =
            said(&self.said, |said| (said.skipped, said.refused.take(), std::mem::take(&mut said.warnings)));
        let filtered = match (ran, refused) {
            (_, Some(issue)) => Filtered::Refused(issue),
            _ if skipped => Filtered::Skipped,
            (Err(error), None) => Filtered::Refused(failed(&error)),
            (Ok(()), None) => match scope.get_value::<Dynamic>("record").map(|record| values::json(&record)) {
                Some(Ok(changed)) => Filtered::Kept((changed != *record).then_some(changed)),
                Some(Err(what)) => Filtered::Refused(not_a_record(&what)),
                None => Filtered::Refused(not_a_record("nothing")),
            },
        };
        (filtered, warnings)
    }
}

fn not_a_record(what: &str) -> Issue {
    let issue = Issue::error("filter.failed", format!("the filter leaves {what} where a record is expected"));
    issue.suggest("correct the script: texts, numbers, true and false, lists and objects are what records are made of")
}

fn failed(error: &EvalAltResult) -> Issue {
    let at = place(error.position());
    match error {
        EvalAltResult::ErrorTooManyOperations(_)
        | EvalAltResult::ErrorTerminated(..)
        | EvalAltResult::ErrorDataTooLarge(..) => {
            let text = format!("{at} of the filter uses more steps, time or memory than a record may");
            Issue::error("filter.limit", text).suggest("look for a loop without end in the script")
        }
        error => {
            let mut told = error.to_string();
            // The place is told in our own words.
            if let Some(end) = told.rfind(" (line ") {
                told.truncate(end);
            }
            Issue::error("filter.failed", format!("{at} of the filter: {told}"))
                .suggest("correct the script, or the record")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn run(script: &str, record: &Value) -> (Filtered, Vec<Issue>) {
        Filter::compile(script).unwrap().apply(record, &rhai::Map::new(), Some(json!({"sku": "A", "weight": "1"})))
    }

    #[test]
    fn a_record_is_changed_kept_passed_over_or_refused() {
        let record = json!({"sku": "a", "name": [{"value": "x"}], "active": true, "position": 3});
        assert_eq!(run("", &record).0, Filtered::Kept(None));
        let changed = run(
            "record.sku = record.sku.to_upper(); record.name[0].value += \"!\"; record.weight = existing().weight;",
            &record,
        )
        .0;
        let expected =
            json!({"sku": "a".to_uppercase(), "name": [{"value": "x!"}], "active": true, "position": 3, "weight": "1"});
        assert_eq!(changed, Filtered::Kept(Some(expected)));
        assert_eq!(run("if record.active { skip() } else { reject(\"no\") }", &record).0, Filtered::Skipped);
        let (filtered, warnings) =
            run("warn(\"name\", \"short\"); try { reject(\"sku\", \"no\") } catch { record.sku = \"b\"; }", &record);
        let Filtered::Refused(issue) = filtered else { panic!("{filtered:?}") };
        assert_eq!((issue.code, issue.text.as_str(), issue.field.as_deref()), ("filter.refused", "no", Some("sku")));
        assert_eq!(warnings[0].code, "filter.warning");
    }

    #[test]
    fn mistakes_are_told_with_their_line() {
        let wrong = |script: &str| Filter::compile(script).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(wrong("let x = 1;\nrecord.sku = ;").contains("line 2"), "{}", wrong("let x = 1;\nrecord.sku = ;"));
        assert!(wrong("recrod.sku = 1;").contains("recrod"), "{}", wrong("recrod.sku = 1;"));
        assert!(!wrong("eval(\"1\")").is_empty());
        let Filtered::Refused(issue) = run("\n\nrecord.sku.fly();", &json!({"sku": "a"})).0 else { panic!() };
        assert_eq!(issue.code, "filter.failed");
        assert!(issue.text.starts_with("line 3, column"), "{}", issue.text);
    }

    #[test]
    fn nothing_runs_for_ever() {
        for script in [
            "loop {}",
            "fn f(x) { f(x + 1) } f(0)",
            "let s = \"x\"; loop { s += s; }",
            "let a = []; loop { a.push(a); }",
        ] {
            let Filtered::Refused(issue) = run(script, &json!({"sku": "a"})).0 else { panic!("{script}") };
            assert!(matches!(issue.code, "filter.limit" | "filter.failed"), "{script}: {}", issue.text);
        }
    }
}
