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
            Some(Told {
                key: setting.key,
                value: shown(setting.key, value),
                origin: origin.to_string(),
                doc: setting.doc,
            })
        });
        told.collect()
    }
}

/// Settings that are secrets as a whole.
const SECRETS: &[&str] = &["secrets-key"];

/// Parameters of an address that are secrets.
const SECRET_PARAMETERS: &[&str] = &["password", "sslpassword", "passfile", "sslkey"];

/// A value as it may be shown.
fn shown(key: &str, value: &str) -> String {
    if SECRETS.contains(&key) && !value.is_empty() { "***".to_owned() } else { hidden(value) }
}

/// An address without its password.
fn hidden(value: &str) -> String {
    let Some((scheme, rest)) = value.split_once("://") else { return value.to_owned() };
    let (authority, tail) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    // A password may contain what it should not, such as a slash: all before the last @ is hidden.
    let (user, host) = match rest.rsplit_once('@') {
        None => return format!("{scheme}://{authority}{}", hidden_parameters(tail)),
        Some((user, host)) => (user, host),
    };
    let name = user.split(':').next().unwrap_or("");
    let secret = if user.contains(':') { ":***" } else { "" };
    format!("{scheme}://{name}{secret}@{}", hidden_parameters(host))
}

fn hidden_parameters(tail: &str) -> String {
    let Some((path, query)) = tail.split_once('?') else { return tail.to_owned() };
    let parameters = query.split('&').map(|parameter| match parameter.split_once('=') {
        Some((name, _)) if SECRET_PARAMETERS.contains(&name.to_ascii_lowercase().as_str()) => format!("{name}=***"),
        _ => parameter.to_owned(),
    });
    format!("{path}?{}", parameters.collect::<Vec<_>>().join("&"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn passwords_are_not_shown() {
        for (value, shown) in [
            ("postgres://me:secret@host/db", "postgres://me:***@host/db"),
            ("postgres://me@host/db", "postgres://me@host/db"),
            ("postgres://me:p@ss/w?rd@host/db", "postgres://me:***@host/db"),
            (
                "postgres://host/db?user=me&password=secret&sslmode=require",
                "postgres://host/db?user=me&password=***&sslmode=require",
            ),
            ("postgres://me:a@host/db?sslpassword=b", "postgres://me:***@host/db?sslpassword=***"),
            ("smtp://ops:secret@mail.example:587?tls=required", "smtp://ops:***@mail.example:587?tls=required"),
            ("127.0.0.1:8080", "127.0.0.1:8080"),
        ] {
            assert_eq!(super::hidden(value), shown);
        }
        assert_eq!(super::shown("secrets-key", "c2VjcmV0"), "***");
        assert_eq!(super::shown("secrets-key", ""), "");
    }
}
