//! A random forest by LightGBM's engine.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::trees_alone::{check_penalty, check_shape, mean_of_labels};
use crate::parameters::{describe, require};
use crate::trees::{Growth, grow};
use crate::{LearnError, Learner, Model, Training};

pub(crate) const NAME: &str = "random_forest";

/// Parameters of the learner `random_forest`, under LightGBM's own names.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RandomForestParameters {
    /// Number of trees, at least 1. Default 100.
    pub num_iterations: u32,
    /// Most leaves of a tree, from 2 to 131,072. Default 63.
    pub num_leaves: u32,
    /// Greatest depth of a tree; 0 or less is no limit. Default -1.
    pub max_depth: i32,
    /// Fewest training rows of a leaf, at least 2. Default 10.
    pub min_data_in_leaf: u32,
    /// Share of the rows drawn for each tree, without replacement, above 0 and below 1. Default 0.632, the share of
    /// different rows in a sample with replacement.
    pub bagging_fraction: f64,
    /// Share of the features drawn for each split, above 0 and at most 1; 0 draws as many as the square root of the
    /// number of those that vary.
    /// Default 0.
    pub feature_fraction_bynode: f64,
    /// So many rows of the base rate are added to each leaf, above 0: a leaf of one class is not certain. Default 1.
    pub lambda_l2: f64,
}

impl Default for RandomForestParameters {
    fn default() -> Self {
        Self {
            num_iterations: 100,
            num_leaves: 63,
            max_depth: -1,
            min_data_in_leaf: 10,
            bagging_fraction: 0.632,
            feature_fraction_bynode: 0.0,
            lambda_l2: 1.0,
        }
    }
}

/// The learner `random_forest`: the mean of trees that each see other rows, and at each split other features (Breiman, "Random
/// forests", 2001).
///
/// The score is the mean of the trees, each of which says the share of positive training rows of the leaf. Missing values and
/// categories are treated as by [`DecisionTree`](crate::DecisionTree).
#[derive(Clone, Debug)]
pub struct RandomForest {
    parameters: RandomForestParameters,
}

impl RandomForest {
    /// The learner with these parameters.
    ///
    /// # Errors
    /// If a parameter is out of its range.
    pub fn new(parameters: RandomForestParameters) -> Result<Self, LearnError> {
        check_shape(NAME, parameters.num_leaves, parameters.min_data_in_leaf)?;
        check_penalty(NAME, parameters.lambda_l2)?;
        let (trees, rows) = (parameters.num_iterations, parameters.bagging_fraction);
        require(
            (1..=1_000_000).contains(&trees),
            NAME,
            "num_iterations",
            trees,
            "from 1 to 1000000",
        )?;
        require(
            rows > 0.0 && rows < 1.0,
            NAME,
            "bagging_fraction",
            rows,
            "above 0 and below 1",
        )?;
        let share = parameters.feature_fraction_bynode;
        require(
            (0.0..=1.0).contains(&share),
            NAME,
            "feature_fraction_bynode",
            share,
            "from 0 to 1",
        )?;
        Ok(Self { parameters })
    }
}

impl Learner for RandomForest {
    fn name(&self) -> &'static str {
        NAME
    }

    fn parameters(&self) -> BTreeMap<String, String> {
        describe(&self.parameters)
    }

    fn fit(&self, training: &Training<'_>, seed: u64) -> Result<Box<dyn Model>, LearnError> {
        let mut parameters = mean_of_labels(&self.parameters);
        if self.parameters.feature_fraction_bynode == 0.0 {
            let features = 0..training.feature_names().len();
            let varying = features.filter(|&feature| training.varies(feature)).count();
            let share = 1.0 / (varying.max(1) as f64).sqrt();
            parameters.insert("feature_fraction_bynode".to_owned(), share.to_string());
        }
        parameters.insert("boosting".to_owned(), "rf".to_owned());
        parameters.insert("bagging_freq".to_owned(), "1".to_owned());
        let growth = Growth {
            learner: NAME,
            trees: self.parameters.num_iterations,
            log_odds: false,
            parameters,
        };
        Ok(Box::new(grow(&growth, training, seed)?))
    }
}
