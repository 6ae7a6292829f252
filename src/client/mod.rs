//! The client on the ERP's own server: what the ERP writes to folders is sent to Soapstone, what the shop has for it is fetched into
//! folders; the ERP sees nothing but local files. What was begun is written down, so that a cut or a crash sends and fetches nothing
//! twice, and loses nothing.

mod fetch;
mod journal;
mod send;
mod server;
mod settings;

pub use server::{NAME, Server};
pub use settings::{Settings, SettingsError, TEMPLATE};

use fetch::Fetching;
use send::Sending;
use std::io;
use std::time::Duration;

/// How often folders and runs at work are looked at.
pub const LOOK: Duration = Duration::from_millis(500);

/// Something that went by, to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// So many bytes of a file are with the server.
    Sending { file: String, sent: u64, length: u64 },
    /// A file is with the server, as a run.
    Sent { file: String, run: i64 },
    /// The run of a file that was sent is done.
    Done { file: String, run: Option<i64>, is_well: bool, text: String },
    /// A file was fetched.
    Fetched { file: String, run: i64, records: i64 },
    /// A run waits for somebody.
    Waits { file: String, run: i64, text: String },
}

/// Told of what goes by.
type Tell<'a> = dyn FnMut(Event) + 'a;

/// What is in the way.
#[derive(Debug)]
pub enum Trouble {
    /// Try again: a matter of network, log-in or disk.
    Later(String),
    /// The server does not want it, and will not.
    Refused(String),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Later(error.to_string())
    }
}

impl Trouble {
    pub fn text(&self) -> &str {
        match self {
            Self::Later(text) | Self::Refused(text) => text,
        }
    }
}

/// How far a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// There is nothing to do now.
    Idle,
    AtWork,
    /// Somebody has to do something first.
    Rests,
}

/// A folder that is sent, or fetched into.
enum Job {
    Send(Sending),
    Fetch(Fetching),
}

/// All jobs of a configuration.
pub struct Client {
    server: Server,
    jobs: Vec<(String, Job)>,
}

impl Client {
    /// A client that does the jobs of those names; all of them, if there are no names.
    ///
    /// # Errors
    /// What is wrong with the configuration.
    pub fn new(settings: &Settings, names: &[String]) -> Result<Self, SettingsError> {
        let server = settings.server()?;
        let send = settings.send.iter().map(|folder| (&folder.path, Job::Send(Sending::new(folder.clone()))));
        let fetch = settings.fetch.iter().map(|fetch| (&fetch.path, Job::Fetch(Fetching::new(fetch.clone()))));
        let mut jobs: Vec<(String, Job)> = send.chain(fetch).map(|(path, job)| (settings.name(path), job)).collect();
        if let Some(unknown) = names.iter().find(|name| jobs.iter().all(|(job, _)| job != *name)) {
            let known: Vec<&str> = jobs.iter().map(|(name, _)| name.as_str()).collect();
            return Err(SettingsError(format!("there is no job {unknown}; there are {}", known.join(", "))));
        }
        jobs.retain(|(name, _)| names.is_empty() || names.contains(name));
        Ok(Self { server, jobs })
    }

    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Looks at each job once, and tells of which what goes by. `begins`: what is fetched may begin anew, whatever its time.
    pub async fn look(
        &mut self,
        begins: bool,
        tell: &mut dyn FnMut(&str, Event),
    ) -> Vec<(String, Result<Standing, Trouble>)> {
        let mut all = Vec::with_capacity(self.jobs.len());
        for (name, job) in &mut self.jobs {
            let mut told = |event| tell(name, event);
            let standing = match job {
                Job::Send(sending) => sending.look(&self.server, &mut told).await,
                Job::Fetch(fetching) => fetching.look(&self.server, begins, &mut told).await,
            };
            all.push((name.clone(), standing));
        }
        all
    }
}
