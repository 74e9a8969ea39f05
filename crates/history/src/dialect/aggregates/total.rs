//! What a sum holds of the values that it has taken.

use std::fmt::Debug;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, ArrowPrimitiveType, AsArray, Decimal128Array};
use datafusion::arrow::array::{Float64Builder, ListBuilder};
use datafusion::arrow::datatypes::{DataType, Decimal128Type, Field, Float64Type, Int64Type};
use datafusion::common::{Result, exec_err};

use super::exact::ExactSum;

/// The sum, or another total, of some values, which does not depend on their order.
pub(super) trait Total: Default + Debug + Send + Sync + 'static {
    /// The type of the values, and of the sum.
    type Value: ArrowPrimitiveType;

    /// Whether a value can be taken back.
    const SUBTRACTS: bool;

    fn add(&mut self, value: <Self::Value as ArrowPrimitiveType>::Native);

    /// Takes back a value that was added.
    fn subtract(&mut self, value: <Self::Value as ArrowPrimitiveType>::Native);

    /// The sum.
    fn sum(&self) -> Result<<Self::Value as ArrowPrimitiveType>::Native>;

    /// The mean of so many values.
    fn mean(&self, count: i64) -> Result<<Self::Value as ArrowPrimitiveType>::Native>;

    /// The type of [`Total::states`].
    fn state_type() -> DataType;

    /// What is kept between the stages of an aggregation, of each of some totals.
    fn states(totals: &[Self]) -> Result<ArrayRef>;

    /// Takes in one of the [`Total::states`].
    fn merge(&mut self, states: &ArrayRef, row: usize);

    /// Bytes on the heap.
    fn heap_size(&self) -> usize {
        0
    }
}

/// An exact sum, rounded once.
#[derive(Debug, Default)]
pub(super) struct FloatTotal(ExactSum);

impl Total for FloatTotal {
    type Value = Float64Type;
    const SUBTRACTS: bool = true;

    fn add(&mut self, value: f64) {
        self.0.add(value);
    }

    fn subtract(&mut self, value: f64) {
        self.0.subtract(value);
    }

    fn sum(&self) -> Result<f64> {
        Ok(self.0.rounded())
    }

    fn mean(&self, count: i64) -> Result<f64> {
        Ok(self.0.rounded() / count as f64)
    }

    fn state_type() -> DataType {
        DataType::List(Arc::new(Field::new_list_field(DataType::Float64, true)))
    }

    fn states(totals: &[Self]) -> Result<ArrayRef> {
        let mut lists = ListBuilder::new(Float64Builder::new());
        for total in totals {
            lists.values().append_slice(&total.0.terms());
            lists.append(true);
        }
        Ok(Arc::new(lists.finish()))
    }

    fn merge(&mut self, states: &ArrayRef, row: usize) {
        let lists = states.as_list::<i32>();
        let offsets = lists.value_offsets();
        let terms = lists.values().as_primitive::<Float64Type>().values();
        for &term in &terms[offsets[row] as usize..offsets[row + 1] as usize] {
            self.0.add(term);
        }
    }

    fn heap_size(&self) -> usize {
        self.0.heap_size()
    }
}

/// A sum of integers, which has to fit 64 bits in the end only.
#[derive(Debug, Default)]
pub(super) struct IntegerTotal(i128);

impl Total for IntegerTotal {
    type Value = Int64Type;
    const SUBTRACTS: bool = true;

    fn add(&mut self, value: i64) {
        self.0 += i128::from(value);
    }

    fn subtract(&mut self, value: i64) {
        self.0 -= i128::from(value);
    }

    fn sum(&self) -> Result<i64> {
        match i64::try_from(self.0) {
            Ok(sum) => Ok(sum),
            Err(_) => exec_err!("a sum of integers does not fit 64 bits: {}", self.0),
        }
    }

    fn mean(&self, _count: i64) -> Result<i64> {
        exec_err!("a mean of integers is no integer")
    }

    fn state_type() -> DataType {
        DataType::Decimal128(38, 0)
    }

    fn states(totals: &[Self]) -> Result<ArrayRef> {
        let sums = Decimal128Array::from_iter_values(totals.iter().map(|total| total.0));
        Ok(Arc::new(sums.with_precision_and_scale(38, 0)?))
    }

    fn merge(&mut self, states: &ArrayRef, row: usize) {
        self.0 += states.as_primitive::<Decimal128Type>().value(row);
    }
}
