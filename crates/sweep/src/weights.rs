//! Weights that halve with age, in a form that does not depend on the reference date.
//!
//! The weight `2^(-(D - t) / h)` of a row at `t` is `2^(t / h) / 2^(D / h)`. The first factor belongs to
//! the row alone: an amount is `value * 2^(t / h)`, rounded once to a 54-bit integer times a power of two.
//! Amounts are summed exactly, and the sum is divided by the factor of the date. So the result depends on
//! nothing but the active rows and the date.

use std::ops::Range;

use crate::calendar::DAY;
use crate::exact::{BUCKET_BITS, Class, in_bucket, normalized};
use crate::rank::Ranking;

/// A time in half-lives since 1970-01-01, as a whole number and a fraction from 0 to 1.
#[derive(Debug, Clone, Copy)]
struct Halvings {
    whole: i64,
    fraction: f64,
}

impl Halvings {
    /// The half-lives, in microseconds, that have passed at a time in microseconds. The fraction comes
    /// from an exact remainder, so that it is as precise far from 1970 as near it.
    fn at(time: i64, half_life: f64) -> Self {
        let time = time as f64;
        let remainder = time.rem_euclid(half_life);
        Self {
            whole: ((time - remainder) / half_life).round() as i64,
            fraction: remainder / half_life,
        }
    }
}

/// What weighted sums are multiplied by on a reference date: `2^(-D / h)` as `value * 2^exponent`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DateFactor {
    pub(crate) value: f64,
    pub(crate) exponent: i64,
}

impl DateFactor {
    /// The factor of a date, in days since 1970-01-01, for a half-life in microseconds.
    pub(crate) fn of(date: i32, half_life: f64) -> Self {
        let halvings = Halvings::at(i64::from(date) * DAY, half_life);
        Self {
            value: (-halvings.fraction).exp2(),
            exponent: halvings.whole.saturating_neg(),
        }
    }
}

/// Bits of exponent that share a bucket.
pub(crate) const BUCKET: i64 = BUCKET_BITS as i64;

/// The amounts of one entity's rows, and the buckets that they are summed in.
#[derive(Default)]
pub(crate) struct Weights {
    amounts: Vec<i128>,
    classes: Vec<Class>,
    buckets: Vec<i64>,
    ranking: Ranking,
}

impl Weights {
    /// Weighs some rows with values, `None` of a NULL.
    pub(crate) fn weigh(
        &mut self,
        times: &[i64],
        half_life: f64,
        rows: Range<usize>,
        value: impl Fn(usize) -> Option<f64>,
    ) {
        self.amounts.clear();
        self.classes.clear();
        self.buckets.clear();
        for row in rows {
            let value = value(row).unwrap_or(0.0);
            let (amount, bucket) = amount(value, Halvings::at(times[row], half_life));
            self.amounts.push(amount);
            self.buckets.push(bucket);
            self.classes.push(Class::of(value));
        }
        let used = self
            .amounts
            .iter()
            .zip(&self.buckets)
            .map(|(&amount, &bucket)| (amount != 0).then_some(bucket));
        self.ranking.rank(used);
    }

    /// The number of distinct buckets.
    pub(crate) fn buckets(&self) -> usize {
        self.ranking.len()
    }

    /// The absolute number of a bucket, from its rank among the distinct ones.
    pub(crate) fn bucket(&self, rank: usize) -> i64 {
        self.buckets[self.ranking.representative(rank)]
    }

    /// The amount of a row and the rank of its bucket; none if it is zero or not finite.
    pub(crate) fn amount(&self, row: usize) -> Option<(i128, usize)> {
        let amount = self.amounts[row];
        (amount != 0).then(|| (amount, self.ranking.rank_of(row)))
    }

    /// What kind of number a row has.
    pub(crate) fn class(&self, row: usize) -> Class {
        self.classes[row]
    }
}

fn amount(value: f64, halvings: Halvings) -> (i128, i64) {
    if value == 0.0 || !value.is_finite() {
        return (0, 0);
    }
    let (mantissa, exponent) = normalized(value);
    // In [0.5, 2] with 53 significant bits, so a whole number of 2^-53.
    let weighted = mantissa * halvings.fraction.exp2();
    let integer = (weighted * (1_u64 << 53) as f64) as i64;
    let exponent = halvings.whole.saturating_add(exponent - 53);
    in_bucket(integer, exponent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exact::scale;

    #[test]
    fn an_amount_is_the_value_times_its_power_of_two() {
        for (value, days) in [
            (3.7, 100.0),
            (-1e-300, -4.25),
            (1e300, 0.0),
            (1.0, 17_000.3),
        ] {
            let time = (days * 86_400e6) as i64;
            let (amount, bucket) = amount(value, Halvings::at(time, 30.0 * 86_400e6));
            let expected = value * (days / 30.0_f64 - (days / 30.0_f64).floor()).exp2();
            let whole = (days / 30.0_f64).floor() as i64;
            let found = scale(amount as f64, BUCKET * bucket - whole);
            assert!((found / expected - 1.0).abs() < 1e-12, "{found} {expected}");
        }
    }
}
