//! Many rows in one statement: a batch travels as one JSON text, which both databases can read as a table. It beats
//! a statement for each row, and has no limit on parameters.

use super::{Db, Engine, StoreError};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::sql_types::Text;
use std::fmt::Write;

/// What a column holds; both databases are told.
#[derive(Clone, Copy, Debug)]
pub(super) enum Column {
    Text(&'static str),
    Integer(&'static str),
    Boolean(&'static str),
    Time(&'static str),
}

impl Column {
    fn name(self) -> &'static str {
        match self {
            Self::Text(name) | Self::Integer(name) | Self::Boolean(name) | Self::Time(name) => name,
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

/// Rows of a batch as JSON text: each an array of values in the order of the table's columns.
#[derive(Default)]
pub(super) struct Rows {
    json: String,
    count: usize,
}

impl Rows {
    /// Starts a row.
    pub fn row(&mut self) -> &mut Self {
        self.json.push_str(if self.count == 0 { "[[" } else { "],[" });
        self.count += 1;
        self
    }

    fn separate(&mut self) {
        if !self.json.ends_with('[') {
            self.json.push(',');
        }
    }

    pub fn text(&mut self, text: &str) -> &mut Self {
        self.separate();
        soapstone_runtime::json::quote(text, &mut self.json);
        self
    }

    pub fn text_option(&mut self, text: Option<&str>) -> &mut Self {
        match text {
            Some(text) => self.text(text),
            None => self.null(),
        }
    }

    pub fn integer(&mut self, number: i64) -> &mut Self {
        self.separate();
        let _ = write!(self.json, "{number}");
        self
    }

    pub fn integer_option(&mut self, number: Option<i64>) -> &mut Self {
        match number {
            Some(number) => self.integer(number),
            None => self.null(),
        }
    }

    pub fn boolean(&mut self, value: bool) -> &mut Self {
        self.separate();
        self.json.push_str(if value { "true" } else { "false" });
        self
    }

    pub fn boolean_option(&mut self, value: Option<bool>) -> &mut Self {
        match value {
            Some(value) => self.boolean(value),
            None => self.null(),
        }
    }

    /// A time as both databases read it.
    pub fn time(&mut self, at: NaiveDateTime) -> &mut Self {
        self.separate();
        let _ = write!(self.json, "\"{}\"", at.format("%Y-%m-%d %H:%M:%S%.6f"));
        self
    }

    pub fn time_option(&mut self, at: Option<NaiveDateTime>) -> &mut Self {
        match at {
            Some(at) => self.time(at),
            None => self.null(),
        }
    }

    fn null(&mut self) -> &mut Self {
        self.separate();
        self.json.push_str("null");
        self
    }
}

impl Table {
    fn statement(&self, engine: Engine) -> String {
        let mut sql = format!("INSERT INTO {} (", self.name);
        for (i, column) in self.columns.iter().enumerate() {
            let _ = write!(sql, "{}{}", if i > 0 { ", " } else { "" }, column.name());
        }
        sql.push_str(") SELECT ");
        for (i, column) in self.columns.iter().enumerate() {
            let comma = if i > 0 { ", " } else { "" };
            let _ = match (engine, column) {
                (Engine::Sqlite, _) => write!(sql, "{comma}json_extract(value, '$[{i}]')"),
                (Engine::Postgres, Column::Text(_)) => write!(sql, "{comma}row->>{i}"),
                (Engine::Postgres, Column::Integer(_)) => write!(sql, "{comma}(row->>{i})::bigint"),
                (Engine::Postgres, Column::Boolean(_)) => write!(sql, "{comma}(row->>{i})::boolean"),
                (Engine::Postgres, Column::Time(_)) => write!(sql, "{comma}(row->>{i})::timestamp"),
            };
        }
        sql.push_str(match engine {
            // WHERE true: without it, SQLite takes ON CONFLICT for a join's condition.
            Engine::Sqlite => " FROM json_each($1) WHERE true",
            Engine::Postgres => " FROM json_array_elements($1::json) AS batch(row)",
        });
        if !self.key.is_empty() {
            let _ = write!(sql, " ON CONFLICT ({}) DO UPDATE SET ", self.key.join(", "));
            let others = self.columns.iter().map(|c| c.name()).filter(|name| !self.key.contains(name));
            for (i, name) in others.enumerate() {
                let _ = write!(sql, "{}{name} = excluded.{name}", if i > 0 { ", " } else { "" });
            }
        }
        sql
    }

    /// Puts the rows in, replacing those of the same key.
    pub fn put(&self, connection: &mut Db, rows: Rows) -> Result<(), StoreError> {
        if rows.count == 0 {
            return Ok(());
        }
        let mut json = rows.json;
        json.push_str("]]");
        let sql = self.statement(connection.engine());
        diesel::sql_query(sql).bind::<Text, _>(json).execute(connection)?;
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
