//! ROC curves and calibration, read off their points.

use super::metrics::is_rate;
use crate::input::{CalibrationBin, RocCurve, RocPoint};

/// The usable points of a ROC curve.
pub(crate) fn usable_points(curve: &RocCurve) -> Vec<RocPoint> {
    curve
        .points
        .iter()
        .copied()
        .filter(|p| is_rate(p.false_positive_rate) && is_rate(p.true_positive_rate))
        .collect()
}

/// Area under a ROC curve, by the trapezoidal rule.
pub(crate) fn area_under(points: &[RocPoint]) -> f64 {
    points
        .windows(2)
        .map(|pair| {
            let width = pair[1].false_positive_rate - pair[0].false_positive_rate;
            width * (pair[0].true_positive_rate + pair[1].true_positive_rate) / 2.0
        })
        .sum()
}

/// The true positive rate at a false positive rate, between the points of a curve.
pub(crate) fn true_positive_rate_at(points: &[RocPoint], rate: f64) -> Option<f64> {
    let after = points.iter().position(|p| p.false_positive_rate > rate)?;
    let before = points.get(after.checked_sub(1)?)?;
    let next = points.get(after)?;
    let part = (rate - before.false_positive_rate)
        / (next.false_positive_rate - before.false_positive_rate);
    Some(before.true_positive_rate + part * (next.true_positive_rate - before.true_positive_rate))
}

/// How far predictions and outcomes lie apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct CalibrationGap {
    /// Mean distance between predicted and observed, weighted by rows.
    pub(crate) mean_distance: f64,
    /// Mean prediction over all rows.
    pub(crate) predicted: f64,
    /// Observed rate over all rows.
    pub(crate) observed: f64,
}

/// The calibration bins that have rows and rates, from low to high predictions.
pub(crate) fn usable_bins(bins: &[CalibrationBin]) -> Vec<CalibrationBin> {
    let mut usable: Vec<_> = bins
        .iter()
        .copied()
        .filter(|b| b.count > 0 && is_rate(b.mean_predicted) && is_rate(b.observed_rate))
        .collect();
    usable.sort_by(|a, b| a.mean_predicted.total_cmp(&b.mean_predicted));
    usable
}

/// How far predictions and outcomes lie apart over all bins; `None` without bins.
pub(crate) fn calibration_gap(bins: &[CalibrationBin]) -> Option<CalibrationGap> {
    let rows: f64 = bins.iter().map(|b| b.count as f64).sum();
    let mean = |of: fn(&CalibrationBin) -> f64| {
        bins.iter().map(|b| of(b) * b.count as f64).sum::<f64>() / rows
    };
    (rows > 0.0).then(|| CalibrationGap {
        mean_distance: mean(|b| (b.mean_predicted - b.observed_rate).abs()),
        predicted: mean(|b| b.mean_predicted),
        observed: mean(|b| b.observed_rate),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn area_and_rates_are_read_off_a_curve() {
        let points: Vec<RocPoint> = [(0.0, 0.0), (0.0, 0.5), (0.5, 1.0), (1.0, 1.0)]
            .map(|(false_positive_rate, true_positive_rate)| RocPoint {
                false_positive_rate,
                true_positive_rate,
            })
            .to_vec();
        assert!((area_under(&points) - 0.875).abs() < 1e-12);
        assert_eq!(true_positive_rate_at(&points, 0.0), Some(0.5));
        assert_eq!(true_positive_rate_at(&points, 0.25), Some(0.75));
        assert_eq!(true_positive_rate_at(&points, 1.0), None);
        assert_eq!(true_positive_rate_at(&[], 0.1), None);
    }

    #[test]
    fn the_calibration_gap_weighs_bins_by_rows() {
        let bin = |mean_predicted, observed_rate, count| CalibrationBin {
            mean_predicted,
            observed_rate,
            count,
        };
        let bins = usable_bins(&[
            bin(0.5, 0.6, 30),
            bin(0.1, 0.1, 10),
            bin(f64::NAN, 0.1, 10),
            bin(0.9, 0.1, 0),
        ]);
        assert_eq!(bins.len(), 2);
        let gap = calibration_gap(&bins).unwrap();
        assert!((gap.mean_distance - 0.075).abs() < 1e-12);
        assert!((gap.predicted - 0.4).abs() < 1e-12);
        assert!((gap.observed - 0.475).abs() < 1e-12);
        assert_eq!(calibration_gap(&[]), None);
    }
}
