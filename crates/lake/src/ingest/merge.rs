//! New rows into a table, by key.

use std::collections::HashMap;

use arrow::array::{ArrayRef, RecordBatch, new_null_array};
use arrow::compute::{cast, concat_batches, interleave_record_batch};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::row::{RowConverter, Rows, SortField};
use safra_project::Source;

use crate::{LakeError, Snapshot};

/// A table after the merge, and what happened to it.
pub(super) struct Merged {
    pub batch: RecordBatch,
    pub new: usize,
    pub changed: usize,
    pub unchanged: usize,
    /// Rows that left the table, which only happens to tables without a key.
    pub gone: usize,
}

/// Some columns of some rows, as bytes that are equal when the values are.
pub(super) struct RowKeys {
    rows: Rows,
}

impl RowKeys {
    /// The key columns of a source.
    pub(super) fn of_key(source: &Source, batch: &RecordBatch) -> Result<Self, LakeError> {
        let columns = source
            .key
            .iter()
            .filter_map(|name| batch.column_by_name(name).cloned())
            .collect();
        Self::of(columns).map_err(|error| arrow_error(&source.name, error))
    }

    fn of_all(table: &str, batch: &RecordBatch) -> Result<Self, LakeError> {
        Self::of(batch.columns().to_vec()).map_err(|error| arrow_error(table, error))
    }

    fn of(columns: Vec<ArrayRef>) -> Result<Self, ArrowError> {
        let fields = columns
            .iter()
            .map(|column| SortField::new(column.data_type().clone()))
            .collect();
        Ok(Self {
            rows: RowConverter::new(fields)?.convert_columns(&columns)?,
        })
    }

    pub(super) fn bytes(&self, row: usize) -> &[u8] {
        self.rows.row(row).data()
    }
}

/// The rows of a table with the columns that are declared now, should they have changed since: a new column
/// is NULL, and a value of another type is cast, to NULL where that cannot be.
pub(super) fn held_rows(
    table: &str,
    schema: &SchemaRef,
    snapshot: &Snapshot,
) -> Result<RecordBatch, LakeError> {
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
    let batches: Vec<RecordBatch> = snapshot
        .read(None)?
        .iter()
        .map(as_declared)
        .collect::<Result<_, _>>()
        .map_err(|error| arrow_error(table, error))?;
    concat_batches(schema, &batches).map_err(|error| arrow_error(table, error))
}

/// A table that no file says anything about.
pub(super) fn unchanged(held: RecordBatch) -> Merged {
    Merged {
        batch: held,
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
    held: RecordBatch,
    incoming: &RecordBatch,
) -> Result<Merged, LakeError> {
    if held.num_rows() == 0 {
        return Ok(Merged {
            new: incoming.num_rows(),
            ..unchanged(incoming.clone())
        });
    }
    if source.key.is_empty() {
        return replace(table, held, incoming);
    }
    let held_keys = RowKeys::of_key(source, &held)?;
    let incoming_keys = RowKeys::of_key(source, incoming)?;
    let held_values = RowKeys::of_all(table, &held)?;
    let incoming_values = RowKeys::of_all(table, incoming)?;
    let places: HashMap<&[u8], usize> = (0..held.num_rows())
        .map(|row| (held_keys.bytes(row), row))
        .collect();
    let mut rows: Vec<(usize, usize)> = (0..held.num_rows()).map(|row| (0, row)).collect();
    let (mut new, mut changed, mut unchanged) = (0, 0, 0);
    for row in 0..incoming.num_rows() {
        match places.get(incoming_keys.bytes(row)) {
            None => {
                rows.push((1, row));
                new += 1;
            }
            Some(&place) if held_values.bytes(place) == incoming_values.bytes(row) => {
                unchanged += 1
            }
            Some(&place) => {
                rows[place] = (1, row);
                changed += 1;
            }
        }
    }
    let batch = match new + changed {
        0 => held,
        _ => interleave_record_batch(&[&held, incoming], &rows)
            .map_err(|error| arrow_error(table, error))?,
    };
    Ok(Merged {
        batch,
        new,
        changed,
        unchanged,
        gone: 0,
    })
}

fn replace(table: &str, held: RecordBatch, incoming: &RecordBatch) -> Result<Merged, LakeError> {
    if held.columns() == incoming.columns() {
        return Ok(Merged {
            unchanged: incoming.num_rows(),
            ..unchanged(held)
        });
    }
    let held_values = RowKeys::of_all(table, &held)?;
    let mut counts: HashMap<&[u8], usize> = HashMap::new();
    for row in 0..held.num_rows() {
        *counts.entry(held_values.bytes(row)).or_default() += 1;
    }
    let incoming_values = RowKeys::of_all(table, incoming)?;
    let mut same = 0;
    for row in 0..incoming.num_rows() {
        if let Some(count) = counts
            .get_mut(incoming_values.bytes(row))
            .filter(|count| **count > 0)
        {
            *count -= 1;
            same += 1;
        }
    }
    Ok(Merged {
        new: incoming.num_rows() - same,
        gone: held.num_rows() - same,
        changed: 0,
        unchanged: same,
        batch: incoming.clone(),
    })
}

fn arrow_error(table: &str, source: ArrowError) -> LakeError {
    LakeError::Arrow {
        table: table.to_owned(),
        source,
    }
}
