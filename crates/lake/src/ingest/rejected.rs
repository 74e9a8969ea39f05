//! Rows that broke a rule are kept, with the reason, beside the table that they did not enter.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use safra_project::Source;

use crate::{Folder, Lake, LakeError, Replace};

/// A row that broke a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RejectedRow {
    /// Line of the file on which the row starts, from 1.
    pub line: u64,
    /// The column at fault; empty when it is the row as a whole.
    pub column: String,
    /// The rule that it broke.
    pub reason: String,
    /// The row, as CSV.
    pub record: String,
}

/// Adds rows to `rejected/<table>`; rows that are there already, from an earlier ingest of the same file, are not repeated.
pub(super) async fn keep(
    lake: &Lake,
    source: &Source,
    rejected: &[RejectedRow],
) -> Result<(), LakeError> {
    if rejected.is_empty() {
        return Ok(());
    }
    let table = lake.table(Folder::Rejected, &source.name);
    let mut rows = BTreeSet::new();
    let snapshot = table.snapshot().await?;
    if let Some(snapshot) = &snapshot {
        rows.extend(snapshot.read(None)?.iter().flat_map(from_batch));
    }
    let held = rows.len();
    rows.extend(rejected.iter().cloned());
    if rows.len() == held {
        return Ok(());
    }
    let batch = to_batch(&rows).map_err(|error| LakeError::Arrow {
        table: table.name().to_owned(),
        source: error,
    })?;
    let metadata = HashMap::from([("safra.file".to_owned(), source.file.clone().into())]);
    table
        .write_over(
            snapshot.as_ref(),
            schema(),
            &[batch],
            &Replace::All,
            metadata,
        )
        .await?;
    Ok(())
}

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("line", DataType::Int64, true),
        Field::new("column", DataType::Utf8, true),
        Field::new("reason", DataType::Utf8, true),
        Field::new("record", DataType::Utf8, true),
    ]))
}

fn to_batch(rows: &BTreeSet<RejectedRow>) -> Result<RecordBatch, arrow::error::ArrowError> {
    let lines: Int64Array = rows
        .iter()
        .map(|row| i64::try_from(row.line).ok())
        .collect();
    let texts = |text: fn(&RejectedRow) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(text)))
    };
    RecordBatch::try_new(
        schema(),
        vec![
            Arc::new(lines),
            texts(|row| &row.column),
            texts(|row| &row.reason),
            texts(|row| &row.record),
        ],
    )
}

fn from_batch(batch: &RecordBatch) -> Vec<RejectedRow> {
    let lines = batch.column(0).as_primitive::<Int64Type>();
    let text = |column: usize, row: usize| {
        batch
            .column(column)
            .as_string::<i32>()
            .value(row)
            .to_owned()
    };
    (0..batch.num_rows())
        .map(|row| RejectedRow {
            line: lines.value(row).unsigned_abs(),
            column: text(1, row),
            reason: text(2, row),
            record: text(3, row),
        })
        .collect()
}
