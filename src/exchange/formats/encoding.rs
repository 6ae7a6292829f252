//! Files in old encodings are turned into UTF-8 once, beside the source, so that all readers can seek and count.

use super::packed::{Unpacked, beside};
use crate::domain::Issue;
use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use encoding_rs_io::DecodeReaderBytesBuilder;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::PathBuf;

/// How much is looked at to guess an encoding.
const SAMPLE: u64 = 1 << 20;

/// A source in UTF-8 without a byte order mark; removed again if it is a copy.
pub(super) struct Utf8File {
    path: PathBuf,
    copy: bool,
    /// What the source was written in.
    pub encoding: &'static str,
    /// What it was unpacked from lives as long.
    _unpacked: Unpacked,
}

impl Utf8File {
    /// `declared` goes before what the bytes look like; a byte order mark goes before both.
    pub fn of(unpacked: Unpacked, declared: Option<&str>) -> Result<Self, Box<Issue>> {
        let path = unpacked.path.as_path();
        let unreadable = |e: io::Error| {
            log::error!("{}: {e}", path.display());
            Box::new(
                Issue::error("source.unreadable", "the source is gone or cannot be read")
                    .suggest("send the file again; the log has the details"),
            )
        };
        let mut sample = Vec::new();
        File::open(path).and_then(|file| file.take(SAMPLE).read_to_end(&mut sample)).map_err(unreadable)?;
        let encoding = match (Encoding::for_bom(&sample), declared) {
            (Some((encoding, _)), _) => encoding,
            (None, Some(label)) => Encoding::for_label(label.trim().as_bytes()).ok_or_else(|| {
                let text = format!("the encoding \"{label}\" is not known");
                Box::new(Issue::error("source.encoding", text).suggest("use utf-8, iso-8859-1 or windows-1252"))
            })?,
            (None, None) => guessed(&sample),
        };
        if encoding == UTF_8 && !sample.starts_with(b"\xef\xbb\xbf") {
            return Ok(Self { path: path.to_owned(), copy: false, encoding: encoding.name(), _unpacked: unpacked });
        }
        let copy = beside(path, "utf8");
        let convert = || -> io::Result<()> {
            // An UTF-8 file is passed on as it is: wrong bytes are told with their record.
            let mut reader = DecodeReaderBytesBuilder::new()
                .encoding(Some(encoding))
                .utf8_passthru(true)
                .strip_bom(true)
                .bom_override(true)
                .build(File::open(path)?);
            let mut out = io::BufWriter::new(File::create(&copy)?);
            io::copy(&mut reader, &mut out)?;
            out.flush()
        };
        convert().map_err(unreadable)?;
        Ok(Self { path: copy, copy: true, encoding: encoding.name(), _unpacked: unpacked })
    }

    /// Whether the source itself is not in UTF-8.
    pub fn is_converted(&self) -> bool {
        self.copy
    }

    /// Its size in bytes.
    pub fn size(&self) -> io::Result<u64> {
        Ok(std::fs::metadata(&self.path)?.len())
    }

    pub fn open(&self) -> io::Result<File> {
        File::open(&self.path)
    }
}

impl Drop for Utf8File {
    fn drop(&mut self) {
        if self.copy {
            // A left-over copy is overwritten by the next attempt.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// UTF-8, unless the bytes speak for an old encoding: wrong as UTF-8, and more often wrong than right.
fn guessed(sample: &[u8]) -> &'static Encoding {
    let (mut wrong, mut right) = (0, 0);
    for chunk in sample.utf8_chunks() {
        right += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        wrong += usize::from(!chunk.invalid().is_empty());
    }
    // The sample may end within a character.
    if wrong > 1 && wrong > right { WINDOWS_1252 } else { UTF_8 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_guessed_by_what_is_right_more_often() {
        assert_eq!(guessed("Größe für Ä".as_bytes()), UTF_8);
        assert_eq!(guessed(b"Gr\xf6\xdfe f\xfcr \xc4"), WINDOWS_1252);
        assert_eq!(guessed(b"plain"), UTF_8);
    }
}
