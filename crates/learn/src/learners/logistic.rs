//! Logistic regression on preprocessed features.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::coefficients::Coefficients;
use crate::parameters::{describe, require};
use crate::preprocess::Preprocessor;
use crate::probability::sigmoid;
use crate::{
    Contributions, FeatureImportance, LearnError, Learner, Model, Rows, SavedModel, Training,
};

pub(crate) const NAME: &str = "logistic_regression";

const FILE: &str = "model.json";

/// Parameters of the learner `logistic_regression`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LogisticRegressionParameters {
    /// Strength of the L2 penalty on the standardised coefficients, above 0: `l2 / 2 · Σ coefficient²` is added to the summed log
    /// loss (the inverse of scikit-learn's `C`). The default, 100, suits some hundred correlated features; a few want less.
    pub l2: f64,
    /// Most iterations of the solver, at least 1. Default 500.
    pub max_iterations: u64,
}

impl Default for LogisticRegressionParameters {
    fn default() -> Self {
        Self {
            l2: 100.0,
            max_iterations: 500,
        }
    }
}

/// The learner `logistic_regression`.
///
/// Missing values become the median plus an indicator, heavy-tailed features go to the signed-log scale, values are clipped
/// to the training range and standardised, and features that do not vary are left out. Categories become indicators, the rare
/// ones and those that did not occur in training one together.
#[derive(Clone, Debug)]
pub struct LogisticRegression {
    parameters: LogisticRegressionParameters,
}

impl LogisticRegression {
    /// The learner with these parameters.
    ///
    /// # Errors
    /// If a parameter is out of its range.
    pub fn new(parameters: LogisticRegressionParameters) -> Result<Self, LearnError> {
        let LogisticRegressionParameters { l2, max_iterations } = parameters;
        require(l2 > 0.0 && l2.is_finite(), NAME, "l2", l2, "above 0")?;
        require(
            max_iterations > 0,
            NAME,
            "max_iterations",
            max_iterations,
            "at least 1",
        )?;
        Ok(Self { parameters })
    }
}

impl Learner for LogisticRegression {
    fn name(&self) -> &'static str {
        NAME
    }

    fn parameters(&self) -> BTreeMap<String, String> {
        describe(&self.parameters)
    }

    fn fit(&self, training: &Training<'_>, _seed: u64) -> Result<Box<dyn Model>, LearnError> {
        let preprocessor = Preprocessor::fit(training);
        let features = preprocessor.features().enumerate();
        let columns = features
            .flat_map(|(column, feature)| preprocessor.values(column, training, feature))
            .collect();
        let LogisticRegressionParameters { l2, max_iterations } = self.parameters;
        let Coefficients { intercept, slopes } =
            Coefficients::fit(columns, training.label(), l2, max_iterations)?;
        let features = training.feature_names().to_vec();
        Ok(Box::new(LogisticModel {
            features,
            preprocessor,
            intercept,
            coefficients: slopes,
        }))
    }
}

/// A logistic regression: a coefficient for each column of the preprocessing.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct LogisticModel {
    features: Vec<String>,
    preprocessor: Preprocessor,
    intercept: f64,
    coefficients: Vec<f64>,
}

impl LogisticModel {
    /// The model that was saved.
    pub(crate) fn load(saved: &SavedModel) -> Result<Self, LearnError> {
        let model: Self = saved.parse(FILE)?;
        model
            .preprocessor
            .check(model.features.len(), saved, FILE)?;
        if model.coefficients.len() == model.preprocessor.width() {
            return Ok(model);
        }
        Err(saved.unreadable(FILE, "does not have one coefficient a column"))
    }

    /// For each column, its feature and its term in the log odds of each row.
    fn terms<'r>(
        &'r self,
        rows: &'r Rows<'_>,
    ) -> Result<impl Iterator<Item = (usize, impl Iterator<Item = f64> + 'r)> + 'r, LearnError>
    {
        let positions = rows.positions(&self.features, NAME)?;
        self.preprocessor.check_kinds(rows, &positions, NAME)?;
        let columns = self
            .preprocessor
            .features()
            .zip(&self.coefficients)
            .enumerate();
        Ok(columns.map(move |(column, (feature, coefficient))| {
            let values = self.preprocessor.values(column, rows, positions[feature]);
            (feature, values.map(move |value| coefficient * value))
        }))
    }
}

impl Model for LogisticModel {
    fn learner(&self) -> &'static str {
        NAME
    }

    fn features(&self) -> &[String] {
        &self.features
    }

    fn predict(&self, rows: &Rows<'_>) -> Result<Vec<f64>, LearnError> {
        let mut log_odds = vec![self.intercept; rows.len()];
        for (_, terms) in self.terms(rows)? {
            log_odds
                .iter_mut()
                .zip(terms)
                .for_each(|(sum, term)| *sum += term);
        }
        Ok(log_odds.into_iter().map(sigmoid).collect())
    }

    fn contributions(&self, rows: &Rows<'_>) -> Result<Contributions, LearnError> {
        let width = self.features.len() + 1;
        let mut values = vec![0.0; rows.len() * width];
        for (feature, terms) in self.terms(rows)? {
            for (row, term) in values.chunks_exact_mut(width).zip(terms) {
                row[feature] += term;
            }
        }
        for row in values.chunks_exact_mut(width) {
            row[width - 1] = self.intercept;
        }
        Ok(Contributions::from_row_major(self.features.clone(), values))
    }

    /// The absolute coefficients of a feature's standardised columns, added up.
    fn importance(&self) -> Result<Vec<FeatureImportance>, LearnError> {
        let mut importance = vec![0.0; self.features.len()];
        for (feature, coefficient) in self.preprocessor.features().zip(&self.coefficients) {
            importance[feature] += coefficient.abs();
        }
        let named = self.features.iter().cloned().zip(importance);
        Ok(named
            .map(|(feature, importance)| FeatureImportance {
                feature,
                importance,
            })
            .collect())
    }

    fn save(&self) -> Result<SavedModel, LearnError> {
        SavedModel::json(NAME, FILE, self)
    }
}
