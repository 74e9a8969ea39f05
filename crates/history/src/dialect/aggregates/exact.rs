//! Exact sums of floats, rounded once.

use num_bigint::{BigInt, Sign};

/// The exact sum of some floats. It depends on which values are added, never on their order.
///
/// Up to two parts that do not overlap hold almost every sum; more parts (Shewchuk, "Adaptive precision
/// floating-point arithmetic", 1997) hold any sum that stays far from overflow, and an integer the rest.
#[derive(Debug, Default, Clone)]
pub(super) struct ExactSum {
    low: f64,
    high: f64,
    more: Option<Box<More>>,
}

#[derive(Debug, Default, Clone)]
struct More {
    /// What `low` and `high` do not hold, in ascending order of magnitude; it lies above them.
    parts: Vec<f64>,
    /// In units of the smallest float above 0.
    wide: BigInt,
    not_a_number: i64,
    positive_infinity: i64,
    negative_infinity: i64,
}

/// Numbers below this, and sums below [`LARGE_SUM`], cannot overflow when they are added.
const LARGE: f64 = f64::from_bits((1023 + 1000) << 52);
const LARGE_SUM: f64 = f64::from_bits((1023 + 1020) << 52);

impl ExactSum {
    /// The sum of some values.
    pub(super) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut sum = Self::default();
        values.into_iter().for_each(|value| sum.add(value));
        sum
    }

    pub(super) fn add(&mut self, value: f64) {
        if value.abs() < LARGE {
            self.add_small(value);
        } else {
            self.more.get_or_insert_default().add_large(value, 1);
        }
    }

    /// Takes back a value that was added.
    pub(super) fn subtract(&mut self, value: f64) {
        if value.abs() < LARGE {
            self.add_small(-value);
        } else {
            self.more.get_or_insert_default().add_large(value, -1);
        }
    }

    fn add_small(&mut self, value: f64) {
        let (carry, lowest) = two_sum(value, self.low);
        let (high, middle) = two_sum(carry, self.high);
        match &mut self.more {
            None if lowest == 0.0 && high.abs() < LARGE_SUM => {
                (self.low, self.high) = (middle, high);
            }
            None if middle == 0.0 && high.abs() < LARGE_SUM => {
                (self.low, self.high) = (lowest, high);
            }
            more => {
                more.get_or_insert_default().add_part(high);
                (self.low, self.high) = match middle == 0.0 {
                    true => (0.0, lowest),
                    false => (lowest, middle),
                };
            }
        }
    }

    /// The nearest float, ties to even; infinite and NaN where the values say so.
    pub(super) fn rounded(&self) -> f64 {
        let Some(more) = &self.more else {
            return self.low + self.high;
        };
        if let Some(special) = more.special() {
            return special;
        }
        if more.wide.sign() != Sign::NoSign {
            let parts = self.parts().map(integer);
            return nearest(&(parts.sum::<BigInt>() + &more.wide), SMALLEST);
        }
        rounded_parts(&self.parts().collect::<Vec<_>>())
    }

    /// Floats that have the same sum, for another sum to take in.
    pub(super) fn terms(&self) -> Vec<f64> {
        let mut terms: Vec<f64> = self.parts().filter(|part| *part != 0.0).collect();
        if let Some(more) = &self.more {
            let counts = [
                (more.not_a_number, f64::NAN),
                (more.positive_infinity, f64::INFINITY),
                (more.negative_infinity, f64::NEG_INFINITY),
            ];
            terms.extend(
                counts
                    .iter()
                    .filter(|(n, _)| *n > 0)
                    .map(|(_, value)| value),
            );
            let mut rest = more.wide.clone();
            while rest.sign() != Sign::NoSign {
                let nearest = nearest(&rest, SMALLEST).clamp(f64::MIN, f64::MAX);
                rest -= integer(nearest);
                terms.push(nearest);
            }
        }
        terms
    }

    /// Bytes on the heap.
    pub(super) fn heap_size(&self) -> usize {
        self.more.as_ref().map_or(0, |more| {
            size_of::<More>() + more.parts.capacity() * size_of::<f64>()
        })
    }

    fn parts(&self) -> impl Iterator<Item = f64> {
        let more = self.more.iter().flat_map(|more| more.parts.iter().copied());
        [self.low, self.high].into_iter().chain(more)
    }
}

impl More {
    fn add_part(&mut self, part: f64) {
        let mut carry = part;
        let mut kept = 0;
        for i in 0..self.parts.len() {
            let (sum, rest) = two_sum(carry, self.parts[i]);
            if rest != 0.0 {
                self.parts[kept] = rest;
                kept += 1;
            }
            carry = sum;
        }
        self.parts.truncate(kept);
        if carry.abs() < LARGE_SUM {
            self.parts.push(carry);
        } else {
            self.wide += integer(carry);
        }
    }

    fn add_large(&mut self, value: f64, times: i64) {
        if value.is_nan() {
            self.not_a_number += times;
        } else if value == f64::INFINITY {
            self.positive_infinity += times;
        } else if value == f64::NEG_INFINITY {
            self.negative_infinity += times;
        } else {
            self.wide += integer(value) * times;
        }
    }

    fn special(&self) -> Option<f64> {
        let specials = (self.positive_infinity > 0, self.negative_infinity > 0);
        match specials {
            _ if self.not_a_number > 0 => Some(f64::NAN),
            (true, true) => Some(f64::NAN),
            (true, false) => Some(f64::INFINITY),
            (false, true) => Some(f64::NEG_INFINITY),
            (false, false) => None,
        }
    }
}

/// A sum and what it lacks of the exact one (Knuth).
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let of_b = sum - a;
    (sum, (a - (sum - of_b)) + (b - of_b))
}

/// The nearest float to a sum of parts in ascending order that do not overlap. Where the sum of the upper
/// ones lies halfway between two floats, the sign of the next one decides.
fn rounded_parts(parts: &[f64]) -> f64 {
    let mut parts = parts.iter().copied().filter(|part| *part != 0.0).rev();
    let mut high = parts.next().unwrap_or(0.0);
    for part in parts.by_ref() {
        let (sum, rest) = two_sum(high, part);
        high = sum;
        if rest != 0.0 {
            let same_side = parts
                .next()
                .is_some_and(|next| (next > 0.0) == (rest > 0.0));
            let further = sum + 2.0 * rest;
            if same_side && further - sum == 2.0 * rest {
                high = further;
            }
            break;
        }
    }
    high
}

/// The exponent of two of the smallest float above 0.
pub(super) const SMALLEST: i64 = -1074;

/// A finite float as an integer in units of the smallest one above 0.
fn integer(value: f64) -> BigInt {
    let (magnitude, exponent) = decompose(value);
    let integer = BigInt::from(magnitude) << (exponent - SMALLEST);
    if value < 0.0 { -integer } else { integer }
}

/// A finite float as `(magnitude, exponent)`: `magnitude * 2^exponent` without its sign.
pub(super) fn decompose(value: f64) -> (u64, i64) {
    let bits = value.to_bits();
    let fraction = bits & ((1 << 52) - 1);
    match ((bits >> 52) & 0x7ff) as i64 {
        0 => (fraction, SMALLEST),
        exponent => (fraction | 1 << 52, exponent - 1075),
    }
}

/// The float nearest to `integer * 2^exponent`, ties to even. One that would be subnormal has to be exact.
pub(super) fn nearest(integer: &BigInt, exponent: i64) -> f64 {
    let (mantissa, shift) = leading(integer);
    scale(mantissa, shift + exponent)
}

/// The nearest float to an integer, as one of at most 64 bits times a power of two.
pub(super) fn leading(integer: &BigInt) -> (f64, i64) {
    let magnitude = integer.magnitude();
    let shift = magnitude.bits().saturating_sub(64);
    let lost = magnitude
        .trailing_zeros()
        .is_some_and(|zeros| zeros < shift);
    let top = (magnitude >> shift).iter_u64_digits().next().unwrap_or(0);
    // A bit far below the last one that counts tells that the rest is not zero.
    let value = (top | u64::from(lost)) as f64;
    let signed = match integer.sign() {
        Sign::Minus => -value,
        _ => value,
    };
    (signed, shift as i64)
}

/// `value * 2^exponent`.
pub(super) fn scale(mut value: f64, exponent: i64) -> f64 {
    let mut exponent = exponent.clamp(-4096, 4096);
    while exponent > 1000 {
        value *= power_of_two(1000);
        exponent -= 1000;
    }
    while exponent < -1000 {
        value *= power_of_two(-1000);
        exponent += 1000;
    }
    value * power_of_two(exponent)
}

fn power_of_two(exponent: i64) -> f64 {
    f64::from_bits(((exponent + 1023) as u64) << 52)
}
