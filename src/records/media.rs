//! Pictures and documents of articles.

use super::{Record, Taken, each};
use crate::domain::Rules;
use crate::domain::pictures::look_at;
use crate::error::ServiceError;
use crate::store::batch::Recorded;
use crate::store::pictures::{self, Filled, Given};
use crate::store::{Db, StoreError, files};
use chrono::NaiveDateTime;
use soapstone_contracts::media::{ArticleDocument, Picture};

/// Takes one picture; `filled` is what the same upload took before.
///
/// # Errors
/// Those of the database, or of the file that the picture lies in.
pub fn taken(
    db: &mut Db,
    change: Picture,
    filled: &mut Filled,
    rules: &Rules,
    now: NaiveDateTime,
) -> Result<Recorded, StoreError> {
    let mut issues = Vec::new();
    let mut change = change;
    let content = change.content.take().map(|content| content.bytes());
    let content = content.transpose().map_err(ServiceError::internal)?;
    let file = match content.map(|bytes| Ok((look_at(&bytes, &rules.pictures, &mut issues)?, bytes))).transpose() {
        Ok(file) => file,
        Err(issue) => return Ok(Recorded::refused(vec![issue])),
    };
    let given = Given { change, file };
    let recorded = pictures::put(db, given, filled, &rules.pictures.pattern, &rules.defaults, now)?;
    issues.extend(recorded.issues);
    Ok(Recorded { issues, ..recorded })
}

impl Record for Picture {
    fn take(db: &mut Db, records: Vec<Self>, rules: &Rules, now: NaiveDateTime) -> Taken {
        let mut filled = Filled::default();
        each(records, |picture| {
            let name = picture.file_name.clone();
            Ok((name, taken(db, picture, &mut filled, rules, now)?))
        })
    }

    fn of_file(name: String, content: Vec<u8>) -> Option<Self> {
        Some(Self { file_name: name, content: Some(content.into()), ..Self::default() })
    }
}

impl Record for ArticleDocument {
    fn take(db: &mut Db, records: Vec<Self>, rules: &Rules, now: NaiveDateTime) -> Taken {
        each(records, |document| {
            let mut document = document;
            let name = document.file_name.clone();
            let content = document.content.take().map(|content| content.bytes());
            let content = content.transpose().map_err(ServiceError::internal)?;
            Ok((name, files::put(db, document, content.as_deref(), &rules.defaults, now)?))
        })
    }

    fn of_file(name: String, content: Vec<u8>) -> Option<Self> {
        Some(Self { file_name: name, content: Some(content.into()), ..Self::default() })
    }
}
