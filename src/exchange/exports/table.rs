//! Records as a table, in the columns that an import reads again. What stands in it is known once all records were seen, so they
//! wait in a file that has no name.

use crate::domain::spreadsheet::{marked, marked_header};
use crate::exchange::formats::Shape;
use crate::exchange::kinds::Kind;
use serde_json::Value;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};

/// The cells of a row by their columns, in the order in which the record has them.
type Cells = serde_json::Map<String, Value>;

pub(super) struct Table {
    shape: Shape,
    /// The member of which each item has a row of its own.
    rows: Option<&'static str>,
    /// Whether cells that a spreadsheet would take for formulas are marked.
    is_for_spreadsheets: bool,
    waiting: BufWriter<File>,
    /// Columns in the order in which they were seen first.
    columns: Vec<String>,
    places: HashMap<String, usize>,
}

impl Table {
    /// A table without rows.
    ///
    /// # Errors
    /// If there is no place for it.
    pub fn begin(kind: &Kind, is_for_spreadsheets: bool) -> io::Result<Self> {
        let waiting = BufWriter::new(tempfile::tempfile()?);
        let (columns, places) = (Vec::new(), HashMap::new());
        Ok(Self { shape: Shape::of(kind), rows: kind.rows, is_for_spreadsheets, waiting, columns, places })
    }

    /// Adds a record.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn add(&mut self, record: &str) -> io::Result<()> {
        let record: Value = serde_json::from_str(record)?;
        for cells in self.rows_of(&record) {
            for column in cells.keys() {
                if !self.places.contains_key(column) {
                    self.places.insert(column.clone(), self.columns.len());
                    self.columns.push(column.clone());
                }
            }
            serde_json::to_writer(&mut self.waiting, &cells)?;
            self.waiting.write_all(b"\n")?;
        }
        Ok(())
    }

    /// The rows of a record: one, or one for each item of a member.
    fn rows_of(&self, record: &Value) -> Vec<Cells> {
        let mut all = Cells::new();
        let Some(member) = self.rows else {
            self.shape.flatten(record, "", &mut |column, cell| join(&mut all, column, cell));
            return vec![all];
        };
        let mut rest = record.clone();
        let items = rest.as_object_mut().and_then(|members| members.remove(member));
        self.shape.flatten(&rest, "", &mut |column, cell| join(&mut all, column, cell));
        let Some(Value::Array(items)) = items.filter(|items| items.as_array().is_some_and(|items| !items.is_empty()))
        else {
            return vec![all];
        };
        let row = |item: &Value| {
            let mut row = all.clone();
            if let Some(shape) = self.shape.items(member) {
                shape.flatten(item, member, &mut |column, cell| join(&mut row, column, cell));
            }
            row
        };
        items.iter().map(row).collect()
    }

    /// Writes the table.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write(self, out: &mut impl Write) -> io::Result<()> {
        let Self { shape, waiting, mut columns, is_for_spreadsheets, .. } = self;
        let order: HashMap<&str, usize> = shape.names().into_iter().zip(0..).collect();
        columns.sort_by_key(|column| {
            let top = column.split(['/', '[']).next().unwrap_or("");
            order.get(top).copied().unwrap_or(usize::MAX)
        });
        out.write_all("\u{feff}".as_bytes())?;
        let mut table = csv::WriterBuilder::new().delimiter(b';').terminator(csv::Terminator::CRLF).from_writer(out);
        let mut names = columns.clone();
        if let Some(first) = names.first_mut().filter(|_| is_for_spreadsheets) {
            *first = marked_header(first);
        }
        table.write_record(&names)?;
        let mut file = waiting.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.seek(SeekFrom::Start(0))?;
        for line in BufReader::new(file).lines() {
            let cells: Cells = serde_json::from_str(&line?)?;
            let row = columns.iter().map(|column| cells.get(column).and_then(Value::as_str).unwrap_or(""));
            if is_for_spreadsheets {
                table.write_record(row.map(|cell| marked(cell).into_owned()))?;
            } else {
                table.write_record(row)?;
            }
        }
        table.flush()
    }
}

/// Several for one column stand in it with bars between.
fn join(cells: &mut Cells, column: String, cell: String) {
    let joined = match cells.get(&column).and_then(Value::as_str) {
        None => cell,
        Some(there) => format!("{there}|{cell}"),
    };
    cells.insert(column, Value::String(joined));
}
