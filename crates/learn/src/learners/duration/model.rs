//! The fitted model: typical durations by trees, held against promises.

use serde::{Deserialize, Serialize};

use super::NAME;
use super::log_logistic::LogLogistic;
use crate::preprocess::median;
use crate::probability::sigmoid;
use crate::trees::Ensemble;
use crate::{Contributions, FeatureImportance, LearnError, Model, Rows, SavedModel};

const FILE: &str = "duration.json";

/// The second derivative of the loss of a row that ended, on average over what is likely, on the scale of the trees: the mean of
/// `2 p (1 - p)` over all shares `p`.
const MEAN_CURVATURE: f64 = 1.0 / 3.0;

/// How promises are read, and what they are like in training.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(super) struct Promises {
    /// The feature that holds the promised days.
    feature: String,
    /// Shorter promises are taken for this long, in days.
    shortest: f64,
    /// What a missing promise is taken for, in days: the median of the training rows.
    median: f64,
    /// Mean of the logarithms of the promised days.
    mean_log: f64,
    /// Variance of the logarithms of the promised days.
    variance_log: f64,
}

impl Promises {
    /// The promises of `rows` in `feature`.
    ///
    /// # Errors
    /// If there is no such feature, or it is not numbers.
    pub(super) fn fit(feature: &str, rows: &Rows<'_>, shortest: f64) -> Result<Self, LearnError> {
        let mut promises = Self {
            feature: feature.to_owned(),
            shortest,
            median: shortest,
            mean_log: 0.0,
            variance_log: 0.0,
        };
        let position = promises.position(rows)?;
        let days: Vec<f64> = rows.values(position).collect();
        promises.median = median(&days).unwrap_or(shortest);
        let logs = promises.log_days(rows)?;
        let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / logs.len() as f64;
        promises.mean_log = mean(&mut logs.iter().copied());
        let squares = logs.iter().map(|log| (log - promises.mean_log).powi(2));
        promises.variance_log = mean(&mut squares.into_iter());
        Ok(promises)
    }

    /// The logarithm of the promised days of each row.
    ///
    /// # Errors
    /// If the feature is not there, or is not numbers.
    pub(super) fn log_days(&self, rows: &Rows<'_>) -> Result<Vec<f64>, LearnError> {
        let log = |days: f64| {
            let days = if days.is_nan() { self.median } else { days };
            days.max(self.shortest).ln()
        };
        Ok(rows.values(self.position(rows)?).map(log).collect())
    }

    fn position(&self, rows: &Rows<'_>) -> Result<usize, LearnError> {
        let position = rows.positions(std::slice::from_ref(&self.feature), NAME)?[0];
        match rows.is_categories(position) {
            false => Ok(position),
            true => Err(LearnError::FeatureKind {
                learner: NAME,
                feature: self.feature.clone(),
                categories: false,
            }),
        }
    }
}

/// What is stored beside the trees.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Description {
    promises: Promises,
    /// The logarithm of the typical days is this and the sum of the trees.
    intercept: f64,
    /// By how much the log odds of a late outcome rise with the logarithm of typical over promised days; above 0.
    steepness: f64,
    /// Number of training rows.
    rows: usize,
}

/// Trees that give the logarithm of the typical days, and the distribution around it.
#[derive(Debug)]
pub(crate) struct DurationModel {
    trees: Ensemble,
    description: Description,
}

impl DurationModel {
    pub(super) fn new(trees: Ensemble, promises: Promises, loss: &LogLogistic) -> Self {
        Self {
            trees,
            description: Description {
                promises,
                intercept: loss.intercept(),
                steepness: loss.steepness(),
                rows: loss.len(),
            },
        }
    }

    /// The model that was saved.
    pub(crate) fn load(saved: &SavedModel) -> Result<Self, LearnError> {
        let description: Description = saved.parse(FILE)?;
        let trees = Ensemble::load(NAME, saved)?;
        if !trees.features().contains(&description.promises.feature) {
            return Err(saved.unreadable(FILE, "names a promise that is no feature of the trees"));
        }
        let sound = [description.steepness, description.promises.shortest];
        match sound.iter().all(|number| *number > 0.0) {
            true => Ok(Self { trees, description }),
            false => Err(saved.unreadable(FILE, "holds a number that is not above 0")),
        }
    }

    /// The place of the promise among the features.
    fn promise(&self) -> Option<usize> {
        let feature = &self.description.promises.feature;
        self.features().iter().position(|name| name == feature)
    }
}

impl Model for DurationModel {
    fn learner(&self) -> &'static str {
        NAME
    }

    fn features(&self) -> &[String] {
        self.trees.features()
    }

    fn predict(&self, rows: &Rows<'_>) -> Result<Vec<f64>, LearnError> {
        let Description {
            promises,
            intercept,
            steepness,
            ..
        } = &self.description;
        let sums = self.trees.predict(rows)?;
        let promised = promises.log_days(rows)?;
        let late = sums.iter().zip(promised);
        Ok(late
            .map(|(sum, promised)| sigmoid(steepness * (intercept + sum - promised)))
            .collect())
    }

    /// Exact TreeSHAP values of the typical duration, times the steepness; to that of the promise is added what it says itself: by how
    /// much its logarithm differs from the mean in training.
    fn contributions(&self, rows: &Rows<'_>) -> Result<Contributions, LearnError> {
        let Description {
            promises,
            intercept,
            steepness,
            ..
        } = &self.description;
        let typical = self.trees.contributions(rows)?;
        let promised = promises.log_days(rows)?;
        let width = self.features().len() + 1;
        let mut values = Vec::with_capacity(rows.len() * width);
        for (row, promised) in promised.iter().enumerate() {
            let start = values.len();
            values.extend(typical.row(row).iter().map(|value| steepness * value));
            if let Some(place) = self.promise() {
                values[start + place] -= steepness * (promised - promises.mean_log);
            }
            values.push(steepness * (typical.bias(row) + intercept - promises.mean_log));
        }
        Ok(Contributions::from_row_major(
            self.features().to_vec(),
            values,
        ))
    }

    /// The summed gain of the splits on each feature; to that of the promise is added what trees would gain that found for
    /// themselves what it says.
    fn importance(&self) -> Result<Vec<FeatureImportance>, LearnError> {
        let mut importance = self.trees.importance()?;
        let Description { promises, rows, .. } = &self.description;
        if let Some(place) = self.promise() {
            let own = *rows as f64 * MEAN_CURVATURE * promises.variance_log;
            importance[place].importance += own;
        }
        Ok(importance)
    }

    fn save(&self) -> Result<SavedModel, LearnError> {
        let mut saved = self.trees.save()?;
        let mut own = SavedModel::json(NAME, FILE, &self.description)?;
        saved.files.append(&mut own.files);
        Ok(saved)
    }
}
