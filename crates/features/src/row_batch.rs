//! A batch of the rows of a view, before they are aggregated.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::compute::{filter, filter_record_batch};
use arrow::datatypes::{DataType, Int64Type, Schema, TimestampMicrosecondType};
use arrow::error::ArrowError;
use safra_history::spans_midnight;
use safra_sweep::Reach;

/// Columns before those of the entity: the time, and the interval in which the row holds.
pub(crate) const TIMES: usize = 3;

/// Rows of a view: of a batch that has the time, the interval, the entity and then arguments and filters, those that count. Rows
/// that hold at no reference date after their time, or have none, are in no window, and rows without an entity belong to
/// nobody.
pub(crate) struct RowBatch<'a> {
    time: &'a [i64],
    interval: [&'a [i64]; 2],
    pub entity: &'a [ArrayRef],
    columns: &'a [ArrayRef],
    batch: &'a RecordBatch,
    /// The rows that count.
    pub kept: Vec<usize>,
}

/// The types of the entity's columns, of which there are so many, and of arguments and filters.
pub(crate) fn types(schema: &Schema, entity: usize) -> (Vec<DataType>, Vec<DataType>) {
    let fields = schema.fields().iter();
    let mut kinds = fields.map(|field| field.data_type().clone()).skip(TIMES);
    (kinds.by_ref().take(entity).collect(), kinds.collect())
}

impl<'a> RowBatch<'a> {
    /// With so many columns of the entity, and of the rows those that are within reach; without one, those that any
    /// reference date may be.
    pub(crate) fn new(batch: &'a RecordBatch, entity: usize, reach: Option<&Reach>) -> Self {
        let (times, rest) = batch.columns().split_at(TIMES);
        let (entity, columns) = rest.split_at(entity);
        let moments = times[0].as_primitive::<TimestampMicrosecondType>();
        let interval = [1, 2].map(|column| &times[column].as_primitive::<Int64Type>().values()[..]);
        let (time, [from, to]) = (&moments.values()[..], interval);
        let is_kept = |row: &usize| {
            let (time, from, to) = (time[*row], from[*row], to[*row]);
            let counts = match reach {
                Some(reach) => reach.holds(time, from, to),
                None => spans_midnight(from.max(time), to),
            };
            counts && moments.is_valid(*row) && entity.iter().all(|key| key.is_valid(*row))
        };
        Self {
            kept: (0..batch.num_rows()).filter(is_kept).collect(),
            time,
            interval,
            entity,
            columns,
            batch,
        }
    }

    pub(crate) fn time(&self) -> impl Iterator<Item = i64> {
        self.kept.iter().map(|&row| self.time[row])
    }

    pub(crate) fn valid_from(&self) -> impl Iterator<Item = i64> {
        self.kept.iter().map(|&row| self.interval[0][row])
    }

    pub(crate) fn valid_to(&self) -> impl Iterator<Item = i64> {
        self.kept.iter().map(|&row| self.interval[1][row])
    }

    /// Arguments and filters.
    ///
    /// # Errors
    /// What Arrow says.
    pub(crate) fn columns(&self) -> Result<Vec<ArrayRef>, ArrowError> {
        match self.kept_rows() {
            None => Ok(self.columns.to_vec()),
            Some(kept) => {
                let columns = self.columns.iter();
                columns.map(|column| filter(column, &kept)).collect()
            }
        }
    }

    /// The batch with the rows that count.
    ///
    /// # Errors
    /// What Arrow says.
    pub(crate) fn rows(&self) -> Result<RecordBatch, ArrowError> {
        match self.kept_rows() {
            None => Ok(self.batch.clone()),
            Some(kept) => filter_record_batch(self.batch, &kept),
        }
    }

    /// For each row whether it counts; `None` when all do.
    fn kept_rows(&self) -> Option<BooleanArray> {
        if self.kept.len() == self.time.len() {
            return None;
        }
        let mut kept = vec![false; self.time.len()];
        for &row in &self.kept {
            kept[row] = true;
        }
        Some(kept.into())
    }
}
