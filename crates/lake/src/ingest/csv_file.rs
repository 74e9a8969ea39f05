//! A CSV file as typed columns; rows that cannot be typed are set aside with their line.

use std::fs::File;
use std::path::Path;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use csv::{ByteRecord, ReaderBuilder};
use safra_project::Source;

use super::columns::ColumnBuilder;
use super::rejected::RejectedRow;
use super::source_schema;
use crate::LakeError;

/// Bytes read from the file at once.
const BUFFER_BYTES: usize = 1 << 20;

/// The rows of a file.
pub(super) struct Parsed {
    /// The rows that could be typed, with the declared columns only.
    pub batch: RecordBatch,
    /// The line of each of them, from 1.
    pub lines: Vec<u64>,
    /// The rows that could not.
    pub rejected: Vec<RejectedRow>,
    /// Columns of the file that are not declared, in words; empty when there are none.
    pub note: String,
}

impl Parsed {
    pub(super) fn empty(schema: SchemaRef) -> Self {
        Self {
            batch: RecordBatch::new_empty(schema),
            lines: Vec::new(),
            rejected: Vec::new(),
            note: String::new(),
        }
    }
}

/// Reads the file of a source; `None` when the file of an optional source is absent.
pub(super) fn read(source: &Source, folder: &Path) -> Result<Option<Parsed>, LakeError> {
    let path = folder.join(&source.file);
    if !path.exists() {
        return match source.optional {
            true => Ok(None),
            false => Err(LakeError::MissingFile {
                path: path.display().to_string(),
                table: source.name.clone(),
            }),
        };
    }
    let file = File::open(&path).map_err(|e| LakeError::io(&path, e))?;
    let mut reader = ReaderBuilder::new()
        .flexible(true)
        .buffer_capacity(BUFFER_BYTES)
        .from_reader(file);
    let csv_error = |error: csv::Error| LakeError::Csv {
        path: path.display().to_string(),
        message: error.to_string(),
    };
    let header = reader.byte_headers().map_err(csv_error)?.clone();
    let (positions, note) = locate(source, &path, &header)?;
    let lines = LineCount::after(&header, reader.position().line());
    let mut rows = TypedRows::new(source, positions, header.len());
    let mut record = ByteRecord::new();
    while reader.read_byte_record(&mut record).map_err(csv_error)? {
        rows.push(&record, lines.first_of(&record, reader.position().line()));
    }
    rows.finish(source, note).map(Some)
}

/// Where each declared column stands in the file, and which columns of the file are not declared.
fn locate(
    source: &Source,
    path: &Path,
    header: &ByteRecord,
) -> Result<(Vec<usize>, String), LakeError> {
    let names: Vec<String> = header
        .iter()
        .map(|name| {
            String::from_utf8_lossy(name)
                .trim_start_matches('\u{feff}')
                .trim()
                .to_owned()
        })
        .collect();
    let positions = source
        .columns
        .iter()
        .map(|column| {
            names
                .iter()
                .position(|name| *name == column.name)
                .ok_or_else(|| LakeError::MissingColumn {
                    path: path.display().to_string(),
                    table: source.name.clone(),
                    column: column.name.clone(),
                    header: names.join(", "),
                })
        })
        .collect::<Result<_, _>>()?;
    let extra: Vec<&str> = names
        .iter()
        .map(String::as_str)
        .filter(|name| source.column(name).is_none())
        .collect();
    let note = match extra.is_empty() {
        true => String::new(),
        false => format!("columns not declared, left out: {}", extra.join(", ")),
    };
    Ok((positions, note))
}

/// Finds the line on which a record starts. The reader's own position is where it began to look for the
/// record, which is before blank lines and before the second half of `\r\n`.
struct LineCount {
    /// Whether the reader ends a record before the line break is over, as with `\r\n`.
    ends_early: bool,
}

impl LineCount {
    /// From the header and the line on which the reader stands after it.
    fn after(header: &ByteRecord, line_after: u64) -> Self {
        Self {
            ends_early: line_after == 1 + line_breaks(header),
        }
    }

    /// The first line of a record, from the line on which the reader stands after it.
    fn first_of(&self, record: &ByteRecord, line_after: u64) -> u64 {
        let break_after = u64::from(!self.ends_early);
        let looked_from = record.position().map_or(1, csv::Position::line);
        // The last record of a file may end without a line break.
        (line_after - line_breaks(record) - break_after).max(looked_from)
    }
}

fn line_breaks(record: &ByteRecord) -> u64 {
    let breaks = record.as_slice().iter().filter(|byte| **byte == b'\n');
    breaks.count() as u64
}

struct TypedRows {
    positions: Vec<usize>,
    width: usize,
    names: Vec<String>,
    required: Vec<bool>,
    builders: Vec<ColumnBuilder>,
    lines: Vec<u64>,
    rejected: Vec<RejectedRow>,
}

impl TypedRows {
    fn new(source: &Source, positions: Vec<usize>, width: usize) -> Self {
        Self {
            positions,
            width,
            names: source
                .columns
                .iter()
                .map(|column| column.name.clone())
                .collect(),
            required: source
                .columns
                .iter()
                .map(|column| column.required)
                .collect(),
            builders: source
                .columns
                .iter()
                .map(|column| ColumnBuilder::new(column.kind))
                .collect(),
            lines: Vec::new(),
            rejected: Vec::new(),
        }
    }

    fn push(&mut self, record: &ByteRecord, line: u64) {
        match self.fault(record) {
            None => {
                for (builder, &position) in self.builders.iter_mut().zip(&self.positions) {
                    builder.commit(&record[position]);
                }
                self.lines.push(line);
            }
            Some((column, reason)) => {
                self.rejected.push(RejectedRow {
                    line,
                    column,
                    reason,
                    record: as_csv(record),
                });
            }
        }
    }

    /// Why a record cannot be a row. Values are checked before any of them is kept, so that columns stay level.
    fn fault(&mut self, record: &ByteRecord) -> Option<(String, String)> {
        if record.len() != self.width {
            let reason = format!("{} fields, the header has {}", record.len(), self.width);
            return Some((String::new(), reason));
        }
        for (i, &position) in self.positions.iter().enumerate() {
            let bytes = &record[position];
            let fault = match self.builders[i].check(bytes) {
                Err(reason) => Some(reason),
                Ok(()) if bytes.is_empty() && self.required[i] => Some("missing".to_owned()),
                Ok(()) => None,
            };
            if let Some(reason) = fault {
                return Some((self.names[i].clone(), reason));
            }
        }
        None
    }

    fn finish(self, source: &Source, note: String) -> Result<Parsed, LakeError> {
        let columns = self
            .builders
            .into_iter()
            .map(ColumnBuilder::finish)
            .collect();
        let batch = RecordBatch::try_new(source_schema(source).0, columns).map_err(|error| {
            LakeError::Arrow {
                table: source.name.clone(),
                source: error,
            }
        })?;
        Ok(Parsed {
            batch,
            lines: self.lines,
            rejected: self.rejected,
            note,
        })
    }
}

/// The record as one line of CSV; bytes that are not UTF-8 are shown as the replacement character.
fn as_csv(record: &ByteRecord) -> String {
    let mut writer = csv::WriterBuilder::new()
        .flexible(true)
        .from_writer(Vec::new());
    let written = writer.write_byte_record(record).is_ok();
    match writer.into_inner() {
        Ok(bytes) if written => String::from_utf8_lossy(&bytes)
            .trim_end_matches('\n')
            .to_owned(),
        _ => String::new(),
    }
}
