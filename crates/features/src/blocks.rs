//! A column whose rows come block by block and leave in another order, without ever being put together in between.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, BooleanBufferBuilder,
    PrimitiveArray, UInt32Array, downcast_primitive, new_empty_array,
};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::compute::{concat, take};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use datafusion::common::Result;
use rayon::prelude::*;

use crate::buckets::Buckets;

/// Rows of a block, at most.
pub(crate) const BLOCK_ROWS: usize = 1 << 16;

/// Rows of a column, block by block.
pub(crate) struct Blocks {
    kind: DataType,
    blocks: Vec<ArrayRef>,
}

impl Blocks {
    pub(crate) fn new(kind: DataType) -> Self {
        let blocks = Vec::new();
        Self { kind, blocks }
    }

    /// Adds a block.
    pub(crate) fn push(&mut self, rows: ArrayRef) {
        self.blocks.push(rows);
    }

    /// Brings the rows of each block into the order of their buckets.
    pub(crate) fn divide(&mut self, buckets: &Buckets) -> Result<()> {
        let blocks = self.blocks.par_iter_mut().enumerate();
        let divided = blocks.map(|(number, block)| {
            let order = UInt32Array::from(buckets.order(number).to_vec());
            *block = take(&*block, &order, None)?;
            Ok(())
        });
        Ok(divided.collect::<std::result::Result<(), ArrowError>>()?)
    }

    /// The values of each block of a column of numbers.
    pub(crate) fn slices<T: ArrowPrimitiveType>(&self) -> Vec<&[T::Native]> {
        let blocks = self.blocks.iter();
        let values = blocks.map(|block| &block.as_primitive::<T>().values()[..]);
        values.collect()
    }

    /// The values of a column of numbers in the order of each bucket, from blocks that are divided and gone then.
    pub(crate) fn into_values<T: ArrowPrimitiveType>(
        self,
        buckets: &Buckets,
        orders: &[Vec<u32>],
    ) -> Vec<T::Native> {
        self.values::<T>(buckets, orders)
    }

    fn values<T: ArrowPrimitiveType>(
        &self,
        buckets: &Buckets,
        orders: &[Vec<u32>],
    ) -> Vec<T::Native> {
        let blocks = self.slices::<T>();
        let mut values = vec![T::Native::default(); orders.iter().map(Vec::len).sum()];
        let (mut rest, mut parts) = (values.as_mut_slice(), Vec::with_capacity(orders.len()));
        for order in orders {
            let (part, others) = rest.split_at_mut(order.len());
            parts.push((part, order));
            rest = others;
        }
        let parts = parts.into_par_iter().enumerate();
        parts.for_each_init(Vec::new, |held, (bucket, (part, order))| {
            buckets.gather(bucket, &blocks, held);
            for (value, &row) in part.iter_mut().zip(order) {
                *value = held[row as usize];
            }
        });
        values
    }

    /// All rows in the order of each bucket, from blocks that are divided.
    pub(crate) fn into_sorted(self, buckets: &Buckets, orders: &[Vec<u32>]) -> Result<ArrayRef> {
        let kind = &self.kind;
        macro_rules! primitive {
            ($t:ty) => {{
                let values = self.values::<$t>(buckets, orders);
                let nulls = self.nulls(buckets, orders);
                let values = PrimitiveArray::<$t>::new(values.into(), nulls);
                Ok(Arc::new(values.with_data_type(kind.clone())))
            }};
        }
        downcast_primitive! {
            kind => (primitive),
            DataType::Boolean => {
                let blocks = self.blocks.iter();
                let blocks: Vec<_> = blocks.map(|block| block.as_boolean().values()).collect();
                let values = bits(buckets, orders, |block, row| blocks[block].value(row));
                Ok(Arc::new(BooleanArray::new(values, self.nulls(buckets, orders))))
            }
            _ => Ok(self.others(buckets, orders)?),
        }
    }

    fn nulls(&self, buckets: &Buckets, orders: &[Vec<u32>]) -> Option<NullBuffer> {
        if self.blocks.iter().all(|block| block.null_count() == 0) {
            return None;
        }
        let nulls: Vec<Option<&NullBuffer>> =
            self.blocks.iter().map(|block| block.nulls()).collect();
        let is_valid =
            |block: usize, row: usize| nulls[block].is_none_or(|nulls| nulls.is_valid(row));
        Some(NullBuffer::new(bits(buckets, orders, is_valid)))
    }

    /// As [`Blocks::into_sorted`], of values of any kind.
    fn others(
        &self,
        buckets: &Buckets,
        orders: &[Vec<u32>],
    ) -> std::result::Result<ArrayRef, ArrowError> {
        let parts = orders.par_iter().enumerate().map(|(bucket, order)| {
            let blocks = self.blocks.iter().zip(buckets.places(bucket));
            let rows: Vec<ArrayRef> = blocks
                .map(|(block, place)| block.slice(place.start, place.len()))
                .collect();
            let rows: Vec<&dyn Array> = rows.iter().map(AsRef::as_ref).collect();
            take(&concat(&rows)?, &UInt32Array::from(order.clone()), None)
        });
        let parts: Vec<ArrayRef> = parts.collect::<std::result::Result<_, _>>()?;
        let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
        match parts[..] {
            [] => Ok(new_empty_array(&self.kind)),
            _ => concat(&parts),
        }
    }
}

/// The bits of all rows in the order of each bucket, by the block of each and its place there.
fn bits(
    buckets: &Buckets,
    orders: &[Vec<u32>],
    bit: impl Fn(usize, usize) -> bool + Sync,
) -> BooleanBuffer {
    let parts = orders.par_iter().enumerate().map(|(bucket, order)| {
        let places = buckets.places(bucket).enumerate();
        let bit = &bit;
        let held = places.flat_map(|(block, rows)| rows.map(move |row| bit(block, row)));
        let held: Vec<bool> = held.collect();
        BooleanBuffer::collect_bool(order.len(), |row| held[order[row] as usize])
    });
    let parts: Vec<BooleanBuffer> = parts.collect();
    let mut all = BooleanBufferBuilder::new(parts.iter().map(BooleanBuffer::len).sum());
    for part in &parts {
        all.append_buffer(part);
    }
    all.finish()
}

#[cfg(test)]
mod tests {
    use arrow::array::{Float64Array, Int32Array, StringArray, TimestampMicrosecondArray};
    use arrow::datatypes::{Int64Type, UInt32Type};

    use super::*;

    /// Some columns of so many rows.
    fn columns(count: usize) -> [ArrayRef; 6] {
        let value = |row: usize| (row % 5 != 3).then_some(row as i64);
        let rows = 0..count;
        [
            Arc::new(Int32Array::from_iter(
                rows.clone().map(|row| value(row).map(|it| it as i32)),
            )),
            Arc::new(Float64Array::from_iter_values(
                rows.clone().map(|row| row as f64),
            )),
            Arc::new(TimestampMicrosecondArray::from_iter(
                rows.clone().map(value),
            )),
            Arc::new(BooleanArray::from_iter(
                rows.clone().map(|row| value(row).map(|it| it % 3 == 0)),
            )),
            Arc::new(BooleanArray::from_iter(
                rows.clone().map(|row| Some(row % 7 == 1)),
            )),
            Arc::new(StringArray::from_iter(
                rows.map(|row| value(row).map(|it| it.to_string())),
            )),
        ]
    }

    fn blocks(column: &ArrayRef, step: usize) -> Blocks {
        let mut blocks = Blocks::new(column.data_type().clone());
        for start in (0..column.len()).step_by(step) {
            blocks.push(column.slice(start, step.min(column.len() - start)));
        }
        blocks
    }

    #[test]
    fn rows_are_sorted_by_entity_and_time() -> Result<()> {
        let count = 3 * BLOCK_ROWS + 100;
        let ranks: Vec<u32> = (0..count as u32).map(|row| row * 7919 % 1_000).collect();
        let time: Vec<i64> = (0..count as i64).map(|row| row * 104_729 % 5_003).collect();
        let mut order: Vec<u32> = (0..count as u32).collect();
        order.sort_by_key(|&row| (ranks[row as usize], time[row as usize]));
        for step in [10_000, BLOCK_ROWS] {
            let of_blocks: Vec<Vec<u32>> = ranks.chunks(step).map(<[u32]>::to_vec).collect();
            let buckets = Buckets::of(&of_blocks);
            let mut own = [
                Arc::new(UInt32Array::from(ranks.clone())) as ArrayRef,
                Arc::new(arrow::array::Int64Array::from(time.clone())),
            ]
            .map(|column| blocks(&column, step));
            for column in &mut own {
                column.divide(&buckets)?;
            }
            let [ranks, time] = own;
            let orders = buckets.sorted(&ranks.slices::<UInt32Type>(), &time.slices::<Int64Type>());
            for column in columns(count) {
                let mut held = blocks(&column, step);
                held.divide(&buckets)?;
                let expected = take(&column, &UInt32Array::from(order.clone()), None)?;
                assert_eq!(&held.into_sorted(&buckets, &orders)?, &expected);
            }
        }
        Ok(())
    }

    #[test]
    fn nothing_stays_nothing() -> Result<()> {
        let buckets = Buckets::of(&[]);
        for column in columns(0) {
            let sorted = Blocks::new(column.data_type().clone()).into_sorted(&buckets, &[])?;
            assert_eq!(sorted.data_type(), column.data_type());
        }
        Ok(())
    }
}
