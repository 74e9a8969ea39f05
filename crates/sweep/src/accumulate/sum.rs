//! Sums, averages, and counts of the same values.

use std::ops::Range;

use super::{Accumulator, Overflow};
use crate::Function;
use crate::exact::wide::Wide;
use crate::exact::{FixedPoint, Specials, scale};
use crate::output::Writer;
use crate::plan::Output;

/// The exact sum of the active floats.
pub(super) struct FloatSum<'a, T> {
    outputs: &'a [Output],
    values: i64,
    specials: Specials,
    total: T,
}

impl<'a, T: Total> FloatSum<'a, T> {
    pub(super) fn new(outputs: &'a [Output]) -> Self {
        Self {
            outputs,
            values: 0,
            specials: Specials::default(),
            total: T::default(),
        }
    }
}

impl<T: Total> Accumulator<FixedPoint> for FloatSum<'_, T> {
    fn begin(&mut self, input: &FixedPoint) {
        self.values = 0;
        self.specials = Specials::default();
        self.total.begin(input);
    }

    fn enter(&mut self, input: &FixedPoint, row: usize) {
        self.values += 1;
        self.specials.enter(input.class(row));
        self.total.add(input, row);
    }

    fn leave(&mut self, input: &FixedPoint, row: usize) {
        self.values -= 1;
        self.specials.leave(input.class(row));
        self.total.subtract(input, row);
    }

    fn write(
        &mut self,
        input: &FixedPoint,
        cells: Range<usize>,
        writers: &mut [Writer],
    ) -> Result<(), Overflow> {
        if self.values == 0 {
            return Ok(());
        }
        let sum = self
            .specials
            .sum()
            .unwrap_or_else(|| self.total.rounded(input));
        for (output, writer) in self.outputs.iter().zip(writers) {
            match output.aggregate.function {
                Function::Sum => writer.float(cells.clone(), sum),
                Function::Average => writer.float(cells.clone(), sum / self.values as f64),
                _ => writer.integer(cells.clone(), self.values),
            }
        }
        Ok(())
    }
}

/// An exact sum in the unit of a [`FixedPoint`].
pub(super) trait Total: Default {
    /// Becomes zero.
    fn begin(&mut self, input: &FixedPoint);
    /// Adds the number of a row.
    fn add(&mut self, input: &FixedPoint, row: usize);
    /// Subtracts the number of a row.
    fn subtract(&mut self, input: &FixedPoint, row: usize);
    /// The nearest float, ties to even. A subnormal result is exact: the unit is at least the smallest
    /// subnormal, so scaling never rounds a second time.
    fn rounded(&mut self, input: &FixedPoint) -> f64;
}

/// A sum that fits 128 bits.
#[derive(Default)]
pub(super) struct NarrowTotal(i128);

impl Total for NarrowTotal {
    fn begin(&mut self, _input: &FixedPoint) {
        self.0 = 0;
    }

    fn add(&mut self, input: &FixedPoint, row: usize) {
        self.0 += input.narrow(row);
    }

    fn subtract(&mut self, input: &FixedPoint, row: usize) {
        self.0 -= input.narrow(row);
    }

    fn rounded(&mut self, input: &FixedPoint) -> f64 {
        scale(self.0 as f64, i64::from(input.unit()))
    }
}

/// A sum of any width.
#[derive(Default)]
pub(super) struct WideTotal {
    sum: Wide,
    magnitude: Vec<u64>,
}

impl Total for WideTotal {
    fn begin(&mut self, input: &FixedPoint) {
        self.sum.begin(input.sum_bits(1));
    }

    fn add(&mut self, input: &FixedPoint, row: usize) {
        let term = input.term(row);
        self.sum
            .add(u128::from(term.magnitude), term.shift, term.negative);
    }

    fn subtract(&mut self, input: &FixedPoint, row: usize) {
        let term = input.term(row);
        self.sum
            .add(u128::from(term.magnitude), term.shift, !term.negative);
    }

    fn rounded(&mut self, input: &FixedPoint) -> f64 {
        let unit = i64::from(input.unit());
        self.sum.in_units_of(unit, &mut self.magnitude)
    }
}

/// The sum of the active integers. The input is the values of the entity's rows.
pub(super) struct IntegerSum<'a> {
    outputs: &'a [Output],
    values: i64,
    total: i128,
}

impl<'a> IntegerSum<'a> {
    pub(super) fn new(outputs: &'a [Output]) -> Self {
        Self {
            outputs,
            values: 0,
            total: 0,
        }
    }
}

impl Accumulator<[i64]> for IntegerSum<'_> {
    fn begin(&mut self, _input: &[i64]) {
        (self.values, self.total) = (0, 0);
    }

    fn enter(&mut self, input: &[i64], row: usize) {
        self.values += 1;
        self.total += i128::from(input[row]);
    }

    fn leave(&mut self, input: &[i64], row: usize) {
        self.values -= 1;
        self.total -= i128::from(input[row]);
    }

    fn write(
        &mut self,
        _input: &[i64],
        cells: Range<usize>,
        writers: &mut [Writer],
    ) -> Result<(), Overflow> {
        if self.values == 0 {
            return Ok(());
        }
        for (index, (output, writer)) in self.outputs.iter().zip(writers).enumerate() {
            match output.aggregate.function {
                Function::Sum => {
                    let sum = i64::try_from(self.total).map_err(|_| Overflow { output: index })?;
                    writer.integer(cells.clone(), sum);
                }
                Function::Average => {
                    writer.float(cells.clone(), self.total as f64 / self.values as f64)
                }
                _ => writer.integer(cells.clone(), self.values),
            }
        }
        Ok(())
    }
}
