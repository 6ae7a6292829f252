//! Requests and answers that were kept to look at.

use super::schema::messages;
use super::search::exact_pattern;
use super::{Db, StoreError};
use chrono::NaiveDateTime;
use diesel::prelude::*;

/// A message to be kept.
#[derive(Clone, Debug, Insertable, Queryable, Selectable)]
#[diesel(table_name = messages)]
pub struct Message {
    pub at: NaiveDateTime,
    pub request_id: String,
    pub channel: String,
    pub service: String,
    pub operation: Option<String>,
    pub caller: Option<String>,
    pub peer: Option<String>,
    pub status: i32,
    pub outcome: String,
    pub microseconds: i64,
    pub target: String,
    pub request_type: String,
    pub request: String,
    pub request_bytes: i64,
    pub response_type: String,
    pub response: String,
    pub response_bytes: i64,
}

/// A message as it is kept.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = messages)]
pub struct Kept {
    pub id: i64,
    #[diesel(embed)]
    pub message: Message,
}

/// Which messages somebody wants to see; the latest first.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// A caller's name, or his address.
    pub client: Option<String>,
    /// Only those that went wrong.
    pub failed: bool,
    /// In request or answer.
    pub text: Option<String>,
    /// Only those before this one.
    pub before: Option<i64>,
    pub limit: i64,
}

/// Keeps a message.
///
/// # Errors
/// Those of the database.
pub fn keep(db: &mut Db, message: &Message) -> Result<(), StoreError> {
    match db {
        Db::Sqlite(connection) => diesel::insert_into(messages::table).values(message).execute(connection)?,
        Db::Postgres(connection) => diesel::insert_into(messages::table).values(message).execute(connection)?,
    };
    Ok(())
}

/// Forgets what is older than that, and all but the latest.
///
/// # Errors
/// Those of the database.
pub fn prune(db: &mut Db, oldest: NaiveDateTime, most: i64) -> Result<(), StoreError> {
    diesel::delete(messages::table.filter(messages::at.lt(oldest))).execute(db)?;
    let first_too_many = messages::table.select(messages::id).order(messages::id.desc()).offset(most).limit(1);
    if let Some(id) = first_too_many.first::<i64>(db).optional()? {
        diesel::delete(messages::table.filter(messages::id.le(id))).execute(db)?;
    }
    Ok(())
}

/// The messages that are wanted.
///
/// # Errors
/// Those of the database.
pub fn list(db: &mut Db, wanted: &Wanted) -> Result<Vec<Kept>, StoreError> {
    let pattern = wanted.text.as_deref().map(exact_pattern).transpose()?;
    let mut query = messages::table.into_boxed();
    if let Some(client) = &wanted.client {
        query = query.filter(messages::caller.eq(Some(client)).or(messages::peer.eq(Some(client))));
    }
    if wanted.failed {
        query = query.filter(messages::outcome.ne("ok"));
    }
    if let Some(pattern) = &pattern {
        let in_request = messages::request.like(pattern).escape('\\');
        query = query.filter(in_request.or(messages::response.like(pattern).escape('\\')));
    }
    if let Some(before) = wanted.before {
        query = query.filter(messages::id.lt(before));
    }
    let latest = query.order((messages::at.desc(), messages::id.desc())).limit(wanted.limit);
    Ok(latest.select(Kept::as_select()).load(db)?)
}

/// One message, by its number or by the ID of its request.
///
/// # Errors
/// Those of the database.
pub fn find(db: &mut Db, name: &str) -> Result<Option<Kept>, StoreError> {
    let number = name.parse::<i64>().unwrap_or(0);
    let found = messages::table.filter(messages::id.eq(number).or(messages::request_id.eq(name)));
    Ok(found.select(Kept::as_select()).first(db).optional()?)
}
