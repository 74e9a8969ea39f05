//! A rule: rank by one feature, such as the days since the last sale. What people do without a model.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::coefficients::Coefficients;
use crate::parameters::{describe, require};
use crate::preprocess::{Moments, median};
use crate::probability::sigmoid;
use crate::{
    Contributions, FeatureImportance, LearnError, Learner, Model, Rows, SavedModel, Training,
};

pub(crate) const NAME: &str = "recency";

const FILE: &str = "model.json";

/// L2 penalty on the slope, which keeps it finite where the feature separates the classes.
const L2: f64 = 1.0;

const MAX_ITERATIONS: u64 = 200;

/// The slope never falls below this, so that rows are ranked by the feature even where it taught nothing, or the opposite.
const LOWEST_SLOPE: f64 = 0.01;

/// The log odds of no training row lie further than this from those of the median: closer to 0 or 1, different values would
/// become the same floating-point probability.
const WIDEST_SPAN: f64 = 12.0;

/// Which way the score goes with the feature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The larger the feature, the higher the score.
    #[default]
    Increasing,
    /// The larger the feature, the lower the score.
    Decreasing,
}

/// Parameters of the learner `recency`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RecencyParameters {
    /// The feature to rank by. There is no default.
    pub feature: String,
    /// Which way the score goes with the feature. Default increasing.
    pub direction: Direction,
}

/// The learner `recency`: ranks rows exactly as one feature does, ties as ties, a missing value as the median.
///
/// The score is a probability all the same: a logistic regression on the feature, whose slope is kept in the given direction.
#[derive(Clone, Debug)]
pub struct Recency {
    parameters: RecencyParameters,
}

impl Recency {
    /// The learner with these parameters.
    ///
    /// # Errors
    /// If no feature is named.
    pub fn new(parameters: RecencyParameters) -> Result<Self, LearnError> {
        let feature = &parameters.feature;
        require(
            !feature.is_empty(),
            NAME,
            "feature",
            "``",
            "the name of a feature",
        )?;
        Ok(Self { parameters })
    }
}

impl Learner for Recency {
    fn name(&self) -> &'static str {
        NAME
    }

    fn parameters(&self) -> BTreeMap<String, String> {
        describe(&self.parameters)
    }

    fn fit(&self, training: &Training<'_>, _seed: u64) -> Result<Box<dyn Model>, LearnError> {
        let features = vec![self.parameters.feature.clone()];
        let position = number_position(training, &features)?;
        let values: Vec<f64> = training.values(position).collect();
        let scale = Scale::fit(&values, self.parameters.direction);
        let ranks: Vec<f64> = values.iter().map(|&value| scale.apply(value)).collect();
        let slope = fit_slope(&ranks, training.label())?;
        let intercept = fit_intercept(&ranks, slope, training.base_rate());
        let mean_rank = ranks.iter().sum::<f64>() / ranks.len() as f64;
        Ok(Box::new(RecencyModel {
            features,
            scale,
            slope,
            intercept,
            mean_rank,
        }))
    }
}

/// Where `rows` has the one feature, which must be numbers.
fn number_position(rows: &Rows<'_>, features: &[String]) -> Result<usize, LearnError> {
    let position = rows.positions(features, NAME)?[0];
    if rows.is_categories(position) {
        return Err(LearnError::FeatureKind {
            learner: NAME,
            feature: features[0].clone(),
            categories: false,
        });
    }
    Ok(position)
}

/// A strictly increasing (or decreasing) scale on which outliers lie close: `± asinh((x − median) / standard deviation)`.
#[derive(Debug, Deserialize, Serialize)]
struct Scale {
    median: f64,
    /// Negative if the score decreases with the feature.
    unit: f64,
}

impl Scale {
    fn fit(values: &[f64], direction: Direction) -> Self {
        let present: Vec<f64> = values
            .iter()
            .copied()
            .filter(|value| !value.is_nan())
            .collect();
        let unit = Moments::of(&present).map_or(1.0, |moments| moments.standard_deviation);
        Self {
            median: median(values).unwrap_or(0.0),
            unit: if direction == Direction::Increasing {
                unit
            } else {
                -unit
            },
        }
    }

    fn apply(&self, value: f64) -> f64 {
        if value.is_nan() {
            0.0
        } else {
            ((value - self.median) / self.unit).asinh()
        }
    }
}

fn fit_slope(ranks: &[f64], label: &[bool]) -> Result<f64, LearnError> {
    let widest = ranks
        .iter()
        .fold(0.0_f64, |widest, rank| widest.max(rank.abs()));
    if widest == 0.0 {
        return Ok(LOWEST_SLOPE);
    }
    let fitted = Coefficients::fit(ranks.to_vec(), label, L2, MAX_ITERATIONS)?;
    Ok(fitted.slopes[0].min(WIDEST_SPAN / widest).max(LOWEST_SLOPE))
}

/// The intercept at which the mean score of the training rows is their base rate, by bisection.
fn fit_intercept(ranks: &[f64], slope: f64, base_rate: f64) -> f64 {
    let mean_score = |intercept: f64| {
        let scores = ranks.iter().map(|rank| sigmoid(intercept + slope * rank));
        scores.sum::<f64>() / ranks.len() as f64
    };
    let (mut low, mut high) = (-60.0, 60.0);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if mean_score(middle) < base_rate {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low + high) / 2.0
}

/// A logistic regression on the scaled feature.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct RecencyModel {
    /// The one feature.
    features: Vec<String>,
    scale: Scale,
    slope: f64,
    intercept: f64,
    /// Mean of the scaled feature over the training rows, from which contributions count.
    mean_rank: f64,
}

impl RecencyModel {
    /// The model that was saved.
    pub(crate) fn load(saved: &SavedModel) -> Result<Self, LearnError> {
        let model: Self = saved.parse(FILE)?;
        if model.features.len() == 1 {
            return Ok(model);
        }
        Err(saved.unreadable(FILE, "does not name one feature"))
    }

    fn ranks(&self, rows: &Rows<'_>) -> Result<impl Iterator<Item = f64>, LearnError> {
        let position = number_position(rows, &self.features)?;
        Ok(rows.values(position).map(|value| self.scale.apply(value)))
    }
}

impl Model for RecencyModel {
    fn learner(&self) -> &'static str {
        NAME
    }

    fn features(&self) -> &[String] {
        &self.features
    }

    fn predict(&self, rows: &Rows<'_>) -> Result<Vec<f64>, LearnError> {
        Ok(self
            .ranks(rows)?
            .map(|rank| sigmoid(self.intercept + self.slope * rank))
            .collect())
    }

    fn contributions(&self, rows: &Rows<'_>) -> Result<Contributions, LearnError> {
        let bias = self.intercept + self.slope * self.mean_rank;
        let terms = self
            .ranks(rows)?
            .map(|rank| [self.slope * (rank - self.mean_rank), bias]);
        Ok(Contributions::from_row_major(
            self.features.clone(),
            terms.flatten().collect(),
        ))
    }

    /// The slope on the scaled feature.
    fn importance(&self) -> Result<Vec<FeatureImportance>, LearnError> {
        let feature = self.features[0].clone();
        Ok(vec![FeatureImportance {
            feature,
            importance: self.slope,
        }])
    }

    fn save(&self) -> Result<SavedModel, LearnError> {
        SavedModel::json(NAME, FILE, self)
    }
}
