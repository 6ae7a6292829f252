//! What the client is to do: a TOML file.

use super::Trouble;
use super::server::{AGENT, Server, WHO, basic};
use crate::exchange::channels::HotFolder;
use chrono::{DateTime, Local};
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Certificate, Identity};
use serde::Deserialize;
use soapstone_contracts::exchange::{ExportMode, Run, RunFormat, RunKind, StartExport};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A configuration to begin with.
pub const TEMPLATE: &str = include_str!("template.toml");

/// What is wrong with a configuration.
#[derive(Debug)]
pub struct SettingsError(pub String);

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SettingsError {}

/// What the client is to do, and with whom.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    server: String,
    token_file: Option<PathBuf>,
    user: Option<String>,
    password_file: Option<PathBuf>,
    authority: Option<PathBuf>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    #[serde(default = "patience")]
    timeout_seconds: u64,
    #[serde(default)]
    pub send: Vec<HotFolder>,
    #[serde(default)]
    pub fetch: Vec<Fetch>,
    /// Where relative paths begin.
    #[serde(skip)]
    home: PathBuf,
}

fn patience() -> u64 {
    120
}

/// Something that is fetched.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Fetch {
    pub path: PathBuf,
    pub kind: String,
    #[serde(default)]
    format: Option<String>,
    /// All records, or what is new since the last time.
    #[serde(default)]
    mode: Option<String>,
    /// What files are called; `{run}`, `{date}` and `{time}` stand for what they say.
    #[serde(default)]
    file: Option<String>,
    #[serde(default)]
    consumer: Option<String>,
    #[serde(default)]
    lease_seconds: Option<i32>,
    #[serde(default)]
    warehouse: Option<String>,
    #[serde(default)]
    packed: bool,
    #[serde(default)]
    priority: Option<i32>,
    #[serde(default = "minute")]
    every_seconds: u64,
    /// Whether a file is written where there are no records.
    #[serde(default)]
    pub keep_empty: bool,
}

fn minute() -> u64 {
    60
}

fn find<T: Copy>(all: &[T], name: impl Fn(T) -> &'static str, wanted: &str, what: &str) -> Result<T, SettingsError> {
    all.iter().copied().find(|one| name(*one) == wanted).ok_or_else(|| {
        let known: Vec<&str> = all.iter().map(|one| name(*one)).collect();
        SettingsError(format!("there is no {what} {wanted}; there are {}", known.join(", ")))
    })
}

impl Fetch {
    pub(super) fn every(&self) -> Duration {
        Duration::from_secs(self.every_seconds)
    }

    fn request(&self) -> Result<StartExport, SettingsError> {
        let format = self.format.as_deref();
        let format = format.map(|name| find(RunFormat::ALL, |format| format.as_str(), name, "format")).transpose()?;
        let mode = self.mode.as_deref().unwrap_or("incremental");
        Ok(StartExport {
            kind: find(RunKind::ALL, |kind| kind.as_str(), &self.kind, "kind")?,
            format,
            mode: Some(find(ExportMode::ALL, |mode| mode.as_str(), mode, "mode")?),
            since: None,
            consumer: self.consumer.clone(),
            lease_seconds: self.lease_seconds,
            warehouse: self.warehouse.clone(),
            packed: self.packed.then_some(true),
            priority: self.priority,
        })
    }

    /// What is asked of the server.
    pub(super) fn wanted(&self) -> Result<StartExport, Trouble> {
        self.request().map_err(|error| Trouble::Refused(error.0))
    }

    /// The name of its files, if all have the same.
    pub(super) fn fixed_name(&self) -> Option<&str> {
        self.file.as_deref().filter(|name| !name.contains('{'))
    }

    /// What the file of a run is called.
    pub(super) fn file_name(&self, run: &Run, now: DateTime<Local>) -> String {
        match &self.file {
            Some(name) => name
                .replace("{run}", &run.id.to_string())
                .replace("{date}", &now.format("%Y-%m-%d").to_string())
                .replace("{time}", &now.format("%Y%m%d-%H%M%S").to_string()),
            None => match run.source_name.split_once('.') {
                Some((name, ending)) => format!("{name}-{}.{ending}", run.id),
                None => format!("{}-{}", run.source_name, run.id),
            },
        }
    }
}

impl Settings {
    /// Reads a configuration; what is relative in it is relative to its folder.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn read(path: &Path) -> Result<Self, SettingsError> {
        let wrong = |why: String| SettingsError(format!("{}: {why}", path.display()));
        let text = fs::read_to_string(path)
            .map_err(|e| wrong(format!("{e}; `soapstone client new > {}` writes one to begin with", path.display())))?;
        let home = path.parent().unwrap_or(Path::new("")).to_owned();
        Self::parse(&text, home).map_err(|error| wrong(error.0))
    }

    fn parse(text: &str, home: PathBuf) -> Result<Self, SettingsError> {
        let settings: Self = toml::from_str(text).map_err(|e| SettingsError(e.to_string().trim().to_owned()))?;
        let mut settings = Self { home, ..settings };
        let home = settings.home.clone();
        settings.send.iter_mut().for_each(|folder| folder.path = home.join(&folder.path));
        settings.fetch.iter_mut().for_each(|fetch| fetch.path = home.join(&fetch.path));
        settings.check()?;
        Ok(settings)
    }

    fn check(&self) -> Result<(), SettingsError> {
        let address = url::Url::parse(&self.server).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let Some(address) = address else {
            return Err(SettingsError(format!("server = \"{}\" must begin with http:// or https://", self.server)));
        };
        if !address.username().is_empty() || address.password().is_some() {
            return Err(SettingsError("server: user and password have settings of their own".to_owned()));
        }
        if address.query().is_some() || address.fragment().is_some() {
            return Err(SettingsError(format!("server = \"{}\" must end with its path", self.server)));
        }
        if self.user.is_some() != self.password_file.is_some() {
            return Err(SettingsError("user and password-file go together".to_owned()));
        }
        if self.certificate.is_some() != self.key.is_some() {
            return Err(SettingsError("certificate and key go together".to_owned()));
        }
        self.send.iter().try_for_each(HotFolder::check).map_err(SettingsError)?;
        let mut paths: Vec<&Path> = Vec::new();
        for fetch in &self.fetch {
            let here = |error: SettingsError| SettingsError(format!("{}: {error}", fetch.path.display()));
            fetch.request().map_err(here)?;
            if fetch.file.as_deref().is_some_and(|name| name.is_empty() || name.contains(['/', '\\']) || name == "..") {
                return Err(here(SettingsError("file is a name, without folders".to_owned())));
            }
        }
        for path in self.send.iter().map(|f| f.path.as_path()).chain(self.fetch.iter().map(|f| f.path.as_path())) {
            if paths.contains(&path) {
                return Err(SettingsError(format!("{} is there twice; give each its own folder", path.display())));
            }
            paths.push(path);
        }
        if paths.is_empty() {
            return Err(SettingsError("there is nothing to do: add [[send]] or [[fetch]]".to_owned()));
        }
        Ok(())
    }

    /// A job's folder, as the configuration calls it.
    pub(super) fn name(&self, folder: &Path) -> String {
        folder.strip_prefix(&self.home).unwrap_or(folder).display().to_string()
    }

    fn file(&self, path: &Path) -> Result<Vec<u8>, SettingsError> {
        let path = self.home.join(path);
        fs::read(&path).map_err(|e| SettingsError(format!("{}: {e}", path.display())))
    }

    fn secret(&self, path: &Path) -> Result<String, SettingsError> {
        let text = String::from_utf8(self.file(path)?);
        let text = text.map_err(|_| SettingsError(format!("{} is no text", path.display())))?;
        Ok(text.trim().to_owned())
    }

    /// The way to the server.
    ///
    /// # Errors
    /// If files of it cannot be read.
    pub(super) fn server(&self) -> Result<Server, SettingsError> {
        let mut headers = HeaderMap::new();
        let who = match (&self.token_file, &self.user, &self.password_file) {
            (Some(token), _, _) => Some(format!("Bearer {}", self.secret(token)?)),
            (None, Some(user), Some(password)) => Some(basic(user, &self.secret(password)?)),
            _ => None,
        };
        if let Some(who) = who {
            let wrong = |_| SettingsError("the token or password has characters that cannot be sent".to_owned());
            let mut value = HeaderValue::from_str(&who).map_err(wrong)?;
            value.set_sensitive(true);
            headers.insert(WHO, value);
        }
        let timeout = Duration::from_secs(self.timeout_seconds.max(1));
        // A redirect would lead what we log in with elsewhere.
        let mut builder = reqwest::Client::builder()
            .user_agent(AGENT)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(timeout.min(CONNECTING))
            .read_timeout(timeout);
        let of_tls = |what: &str, error: &dyn fmt::Display| SettingsError(format!("{what}: {error}"));
        if let Some(authority) = &self.authority {
            let pem = Certificate::from_pem(&self.file(authority)?).map_err(|e| of_tls("authority", &e))?;
            builder = builder.add_root_certificate(pem);
        }
        if let (Some(certificate), Some(key)) = (&self.certificate, &self.key) {
            let identity = Identity::from_pkcs8_pem(&self.file(certificate)?, &self.file(key)?);
            builder = builder.identity(identity.map_err(|e| of_tls("certificate", &e))?);
        }
        let http = builder.build().map_err(|e| of_tls("TLS cannot be set up", &e))?;
        Ok(Server::new(http, &self.server, headers))
    }
}

/// For how long a server may not be there.
const CONNECTING: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str) -> String {
        Settings::parse(text, PathBuf::new()).map(|_| String::new()).unwrap_or_else(|error| error.0)
    }

    #[test]
    fn the_template_is_right() {
        let settings = Settings::parse(TEMPLATE, PathBuf::from("/erp")).unwrap();
        assert_eq!(settings.send.len() + settings.fetch.len(), 3);
    }

    #[test]
    fn what_is_wrong_is_told() {
        let server = "server = \"https://shop.example\"\n";
        for (text, part) in [
            ("server = \"shop.example\"\n", "http://"),
            ("server = \"https://erp:secret@shop.example\"\n", "settings of their own"),
            ("server = \"https://shop.example/?a\"\n", "end with its path"),
            (server, "nothing to do"),
            (&format!("{server}colour = 1\n"), "line 2"),
            (&format!("{server}user = \"erp\"\n"), "password-file"),
            (&format!("{server}[[fetch]]\npath = \"a\"\nkind = \"orderz\"\n"), "orderz"),
            (&format!("{server}[[fetch]]\npath = \"a\"\nkind = \"orders\"\nfile = \"../a\"\n"), "without folders"),
            (
                &format!(
                    "{server}[[send]]\npath = \"a\"\nkind = \"stock\"\n[[fetch]]\npath = \"a\"\nkind = \"orders\"\n"
                ),
                "twice",
            ),
        ] {
            assert!(wrong(text).contains(part), "{text}: {}", wrong(text));
        }
    }
}
