//! Files into the lake: typed, checked, merged by key.
//!
//! Each source goes the same way: its CSV file is read and typed ([`csv_file`]), rows that break a rule
//! are set aside with the reason ([`rules`]), and the rest is merged by key with what the lake holds
//! ([`merge`]). A table is written only when something changed, in one commit.

mod columns;
mod csv_file;
mod merge;
mod rejected;
mod rules;

use std::collections::{BTreeMap, HashMap};
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
use csv_file::Parsed;
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

/// Reads the files of `folder` into the tables of the lake. `progress` is told the name of each table
/// as it is done. Files are read before the first table is written.
///
/// # Errors
/// [`LakeError`] names the file and column at fault. Nothing is written when a file or a declared column
/// is missing; a single bad row is no error, but is counted and kept in `rejected/<table>`.
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
    // The largest file first, so that no thread is left with it at the end.
    let mut by_size: Vec<usize> = (0..sources.len()).collect();
    by_size.sort_by_key(|&i| {
        let path = folder.join(&sources[i].file);
        std::cmp::Reverse(std::fs::metadata(path).map(|m| m.len()).unwrap_or_default())
    });
    let parsed: Result<BTreeMap<usize, Option<Parsed>>, LakeError> = by_size
        .into_par_iter()
        .with_max_len(1)
        .map(|i| Ok((i, csv_file::read(sources[i], folder)?)))
        .collect();
    let mut known = rules::KnownValues::new(&sources);
    let mut report = IngestReport { tables: Vec::new() };
    for (index, parsed) in parsed? {
        let source = sources[index];
        report
            .tables
            .push(load_table(lake, source, parsed, &mut known).await?);
        progress(&source.name);
    }
    Ok(report)
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
    let parsed = parsed.unwrap_or_else(|| Parsed::empty(schema.clone()));
    let read = parsed.batch.num_rows() + parsed.rejected.len();
    let checked = rules::check(source, parsed, known)?;
    let incoming = (!absent).then_some(&checked.batch);
    let merged =
        again_on_conflict(async || load_rows(&table, source, &schema, incoming).await).await?;
    again_on_conflict(async || rejected::keep(lake, source, &checked.rejected).await).await?;
    known.insert(&source.name, &merged.batch);
    Ok(TableCounts {
        table: source.name.clone(),
        read,
        new: merged.new,
        changed: merged.changed,
        unchanged: merged.unchanged,
        rejected: checked.rejected.len(),
        rows: merged.batch.num_rows(),
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
    incoming: Option<&RecordBatch>,
) -> Result<merge::Merged, LakeError> {
    let snapshot = table.snapshot().await?;
    let held = match &snapshot {
        Some(snapshot) => merge::held_rows(table.name(), schema, snapshot)?,
        None => RecordBatch::new_empty(schema.clone()),
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
                std::slice::from_ref(&merged.batch),
                &Replace::All,
                metadata,
            )
            .await?;
    }
    Ok(merged)
}
