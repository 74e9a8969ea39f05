//! Gauss-Legendre quadrature: the integral of a polynomial as a weighted sum of its values at a few points.

/// A point and its weight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    /// Strictly between 0 and 1.
    pub(crate) at: f64,
    /// Above 0.
    pub(crate) weight: f64,
}

/// Steps of Newton's method; it doubles the right digits at each.
const STEPS: usize = 8;

/// The `count` points whose weighted sum is the integral from 0 to 1 of any polynomial of a degree below `2 count`.
///
/// The points are the roots of the Legendre polynomial, found by Newton's method from their asymptotic places (Abramowitz and
/// Stegun, "Handbook of mathematical functions", 25.4.30 and 22.16.6).
pub(crate) fn gauss_legendre(count: usize) -> Vec<Point> {
    let point = |place: usize| {
        let angle = (place as f64 + 0.75) / (count as f64 + 0.5);
        let mut root = (std::f64::consts::PI * angle).cos();
        for _ in 0..STEPS {
            let (value, slope) = legendre(count, root);
            root -= value / slope;
        }
        let (_, slope) = legendre(count, root);
        Point {
            at: 0.5 + root / 2.0,
            weight: 1.0 / ((1.0 - root * root) * slope * slope),
        }
    };
    (0..count).map(point).collect()
}

/// The Legendre polynomial of degree `degree`, at least 1, and its derivative, strictly between -1 and 1.
fn legendre(degree: usize, x: f64) -> (f64, f64) {
    let (mut before, mut value) = (1.0, x);
    for k in 2..=degree {
        let k = k as f64;
        (before, value) = (
            value,
            ((2.0 * k - 1.0) * x * value - (k - 1.0) * before) / k,
        );
    }
    let slope = degree as f64 * (x * value - before) / (x * x - 1.0);
    (value, slope)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_are_integrated_exactly_up_to_the_promised_degree() {
        for count in 1..40 {
            let points = gauss_legendre(count);
            assert!(points.iter().all(|point| point.at > 0.0 && point.at < 1.0));
            for power in 0..2 * count {
                let terms = points.iter().map(|p| p.weight * p.at.powi(power as i32));
                let (sum, exact) = (terms.sum::<f64>(), 1.0 / (power as f64 + 1.0));
                assert!((sum - exact).abs() < 1e-14, "{count} {power}: {sum}");
            }
        }
    }
}
