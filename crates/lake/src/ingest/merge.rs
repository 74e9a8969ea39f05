//! New rows into a table, by key.

use std::collections::HashMap;

use arrow::array::{RecordBatch, new_null_array};
use arrow::compute::{cast, interleave_record_batch};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use safra_project::Source;

use super::keys::{KeyIndex, Place, RowKeys};
use crate::{LakeError, Snapshot};

/// Rows of a batch that is put together from old and new ones.
const BATCH_ROWS: usize = 65_536;

/// A table after the merge, and what happened to it.
pub(super) struct Merged {
    pub batches: Vec<RecordBatch>,
    pub new: usize,
    pub changed: usize,
    pub unchanged: usize,
    /// Rows that left the table, which only happens to tables without a key.
    pub gone: usize,
}

/// The rows of a table with the columns that are declared now, should they have changed since: a new column
/// is NULL, and a value of another type is cast, to NULL where that cannot be.
pub(super) fn held_rows(
    table: &str,
    schema: &SchemaRef,
    snapshot: &Snapshot,
) -> Result<Vec<RecordBatch>, LakeError> {
    let as_declared = |batch: &RecordBatch| {
        let columns = schema
            .fields()
            .iter()
            .map(|field| match batch.column_by_name(field.name()) {
                Some(column) => cast(column, field.data_type()),
                None => Ok(new_null_array(field.data_type(), batch.num_rows())),
            })
            .collect::<Result<_, _>>()?;
        RecordBatch::try_new(schema.clone(), columns)
    };
    snapshot
        .read(None)?
        .iter()
        .map(as_declared)
        .collect::<Result<_, _>>()
        .map_err(|error| arrow_error(table, error))
}

/// Rows of all batches.
pub(super) fn row_count(batches: &[RecordBatch]) -> usize {
    batches.iter().map(RecordBatch::num_rows).sum()
}

/// A table that no file says anything about.
pub(super) fn unchanged(held: Vec<RecordBatch>) -> Merged {
    Merged {
        batches: held,
        new: 0,
        changed: 0,
        unchanged: 0,
        gone: 0,
    }
}

/// Puts `incoming` into `held`: rows with a known key replace the old ones in place, others are appended.
/// Without a key, a file that is there replaces the table.
pub(super) fn merge(
    source: &Source,
    table: &str,
    held: Vec<RecordBatch>,
    incoming: &[RecordBatch],
) -> Result<Merged, LakeError> {
    if row_count(&held) == 0 {
        return Ok(Merged {
            new: row_count(incoming),
            ..unchanged(incoming.to_vec())
        });
    }
    if source.key.is_empty() {
        return replace(table, held, incoming);
    }
    let index = KeyIndex::of(source, &held)?;
    let (mut replaced, mut appended) = (HashMap::new(), Vec::new());
    let mut same = 0;
    for (number, batch) in incoming.iter().enumerate() {
        let place_of_row = |row| (held.len() + number, row);
        let keys = RowKeys::of_key(source, batch)?;
        let mut known: Vec<(usize, Place)> = Vec::new();
        for row in 0..batch.num_rows() {
            match index.find(keys.bytes(row)) {
                Some(place) => known.push((row, place)),
                None => appended.push(place_of_row(row)),
            }
        }
        let is_same = find_same(table, &held, batch, &known)?;
        for ((row, place), is_same) in known.into_iter().zip(is_same) {
            match is_same {
                true => same += 1,
                false => drop(replaced.insert(place, place_of_row(row))),
            }
        }
    }
    let (new, changed) = (appended.len(), replaced.len());
    let batches = match new + changed {
        0 => held,
        _ => {
            let old = held.iter().enumerate();
            let old =
                old.flat_map(|(number, batch)| (0..batch.num_rows()).map(move |row| (number, row)));
            let rows = old.map(|place| *replaced.get(&place).unwrap_or(&place));
            let rows: Vec<Place> = rows.chain(appended).collect();
            put_together(table, &held, incoming, &rows)?
        }
    };
    Ok(Merged {
        batches,
        new,
        changed,
        unchanged: same,
        gone: 0,
    })
}

/// Whether rows of a batch have all values of the old rows with the same keys.
fn find_same(
    table: &str,
    held: &[RecordBatch],
    batch: &RecordBatch,
    known: &[(usize, Place)],
) -> Result<Vec<bool>, LakeError> {
    if known.is_empty() {
        return Ok(Vec::new());
    }
    let places: Vec<Place> = known.iter().map(|(_, place)| *place).collect();
    let held: Vec<&RecordBatch> = held.iter().collect();
    let old = interleave_record_batch(&held, &places).map_err(|error| arrow_error(table, error))?;
    let (old, new) = (
        RowKeys::of_all(table, &old)?,
        RowKeys::of_all(table, batch)?,
    );
    let rows = known.iter().enumerate();
    Ok(rows
        .map(|(place, (row, _))| old.bytes(place) == new.bytes(*row))
        .collect())
}

/// Rows of the old and the new batches, which are numbered one after the other.
fn put_together(
    table: &str,
    held: &[RecordBatch],
    incoming: &[RecordBatch],
    rows: &[Place],
) -> Result<Vec<RecordBatch>, LakeError> {
    let batches: Vec<&RecordBatch> = held.iter().chain(incoming).collect();
    rows.chunks(BATCH_ROWS)
        .map(|rows| interleave_record_batch(&batches, rows))
        .collect::<Result<_, _>>()
        .map_err(|error| arrow_error(table, error))
}

fn replace(
    table: &str,
    held: Vec<RecordBatch>,
    incoming: &[RecordBatch],
) -> Result<Merged, LakeError> {
    let values_of = |batches: &[RecordBatch]| -> Result<Vec<RowKeys>, LakeError> {
        let values = batches.iter().map(|batch| RowKeys::of_all(table, batch));
        values.collect()
    };
    let (old, new) = (values_of(&held)?, values_of(incoming)?);
    let mut counts: HashMap<&[u8], usize> = HashMap::new();
    for row in old.iter().flat_map(RowKeys::iter) {
        *counts.entry(row).or_default() += 1;
    }
    let mut same = 0;
    for row in new.iter().flat_map(RowKeys::iter) {
        if let Some(count) = counts.get_mut(row).filter(|count| **count > 0) {
            *count -= 1;
            same += 1;
        }
    }
    let (new, gone) = (row_count(incoming) - same, row_count(&held) - same);
    Ok(Merged {
        new,
        gone,
        changed: 0,
        unchanged: same,
        batches: match new + gone {
            0 => held.clone(),
            _ => incoming.to_vec(),
        },
    })
}

pub(super) fn arrow_error(table: &str, source: ArrowError) -> LakeError {
    LakeError::Arrow {
        table: table.to_owned(),
        source,
    }
}
