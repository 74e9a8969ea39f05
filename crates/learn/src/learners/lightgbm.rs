//! Gradient boosted trees by LightGBM, set up for small data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::parameters::{describe, require};
use crate::trees::{Growth, grow, grow_in_stages};
use crate::{LearnError, Learner, Model, Stage, Training};

pub(crate) const NAME: &str = "lightgbm";

/// Parameters of the learner `lightgbm`, under LightGBM's own names. The defaults are regularised for some thousand rows.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LightgbmParameters {
    /// Number of trees, at least 1. Default 200.
    pub num_iterations: u32,
    /// Shrinkage of each tree, above 0. Default 0.03.
    pub learning_rate: f64,
    /// Most leaves of a tree, from 2 to 131,072. Default 7.
    pub num_leaves: u32,
    /// Greatest depth of a tree; 0 or less is no limit. Default -1.
    pub max_depth: i32,
    /// Most bins into which the values of a feature are counted, from 2 to 65,535. Default 63: as good as LightGBM's own 255 on some
    /// thousand rows, in three quarters of the time.
    pub max_bin: u32,
    /// Fewest training rows of a leaf, at least 2. Default 50.
    pub min_data_in_leaf: u32,
    /// Least summed Hessian of a leaf, not negative. Default 0.001.
    pub min_sum_hessian_in_leaf: f64,
    /// Least gain of a split, not negative. Default 0.
    pub min_gain_to_split: f64,
    /// Share of the features drawn for each tree, above 0 and at most 1. Default 0.5.
    pub feature_fraction: f64,
    /// Share of the rows drawn when bagging, above 0 and at most 1. Default 0.8.
    pub bagging_fraction: f64,
    /// Rows are drawn anew every so many trees; 0 is never. Default 1.
    pub bagging_freq: u32,
    /// L1 penalty on leaf values, not negative. Default 0.
    pub lambda_l1: f64,
    /// L2 penalty on leaf values, not negative. Default 10.
    pub lambda_l2: f64,
    /// Smoothing of leaf values towards their parent's, not negative. Default 0.
    pub path_smooth: f64,
    /// Whether thresholds are drawn at random. Default false.
    pub extra_trees: bool,
    /// Fewest training rows of a category, at least 1: rarer ones are not told apart. Default 100.
    pub min_data_per_group: u32,
    /// Smoothing of a category's part in a split, not negative. Default 10.
    pub cat_smooth: f64,
    /// L2 penalty on the leaves of a split by categories, not negative. Default 10.
    pub cat_l2: f64,
}

impl Default for LightgbmParameters {
    fn default() -> Self {
        Self {
            num_iterations: 200,
            learning_rate: 0.03,
            num_leaves: 7,
            max_depth: -1,
            max_bin: 63,
            min_data_in_leaf: 50,
            min_sum_hessian_in_leaf: 1e-3,
            min_gain_to_split: 0.0,
            feature_fraction: 0.5,
            bagging_fraction: 0.8,
            bagging_freq: 1,
            lambda_l1: 0.0,
            lambda_l2: 10.0,
            path_smooth: 0.0,
            extra_trees: false,
            min_data_per_group: 100,
            cat_smooth: 10.0,
            cat_l2: 10.0,
        }
    }
}

/// The learner `lightgbm`. Missing values need no preprocessing: a split learns on which side they go. Categories are split into
/// two sets; one that did not occur in training is taken for a rare one.
#[derive(Clone, Debug)]
pub struct Lightgbm {
    parameters: LightgbmParameters,
}

impl Lightgbm {
    /// The learner with these parameters.
    ///
    /// # Errors
    /// If a parameter is out of its range.
    pub fn new(parameters: LightgbmParameters) -> Result<Self, LearnError> {
        check(NAME, &parameters)?;
        Ok(Self { parameters })
    }

    fn growth(&self) -> Growth {
        let mut parameters = describe(&self.parameters);
        parameters.insert("objective".to_owned(), "binary".to_owned());
        Growth {
            learner: NAME,
            trees: self.parameters.num_iterations,
            log_odds: true,
            parameters,
        }
    }
}

/// Refuses parameters of trees, of `learner`, that are out of their range.
pub(super) fn check(
    learner: &'static str,
    parameters: &LightgbmParameters,
) -> Result<(), LearnError> {
    check_trees(learner, parameters)?;
    check_shares_and_penalties(learner, parameters)
}

fn check_trees(learner: &'static str, parameters: &LightgbmParameters) -> Result<(), LearnError> {
    let whole = |name, value: u32, lowest: u32, highest: u32| {
        let expected = match highest {
            u32::MAX => format!("at least {lowest}"),
            _ => format!("from {lowest} to {highest}"),
        };
        require(
            (lowest..=highest).contains(&value),
            learner,
            name,
            value,
            &expected,
        )
    };
    whole("num_iterations", parameters.num_iterations, 1, 1_000_000)?;
    whole("num_leaves", parameters.num_leaves, 2, 131_072)?;
    whole("max_bin", parameters.max_bin, 2, 65_535)?;
    whole(
        "min_data_in_leaf",
        parameters.min_data_in_leaf,
        2,
        1_000_000_000,
    )?;
    whole(
        "min_data_per_group",
        parameters.min_data_per_group,
        1,
        1_000_000_000,
    )?;
    whole("bagging_freq", parameters.bagging_freq, 0, 1_000_000)
}

fn check_shares_and_penalties(
    learner: &'static str,
    parameters: &LightgbmParameters,
) -> Result<(), LearnError> {
    let rate = parameters.learning_rate;
    require(
        rate > 0.0 && rate.is_finite(),
        learner,
        "learning_rate",
        rate,
        "above 0",
    )?;
    for (name, share) in [
        ("feature_fraction", parameters.feature_fraction),
        ("bagging_fraction", parameters.bagging_fraction),
    ] {
        require(
            share > 0.0 && share <= 1.0,
            learner,
            name,
            share,
            "above 0 and at most 1",
        )?;
    }
    for (name, penalty) in [
        (
            "min_sum_hessian_in_leaf",
            parameters.min_sum_hessian_in_leaf,
        ),
        ("min_gain_to_split", parameters.min_gain_to_split),
        ("lambda_l1", parameters.lambda_l1),
        ("lambda_l2", parameters.lambda_l2),
        ("path_smooth", parameters.path_smooth),
        ("cat_smooth", parameters.cat_smooth),
        ("cat_l2", parameters.cat_l2),
    ] {
        require(
            penalty >= 0.0 && penalty.is_finite(),
            learner,
            name,
            penalty,
            "0 or more",
        )?;
    }
    Ok(())
}

impl Learner for Lightgbm {
    fn name(&self) -> &'static str {
        NAME
    }

    fn parameters(&self) -> BTreeMap<String, String> {
        describe(&self.parameters)
    }

    fn fit(&self, training: &Training<'_>, seed: u64) -> Result<Box<dyn Model>, LearnError> {
        Ok(Box::new(grow(&self.growth(), training, seed)?))
    }

    /// A stage each 25 trees, until the log loss of `validation` has not fallen for 100.
    fn stages(
        &self,
        training: &Training<'_>,
        validation: &Training<'_>,
        seed: u64,
    ) -> Result<Vec<Stage>, LearnError> {
        grow_in_stages(&self.growth(), training, validation, seed)
    }
}
