//! New rows into a table, by key.

use arrow::array::{RecordBatch, new_null_array};
use arrow::compute::{cast, interleave_record_batch};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use rayon::prelude::*;
use safra_project::Source;

use super::partitions::Place;
use super::row_index::RowIndex;
use super::row_values::RowValues;
use super::shared_rows::count_shared;
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
    /// The rows by key, where that had to be known of rows that are the table's still.
    pub keys: Option<RowIndex>,
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
        keys: None,
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
    let keys = held.iter().map(|batch| RowValues::of_key(source, batch));
    let index = RowIndex::of(keys.collect::<Result<_, _>>()?);
    let old = values_of(table, &held)?;
    let met: Vec<Met> = incoming
        .par_iter()
        .map(|batch| meet(source, table, &index, &old, batch))
        .collect::<Result<_, LakeError>>()?;
    let new: usize = met.iter().map(|met| met.new.len()).sum();
    let changed: usize = met.iter().map(|met| met.changed.len()).sum();
    let unchanged = met.iter().map(|met| met.unchanged).sum();
    let (batches, keys) = match new + changed {
        0 => (held, Some(index)),
        _ => (put_together(table, &held, incoming, &met)?, None),
    };
    Ok(Merged {
        batches,
        new,
        changed,
        unchanged,
        gone: 0,
        keys,
    })
}

fn values_of(table: &str, batches: &[RecordBatch]) -> Result<Vec<RowValues>, LakeError> {
    let values = batches.iter().map(|batch| RowValues::of_all(table, batch));
    values.collect()
}

/// What rows of a batch are to the old rows.
struct Met {
    /// Rows with other keys than all old ones.
    new: Vec<usize>,
    /// Rows with the key of an old one and other values, each with the place of that one.
    changed: Vec<(usize, Place)>,
    /// Number of rows that are the same as an old one.
    unchanged: usize,
}

fn meet(
    source: &Source,
    table: &str,
    index: &RowIndex,
    old: &[RowValues],
    batch: &RecordBatch,
) -> Result<Met, LakeError> {
    let values = RowValues::of_all(table, batch)?;
    let mut met = Met {
        new: Vec::new(),
        changed: Vec::new(),
        unchanged: 0,
    };
    let found = index.find(&RowValues::of_key(source, batch)?);
    for (row, place) in found.into_iter().enumerate() {
        match place {
            None => met.new.push(row),
            Some((number, held)) if old[number].is_same(held, &values, row) => met.unchanged += 1,
            Some(place) => met.changed.push((row, place)),
        }
    }
    Ok(met)
}

/// The old rows, of which some are replaced in place, and then the new ones.
fn put_together(
    table: &str,
    held: &[RecordBatch],
    incoming: &[RecordBatch],
    met: &[Met],
) -> Result<Vec<RecordBatch>, LakeError> {
    let (mut rows, mut starts) = (Vec::new(), Vec::new());
    for (number, batch) in held.iter().enumerate() {
        starts.push(rows.len());
        rows.extend((0..batch.num_rows()).map(|row| (number, row)));
    }
    for (number, met) in met.iter().enumerate() {
        let number = held.len() + number;
        for &(row, (batch, replaced)) in &met.changed {
            rows[starts[batch] + replaced] = (number, row);
        }
        rows.extend(met.new.iter().map(|&row| (number, row)));
    }
    let batches: Vec<&RecordBatch> = held.iter().chain(incoming).collect();
    rows.par_chunks(BATCH_ROWS)
        .map(|rows| gathered(&batches, rows))
        .collect::<Result<_, _>>()
        .map_err(|error| arrow_error(table, error))
}

/// These rows as a batch. Rows that lie side by side already are not copied.
fn gathered(batches: &[&RecordBatch], rows: &[Place]) -> Result<RecordBatch, ArrowError> {
    let follows = |pair: &[Place]| pair[0].0 == pair[1].0 && pair[0].1 + 1 == pair[1].1;
    match rows.first() {
        Some(&(batch, row)) if rows.windows(2).all(follows) => {
            Ok(batches[batch].slice(row, rows.len()))
        }
        _ => interleave_record_batch(batches, rows),
    }
}

fn replace(
    table: &str,
    held: Vec<RecordBatch>,
    incoming: &[RecordBatch],
) -> Result<Merged, LakeError> {
    let same = count_shared(&values_of(table, &held)?, &values_of(table, incoming)?);
    let (new, gone) = (row_count(incoming) - same, row_count(&held) - same);
    Ok(Merged {
        new,
        gone,
        changed: 0,
        unchanged: same,
        keys: None,
        batches: match new + gone {
            0 => held,
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
