//! Files into the lake: typed, checked, merged by key.
//!
//! Each source goes the same way: its CSV file is read ([`csv_file`]) and typed ([`typed`]), rows that break a rule
//! are set aside with the reason ([`rules`]), and the rest is merged by key with what the lake holds
//! ([`merge`]). A table is written only when something changed, in one commit.

mod columns;
mod csv_file;
mod merge;
mod partitions;
mod rejected;
mod row_index;
mod row_values;
mod rules;
#[cfg(test)]
mod samples;
mod shared_rows;
mod typed;

use std::cmp::Reverse;
use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use rayon::prelude::*;
use safra_project::{ColumnType, Project, Source};
use serde::Serialize;
use serde_json::json;

use crate::table::again_on_conflict;
use crate::{Folder, Lake, LakeError, Replace, Table};
use csv_file::{CsvFile, Parsed};
pub use rejected::RejectedRow;

/// What an ingest did, table by table.
#[derive(Debug, Clone, Serialize)]
pub struct IngestReport {
    /// One entry a source, in the order of `sources.toml`.
    pub tables: Vec<TableCounts>,
}

/// What an ingest did to one table. `read = new + changed + unchanged + rejected`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TableCounts {
    /// The source.
    pub table: String,
    /// Rows in the file.
    pub read: usize,
    /// Rows whose key was not in the lake.
    pub new: usize,
    /// Rows whose key was in the lake with other values.
    pub changed: usize,
    /// Rows that the lake held already, value by value.
    pub unchanged: usize,
    /// Rows that broke a rule and went to `rejected/<table>`.
    pub rejected: usize,
    /// Rows of the table now.
    pub rows: usize,
    /// Why nothing was read, or columns of the file that are not declared; empty otherwise.
    pub note: String,
}

/// The Arrow types of a source's columns in the lake, derived columns excluded.
#[derive(Debug, Clone)]
pub struct SourceSchema(pub SchemaRef);

/// The columns of a source as they are in the lake. Times are naive, in microseconds.
pub fn source_schema(source: &Source) -> SourceSchema {
    let fields: Vec<Field> = source
        .columns
        .iter()
        .map(|column| Field::new(&column.name, arrow_type(column.kind), true))
        .collect();
    SourceSchema(Arc::new(Schema::new(fields)))
}

fn arrow_type(kind: ColumnType) -> DataType {
    match kind {
        ColumnType::String => DataType::Utf8,
        ColumnType::Integer => DataType::Int64,
        ColumnType::Float => DataType::Float64,
        ColumnType::Boolean => DataType::Boolean,
        ColumnType::Date => DataType::Date32,
        ColumnType::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
    }
}

/// Files that are read before the first of their tables is written are no larger together, in bytes. It bounds the memory of
/// an ingest; a larger file is read alone.
const READ_AT_ONCE: u64 = 256 << 20;

/// Reads the files of `folder` into the tables of the lake. `progress` is told the name of each table
/// as it is done. The headers of all files are read before the first table is written.
///
/// # Errors
/// [`LakeError`] names the file and column at fault. Nothing is written when a file or a declared column
/// is missing; a single bad row is no error, but is counted and kept in `rejected/<table>`. Tables that were written before
/// another error stay as they are, and the next ingest goes on from there.
pub async fn ingest(
    lake: &Lake,
    project: &Project,
    folder: &Path,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<IngestReport, LakeError> {
    if !folder.is_dir() {
        let missing = std::io::Error::new(std::io::ErrorKind::NotFound, "no such folder");
        return Err(LakeError::io(folder, missing));
    }
    let sources: Vec<&Source> = project.sources.values().collect();
    let mut waiting: VecDeque<Waiting<'_>> = VecDeque::with_capacity(sources.len());
    for source in &sources {
        let file = CsvFile::open(source, folder)?;
        let size = file.as_ref().map_or(Ok(0), CsvFile::size)?;
        waiting.push_back(Waiting { source, file, size });
    }
    let mut known = rules::KnownValues::new(&sources);
    let mut report = IngestReport { tables: Vec::new() };
    while !waiting.is_empty() {
        for (source, parsed) in read(take_some(&mut waiting))? {
            let counts = load_table(lake, source, parsed, &mut known).await?;
            report.tables.push(counts);
            progress(&source.name);
        }
    }
    Ok(report)
}

/// A source whose file has not been read yet; there may be none.
struct Waiting<'a> {
    source: &'a Source,
    file: Option<CsvFile<'a>>,
    size: u64,
}

/// The next files that are read at once.
fn take_some<'a>(waiting: &mut VecDeque<Waiting<'a>>) -> Vec<Waiting<'a>> {
    let (mut taken, mut size) = (Vec::new(), 0);
    while let Some(next) = waiting.pop_front() {
        if !taken.is_empty() && size + next.size > READ_AT_ONCE {
            waiting.push_front(next);
            break;
        }
        size += next.size;
        taken.push(next);
    }
    taken
}

/// Reads files in parallel, the largest first, so that no thread is left with it at the end.
fn read(files: Vec<Waiting<'_>>) -> Result<Vec<(&Source, Option<Parsed>)>, LakeError> {
    let mut numbered: Vec<(usize, Waiting<'_>)> = files.into_iter().enumerate().collect();
    numbered.sort_by_key(|(_, waiting)| Reverse(waiting.size));
    let mut parsed: Vec<(usize, &Source, Option<Parsed>)> = numbered
        .into_par_iter()
        .with_max_len(1)
        .map(|(number, waiting)| {
            let parsed = waiting.file.map(CsvFile::read).transpose()?;
            Ok((number, waiting.source, parsed))
        })
        .collect::<Result<_, LakeError>>()?;
    parsed.sort_by_key(|(number, _, _)| *number);
    let parsed = parsed.into_iter();
    Ok(parsed.map(|(_, source, parsed)| (source, parsed)).collect())
}

async fn load_table(
    lake: &Lake,
    source: &Source,
    parsed: Option<Parsed>,
    known: &mut rules::KnownValues,
) -> Result<TableCounts, LakeError> {
    let table = lake.table(Folder::Sources, &source.name);
    let schema = source_schema(source).0;
    let absent = parsed.is_none();
    let parsed = parsed.unwrap_or_default();
    let typed: usize = parsed.blocks.iter().map(|block| block.lines.len()).sum();
    let read = typed + parsed.rejected.len();
    let checked = rules::check(source, parsed, known)?;
    let incoming = (!absent).then_some(&checked.batches[..]);
    let merged =
        again_on_conflict(async || load_rows(&table, source, &schema, incoming).await).await?;
    again_on_conflict(async || rejected::keep(lake, source, &checked.rejected).await).await?;
    let rows = merge::row_count(&merged.batches);
    let keys = match merged.new == rows {
        true => checked.keys,
        false => merged.keys,
    };
    known.insert(source, &merged.batches, keys);
    Ok(TableCounts {
        table: source.name.clone(),
        read,
        new: merged.new,
        changed: merged.changed,
        unchanged: merged.unchanged,
        rejected: checked.rejected.len(),
        rows,
        note: if absent {
            format!("no {}", source.file)
        } else {
            checked.note
        },
    })
}

/// Merges the rows of a file, if there is one, with what the table holds, and writes the table if that changes it.
async fn load_rows(
    table: &Table,
    source: &Source,
    schema: &SchemaRef,
    incoming: Option<&[RecordBatch]>,
) -> Result<merge::Merged, LakeError> {
    let snapshot = table.snapshot().await?;
    let held = match &snapshot {
        Some(snapshot) => merge::held_rows(table.name(), schema, snapshot)?,
        None => Vec::new(),
    };
    let merged = match incoming {
        None => merge::unchanged(held),
        Some(incoming) => merge::merge(source, table.name(), held, incoming)?,
    };
    let declared_anew = snapshot
        .as_ref()
        .is_none_or(|snapshot| !snapshot.has_columns(schema));
    if merged.new + merged.changed + merged.gone > 0 || declared_anew {
        let metadata = HashMap::from([("safra.file".to_owned(), json!(source.file))]);
        table
            .write_over(
                snapshot.as_ref(),
                schema.clone(),
                &merged.batches,
                &Replace::All,
                metadata,
            )
            .await?;
    }
    Ok(merged)
}
