//! Import and export runs: files as cases, a real catalogue, a large one, and what happens when a run is cut off.

mod again;
mod cases;
mod client;
mod crashing;
mod exported;
mod faults;
mod filters;
mod folders;
mod foreign;
mod full;
mod increments;
mod interrupted;
mod kinds;
mod large;
mod luma;
mod notices;
mod packed;
mod profiles;
mod refused;
mod round_trip;
mod space;
mod spreadsheets;
mod steered;

use serde_json::Value;

/// The counters that are not 0, as `created 3, failed 1`.
fn counters(run: &Value) -> String {
    let counters = run["counters"].as_object().unwrap_or_else(|| panic!("no run: {run}"));
    let told = counters.iter().filter(|(_, count)| count.as_i64() != Some(0));
    told.map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
}

/// A run's messages: where, which field and value, and why.
fn messages(answer: &Value) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned).replace('\n', "\\n");
    let mut out = String::new();
    for message in answer["message"].as_array().unwrap() {
        out.push_str(&format!("line {}", message["line"]));
        for name in ["column", "recordKey", "field", "value", "code", "text", "suggestion"] {
            if !message[name].is_null() {
                out.push_str(&format!(" | {name} {}", text(&message[name])));
            }
        }
        out.push('\n');
    }
    out
}
