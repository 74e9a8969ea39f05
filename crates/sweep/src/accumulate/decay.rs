//! Counts and sums whose rows weigh less with age.

use std::ops::Range;

use super::{Accumulator, Overflow};
use crate::exact::{Specials, scale};
use crate::output::Writer;
use crate::weights::{BUCKET, DateFactor, Weights};

/// The exact sums of the active amounts, one for each bucket of [`Weights`].
#[derive(Default)]
pub(super) struct Decay {
    rows: u32,
    specials: Specials,
    sums: Vec<i128>,
    /// Buckets at or above this one are zero.
    end: usize,
}

/// The weighted rows of an entity, and its dates.
pub(super) struct Decayed<'e> {
    pub(super) weights: &'e Weights,
    /// The factor of every reference date.
    pub(super) factors: &'e [DateFactor],
    /// The date index of each of the entity's output rows.
    pub(super) dates: &'e [u32],
}

/// Buckets further than this below the largest one in use are left out: all of them together hold less
/// than 2^-64 of its unit.
const REACH: i64 = 5;

impl Decay {
    /// The sum of all amounts, as `value * 2^exponent`: the buckets in use from the top one down, added in
    /// a fixed order. So it depends on the active rows alone.
    fn sum(&mut self, input: &Decayed) -> (f64, i64) {
        while self.end > 0 && self.sums[self.end - 1] == 0 {
            self.end -= 1;
        }
        let Some(top) = self.end.checked_sub(1).map(|top| input.weights.bucket(top)) else {
            return (0.0, 0);
        };
        let used = (0..self.end)
            .rev()
            .map(|rank| (input.weights.bucket(rank) - top, self.sums[rank]));
        let value = used
            .take_while(|&(below, _)| below >= -REACH)
            .map(|(below, sum)| scale(sum as f64, BUCKET * below))
            .sum();
        (value, BUCKET * top)
    }
}

impl Accumulator<Decayed<'_>> for Decay {
    fn begin(&mut self, input: &Decayed) {
        self.rows = 0;
        self.specials = Specials::default();
        self.sums.clear();
        self.sums.resize(input.weights.buckets(), 0);
        self.end = 0;
    }

    fn enter(&mut self, input: &Decayed, row: usize) {
        self.rows += 1;
        self.specials.enter(input.weights.class(row));
        if let Some((amount, bucket)) = input.weights.amount(row) {
            self.sums[bucket] += amount;
            self.end = self.end.max(bucket + 1);
        }
    }

    fn leave(&mut self, input: &Decayed, row: usize) {
        self.rows -= 1;
        self.specials.leave(input.weights.class(row));
        if let Some((amount, bucket)) = input.weights.amount(row) {
            self.sums[bucket] -= amount;
        }
    }

    fn write(
        &mut self,
        input: &Decayed,
        cells: Range<usize>,
        writers: &mut [Writer],
    ) -> Result<(), Overflow> {
        if self.rows == 0 {
            return Ok(());
        }
        let special = self.specials.sum();
        let (sum, exponent) = self.sum(input);
        for cell in cells {
            let factor = input.factors[input.dates[cell] as usize];
            let decayed = || scale(sum * factor.value, exponent.saturating_add(factor.exponent));
            let value = special.unwrap_or_else(decayed);
            for writer in &mut *writers {
                writer.float(cell..cell + 1, value);
            }
        }
        Ok(())
    }
}
