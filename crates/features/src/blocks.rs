//! A column whose rows come batch by batch and leave in another order, without ever being put together in between.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, PrimitiveArray, UInt32Array,
    downcast_primitive, new_empty_array,
};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::compute::{concat, take};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use rayon::prelude::*;

/// Rows of a block, as a power of two.
const BLOCK: u32 = 16;
const BLOCK_ROWS: usize = 1 << BLOCK;

/// Rows of a column in the order in which they came.
pub(crate) struct Blocks {
    kind: DataType,
    /// Of [`BLOCK_ROWS`] each, but for the last once all rows are there.
    full: Vec<ArrayRef>,
    /// What came since.
    open: Vec<ArrayRef>,
    open_rows: usize,
}

impl Blocks {
    pub(crate) fn new(kind: DataType) -> Self {
        Self {
            kind,
            full: Vec::new(),
            open: Vec::new(),
            open_rows: 0,
        }
    }

    /// Adds rows.
    pub(crate) fn push(&mut self, rows: ArrayRef) -> Result<()> {
        self.open_rows += rows.len();
        self.open.push(rows);
        if self.open_rows >= BLOCK_ROWS {
            let rows = self.close()?;
            let end = rows.len() / BLOCK_ROWS * BLOCK_ROWS;
            let starts = (0..end).step_by(BLOCK_ROWS);
            self.full
                .extend(starts.map(|start| rows.slice(start, BLOCK_ROWS)));
            self.open_rows = rows.len() - end;
            self.open.push(rows.slice(end, self.open_rows));
        }
        Ok(())
    }

    /// The rows with these numbers.
    pub(crate) fn take(mut self, order: &[u32]) -> Result<ArrayRef> {
        let last = self.close()?;
        self.full.push(last);
        let (kind, blocks) = (&self.kind, &self.full[..]);
        macro_rules! primitive {
            ($t:ty) => {
                Ok(Arc::new(primitives::<$t>(kind, blocks, order)))
            };
        }
        downcast_primitive! {
            kind => (primitive),
            DataType::Boolean => Ok(Arc::new(booleans(blocks, order))),
            _ => {
                let blocks: Vec<&dyn Array> = blocks.iter().map(AsRef::as_ref).collect();
                let order = UInt32Array::from(order.to_vec());
                Ok(take(&concat(&blocks)?, &order, None)?)
            }
        }
    }

    fn close(&mut self) -> Result<ArrayRef> {
        self.open_rows = 0;
        let open: Vec<ArrayRef> = self.open.drain(..).collect();
        let rows: Vec<&dyn Array> = open.iter().map(AsRef::as_ref).collect();
        Ok(match rows[..] {
            [] => new_empty_array(&self.kind),
            _ => concat(&rows)?,
        })
    }
}

fn primitives<T: ArrowPrimitiveType>(
    kind: &DataType,
    blocks: &[ArrayRef],
    order: &[u32],
) -> PrimitiveArray<T> {
    let slices = blocks
        .iter()
        .map(|block| block.as_primitive::<T>().values());
    let slices: Vec<&[T::Native]> = slices.map(AsRef::as_ref).collect();
    let rows = order.par_iter();
    let values: Vec<T::Native> = rows
        .map(|&row| at(row, |block, place| slices[block][place]))
        .collect();
    PrimitiveArray::new(values.into(), nulls(blocks, order)).with_data_type(kind.clone())
}

fn booleans(blocks: &[ArrayRef], order: &[u32]) -> BooleanArray {
    let values: Vec<&BooleanBuffer> = blocks
        .iter()
        .map(|block| block.as_boolean().values())
        .collect();
    let value = |row: usize| at(order[row], |block, place| values[block].value(place));
    let values = BooleanBuffer::collect_bool(order.len(), value);
    BooleanArray::new(values, nulls(blocks, order))
}

fn nulls(blocks: &[ArrayRef], order: &[u32]) -> Option<NullBuffer> {
    if blocks.iter().all(|block| block.null_count() == 0) {
        return None;
    }
    let nulls: Vec<Option<&NullBuffer>> = blocks.iter().map(|block| block.nulls()).collect();
    let is_valid = |row: usize| {
        at(order[row], |block, place| {
            nulls[block].is_none_or(|nulls| nulls.is_valid(place))
        })
    };
    let valid = BooleanBuffer::collect_bool(order.len(), is_valid);
    Some(NullBuffer::new(valid))
}

/// What a function says of the block of a row and the row's place in it.
fn at<T>(row: u32, of: impl Fn(usize, usize) -> T) -> T {
    of((row >> BLOCK) as usize, row as usize & (BLOCK_ROWS - 1))
}

#[cfg(test)]
mod tests {
    use arrow::array::{Float64Array, Int32Array, StringArray, TimestampMicrosecondArray};

    use super::*;

    #[test]
    fn rows_are_those_of_the_columns_put_together() -> Result<()> {
        let count = 2 * BLOCK_ROWS + 100;
        let value = |row: usize| (row % 5 != 3).then_some(row as i64);
        let columns: [ArrayRef; 6] = [
            Arc::new(
                (0..count)
                    .map(|row| value(row).map(|it| it as i32))
                    .collect::<Int32Array>(),
            ),
            Arc::new(
                (0..count)
                    .map(|row| row as f64)
                    .map(Some)
                    .collect::<Float64Array>(),
            ),
            Arc::new((0..count).map(value).collect::<TimestampMicrosecondArray>()),
            Arc::new(
                (0..count)
                    .map(|row| value(row).map(|it| it % 3 == 0))
                    .collect::<BooleanArray>(),
            ),
            Arc::new(
                (0..count)
                    .map(|row| Some(row % 7 == 1))
                    .collect::<BooleanArray>(),
            ),
            Arc::new(
                (0..count)
                    .map(|row| value(row).map(|it| it.to_string()))
                    .collect::<StringArray>(),
            ),
        ];
        let order: Vec<u32> = (0..count as u32)
            .map(|row| (row * 7919) % count as u32)
            .collect();
        for column in columns {
            for step in [1_000, BLOCK_ROWS, 3 * BLOCK_ROWS] {
                let mut blocks = Blocks::new(column.data_type().clone());
                for start in (0..count).step_by(step) {
                    blocks.push(column.slice(start, step.min(count - start)))?;
                }
                let expected = take(&column, &UInt32Array::from(order.clone()), None)?;
                assert_eq!(&blocks.take(&order)?, &expected);
            }
            let none = Blocks::new(column.data_type().clone()).take(&[])?;
            assert_eq!(none.data_type(), column.data_type());
        }
        Ok(())
    }
}
