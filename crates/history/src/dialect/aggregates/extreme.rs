//! The smallest and the largest of some floats, where NaN is above all numbers.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Float64Array};
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::common::{Result, exec_err};

use super::total::Total;

/// The smallest value.
#[derive(Debug)]
pub(super) struct Smallest(f64);

/// The largest value.
#[derive(Debug)]
pub(super) struct Largest(f64);

impl Default for Smallest {
    fn default() -> Self {
        Self(f64::NAN)
    }
}

impl Default for Largest {
    fn default() -> Self {
        Self(f64::NEG_INFINITY)
    }
}

macro_rules! extreme {
    ($extreme:ty, $takes:expr) => {
        impl Total for $extreme {
            type Value = Float64Type;
            const SUBTRACTS: bool = false;

            fn add(&mut self, value: f64) {
                let value = canonical(value);
                let takes: fn(f64, f64) -> bool = $takes;
                if takes(value, self.0) {
                    self.0 = value;
                }
            }

            fn subtract(&mut self, _value: f64) {}

            fn sum(&self) -> Result<f64> {
                Ok(self.0)
            }

            fn mean(&self, _count: i64) -> Result<f64> {
                exec_err!("an extreme is no mean")
            }

            fn state_type() -> DataType {
                DataType::Float64
            }

            fn states(totals: &[Self]) -> Result<ArrayRef> {
                let values = totals.iter().map(|total| total.0);
                Ok(Arc::new(Float64Array::from_iter_values(values)))
            }

            fn merge(&mut self, states: &ArrayRef, row: usize) {
                self.add(states.as_primitive::<Float64Type>().value(row));
            }
        }
    };
}

extreme!(Smallest, |value, held| value.total_cmp(&held).is_lt());
extreme!(Largest, |value, held| value.total_cmp(&held).is_gt());

/// One bit pattern for both zeros, and one for every NaN.
pub(super) fn canonical(value: f64) -> f64 {
    match value.is_nan() {
        true => f64::NAN,
        false => value + 0.0,
    }
}
