//! One error, rendered three ways: SOAP fault, problem details, run message.

use crate::store::StoreError;
use crate::store::faults::Resource;
use soapstone_contracts::common::{NotFoundFault, ServiceFault};
use soapstone_runtime::http::request_id;
use soapstone_runtime::soap::Fault;
use std::{fmt, io};

/// Why something cannot be done. Codes are stable; `docs/errors.md` lists them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceError {
    /// There is no record of that key.
    NotFound { kind: &'static str, key: String },
    /// What was asked is not possible.
    Invalid { code: &'static str, message: String, field: Option<String>, value: Option<String> },
    /// It would be possible, but not as things stand.
    Conflict { code: &'static str, message: String },
    /// Not now.
    Unavailable { message: String },
    /// There is no room to store what was sent.
    Full { message: String },
    /// Our fault; the log has the rest under the reference.
    Internal { reference: String },
}

impl ServiceError {
    pub fn invalid(code: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid { code, message: message.into(), field: None, value: None }
    }

    /// Names the field and its value.
    #[must_use]
    pub fn of(self, field: &str, value: &str) -> Self {
        match self {
            Self::Invalid { code, message, .. } => {
                Self::Invalid { code, message, field: Some(field.to_owned()), value: Some(value.to_owned()) }
            }
            other => other,
        }
    }

    /// Logs what went wrong inside and gives the reference to it.
    pub fn internal(what: impl fmt::Display) -> Self {
        let reference = request_id();
        log::error!(reference = reference.as_str(); "{what}");
        Self::Internal { reference }
    }

    /// Logs that the disk is full, and gives the error for the caller.
    fn full(why: impl fmt::Display) -> Self {
        log::error!("{why}");
        Self::Full { message: "The server's disk is full; try again later".to_owned() }
    }

    /// The error of a file that cannot be written: a full disk, or an internal error.
    pub fn of_file(what: &str, error: &io::Error) -> Self {
        match Resource::missing(error) {
            Some(Resource::Space) => Self::full(format!("{what}: {error}")),
            _ => Self::internal(format!("{what}: {error}")),
        }
    }

    pub fn code(&self) -> String {
        match self {
            Self::NotFound { kind, .. } => format!("{kind}.not_found"),
            Self::Invalid { code, .. } | Self::Conflict { code, .. } => (*code).to_owned(),
            Self::Unavailable { .. } => "server.unavailable".to_owned(),
            Self::Full { .. } => "server.disk_full".to_owned(),
            Self::Internal { .. } => "server.internal".to_owned(),
        }
    }
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound { kind, key } => write!(f, "There is no {} \"{key}\"", kind.replace('_', " ")),
            Self::Invalid { message, .. }
            | Self::Conflict { message, .. }
            | Self::Unavailable { message }
            | Self::Full { message } => f.write_str(message),
            Self::Internal { reference } => {
                write!(f, "Something went wrong inside; the log has it under the reference {reference}")
            }
        }
    }
}

impl std::error::Error for ServiceError {}

impl From<StoreError> for ServiceError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Refused(error) => *error,
            StoreError::Unavailable(why) => {
                log::error!("{why}");
                Self::Unavailable { message: "The database cannot be reached; try again later".to_owned() }
            }
            StoreError::Full(why) => Self::full(why),
            lost if lost.missing().is_some() => StoreError::Unavailable(lost.to_string()).into(),
            StoreError::Database(error) => Self::internal(error),
        }
    }
}

impl From<ServiceError> for Fault {
    fn from(error: ServiceError) -> Self {
        let (code, text) = (error.code(), error.to_string());
        let (field, value, reference) = match &error {
            ServiceError::Invalid { field, value, .. } => (field.clone(), value.clone(), None),
            ServiceError::Internal { reference } => (None, None, Some(reference.clone())),
            _ => (None, None, None),
        };
        let fault = match &error {
            ServiceError::NotFound { kind, key } => {
                let detail = NotFoundFault {
                    code: code.clone(),
                    text: text.clone(),
                    kind: (*kind).to_owned(),
                    key: key.clone(),
                };
                return Self::sender(code, 404, text).detail(&detail);
            }
            ServiceError::Invalid { .. } => Self::sender(code.clone(), 422, text.clone()),
            ServiceError::Conflict { .. } => Self::sender(code.clone(), 409, text.clone()),
            ServiceError::Unavailable { .. } => Self::receiver(code.clone(), 503, text.clone()),
            ServiceError::Full { .. } => Self::receiver(code.clone(), 507, text.clone()),
            ServiceError::Internal { .. } => Self::receiver(code.clone(), 500, text.clone()),
        };
        fault.detail(&ServiceFault { code, text, field, value, reference })
    }
}
