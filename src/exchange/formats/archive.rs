//! A ZIP whose files are the records: pictures, or documents of articles.

use super::{Broken, Item};
use crate::domain::Issue;
use crate::domain::pictures::Taking;
use crate::exchange::kinds::Batch;
use crate::pictures::{ZipFile, is_rubbish, open_zip, unpack};
use std::fs::File;
use std::path::Path;
use zip::ZipArchive;

pub struct ArchiveFile {
    archive: ZipArchive<ZipFile<File>>,
    taking: Taking,
    place: usize,
    number: i64,
    position: u64,
}

fn damaged(why: &dyn std::fmt::Display) -> Box<Issue> {
    let issue = Issue::error("source.packed", format!("the ZIP cannot be read: {why}"));
    Box::new(issue.suggest("pack it again, without encryption, and send it again"))
}

impl ArchiveFile {
    pub(super) fn open(path: &Path, taking: &Taking) -> Result<Self, Box<Issue>> {
        let file = File::open(path).map_err(|e| super::unreadable(&e))?;
        let archive = open_zip(file).map_err(|e| damaged(&e))?;
        Ok(Self { archive, taking: taking.clone(), place: 0, number: 0, position: 0 })
    }

    pub(super) fn position(&self) -> u64 {
        self.position
    }

    pub(super) fn next_item(&mut self, batch: Option<&mut dyn Batch>) -> Result<Option<Item>, Broken> {
        while self.place < self.archive.len() {
            let mut entry = self.archive.by_index(self.place).map_err(|e| Broken::from(damaged(&e)))?;
            self.place += 1;
            let name = entry.name().to_owned();
            if entry.is_dir() || is_rubbish(&name) {
                continue;
            }
            self.number += 1;
            self.position += entry.compressed_size();
            let mut item = Item::at(self.number, 0..0);
            if let Some(batch) = batch {
                item.change = match unpack(&mut entry, &self.taking) {
                    Err(issue) => Err(vec![issue]),
                    Ok(content) => {
                        item.weight = content.len();
                        let is_one = batch.read_file(name.clone(), content.into());
                        is_one.then_some(()).ok_or_else(|| vec![no_file()])
                    }
                };
                item.key = Some(name);
            }
            return Ok(Some(item));
        }
        Ok(None)
    }
}

fn no_file() -> Issue {
    Issue::error("source.packed", "files are no records of this kind").suggest("send XML, CSV or JSON lines")
}
