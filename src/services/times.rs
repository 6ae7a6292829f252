//! Times that requests name.

use crate::domain::Defaults;
use crate::error::ServiceError;
use chrono::NaiveDateTime;
use soapstone_runtime::DateTime;

/// Since when records of a list changed.
pub(super) fn since(given: Option<DateTime>, defaults: &Defaults) -> Result<Option<NaiveDateTime>, ServiceError> {
    given.map(|time| instant(time, "changedSince", defaults)).transpose()
}

/// A time in UTC.
pub(super) fn instant(time: DateTime, field: &str, defaults: &Defaults) -> Result<NaiveDateTime, ServiceError> {
    time.to_utc(defaults.zone).map(|t| t.naive_utc()).ok_or_else(|| {
        ServiceError::invalid("list.time_range", format!("{field} is beyond the times that can be kept"))
            .of(field, &time.to_string())
    })
}
