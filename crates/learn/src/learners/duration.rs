//! Time to the outcome against the promised one, by boosted trees that learn from rows without an outcome too.

mod log_logistic;
mod model;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use self::log_logistic::LogLogistic;
pub(crate) use self::model::DurationModel;
use self::model::Promises;
use super::lightgbm::{LightgbmParameters, check};
use crate::metrics::row_log_loss;
use crate::parameters::{describe, require};
use crate::trees::{Growth, grow_along, grow_along_in_stages};
use crate::{LearnError, Learner, Model, Stage, Training};

pub(crate) const NAME: &str = "duration";

/// Parameters of the learner `duration`; those of trees are under LightGBM's own names.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DurationParameters {
    /// The feature that holds the promised days, from the start of a row. There is no default.
    pub promise: String,
    /// Number of trees, at least 1. Default 150.
    pub num_iterations: u32,
    /// Shrinkage of each tree, above 0. Default 0.1.
    pub learning_rate: f64,
    /// Most leaves of a tree, from 2 to 131,072. Default 15.
    pub num_leaves: u32,
    /// Greatest depth of a tree; 0 or less is no limit. Default -1.
    pub max_depth: i32,
    /// Fewest training rows of a leaf, at least 2. Default 50.
    pub min_data_in_leaf: u32,
    /// Share of the features drawn for each tree, above 0 and at most 1. Default 0.4.
    pub feature_fraction: f64,
    /// Share of the rows drawn when bagging, above 0 and at most 1. Default 0.7.
    pub bagging_fraction: f64,
    /// Rows are drawn anew every so many trees; 0 is never. Default 1.
    pub bagging_freq: u32,
    /// L2 penalty on leaf values, not negative. Default 10.
    pub lambda_l2: f64,
    /// Most bins of a number, from 2 to 65,535. Default 63.
    pub max_bin: u32,
    /// Fewest training rows of a category, at least 1: rarer ones are not told apart. Default 100.
    pub min_data_per_group: u32,
    /// Smoothing of a category's part in a split, not negative. Default 10.
    pub cat_smooth: f64,
    /// L2 penalty on the leaves of a split by categories, not negative. Default 10.
    pub cat_l2: f64,
}

impl Default for DurationParameters {
    fn default() -> Self {
        Self {
            promise: String::new(),
            num_iterations: 150,
            learning_rate: 0.1,
            num_leaves: 15,
            max_depth: -1,
            min_data_in_leaf: 50,
            feature_fraction: 0.4,
            bagging_fraction: 0.7,
            bagging_freq: 1,
            lambda_l2: 10.0,
            max_bin: 63,
            min_data_per_group: 100,
            cat_smooth: 10.0,
            cat_l2: 10.0,
        }
    }
}

impl DurationParameters {
    fn trees(&self) -> LightgbmParameters {
        LightgbmParameters {
            num_iterations: self.num_iterations,
            learning_rate: self.learning_rate,
            num_leaves: self.num_leaves,
            max_depth: self.max_depth,
            min_data_in_leaf: self.min_data_in_leaf,
            feature_fraction: self.feature_fraction,
            bagging_fraction: self.bagging_fraction,
            bagging_freq: self.bagging_freq,
            lambda_l2: self.lambda_l2,
            max_bin: self.max_bin,
            min_data_per_group: self.min_data_per_group,
            cat_smooth: self.cat_smooth,
            cat_l2: self.cat_l2,
            ..LightgbmParameters::default()
        }
    }
}

/// The learner `duration`: the score is the probability that a row takes longer than was promised.
///
/// It is a log-logistic model of accelerated failure time (Kalbfleisch and Prentice, "The statistical analysis of failure time data",
/// 2002, chapter 2): the logarithm of the duration is that of a typical duration, which trees give, plus noise of the logistic
/// distribution, whose spread is fitted too. A row whose outcome was not seen by the moment of training counts as one that takes
/// longer than it has been going on, so that the latest rows can be learned from and the slow ones among them are not left out.
/// The log odds of a late outcome are then the difference between the logarithms of the typical and of the promised duration,
/// divided by the spread.
#[derive(Clone, Debug)]
pub struct Duration {
    parameters: DurationParameters,
}

impl Duration {
    /// The learner with these parameters.
    ///
    /// # Errors
    /// If no promise is named, or a parameter is out of its range.
    pub fn new(parameters: DurationParameters) -> Result<Self, LearnError> {
        require(
            !parameters.promise.is_empty(),
            NAME,
            "promise",
            "``",
            "the name of a feature",
        )?;
        check(NAME, &parameters.trees())?;
        Ok(Self { parameters })
    }

    fn growth(&self) -> Growth {
        let mut parameters = describe(&self.parameters.trees());
        parameters.insert("objective".to_owned(), "custom".to_owned());
        Growth {
            learner: NAME,
            trees: self.parameters.num_iterations,
            log_odds: false,
            parameters,
        }
    }
}

impl Learner for Duration {
    fn name(&self) -> &'static str {
        NAME
    }

    fn parameters(&self) -> BTreeMap<String, String> {
        describe(&self.parameters)
    }

    fn fit(&self, training: &Training<'_>, seed: u64) -> Result<Box<dyn Model>, LearnError> {
        let observed = training.observed()?;
        let mut loss = LogLogistic::new(&observed.observations)?;
        let promises = Promises::fit(&self.parameters.promise, &observed.rows, loss.shortest())?;
        let trees = grow_along(&self.growth(), &observed.rows, &mut loss, seed)?;
        Ok(Box::new(DurationModel::new(trees, promises, &loss)))
    }

    /// A stage each 25 trees, until the log loss of `validation` has not fallen for 100.
    fn stages(
        &self,
        training: &Training<'_>,
        validation: &Training<'_>,
        seed: u64,
    ) -> Result<Vec<Stage>, LearnError> {
        let observed = training.observed()?;
        let mut loss = LogLogistic::new(&observed.observations)?;
        let promises = Promises::fit(&self.parameters.promise, &observed.rows, loss.shortest())?;
        let promised = promises.log_days(validation)?;
        let judge = |loss: &LogLogistic, sums: Vec<f64>| {
            let late = sums.iter().zip(&promised);
            let scores: Vec<f64> = late
                .map(|(sum, promised)| loss.exceeds(*sum, *promised))
                .collect();
            let labelled = scores.iter().zip(validation.label());
            let total: f64 = labelled
                .map(|(score, label)| row_log_loss(*score, *label))
                .sum();
            (scores, total)
        };
        let (growth, rows) = (self.growth(), &observed.rows);
        grow_along_in_stages(&growth, rows, &mut loss, validation, seed, judge)
    }
}
