//! Many rows in one statement. Statements come in few sizes, so that each is prepared once a connection: that beats a
//! statement for each row, and a batch that travels as one JSON text.

use super::copied::{self, Straight};
use super::{Db, StoreError, change_numbers};
use chrono::{NaiveDate, NaiveDateTime};
use diesel::backend::Backend;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, Bool, Date, Double, HasSqlType, Nullable, Text, Timestamp};
use diesel::sqlite::Sqlite;
use std::borrow::Cow;
use std::fmt::Write;

/// Rows of one statement, the most first: what is left over goes into smaller ones.
const SIZES: [usize; 3] = [64, 8, 1];

/// What a column holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Column {
    Text(&'static str),
    Integer(&'static str),
    Boolean(&'static str),
    Time(&'static str),
    Date(&'static str),
    Number(&'static str),
}

impl Column {
    pub fn name(self) -> &'static str {
        match self {
            Self::Text(name)
            | Self::Integer(name)
            | Self::Boolean(name)
            | Self::Time(name)
            | Self::Date(name)
            | Self::Number(name) => name,
        }
    }
}

/// A table to put rows into.
pub(super) struct Table {
    pub name: &'static str,
    pub columns: &'static [Column],
    /// Columns by which a row that is there already is known; empty: rows are new.
    pub key: &'static [&'static str],
}

/// A value; an absent one is NULL.
pub(super) enum Cell<'a> {
    Text(Option<Cow<'a, str>>),
    Integer(Option<i64>),
    Boolean(Option<bool>),
    Time(Option<NaiveDateTime>),
    Date(Option<NaiveDate>),
    Number(Option<f64>),
}

/// Rows of a batch: their values, in the order of the table's columns.
#[derive(Default)]
pub(super) struct Rows<'a> {
    cells: Vec<Cell<'a>>,
}

impl<'a> Rows<'a> {
    fn cell(&mut self, cell: Cell<'a>) -> &mut Self {
        self.cells.push(cell);
        self
    }

    pub fn text(&mut self, text: impl Into<Cow<'a, str>>) -> &mut Self {
        self.cell(Cell::Text(Some(text.into())))
    }

    pub fn text_option(&mut self, text: Option<impl Into<Cow<'a, str>>>) -> &mut Self {
        self.cell(Cell::Text(text.map(Into::into)))
    }

    pub fn integer(&mut self, number: i64) -> &mut Self {
        self.cell(Cell::Integer(Some(number)))
    }

    pub fn integer_option(&mut self, number: Option<i64>) -> &mut Self {
        self.cell(Cell::Integer(number))
    }

    pub fn boolean(&mut self, value: bool) -> &mut Self {
        self.cell(Cell::Boolean(Some(value)))
    }

    pub fn boolean_option(&mut self, value: Option<bool>) -> &mut Self {
        self.cell(Cell::Boolean(value))
    }

    pub fn time(&mut self, at: NaiveDateTime) -> &mut Self {
        self.cell(Cell::Time(Some(at)))
    }

    pub fn time_option(&mut self, at: Option<NaiveDateTime>) -> &mut Self {
        self.cell(Cell::Time(at))
    }

    pub fn date_option(&mut self, day: Option<NaiveDate>) -> &mut Self {
        self.cell(Cell::Date(day))
    }

    pub fn number_option(&mut self, number: Option<f64>) -> &mut Self {
        self.cell(Cell::Number(number))
    }
}

/// One statement with its rows.
struct Insert<'a> {
    table: &'a Table,
    cells: &'a [Cell<'a>],
    /// Whether the statement numbers its rows itself: on SQLite, where a trigger would take a second update of each.
    numbers: bool,
}

impl Insert<'_> {
    fn walk<'b, DB>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()>
    where
        DB: Backend
            + HasSqlType<Text>
            + HasSqlType<BigInt>
            + HasSqlType<Bool>
            + HasSqlType<Timestamp>
            + HasSqlType<Date>
            + HasSqlType<Double>,
        Option<Cow<'b, str>>: ToSql<Nullable<Text>, DB>,
        Option<i64>: ToSql<Nullable<BigInt>, DB>,
        Option<bool>: ToSql<Nullable<Bool>, DB>,
        Option<NaiveDateTime>: ToSql<Nullable<Timestamp>, DB>,
        Option<NaiveDate>: ToSql<Nullable<Date>, DB>,
        Option<f64>: ToSql<Nullable<Double>, DB>,
    {
        out.push_sql(&format!("INSERT INTO {} (", self.table.name));
        for (i, column) in self.table.columns.iter().enumerate() {
            out.push_sql(if i > 0 { ", " } else { "" });
            out.push_sql(column.name());
        }
        let number = if self.numbers { format!(", {}", change_numbers::CURRENT) } else { String::new() };
        if self.numbers {
            out.push_sql(", ");
            out.push_sql(change_numbers::COLUMN);
        }
        out.push_sql(") VALUES ");
        for (i, cell) in self.cells.iter().enumerate() {
            match i % self.table.columns.len() {
                0 if i == 0 => out.push_sql("("),
                0 => {
                    out.push_sql(&number);
                    out.push_sql("), (");
                }
                _ => out.push_sql(", "),
            }
            match cell {
                Cell::Text(text) => out.push_bind_param::<Nullable<Text>, _>(text)?,
                Cell::Integer(number) => out.push_bind_param::<Nullable<BigInt>, _>(number)?,
                Cell::Boolean(value) => out.push_bind_param::<Nullable<Bool>, _>(value)?,
                Cell::Number(number) => out.push_bind_param::<Nullable<Double>, _>(number)?,
                Cell::Time(at) => out.push_bind_param::<Nullable<Timestamp>, _>(at)?,
                Cell::Date(day) => out.push_bind_param::<Nullable<Date>, _>(day)?,
            }
        }
        out.push_sql(&number);
        out.push_sql(")");
        out.push_sql(&on_conflict(self.table));
        if self.numbers && !self.table.key.is_empty() {
            let column = change_numbers::COLUMN;
            out.push_sql(&format!(", {column} = excluded.{column}"));
        }
        Ok(())
    }
}

/// What becomes of a row whose key is there already: it is replaced. Empty: rows are new.
pub(super) fn on_conflict(table: &Table) -> String {
    if table.key.is_empty() {
        return String::new();
    }
    let names = table.columns.iter().map(|column| column.name()).filter(|name| !table.key.contains(name));
    let set: Vec<String> = names.map(|name| format!("{name} = excluded.{name}")).collect();
    let key = table.key.join(", ");
    if set.is_empty() {
        return format!(" ON CONFLICT ({key}) DO NOTHING");
    }
    format!(" ON CONFLICT ({key}) DO UPDATE SET {}", set.join(", "))
}

impl QueryFragment<Sqlite> for Insert<'_> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.walk(out)
    }
}

impl QueryFragment<Pg> for Insert<'_> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.walk(out)
    }
}

/// Statements are told apart by their text, of which there are few.
impl QueryId for Insert<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<C> RunQueryDsl<C> for Insert<'_> {}

impl Table {
    /// Puts in rows that are certain to be new, by the straight way where there is one.
    pub fn put_new(&self, connection: &mut Db, straight: Straight, rows: &Rows<'_>) -> Result<(), StoreError> {
        match connection {
            Db::Postgres(postgres) if copied::is_worth_it(self, rows.cells.len()) => {
                copied::put_new(postgres, straight, self, &rows.cells)
            }
            _ => self.put(connection, rows),
        }
    }

    /// Puts in rows that seemed new a moment ago: by the straight way, if nobody was faster.
    pub fn put_likely_new(&self, connection: &mut Db, straight: Straight, rows: &Rows<'_>) -> Result<(), StoreError> {
        if let Db::Postgres(postgres) = connection
            && copied::is_worth_it(self, rows.cells.len())
            && copied::try_new(postgres, straight, self, &rows.cells)?
        {
            return Ok(());
        }
        self.put(connection, rows)
    }

    /// Puts the rows in, replacing those of the same key.
    pub fn put(&self, connection: &mut Db, rows: &Rows<'_>) -> Result<(), StoreError> {
        let width = self.columns.len();
        debug_assert_eq!(rows.cells.len() % width, 0, "{} has {width} columns", self.name);
        if let Db::Postgres(postgres) = connection
            && copied::is_worth_it(self, rows.cells.len())
        {
            return copied::put(postgres, self, &rows.cells);
        }
        let numbers = match connection {
            Db::Sqlite(sqlite) if change_numbers::is_numbered(self.name) && !rows.cells.is_empty() => {
                change_numbers::start(sqlite)?;
                true
            }
            _ => false,
        };
        let mut left = &rows.cells[..];
        for size in SIZES {
            while left.len() >= size * width {
                let (cells, rest) = left.split_at(size * width);
                let insert = Insert { table: self, cells, numbers };
                match connection {
                    Db::Sqlite(connection) => insert.execute(connection)?,
                    Db::Postgres(connection) => insert.execute(connection)?,
                };
                left = rest;
            }
        }
        Ok(())
    }
}

/// A list of ids as a subquery's text: `IN (…)` without a limit on parameters.
pub(super) fn id_list(ids: &[i64]) -> String {
    let mut out = String::with_capacity(ids.len() * 7);
    for (i, id) in ids.iter().enumerate() {
        let _ = write!(out, "{}{id}", if i > 0 { "," } else { "" });
    }
    out
}
