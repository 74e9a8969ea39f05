//! Integers of any width, for sums that do not fit 128 bits: little-endian 64-bit limbs.

use super::scale;

/// A signed integer of fixed width in two's complement.
#[derive(Default)]
pub(crate) struct Wide {
    limbs: Vec<u64>,
}

impl Wide {
    /// Becomes zero, wide enough for magnitudes of so many bits.
    pub(crate) fn begin(&mut self, bits: u32) {
        self.limbs.clear();
        self.limbs.resize(bits as usize / 64 + 1, 0);
    }

    /// Adds `magnitude * 2^shift`, or subtracts it.
    pub(crate) fn add(&mut self, magnitude: u128, shift: u32, subtract: bool) {
        let bit = shift % 64;
        let low = magnitude << bit;
        let high = magnitude.checked_shr(128 - bit).unwrap_or(0);
        let pieces = [low as u64, (low >> 64) as u64, high as u64];
        let mut carry = false;
        for (index, limb) in self.limbs[shift as usize / 64..].iter_mut().enumerate() {
            if index >= pieces.len() && !carry {
                break;
            }
            let piece = pieces.get(index).copied().unwrap_or(0);
            (*limb, carry) = if subtract {
                difference(*limb, piece, carry)
            } else {
                total(*limb, piece, carry)
            };
        }
    }

    /// The integer times `2^unit`, rounded to the nearest float. `magnitude` is memory to work in.
    pub(crate) fn in_units_of(&self, unit: i64, magnitude: &mut Vec<u64>) -> f64 {
        let negative = self.magnitude(magnitude);
        let (value, exponent) = rounded(magnitude);
        let number = scale(value, exponent + unit);
        if negative { -number } else { number }
    }

    /// Writes the absolute value and tells whether the integer is negative.
    pub(crate) fn magnitude(&self, into: &mut Vec<u64>) -> bool {
        into.clear();
        let negative = self.limbs.last().is_some_and(|&limb| limb >> 63 == 1);
        into.extend_from_slice(&self.limbs);
        if negative {
            into.iter_mut().for_each(|limb| *limb = 0);
            subtract(into, &self.limbs);
        }
        negative
    }
}

fn total(left: u64, right: u64, carry: bool) -> (u64, bool) {
    let (sum, first) = left.overflowing_add(right);
    let (sum, second) = sum.overflowing_add(u64::from(carry));
    (sum, first | second)
}

fn difference(left: u64, right: u64, borrow: bool) -> (u64, bool) {
    let (difference, first) = left.overflowing_sub(right);
    let (difference, second) = difference.overflowing_sub(u64::from(borrow));
    (difference, first | second)
}

/// Writes the product of two unsigned integers.
pub(crate) fn multiply(left: &[u64], right: &[u64], into: &mut Vec<u64>) {
    into.clear();
    into.resize(left.len() + right.len(), 0);
    for (offset, &factor) in left.iter().enumerate() {
        let mut carry = 0;
        for (limb, &other) in into[offset..].iter_mut().zip(right) {
            let sum = u128::from(factor) * u128::from(other) + u128::from(*limb) + carry;
            *limb = sum as u64;
            carry = sum >> 64;
        }
        into[offset + right.len()] = carry as u64;
    }
}

/// Subtracts an unsigned integer from one that is at least as large.
pub(crate) fn subtract(left: &mut [u64], right: &[u64]) {
    let mut borrow = false;
    for (index, limb) in left.iter_mut().enumerate() {
        (*limb, borrow) = difference(*limb, right.get(index).copied().unwrap_or(0), borrow);
    }
}

/// An unsigned integer rounded to the nearest float, ties to even, as `value * 2^exponent`. The value is
/// 0 or in `[2^63, 2^64]`, so that equal numbers give equal pairs up to a shift.
pub(crate) fn rounded(limbs: &[u64]) -> (f64, i64) {
    let Some(top) = limbs.iter().rposition(|&limb| limb != 0) else {
        return (0.0, 0);
    };
    let shift = limbs[top].leading_zeros();
    let below = if top > 0 { limbs[top - 1] } else { 0 };
    let pair = (u128::from(limbs[top]) << 64 | u128::from(below)) << shift;
    let lost = pair as u64 != 0 || limbs[..top.saturating_sub(1)].iter().any(|&limb| limb != 0);
    let leading = (pair >> 64) as u64 | u64::from(lost);
    (leading as f64, 64 * top as i64 - i64::from(shift))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(wide: &Wide) -> f64 {
        let mut limbs = Vec::new();
        let negative = wide.magnitude(&mut limbs);
        let (value, exponent) = rounded(&limbs);
        crate::exact::scale(if negative { -value } else { value }, exponent)
    }

    #[test]
    fn adding_and_subtracting_carries_over_limbs() {
        let mut wide = Wide::default();
        wide.begin(300);
        wide.add(1, 0, true);
        assert_eq!(value(&wide), -1.0);
        wide.add(1, 200, false);
        assert_eq!(value(&wide), 2_f64.powi(200));
        wide.add(1, 200, true);
        wide.add(u128::MAX, 63, false);
        wide.add(u128::MAX, 63, true);
        wide.add(1, 0, false);
        assert_eq!(value(&wide), 0.0);
    }

    #[test]
    fn rounding_breaks_ties_to_even_and_sees_every_bit() {
        let tie = (1_u64 << 63) | (1 << 10);
        assert_eq!(rounded(&[0, tie]), (2_f64.powi(63), 64));
        assert_eq!(rounded(&[1, tie]), (2_f64.powi(63) + 2048.0, 64));
        assert_eq!(rounded(&[0, 0, 1]), (2_f64.powi(63), 65));
        assert_eq!(rounded(&[0, 0]), (0.0, 0));
    }

    #[test]
    fn products_and_differences_are_exact() {
        let (mut square, all) = (Vec::new(), [u64::MAX, u64::MAX]);
        multiply(&all, &all, &mut square);
        assert_eq!(square, [1, 0, u64::MAX - 1, u64::MAX]);
        subtract(&mut square, &[2]);
        assert_eq!(square, [u64::MAX, u64::MAX, u64::MAX - 2, u64::MAX]);
    }
}
