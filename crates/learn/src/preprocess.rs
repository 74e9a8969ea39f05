//! From raw features to the standardised columns a linear model can use.

use serde::{Deserialize, Serialize};

use crate::encoding::counted;
use crate::{LearnError, Rows, SavedModel};

/// Columns more skewed than this (third standardised moment, in absolute value) are taken on the signed-log scale.
pub(crate) const HEAVY_TAIL_SKEWNESS: f64 = 2.0;

/// A standard deviation below this share of the largest absolute value is rounding, not variation.
const CONSTANT_SHARE: f64 = 1e-12;

/// A category of fewer training rows than this has no column of its own,
const RARE_ROWS: usize = 10;

/// nor has one with a lower share of the training rows.
const RARE_SHARE: f64 = 0.01;

/// The preprocessing learned from training rows. Of numbers it makes up to two columns:
///
/// - the value: the median where missing; `sign(x) ln(1 + |x|)` if heavy-tailed; clipped to the range seen in training;
/// - whether it is missing.
///
/// Of categories it makes one column for each frequent one (whether it is this), one for all rare ones and those that did not
/// occur in training, and one for a missing one.
///
/// Every column is standardised; one that does not vary in training is dropped, so a feature may have none.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Preprocessor {
    columns: Vec<Column>,
}

/// One output column, and the input feature it is made of.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Column {
    feature: usize,
    kind: Kind,
    mean: f64,
    standard_deviation: f64,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Missing,
    Value {
        median: f64,
        signed_log: bool,
        lowest: f64,
        highest: f64,
    },
    /// The one category that gives 1.
    Category(String),
    /// The categories that give 0; missing ones do too.
    Rare(Vec<String>),
}

impl Preprocessor {
    /// Learns the preprocessing of all features from `rows`, of which there is at least one.
    pub(crate) fn fit(rows: &Rows<'_>) -> Self {
        let mut columns = Vec::new();
        for feature in 0..rows.feature_names().len() {
            if rows.is_categories(feature) {
                columns.extend(category_columns(feature, rows));
                continue;
            }
            let values: Vec<f64> = rows.values(feature).collect();
            columns.extend(value_column(feature, &values));
            columns.extend(indicator(feature, Kind::Missing, rows));
        }
        Self { columns }
    }

    /// Number of output columns.
    pub(crate) fn width(&self) -> usize {
        self.columns.len()
    }

    /// For each output column, the position of its feature among the training features.
    pub(crate) fn features(&self) -> impl Iterator<Item = usize> + '_ {
        self.columns.iter().map(|column| column.feature)
    }

    /// The values of output column `column`; `position` is where `rows` has its feature.
    pub(crate) fn values<'r>(
        &'r self,
        column: usize,
        rows: &'r Rows<'_>,
        position: usize,
    ) -> impl Iterator<Item = f64> + 'r {
        let column = &self.columns[column];
        rows.mapped(
            position,
            |number| column.standardised(column.kind.of_number(number)),
            |category| column.standardised(column.kind.of_category(category)),
        )
    }

    /// Checks that the features of a model, which `rows` has at `positions`, are numbers or categories as in training.
    ///
    /// # Errors
    /// If one is not; the error speaks for `learner`.
    pub(crate) fn check_kinds(
        &self,
        rows: &Rows<'_>,
        positions: &[usize],
        learner: &'static str,
    ) -> Result<(), LearnError> {
        for Column { feature, kind, .. } in &self.columns {
            let position = positions[*feature];
            let categories = match kind {
                Kind::Value { .. } => false,
                Kind::Category(_) | Kind::Rare(_) => true,
                Kind::Missing => continue,
            };
            if categories != rows.is_categories(position) {
                return Err(LearnError::FeatureKind {
                    learner,
                    feature: rows.feature_names()[position].clone(),
                    categories,
                });
            }
        }
        Ok(())
    }

    /// Checks that a preprocessing read from `file` of `saved` fits a model of `features` features.
    pub(crate) fn check(
        &self,
        features: usize,
        saved: &SavedModel,
        file: &str,
    ) -> Result<(), LearnError> {
        match self.features().find(|&feature| feature >= features) {
            Some(_) => Err(saved.unreadable(file, "refers to a feature it does not name")),
            None => Ok(()),
        }
    }
}

impl Column {
    fn standardised(&self, value: f64) -> f64 {
        (value - self.mean) / self.standard_deviation
    }
}

impl Kind {
    fn of_number(&self, value: f64) -> f64 {
        match *self {
            Self::Value {
                median,
                signed_log,
                lowest,
                highest,
            } => {
                let value = if value.is_nan() { median } else { value };
                let value = if signed_log {
                    signed_logarithm(value)
                } else {
                    value
                };
                value.max(lowest).min(highest)
            }
            _ => f64::from(value.is_nan()),
        }
    }

    fn of_category(&self, category: Option<&str>) -> f64 {
        f64::from(match (self, category) {
            (Self::Category(own), Some(category)) => own == category,
            (Self::Rare(frequent), Some(category)) => {
                frequent.iter().all(|frequent| frequent != category)
            }
            (_, category) => matches!(self, Self::Missing) && category.is_none(),
        })
    }
}

fn value_column(feature: usize, values: &[f64]) -> Option<Column> {
    let median = median(values)?;
    let filled = values
        .iter()
        .map(|&value| if value.is_nan() { median } else { value });
    let mut filled: Vec<f64> = filled.collect();
    let signed_log = Moments::of(&filled)?.skewness.abs() > HEAVY_TAIL_SKEWNESS;
    if signed_log {
        filled
            .iter_mut()
            .for_each(|value| *value = signed_logarithm(*value));
    }
    let moments = Moments::of(&filled)?;
    let lowest = filled.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = filled.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    Some(Column {
        feature,
        kind: Kind::Value {
            median,
            signed_log,
            lowest,
            highest,
        },
        mean: moments.mean,
        standard_deviation: moments.standard_deviation,
    })
}

fn category_columns(feature: usize, rows: &Rows<'_>) -> Vec<Column> {
    let fewest = RARE_ROWS.max((RARE_SHARE * rows.len() as f64).ceil() as usize);
    let frequent: Vec<String> = counted(rows, feature)
        .into_iter()
        .take_while(|&(_, count)| count >= fewest)
        .filter_map(|(category, _)| category.map(str::to_owned))
        .collect();
    let own = frequent.iter().cloned().map(Kind::Category);
    own.chain([Kind::Rare(frequent.clone()), Kind::Missing])
        .filter_map(|kind| indicator(feature, kind, rows))
        .collect()
}

/// The column of a kind that gives 1 or 0, if it varies.
fn indicator(feature: usize, kind: Kind, rows: &Rows<'_>) -> Option<Column> {
    let values: Vec<f64> = rows
        .mapped(
            feature,
            |number| kind.of_number(number),
            |category| kind.of_category(category),
        )
        .collect();
    let Moments {
        mean,
        standard_deviation,
        ..
    } = Moments::of(&values)?;
    Some(Column {
        feature,
        kind,
        mean,
        standard_deviation,
    })
}

/// The median of the values that are not missing, or `None` if all are.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut present: Vec<f64> = values
        .iter()
        .copied()
        .filter(|value| !value.is_nan())
        .collect();
    if present.is_empty() {
        return None;
    }
    let middle = present.len() / 2;
    let even = present.len().is_multiple_of(2);
    let (below, &mut upper, _) = present.select_nth_unstable_by(middle, f64::total_cmp);
    let lower = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    Some(if even {
        lower / 2.0 + upper / 2.0
    } else {
        upper
    })
}

/// `sign(x) ln(1 + |x|)`: nearly `x` around 0, a logarithm far from it.
fn signed_logarithm(value: f64) -> f64 {
    value.abs().ln_1p().copysign(value)
}

/// Mean, population standard deviation and skewness of a column that varies.
pub(crate) struct Moments {
    pub(crate) mean: f64,
    pub(crate) standard_deviation: f64,
    pub(crate) skewness: f64,
}

impl Moments {
    /// The moments of `values`, none of which is missing, or `None` if they do not vary.
    pub(crate) fn of(values: &[f64]) -> Option<Self> {
        // In units of the largest absolute value no power overflows.
        let unit = values
            .iter()
            .fold(0.0_f64, |largest, value| largest.max(value.abs()));
        if unit == 0.0 {
            return None;
        }
        let count = values.len() as f64;
        let mean = values.iter().map(|value| value / unit).sum::<f64>() / count;
        let moment = |power: i32| {
            values
                .iter()
                .map(|value| (value / unit - mean).powi(power))
                .sum::<f64>()
                / count
        };
        let deviation = moment(2).sqrt();
        (deviation > CONSTANT_SHARE).then(|| Self {
            mean: mean * unit,
            standard_deviation: deviation * unit,
            skewness: moment(3) / deviation.powi(3),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::Examples;

    fn transform(columns: Vec<Vec<f64>>) -> (Vec<usize>, Vec<Vec<f64>>) {
        let names = (0..columns.len())
            .map(|column| format!("f{column}"))
            .collect();
        let label = vec![None; columns[0].len()];
        let examples = Examples::new(names, columns, label).unwrap();
        let preprocessor = Preprocessor::fit(&examples.all());
        let features: Vec<usize> = preprocessor.features().collect();
        let values = |column: usize| {
            preprocessor
                .values(column, &examples.all(), features[column])
                .collect()
        };
        let values = (0..preprocessor.width()).map(values).collect();
        (features, values)
    }

    #[test]
    fn median_of_odd_even_and_missing() {
        assert_eq!(median(&[3.0, f64::NAN, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(&[f64::MAX, f64::MAX]), Some(f64::MAX));
        assert_eq!(median(&[f64::NAN]), None);
    }

    #[test]
    fn constant_columns_are_dropped_and_missing_ones_indicated() {
        let nan = f64::NAN;
        let (features, values) = transform(vec![
            vec![7.0; 4],
            vec![nan; 4],
            vec![1.0, nan, 3.0, 2.0],
            vec![5.0, nan, nan, 5.0],
        ]);
        assert_eq!(features, [2, 2, 3]);
        let (low, high) = (-1.0 / 0.5_f64.sqrt(), 1.0 / 0.5_f64.sqrt());
        for (value, expected) in values[0].iter().zip([low, 0.0, high, 0.0]) {
            assert!((value - expected).abs() < 1e-12);
        }
        assert_eq!(values[2], [-1.0, 1.0, 1.0, -1.0]);
    }

    #[test]
    fn heavy_tails_are_taken_on_the_signed_log_scale() {
        let mut column = vec![0.0; 50];
        column.extend([1e300, -3.0]);
        let (_, values) = transform(vec![column]);
        let ratio = (values[0][50] - values[0][0]) / (values[0][0] - values[0][51]);
        assert!(
            (ratio - 1e300_f64.ln() / 4.0_f64.ln()).abs() < 1e-9,
            "{ratio}"
        );
    }

    #[test]
    fn values_beyond_the_training_range_are_clipped_to_it() {
        let examples = Examples::new(
            vec!["f".into()],
            vec![vec![1.0, 2.0, 3.0, 1e9, -1e9]],
            vec![None; 5],
        )
        .unwrap();
        let preprocessor = Preprocessor::fit(&examples.rows(&[0, 1, 2]).unwrap());
        let values: Vec<f64> = preprocessor.values(0, &examples.all(), 0).collect();
        assert_eq!((values[3], values[4]), (values[2], values[0]));
    }
}
