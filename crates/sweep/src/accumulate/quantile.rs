//! Linear interpolation between the two values nearest to a quantile.

/// Where a quantile lies among `length` sorted values, counted from 0: the position of the value below
/// it, and how far it is from there to the next. The fraction is 0 at the last value.
pub(super) fn position(probability: f64, length: u32) -> (u32, f64) {
    let position = probability * f64::from(length - 1);
    (position.floor() as u32, position.fract())
}

/// The value a fraction of the way from one value to the next. Differences that overflow are taken apart,
/// so that halfway between minus infinity and a number is minus infinity.
pub(super) fn interpolate(low: f64, high: f64, fraction: f64) -> f64 {
    let difference = high - low;
    if low == high || fraction == 0.0 {
        low
    } else if difference.is_finite() {
        low + difference * fraction
    } else {
        low * (1.0 - fraction) + high * fraction
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_reach_from_the_first_to_the_last_value() {
        assert_eq!(position(0.0, 5), (0, 0.0));
        assert_eq!(position(0.5, 4), (1, 0.5));
        assert_eq!(position(1.0, 5), (4, 0.0));
        assert_eq!(position(0.3, 1), (0, 0.0));
    }

    #[test]
    fn infinities_and_large_values_interpolate() {
        assert_eq!(
            interpolate(f64::INFINITY, f64::INFINITY, 0.5),
            f64::INFINITY
        );
        assert_eq!(interpolate(f64::NEG_INFINITY, 1.0, 0.5), f64::NEG_INFINITY);
        assert!(interpolate(f64::NEG_INFINITY, f64::INFINITY, 0.5).is_nan());
        assert_eq!(interpolate(f64::MIN, f64::MAX, 0.5), 0.0);
        assert!(interpolate(1.0, f64::NAN, 0.25).is_nan());
        assert_eq!(interpolate(1.0, f64::NAN, 0.0), 1.0);
    }
}
