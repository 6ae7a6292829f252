//! Pictures in a ZIP.

use crate::domain::Issue;
use crate::domain::pictures::Taking;
use crate::error::ServiceError;
use actix_web::web::Bytes;
use std::fmt::Display;
use std::io::{Read, Seek};

/// How much of a file in an archive is looked at before all of it is unpacked.
const BEGINNING: u64 = 64;

/// What archives have beside pictures, as other systems pack them.
const RUBBISH: [&str; 2] = ["__MACOSX/", ".DS_Store"];

/// A picture that came with the name of its file, or why it cannot be taken.
pub type PictureFile = (String, Result<Bytes, Issue>);

/// Gives the files of an archive, one by one.
///
/// # Errors
/// If it is no archive, and those of `take`.
pub fn unpacked<E: From<ServiceError>>(
    archive: impl Read + Seek,
    taking: &Taking,
    mut take: impl FnMut(PictureFile) -> Result<(), E>,
) -> Result<(), E> {
    let wrong = |e: &dyn Display| {
        let message = format!("The ZIP cannot be read: {e}; send a form of pictures, or a ZIP of them");
        E::from(ServiceError::invalid("picture.bad_archive", message))
    };
    let mut archive = super::open_zip(archive).map_err(|e| wrong(&e))?;
    for number in 0..archive.len() {
        let mut entry = archive.by_index(number).map_err(|e| wrong(&e))?;
        let name = entry.name().to_owned();
        if entry.is_dir() || is_rubbish(&name) {
            continue;
        }
        let content = unpack(&mut entry, taking);
        take((name, content))?;
    }
    Ok(())
}

/// Whether an entry is of those that file managers leave in archives.
pub fn is_rubbish(name: &str) -> bool {
    RUBBISH.iter().any(|rubbish| name.contains(rubbish))
}

/// A file of an archive in memory. What does not begin like a picture is not unpacked further.
pub fn unpack(entry: &mut impl Read, taking: &Taking) -> Result<Bytes, Issue> {
    let broken = |e: std::io::Error| {
        let issue = Issue::error("picture.corrupt", format!("it cannot be unpacked: {e}"));
        issue.suggest("pack the archive again, without encryption")
    };
    let mut bytes = Vec::new();
    entry.by_ref().take(BEGINNING).read_to_end(&mut bytes).map_err(broken)?;
    if image::guess_format(&bytes).is_err() {
        return Ok(bytes.into());
    }
    entry.take((taking.most_bytes + 1).saturating_sub(BEGINNING)).read_to_end(&mut bytes).map_err(broken)?;
    if bytes.len() as u64 > taking.most_bytes { Err(too_large(taking)) } else { Ok(bytes.into()) }
}

/// Why a picture is not taken that is larger than allowed.
pub fn too_large(taking: &Taking) -> Issue {
    let text = format!("the picture has more than {} bytes", taking.most_bytes);
    let issue = Issue::error("picture.too_large", text).of("content", "");
    issue.suggest("send a smaller one, or raise max-picture")
}
