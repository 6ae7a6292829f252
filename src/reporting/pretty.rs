//! Messages for reading.

use quick_xml::{Reader, Writer};
use serde_json::Value;

/// A message for reading; says how long it was, if it is not whole.
pub fn pretty(text: &str, bytes: i64) -> String {
    let mut out = if text.trim_start().starts_with('<') {
        indented(text)
    } else {
        let value = serde_json::from_str::<Value>(text).ok();
        value.and_then(|value| serde_json::to_string_pretty(&value).ok()).unwrap_or_else(|| text.to_owned())
    };
    if bytes > i64::try_from(text.len()).unwrap_or(i64::MAX) {
        out.push_str(&format!("\n… of {bytes} bytes"));
    }
    out
}

/// XML with an element a line, as far as it goes.
fn indented(text: &str) -> String {
    let mut reader = Reader::from_str(text);
    reader.config_mut().trim_text(true);
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    while let Ok(event) = reader.read_event() {
        if matches!(event, quick_xml::events::Event::Eof) || writer.write_event(event).is_err() {
            break;
        }
    }
    String::from_utf8(writer.into_inner()).unwrap_or_default()
}
