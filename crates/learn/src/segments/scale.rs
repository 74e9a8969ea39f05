//! From raw features to comparable ones: robust scaling.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::NAME;
use crate::preprocess::{HEAVY_TAIL_SKEWNESS, Moments, median};
use crate::{LearnError, Rows, SavedModel};

/// Scaled values are clipped to this distance from the median, so that no outlier makes a segment of its own.
const MOST_DEVIATIONS: f64 = 3.0;
/// The interquartile range of a normal distribution, in standard deviations.
const NORMAL_QUARTILES: f64 = 1.349;
/// The range from the 5th to the 95th percentile of a normal distribution, in standard deviations.
const NORMAL_VENTILES: f64 = 3.29;

/// Robust scaling, learned from some rows. Of each feature:
///
/// 1. a missing value becomes the median,
/// 2. a feature that is nowhere negative and heavy-tailed (skewness above 2) becomes `ln(1 + x)`,
/// 3. the median becomes 0, and the interquartile range 1.349, that of the standard normal distribution. Where more than
///    half of the values are equal and that range is 0, the range from the 5th to the 95th percentile takes its place, and
///    where that is 0 too, the standard deviation,
/// 4. values beyond 3 are clipped to 3 on either side.
///
/// A feature that is always missing or always the same tells no rows apart and is left out.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(crate) struct RobustScaler {
    columns: Vec<Column>,
}

/// One scaled feature.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
struct Column {
    /// Position among the features of the model.
    feature: usize,
    /// What stands for a missing value, on the raw scale.
    fill: f64,
    logarithm: bool,
    median: f64,
    scale: f64,
    limit: f64,
    /// Mean of the scaled values.
    mean: f64,
}

impl RobustScaler {
    /// Learns the scaling of the features at `positions` of `rows`, of which there is at least one.
    pub(crate) fn fit(rows: &Rows<'_>, positions: &[usize]) -> Self {
        let columns = positions
            .iter()
            .enumerate()
            .filter_map(|(feature, &position)| {
                let mut values: Vec<f64> = rows.values(position).collect();
                // Sums over sorted values depend on no order of rows.
                values.sort_by(f64::total_cmp);
                Column::fit(feature, &values)
            });
        Self {
            columns: columns.collect(),
        }
    }

    /// Number of scaled features.
    pub(crate) fn width(&self) -> usize {
        self.columns.len()
    }

    /// For each scaled feature, its position among the features of the model.
    pub(crate) fn features(&self) -> impl Iterator<Item = usize> + '_ {
        self.columns.iter().map(|column| column.feature)
    }

    /// For each scaled feature, its mean over the rows that the scaling was learned from.
    pub(crate) fn means(&self) -> Vec<f64> {
        self.columns.iter().map(|column| column.mean).collect()
    }

    /// The scaled rows, one row a row. `positions` says where `rows` has the features of the model.
    pub(crate) fn apply(&self, rows: &Rows<'_>, positions: &[usize]) -> Array2<f64> {
        let mut scaled = Array2::zeros((rows.len(), self.width()));
        for (column, mut target) in self.columns.iter().zip(scaled.columns_mut()) {
            let values = rows.values(positions[column.feature]);
            for (target, value) in target.iter_mut().zip(values) {
                *target = column.apply(value);
            }
        }
        scaled
    }

    /// Checks that a scaling read from `file` of `saved` fits a model of `features` features.
    pub(crate) fn check(
        &self,
        features: usize,
        saved: &SavedModel,
        file: &str,
    ) -> Result<(), LearnError> {
        match self.features().find(|&feature| feature >= features) {
            Some(_) => Err(saved.unreadable(file, "scales a feature it does not name")),
            None if self.columns.iter().all(|column| column.scale > 0.0) => Ok(()),
            None => {
                Err(saved.unreadable(file, &format!("has a scale that is not above 0: {NAME}")))
            }
        }
    }
}

impl Column {
    /// The scaling of a feature from its values in rising order, missing ones anywhere.
    fn fit(feature: usize, values: &[f64]) -> Option<Self> {
        let fill = median(values)?;
        let mut filled: Vec<f64> = values
            .iter()
            .map(|&value| if value.is_nan() { fill } else { value })
            .collect();
        filled.sort_by(f64::total_cmp);
        let moments = Moments::of(&filled)?;
        let logarithm = filled[0] >= 0.0 && moments.skewness > HEAVY_TAIL_SKEWNESS;
        if logarithm {
            filled.iter_mut().for_each(|value| *value = value.ln_1p());
        }
        let mut column = Self {
            feature,
            fill,
            logarithm,
            median: quantile(&filled, 0.5),
            scale: scale(&filled)?,
            limit: MOST_DEVIATIONS,
            mean: 0.0,
        };
        let mut scaled: Vec<f64> = values.iter().map(|&value| column.apply(value)).collect();
        scaled.sort_by(f64::total_cmp);
        column.mean = scaled.iter().sum::<f64>() / scaled.len() as f64;
        Some(column)
    }

    fn apply(&self, value: f64) -> f64 {
        let value = if value.is_nan() { self.fill } else { value };
        // A value below what was seen may be negative, where the logarithm ends.
        let value = if self.logarithm {
            value.max(0.0).ln_1p()
        } else {
            value
        };
        // Adding 0 makes -0 the same as 0.
        ((value - self.median) / self.scale)
            .max(-self.limit)
            .min(self.limit)
            + 0.0
    }
}

/// A robust standard deviation of values in rising order, or `None` if they do not vary.
fn scale(sorted: &[f64]) -> Option<f64> {
    let deviation = Moments::of(sorted)?.standard_deviation;
    let range = |low: f64, high: f64| quantile(sorted, high) - quantile(sorted, low);
    let candidates = [
        range(0.25, 0.75) / NORMAL_QUARTILES,
        range(0.05, 0.95) / NORMAL_VENTILES,
        deviation,
    ];
    // A range that is a rounding error beside the whole is no range.
    candidates
        .into_iter()
        .find(|&scale| scale > deviation * 1e-9)
}

/// The quantile of values in rising order, interpolated (type 7 of Hyndman and Fan, 1996).
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let (below, part) = (sorted[place.floor() as usize], place.fract());
    let above = sorted[place.ceil() as usize];
    below + part * (above - below)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::Examples;

    fn scaled(columns: Vec<Vec<f64>>) -> (RobustScaler, Array2<f64>) {
        let names = (0..columns.len())
            .map(|column| format!("f{column}"))
            .collect();
        let positions: Vec<usize> = (0..columns.len()).collect();
        let label = vec![None; columns[0].len()];
        let examples = Examples::new(names, columns, label).unwrap();
        let scaler = RobustScaler::fit(&examples.all(), &positions);
        let values = scaler.apply(&examples.all(), &positions);
        (scaler, values)
    }

    #[test]
    fn quantiles_interpolate() {
        let values = [1.0, 2.0, 4.0, 8.0];
        assert_eq!(
            [0.0, 0.25, 0.5, 1.0].map(|share| quantile(&values, share)),
            [1.0, 1.75, 3.0, 8.0]
        );
        assert_eq!(quantile(&[5.0], 0.3), 5.0);
    }

    #[test]
    fn median_and_quartiles_become_those_of_the_normal_distribution() {
        let (_, values) = scaled(vec![(0..101).map(f64::from).collect()]);
        assert_eq!(values[[50, 0]], 0.0);
        assert!((values[[75, 0]] - 1.349 / 2.0).abs() < 1e-12);
        assert!((values[[75, 0]] + values[[25, 0]]).abs() < 1e-12);
    }

    #[test]
    fn constant_and_missing_columns_are_left_out_and_gaps_are_medians() {
        let nan = f64::NAN;
        let (scaler, values) = scaled(vec![
            vec![7.0; 5],
            vec![nan; 5],
            vec![1.0, nan, 3.0, 2.0, 9.0],
            vec![4.0, nan, 4.0, nan, 4.0],
        ]);
        assert_eq!(scaler.features().collect::<Vec<_>>(), [2]);
        assert_eq!(
            values[[1, 0]],
            0.0,
            "the median of 1, 2, 3 and 9 with their median"
        );
    }

    #[test]
    fn heavy_tails_become_logarithms_and_outliers_are_clipped() {
        let mut tail: Vec<f64> = (0..99).map(|i| f64::from(i % 10)).collect();
        tail.push(1e6);
        let negative: Vec<f64> = tail.iter().map(|value| value - 1.0).collect();
        let (scaler, values) = scaled(vec![tail, negative]);
        assert!(scaler.columns[0].logarithm && !scaler.columns[1].logarithm);
        assert_eq!((values[[99, 0]], values[[99, 1]]), (3.0, 3.0));
    }

    #[test]
    fn mostly_equal_values_are_scaled_by_wider_ranges() {
        let some = |different: usize| {
            (0..100)
                .map(|i| {
                    if i < different {
                        1.0 + f64::from(i as u32) / 100.0
                    } else {
                        0.0
                    }
                })
                .collect()
        };
        let (scaler, _) = scaled(vec![some(15), some(2)]);
        let ventiles = scaler.columns[0].scale;
        assert!((0.1..1.0).contains(&ventiles), "{ventiles}");
        assert!(scaler.columns[1].scale > 0.0);
        assert!(scaler.means().iter().all(|mean| *mean > 0.0));
    }
}
