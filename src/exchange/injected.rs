//! Faults that tests inject. Release builds have none of this.

/// Ends the process as a crash would, if this record is where `SOAPSTONE_CRASH_AT` says, as `articles.csv:5`.
#[cfg(debug_assertions)]
pub(super) fn crash_at(source: &str, record: i64) {
    if std::env::var("SOAPSTONE_CRASH_AT").is_ok_and(|place| place == format!("{source}:{record}")) {
        std::process::abort();
    }
}

#[cfg(not(debug_assertions))]
pub(super) fn crash_at(_: &str, _: i64) {}
