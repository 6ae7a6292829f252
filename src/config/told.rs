//! The configuration as it is shown: each value, where it is from, what it means; no passwords.

use super::{Config, SETTINGS};

/// A value.
#[derive(Clone, Debug)]
pub struct Told {
    pub key: &'static str,
    pub value: String,
    pub origin: String,
    pub doc: &'static str,
}

impl Config {
    /// All values, in the order in which they are documented.
    pub fn told(&self) -> Vec<Told> {
        let told = SETTINGS.iter().filter_map(|setting| {
            let (value, origin) = self.values.get(setting.key)?;
            Some(Told { key: setting.key, value: hidden(value), origin: origin.to_string(), doc: setting.doc })
        });
        told.collect()
    }
}

/// An address without its password.
fn hidden(value: &str) -> String {
    let Some((scheme, rest)) = value.split_once("://") else { return value.to_owned() };
    match rest.split_once('@') {
        Some((user, host)) => {
            let name = user.split(':').next().unwrap_or("");
            let secret = if user.contains(':') { ":***" } else { "" };
            format!("{scheme}://{name}{secret}@{host}")
        }
        None => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn passwords_are_not_shown() {
        assert_eq!(super::hidden("postgres://me:secret@host/db"), "postgres://me:***@host/db");
        assert_eq!(super::hidden("postgres://me@host/db"), "postgres://me@host/db");
        assert_eq!(super::hidden("127.0.0.1:8080"), "127.0.0.1:8080");
    }
}
