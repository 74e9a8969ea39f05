//! Rows of any columns on standard output: as a table, one block a row, CSV or JSON.

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use clap::ValueEnum;
use comfy_table::Table;
use serde_json::{Map, Value};
use terminal_size::{Width, terminal_size};

use crate::error::SafraError;
use crate::output::{STYLE, aligned, line, print_json};

/// Characters of a line where there is no terminal that could tell.
const WIDTH_WITHOUT_TERMINAL: usize = 120;

/// How rows are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A line a row, however long
    Table,
    /// A block a row, a line a column
    Vertical,
    /// Comma-separated values with a heading; NULL is empty
    Csv,
    /// A list of objects
    Json,
}

/// Prints rows. Without a format, as a table where its lines fit the terminal (without one, `COLUMNS` or 120
/// characters), else one block a row.
pub fn print_rows(
    header: &[String],
    batches: &[RecordBatch],
    format: Option<Format>,
) -> Result<(), SafraError> {
    let arrow = |error: ArrowError| SafraError::Sql(Box::new(error.into()));
    match format {
        Some(Format::Json) => return print_json(&documents(header, batches).map_err(arrow)?),
        Some(Format::Csv) => line!("{}", csv_text(header, batches)?),
        Some(Format::Vertical) => line!("{}", blocks(header, batches).map_err(arrow)?),
        Some(Format::Table) => line!("{}", table(header, batches).map_err(arrow)?),
        None => {
            let table = table(header, batches).map_err(arrow)?;
            match widest(&table) <= terminal_width() {
                true => line!("{table}"),
                false => line!("{}", blocks(header, batches).map_err(arrow)?),
            }
        }
    }
    Ok(())
}

fn terminal_width() -> usize {
    let declared = || std::env::var("COLUMNS").ok()?.parse().ok();
    terminal_size()
        .map(|(Width(width), _)| usize::from(width))
        .or_else(declared)
        .unwrap_or(WIDTH_WITHOUT_TERMINAL)
}

/// The borders of a table are as wide as its rows, and made of characters one column wide.
fn widest(table: &str) -> usize {
    table
        .lines()
        .next()
        .map_or(0, |border| border.chars().count())
}

fn table(header: &[String], batches: &[RecordBatch]) -> Result<String, ArrowError> {
    let mut table = Table::new();
    table.load_style(STYLE);
    table.set_header(header);
    for batch in batches {
        let numeric: Vec<bool> = batch
            .columns()
            .iter()
            .map(|column| column.data_type().is_numeric())
            .collect();
        let texts = Texts::of(batch)?;
        for row in 0..batch.num_rows() {
            let cells = texts.of_row(row).zip(&numeric);
            table.add_row(cells.map(|(text, number)| aligned(&text, *number)));
        }
    }
    Ok(table.to_string())
}

fn blocks(header: &[String], batches: &[RecordBatch]) -> Result<String, ArrowError> {
    let width = header
        .iter()
        .map(|name| name.chars().count())
        .max()
        .unwrap_or(0);
    let mut lines: Vec<String> = Vec::new();
    let mut number = 0;
    for batch in batches {
        let texts = Texts::of(batch)?;
        for row in 0..batch.num_rows() {
            number += 1;
            lines.push(format!("row {number}"));
            for (name, text) in header.iter().zip(texts.of_row(row)) {
                let text = text.replace('\n', &format!("\n  {:width$}  ", ""));
                lines.push(format!("  {name:width$}  {text}").trim_end().to_owned());
            }
        }
    }
    match lines.is_empty() {
        true => Ok("no rows".to_owned()),
        false => Ok(lines.join("\n")),
    }
}

fn csv_text(header: &[String], batches: &[RecordBatch]) -> Result<String, SafraError> {
    let failed = |error: csv::Error| SafraError::Io {
        path: "standard output".into(),
        source: std::io::Error::other(error),
    };
    let arrow = |error: ArrowError| SafraError::Sql(Box::new(error.into()));
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(header).map_err(failed)?;
    for batch in batches {
        let texts = Texts::of(batch).map_err(arrow)?;
        for row in 0..batch.num_rows() {
            writer.write_record(texts.of_row(row)).map_err(failed)?;
        }
    }
    let bytes = writer
        .into_inner()
        .map_err(|error| failed(error.into_error().into()))?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.strip_suffix('\n').unwrap_or(&text).to_owned())
}

/// Rows as JSON objects; numbers and truth values as such, everything else as text.
fn documents(header: &[String], batches: &[RecordBatch]) -> Result<Vec<Value>, ArrowError> {
    let mut documents = Vec::new();
    for batch in batches {
        let texts = Texts::of(batch)?;
        for row in 0..batch.num_rows() {
            let mut object = Map::new();
            let columns = header.iter().zip(batch.columns());
            for ((name, column), text) in columns.zip(texts.of_row(row)) {
                let kind = column.data_type();
                let plain = kind.is_numeric() || kind == &DataType::Boolean;
                let value = match column.is_null(row) {
                    true => Value::Null,
                    false if plain => serde_json::from_str(&text).unwrap_or(Value::String(text)),
                    false => Value::String(text),
                };
                object.insert(name.clone(), value);
            }
            documents.push(Value::Object(object));
        }
    }
    Ok(documents)
}

/// The values of a batch as text; NULL is empty.
struct Texts<'a> {
    columns: Vec<ArrayFormatter<'a>>,
}

impl<'a> Texts<'a> {
    fn of(batch: &'a RecordBatch) -> Result<Self, ArrowError> {
        let options = FormatOptions::default().with_null("");
        let columns = batch.columns().iter();
        Ok(Self {
            columns: columns
                .map(|column| ArrayFormatter::try_new(column, &options))
                .collect::<Result<_, _>>()?,
        })
    }

    fn of_row(&self, row: usize) -> impl Iterator<Item = String> + '_ {
        self.columns
            .iter()
            .map(move |column| column.value(row).to_string())
    }
}
