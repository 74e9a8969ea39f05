//! Variances and standard deviations.

use std::ops::Range;

use super::{Accumulator, Overflow};
use crate::Function;
use crate::exact::wide::{Wide, multiply, rounded, subtract};
use crate::exact::{FixedPoint, Specials, scale};
use crate::output::Writer;
use crate::plan::Output;

/// The exact sums of the active numbers and of their squares.
pub(super) struct Variance<'a> {
    outputs: &'a [Output],
    values: u64,
    specials: Specials,
    sum: Wide,
    squares: Wide,
    scratch: Scratch,
}

/// Memory for one result.
#[derive(Default)]
struct Scratch {
    sum: Vec<u64>,
    squares: Vec<u64>,
    square_of_sum: Vec<u64>,
    difference: Vec<u64>,
}

impl<'a> Variance<'a> {
    pub(super) fn new(outputs: &'a [Output]) -> Self {
        let (sum, squares, scratch) = (Wide::default(), Wide::default(), Scratch::default());
        Self {
            outputs,
            values: 0,
            specials: Specials::default(),
            sum,
            squares,
            scratch,
        }
    }

    fn change(&mut self, input: &FixedPoint, row: usize, subtract: bool) {
        let term = input.term(row);
        let magnitude = u128::from(term.magnitude);
        self.sum
            .add(magnitude, term.shift, term.negative != subtract);
        self.squares
            .add(magnitude * magnitude, 2 * term.shift, subtract);
    }

    /// `n * sum(x^2) - sum(x)^2` in squares of units, as `value * 2^exponent`. Not negative, by the
    /// inequality of Cauchy and Schwarz.
    fn spread(&mut self) -> (f64, i64) {
        let Scratch {
            sum,
            squares,
            square_of_sum,
            difference,
        } = &mut self.scratch;
        self.sum.magnitude(sum);
        self.squares.magnitude(squares);
        multiply(sum, sum, square_of_sum);
        multiply(squares, &[self.values], difference);
        subtract(difference, square_of_sum);
        rounded(difference)
    }
}

impl Accumulator<FixedPoint> for Variance<'_> {
    fn begin(&mut self, input: &FixedPoint) {
        self.values = 0;
        self.specials = Specials::default();
        self.sum.begin(input.sum_bits(1));
        self.squares.begin(input.sum_bits(2));
    }

    fn enter(&mut self, input: &FixedPoint, row: usize) {
        self.values += 1;
        self.specials.enter(input.class(row));
        self.change(input, row, false);
    }

    fn leave(&mut self, input: &FixedPoint, row: usize) {
        self.values -= 1;
        self.specials.leave(input.class(row));
        self.change(input, row, true);
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
        let (spread, exponent) = self.spread();
        let is_finite = self.specials.sum().is_none();
        for (output, writer) in self.outputs.iter().zip(writers) {
            let (is_root, sample) = match output.aggregate.function {
                Function::StandardDeviation { sample } => (true, sample),
                Function::Variance { sample } => (false, sample),
                _ => continue,
            };
            if sample && self.values == 1 {
                continue;
            }
            let pairs = self.values as f64 * (self.values - u64::from(sample)) as f64;
            let variance = scale(spread / pairs, exponent + 2 * i64::from(input.unit()));
            let variance = if is_finite { variance } else { f64::NAN };
            writer.float(
                cells.clone(),
                if is_root { variance.sqrt() } else { variance },
            );
        }
        Ok(())
    }
}
