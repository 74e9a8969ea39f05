//! Rows of CSV, quoted the way the source quotes them. The source quotes some fields that need
//! none, which no common writer does field by field.

use std::fmt::{Display, Write};

use crate::identity::Id;

/// Rows of one table, ready to be appended to its file.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    text: String,
    count: u64,
}

/// A row under construction; it ends when dropped.
pub(crate) struct Row<'a> {
    rows: &'a mut Rows,
    first: bool,
}

impl Rows {
    /// Starts a row.
    pub(crate) fn row(&mut self) -> Row<'_> {
        Row {
            rows: self,
            first: true,
        }
    }

    /// Appends text as it is, which counts as this many rows.
    pub(crate) fn append(&mut self, text: &str, count: u64) {
        self.text.push_str(text);
        self.count += count;
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }
}

impl Row<'_> {
    /// A field as it is.
    pub(crate) fn plain(mut self, value: impl Display) -> Self {
        self.separate();
        // Writing to a string cannot fail.
        _ = write!(self.rows.text, "{value}");
        self
    }

    /// A field as it is; nothing where there is none.
    pub(crate) fn optional(mut self, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.plain(value),
            None => {
                self.separate();
                self
            }
        }
    }

    /// Reais and cents.
    pub(crate) fn money(self, value: f64) -> Self {
        self.plain(format_args!("{value:.2}"))
    }

    /// A field in quotes, without quotes in it.
    pub(crate) fn quoted(self, value: impl Display) -> Self {
        self.plain(format_args!("\"{value}\""))
    }

    /// An id, quoted where it starts with a digit.
    pub(crate) fn id(self, id: Id) -> Self {
        if id.starts_with_digit() {
            self.quoted(id)
        } else {
            self.plain(id)
        }
    }

    /// Free text, quoted where it must be.
    pub(crate) fn text(self, value: &str) -> Self {
        if value.contains(['"', ',', '\n', '\r']) {
            self.quoted(value.replace('"', "\"\""))
        } else {
            self.plain(value)
        }
    }

    fn separate(&mut self) {
        if !std::mem::take(&mut self.first) {
            self.rows.text.push(',');
        }
    }
}

impl Drop for Row<'_> {
    fn drop(&mut self) {
        self.rows.text.push('\n');
        self.rows.count += 1;
    }
}
