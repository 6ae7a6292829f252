//! Filters: a Rhai script sees each record before it is compared and written, and may change it, pass over it, refuse it, or warn of
//! it. What it may use of time, memory and steps is bounded; it reaches neither files nor the network.

mod lookup;
mod stage;
mod values;

pub use lookup::Lookup;
pub(super) use stage::{filter, on_some};

use crate::domain::Issue;
use crate::error::ServiceError;
use rhai::{AST, Dynamic, Engine, EvalAltResult, ImmutableString, ParseError, Position, Scope};
use serde_json::Value;
use std::panic::{AssertUnwindSafe, catch_unwind};
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

/// How deep functions call each other, how many variables are in one of them, and how many functions there are.
const MAX_CALLS: usize = 16;
const MAX_VARIABLES: usize = 32;
const MAX_FUNCTIONS: usize = 100;

/// How deep expressions nest, outside of functions and within.
const MAX_DEPTHS: (usize, usize) = (64, 32);

/// Bytes of a script.
const MAX_SCRIPT: usize = 256 << 10;

/// Lines that a script writes into the log for one record.
const MAX_LINES: usize = 20;

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
    /// Lines that were written into the log.
    lines: usize,
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
        .set_max_variables(MAX_VARIABLES)
        .set_max_functions(MAX_FUNCTIONS)
        .set_max_expr_depths(MAX_DEPTHS.0, MAX_DEPTHS.1)
        .set_strict_variables(true)
        .disable_symbol("eval");
    restrict(&mut engine);
    let own = shared.clone();
    engine.on_progress(move |operations| {
        if operations % LOOKS_AT_CLOCK != 0 {
            return None;
        }
        let is_late = said(&own, |said| said.deadline.is_some_and(|deadline| Instant::now() > deadline));
        is_late.then(|| Dynamic::from("time"))
    });
    let own = shared.clone();
    engine.on_print(move |text| {
        if may_log(&own) {
            log::info!("Filter output: {text}");
        }
    });
    let own = shared.clone();
    engine.on_debug(move |text, _, at| {
        if may_log(&own) {
            log::debug!("Filter output at {at:?}: {text}");
        }
    });
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

/// Whether a script may write another line into the log.
fn may_log(shared: &Shared) -> bool {
    said(shared, |said| {
        said.lines += 1;
        said.lines <= MAX_LINES
    })
}

/// Replaces functions of the language whose time or memory the other limits do not bound: they are looked at between functions only.
fn restrict(engine: &mut Engine) {
    fn no_sleep() -> Result<(), Box<EvalAltResult>> {
        Err("sleep() is not available in filters".into())
    }
    engine.register_fn("sleep", |_: rhai::INT| no_sleep());
    engine.register_fn("sleep", |_: rhai::FLOAT| no_sleep());
    engine.register_fn("replace", |text: &mut ImmutableString, find: &str, by: &str| replace(text, find, by));
    engine.register_fn("replace", |text: &mut ImmutableString, find: char, by: &str| {
        replace(text, find.encode_utf8(&mut [0; 4]), by)
    });
}

/// Replaces all that is found in a text, if the text does not get too large by it.
fn replace(text: &mut ImmutableString, find: &str, by: &str) -> Result<(), Box<EvalAltResult>> {
    let added = text.matches(find).count().saturating_mul(by.len());
    if text.len().saturating_add(added) > MAX_STRING + by.len() {
        return Err(Box::new(EvalAltResult::ErrorDataTooLarge("Length of string".to_owned(), Position::NONE)));
    }
    *text = text.replace(find, by).into();
    Ok(())
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
        if text.len() > MAX_SCRIPT {
            let message = format!("The filter is not valid: it has more than {MAX_SCRIPT} bytes");
            return Err(ServiceError::invalid("filter.invalid", message));
        }
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
            said.lines = 0;
            said.deadline = Some(Instant::now() + MAX_TIME);
        });
        let mut scope = Scope::new();
        scope.push_dynamic("record", values::dynamic(record)).push_constant("run", run.clone());
        // A script may have functions of the language panic, as by an order that is none.
        let run = AssertUnwindSafe(|| self.engine.run_ast_with_scope(&mut scope, &self.script));
        let ran = catch_unwind(run).unwrap_or_else(|_| Err("it ends in a panic".into()));
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
            "sleep(3600)",
            "sleep(3600.0)",
            "try { sleep(1) } catch {} loop {}",
            "let s = \"\"; s.pad(1000000, 'x'); s.replace(\"x\", s);",
            "let s = \"\"; s.pad(1000000, 'x'); s.replace('x', s);",
            "let s = \"\"; s.pad(1000000, 'x'); s.replace(\"\", s);",
            "let a = []; a.pad(10000, \"x\"); let b = []; b.pad(10000, a); let c = []; c.pad(10000, b);",
            "let s = \"\"; s.pad(1000000000, 'x');",
            "let m = #{}; for i in 0..100000 { m[`${i}`] = i; }",
            "let x = 9223372036854775807; x += 1;",
            "let b = blob(1000000000);",
            "let n = 2 ** 1000;",
        ] {
            let began = Instant::now();
            let Filtered::Refused(issue) = run(script, &json!({"sku": "a"})).0 else { panic!("{script}") };
            assert!(matches!(issue.code, "filter.limit" | "filter.failed"), "{script}: {}", issue.text);
            assert!(began.elapsed() < 5 * MAX_TIME, "{script}: {:?}", began.elapsed());
        }
    }

    #[test]
    fn texts_are_replaced_within_bounds() {
        let record =
            run("record.sku.replace(\"a\", \"bb\"); record.sku.replace('c', \"\");", &json!({"sku": "xacax"})).0;
        assert_eq!(record, Filtered::Kept(Some(json!({"sku": "xbbbbx"}))));
    }

    #[test]
    fn scripts_have_bounds_before_they_run() {
        let is_rejected = |script: &str| Filter::compile(script).is_err();
        assert!(is_rejected(&format!("let x = {}1{};", "(".repeat(1_000), ")".repeat(1_000))));
        assert!(is_rejected(&(0..200).map(|n| format!("fn f{n}() {{}} ")).collect::<String>()));
        assert!(is_rejected(&format!("let x = \"{}\";", "x".repeat(MAX_SCRIPT))));
        let many = (0..100).map(|n| format!("let x{n} = {n};")).collect::<String>();
        let rejected = is_rejected(&many) || matches!(run(&many, &json!({"sku": "a"})).0, Filtered::Refused(_));
        assert!(rejected);
    }
}
