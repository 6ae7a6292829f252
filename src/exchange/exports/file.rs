//! The forms of exports.

use super::opentrans::Documents;
use super::table::Table;
use super::{ExportError, caller};
use crate::exchange::kinds::{Kind, Spelling};
use soapstone_contracts::exchange::{RunFormat, RunKind};
use std::io::{self, BufWriter, Write};

/// The form of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// The request that takes such records.
    Xml,
    /// A header line with the contract's names, semicolons between, UTF-8 with a byte order mark, as spreadsheets read it.
    Csv,
    /// One record a line.
    JsonLines,
    /// openTRANS: a ZIP with a document for each order.
    OpenTrans,
    /// The Caller's XML.
    Caller,
}

impl ExportFormat {
    /// The form that the contract calls so; None: nothing is exported in it.
    pub fn of(format: RunFormat) -> Option<Self> {
        match format {
            RunFormat::Auto | RunFormat::Xml => Some(Self::Xml),
            RunFormat::Csv => Some(Self::Csv),
            RunFormat::JsonLines => Some(Self::JsonLines),
            RunFormat::OpenTrans => Some(Self::OpenTrans),
            RunFormat::Caller => Some(Self::Caller),
            RunFormat::Zip | RunFormat::Bmecat => None,
        }
    }

    /// As the contract calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Xml => RunFormat::Xml.as_str(),
            Self::Csv => RunFormat::Csv.as_str(),
            Self::JsonLines => RunFormat::JsonLines.as_str(),
            Self::OpenTrans => RunFormat::OpenTrans.as_str(),
            Self::Caller => RunFormat::Caller.as_str(),
        }
    }

    /// How files of it end.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Xml | Self::Caller => "xml",
            Self::Csv => "csv",
            Self::JsonLines => "jsonl",
            Self::OpenTrans => "zip",
        }
    }

    /// Whether it has a place for records of a kind.
    pub fn takes(self, kind: &Kind) -> bool {
        !matches!(self, Self::OpenTrans | Self::Caller) || kind.of == RunKind::Orders
    }

    /// How it wants records spelled.
    pub(super) fn spelling(self) -> Spelling {
        match self {
            Self::Xml => Spelling::Xml,
            Self::Csv | Self::JsonLines | Self::OpenTrans | Self::Caller => Spelling::Json,
        }
    }
}

/// What lies between the head of a file and its end.
enum Body {
    /// Records that are written as they are spelled, and the end of the file.
    Lines(String),
    /// Orders as the Caller has them.
    Caller,
    /// Which columns there are is known at the end only.
    Table(Box<Table>),
    /// Each is a file in a ZIP.
    Documents(Box<Documents>),
}

/// A file that records are written to.
pub(super) struct ExportFile<W: Write> {
    out: BufWriter<W>,
    body: Body,
}

impl<W: Write> ExportFile<W> {
    /// # Errors
    /// Those of the file.
    pub fn begin(
        kind: &'static Kind,
        format: ExportFormat,
        is_for_spreadsheets: bool,
        out: W,
    ) -> Result<Self, ExportError> {
        let mut out = BufWriter::with_capacity(256 << 10, out);
        let body = match format {
            ExportFormat::Xml => {
                let (start, end) = kind.root();
                writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{start}")?;
                Body::Lines(format!("{end}\n"))
            }
            ExportFormat::JsonLines => Body::Lines(String::new()),
            ExportFormat::Csv => Body::Table(Box::new(Table::begin(kind, is_for_spreadsheets)?)),
            ExportFormat::Caller => {
                writeln!(out, "{}", caller::START)?;
                Body::Caller
            }
            ExportFormat::OpenTrans => Body::Documents(Box::new(Documents::begin()?)),
        };
        Ok(Self { out, body })
    }

    /// Adds a record, spelled as the format wants it.
    ///
    /// # Errors
    /// Those of the file.
    pub fn add(&mut self, record: &str) -> io::Result<()> {
        match &mut self.body {
            Body::Lines(_) => writeln!(self.out, "{record}"),
            Body::Caller => writeln!(self.out, "{}", caller::order(record)?),
            Body::Table(table) => table.add(record),
            Body::Documents(documents) => documents.add(record),
        }
    }

    /// Ends the file; gives what it was written to.
    ///
    /// # Errors
    /// Those of the file.
    pub fn finish(mut self) -> io::Result<W> {
        match self.body {
            Body::Lines(end) => self.out.write_all(end.as_bytes())?,
            Body::Caller => writeln!(self.out, "{}", caller::END)?,
            Body::Table(table) => table.write(&mut self.out)?,
            Body::Documents(documents) => documents.write(&mut self.out)?,
        }
        self.out.into_inner().map_err(io::IntoInnerError::into_error)
    }
}
