//! The contract's words as they are written on a command line: `priceEntries` as `price-entries`.

use clap::builder::{PossibleValue, PossibleValuesParser};

/// Values of the contract, with dashes or as they are.
pub(super) fn spelled(values: impl Iterator<Item = &'static str>) -> PossibleValuesParser {
    PossibleValuesParser::new(values.map(|value| PossibleValue::new(kebab(value)).alias(value)))
}

fn kebab(name: &str) -> String {
    let dashed = |c: char| if c.is_ascii_uppercase() { format!("-{}", c.to_ascii_lowercase()) } else { c.to_string() };
    name.chars().map(dashed).collect()
}

/// The value that was written so.
pub(super) fn meant<T: Copy>(
    all: impl IntoIterator<Item = T>,
    name: impl Fn(T) -> &'static str,
    written: &str,
) -> Option<T> {
    all.into_iter().find(|value| name(*value) == written || kebab(name(*value)) == written)
}
