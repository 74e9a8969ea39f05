//! Numbers as integers in units of a power of two, so that adding and removing them is exact.

pub(crate) mod wide;

use std::ops::Range;

use crate::column::Numbers;

/// What kind of number a float is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Finite,
    NotANumber,
    PositiveInfinity,
    NegativeInfinity,
}

impl Class {
    pub(crate) fn of(value: f64) -> Self {
        if value.is_finite() {
            Class::Finite
        } else if value.is_nan() {
            Class::NotANumber
        } else if value > 0.0 {
            Class::PositiveInfinity
        } else {
            Class::NegativeInfinity
        }
    }
}

/// How many of the active values are not finite, kept apart from the sum of those that are.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Specials {
    not_a_number: u32,
    positive_infinity: u32,
    negative_infinity: u32,
}

impl Specials {
    pub(crate) fn enter(&mut self, class: Class) {
        if let Some(count) = self.count(class) {
            *count += 1;
        }
    }

    pub(crate) fn leave(&mut self, class: Class) {
        if let Some(count) = self.count(class) {
            *count -= 1;
        }
    }

    /// Adds so many values of a kind.
    pub(crate) fn add(&mut self, class: Class, values: i128) {
        if let Some(count) = self.count(class) {
            *count = count.saturating_add(u32::try_from(values).unwrap_or(u32::MAX));
        }
    }

    fn count(&mut self, class: Class) -> Option<&mut u32> {
        match class {
            Class::Finite => None,
            Class::NotANumber => Some(&mut self.not_a_number),
            Class::PositiveInfinity => Some(&mut self.positive_infinity),
            Class::NegativeInfinity => Some(&mut self.negative_infinity),
        }
    }

    /// The sum, where it does not depend on the finite values.
    pub(crate) fn sum(self) -> Option<f64> {
        match (
            self.not_a_number,
            self.positive_infinity,
            self.negative_infinity,
        ) {
            (0, 0, 0) => None,
            (0, _, 0) => Some(f64::INFINITY),
            (0, 0, _) => Some(f64::NEG_INFINITY),
            _ => Some(f64::NAN),
        }
    }
}

/// A finite number: `magnitude * 2^shift` units, negative or not.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Term {
    pub(crate) magnitude: u64,
    pub(crate) shift: u32,
    pub(crate) negative: bool,
}

/// The numbers of one entity's rows as integers in a unit that all of them are whole multiples of.
#[derive(Default)]
pub(crate) struct FixedPoint {
    unit: i32,
    width: u32,
    rows: u32,
    narrow: Vec<i128>,
    terms: Vec<Term>,
    classes: Vec<Class>,
}

impl FixedPoint {
    /// Reads the numbers of some rows; `valid` tells which of them are not NULL. Single terms are kept
    /// if asked for, or if sums do not fit 128 bits.
    pub(crate) fn read(
        &mut self,
        numbers: &Numbers,
        rows: Range<usize>,
        valid: impl Fn(usize) -> bool,
        terms: bool,
    ) {
        self.narrow.clear();
        self.terms.clear();
        self.classes.clear();
        self.rows = u32::BITS - (rows.len() as u32).leading_zeros();
        match numbers {
            Numbers::Float(values) => {
                let value = |row| if valid(row) { values[row] } else { 0.0 };
                self.read_floats(rows.map(value), terms);
            }
            Numbers::Integer(values) => {
                (self.unit, self.width) = (0, u64::BITS);
                self.terms.extend(rows.map(|row| Term {
                    magnitude: if valid(row) {
                        values[row].unsigned_abs()
                    } else {
                        0
                    },
                    shift: 0,
                    negative: values[row] < 0,
                }));
            }
        }
    }

    fn read_floats(&mut self, values: impl Iterator<Item = f64> + Clone, terms: bool) {
        let (mut low, mut high) = (i32::MAX, i32::MIN);
        let mut all_finite = true;
        for value in values.clone() {
            all_finite &= value.is_finite();
            let (magnitude, exponent) = decompose(value);
            if magnitude != 0 {
                low = low.min(exponent);
                high = high.max(exponent + (u64::BITS - magnitude.leading_zeros()) as i32);
            }
        }
        (self.unit, self.width) = if low < high {
            (low, (high - low) as u32)
        } else {
            (0, 0)
        };
        if !all_finite {
            self.classes.extend(values.clone().map(Class::of));
        }
        let unit = self.unit;
        if self.is_narrow() {
            self.narrow
                .extend(values.clone().map(|value| integer_in(unit, value)));
        }
        if terms || !self.is_narrow() {
            self.terms.extend(values.map(|value| term_in(unit, value)));
        }
    }

    /// Whether every sum of the numbers fits 128 bits.
    pub(crate) fn is_narrow(&self) -> bool {
        self.width + self.rows <= 126
    }

    /// The exponent of two of the unit.
    pub(crate) fn unit(&self) -> i32 {
        self.unit
    }

    /// The bits that the sum of all numbers' magnitudes, each to the given power, takes at most.
    pub(crate) fn sum_bits(&self, power: u32) -> u32 {
        power * self.width + self.rows
    }

    /// The number of a row in units; only if [`FixedPoint::is_narrow`].
    pub(crate) fn narrow(&self, row: usize) -> i128 {
        self.narrow[row]
    }

    /// The number of a row in units; 0 for one that is not finite.
    pub(crate) fn term(&self, row: usize) -> Term {
        self.terms[row]
    }

    /// What kind of number a row has.
    pub(crate) fn class(&self, row: usize) -> Class {
        self.classes.get(row).copied().unwrap_or(Class::Finite)
    }
}

/// A float as an odd integer times a power of two; zero for what is not finite.
fn decompose(value: f64) -> (u64, i32) {
    let (magnitude, exponent) = significand(value);
    let zeros = magnitude.trailing_zeros();
    (
        magnitude.checked_shr(zeros).unwrap_or(0),
        exponent + zeros as i32,
    )
}

/// The integer significand of a float and its exponent of two; zero for what is not finite.
fn significand(value: f64) -> (u64, i32) {
    let bits = value.to_bits();
    let fraction = bits & ((1 << 52) - 1);
    match ((bits >> 52) & 0x7ff) as i32 {
        0x7ff => (0, 0),
        0 => (fraction, -1074),
        exponent => (fraction | 1 << 52, exponent - 1075),
    }
}

/// Bits of exponent that share a bucket: numbers of one bucket are integers in the same unit, `2^(BUCKET_BITS * bucket)`,
/// below `2^(54 + BUCKET_BITS)`, so that the sum of 2^40 of them fits 128 bits.
pub(crate) const BUCKET_BITS: u32 = 32;

/// `integer * 2^exponent` as an integer in the unit of its bucket, and the number of that.
pub(crate) fn in_bucket(integer: i64, exponent: i64) -> (i128, i64) {
    let width = i64::from(BUCKET_BITS);
    (
        i128::from(integer) << exponent.rem_euclid(width),
        exponent.div_euclid(width),
    )
}

/// A finite float as an integer in the unit of its bucket, and the number of that.
pub(crate) fn bucketed(value: f64) -> (i128, i64) {
    let (magnitude, exponent) = significand(value);
    let integer = magnitude as i64;
    let integer = if value < 0.0 { -integer } else { integer };
    in_bucket(integer, i64::from(exponent))
}

fn term_in(unit: i32, value: f64) -> Term {
    let (magnitude, exponent) = decompose(value);
    let shift = if magnitude == 0 {
        0
    } else {
        (exponent - unit) as u32
    };
    Term {
        magnitude,
        shift,
        negative: value < 0.0,
    }
}

fn integer_in(unit: i32, value: f64) -> i128 {
    let term = term_in(unit, value);
    let integer = i128::from(term.magnitude) << term.shift;
    if term.negative { -integer } else { integer }
}

/// A finite float other than zero as a number in `[0.5, 1)`, with its sign, and an exponent of two.
pub(crate) fn normalized(value: f64) -> (f64, i64) {
    let (magnitude, exponent) = significand(value);
    let length = u64::BITS - magnitude.leading_zeros();
    let mantissa = scale(magnitude as f64, -i64::from(length));
    (
        mantissa.copysign(value),
        i64::from(exponent) + i64::from(length),
    )
}

/// `value * 2^exponent`, correct to the last bit unless the result is subnormal.
pub(crate) fn scale(value: f64, exponent: i64) -> f64 {
    // Beyond this, even the smallest number overflows and the largest integer sum vanishes.
    let mut exponent = exponent.clamp(-8192, 8192) as i32;
    let mut value = value;
    while exponent < -1022 {
        value *= f64::MIN_POSITIVE;
        exponent += 1022;
    }
    while exponent > 1023 {
        value *= power_of_two(1023);
        exponent -= 1023;
    }
    value * power_of_two(exponent)
}

fn power_of_two(exponent: i32) -> f64 {
    f64::from_bits(((exponent + 1023) as u64) << 52)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_apart_and_together_again() {
        for value in [1.0, -12.99, 5e-324, f64::MAX, f64::MIN_POSITIVE, -3.0e-310] {
            let (magnitude, exponent) = decompose(value);
            assert_eq!(scale(magnitude as f64, i64::from(exponent)), value.abs());
            let (mantissa, exponent) = normalized(value);
            assert!((0.5..1.0).contains(&mantissa.abs()), "{mantissa}");
            assert_eq!(scale(mantissa, exponent), value);
        }
    }

    #[test]
    fn scaling_leaves_the_range_at_both_ends() {
        assert_eq!(scale(1.0, i64::MAX), f64::INFINITY);
        assert_eq!(scale(-1.0, i64::MIN), 0.0);
        assert_eq!(scale(1.0, -1074), 5e-324);
    }
}
