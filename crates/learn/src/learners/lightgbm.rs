//! Gradient boosted trees by LightGBM, set up for small data.

mod library;
mod model;

use std::collections::BTreeMap;

use lightgbm3::{Booster, Dataset};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::library::{library_names, silence, width};
pub(crate) use self::model::LightgbmModel;
use crate::parameters::{describe, fields, require};
use crate::{LearnError, Learner, Model, Training};

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
    /// Fewest training rows of a leaf, at least 2. LightGBM never splits a feature that has fewer than 20 rows on either side
    /// of every threshold, whatever is set here. Default 50.
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
}

impl Default for LightgbmParameters {
    fn default() -> Self {
        Self {
            num_iterations: 200,
            learning_rate: 0.03,
            num_leaves: 7,
            max_depth: -1,
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
        }
    }
}

/// The learner `lightgbm`. Missing values need no preprocessing: a split learns on which side they go.
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
        check_trees(&parameters)?;
        check_shares_and_penalties(&parameters)?;
        Ok(Self { parameters })
    }

    /// The parameters as LightGBM takes them. One thread a fit: the fits themselves run side by side.
    fn library_parameters(&self, seed: u64) -> Value {
        let mut parameters = fields(&self.parameters);
        let fixed = json!({
            "objective": "binary",
            "metric": "none",
            "seed": seed % (1 << 31),
            "deterministic": true,
            "force_col_wise": true,
            "num_threads": 1,
            "verbosity": -1,
        });
        parameters.extend(fields(&fixed));
        Value::Object(parameters)
    }
}

fn check_trees(parameters: &LightgbmParameters) -> Result<(), LearnError> {
    let whole = |name, value: u32, lowest: u32, highest: u32| {
        let expected = match highest {
            u32::MAX => format!("at least {lowest}"),
            _ => format!("from {lowest} to {highest}"),
        };
        require(
            (lowest..=highest).contains(&value),
            NAME,
            name,
            value,
            &expected,
        )
    };
    whole("num_iterations", parameters.num_iterations, 1, 1_000_000)?;
    whole("num_leaves", parameters.num_leaves, 2, 131_072)?;
    whole(
        "min_data_in_leaf",
        parameters.min_data_in_leaf,
        2,
        1_000_000_000,
    )?;
    whole("bagging_freq", parameters.bagging_freq, 0, 1_000_000)
}

fn check_shares_and_penalties(parameters: &LightgbmParameters) -> Result<(), LearnError> {
    let rate = parameters.learning_rate;
    require(
        rate > 0.0 && rate.is_finite(),
        NAME,
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
            NAME,
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
    ] {
        require(
            penalty >= 0.0 && penalty.is_finite(),
            NAME,
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
        let features = training.feature_names().to_vec();
        if features.is_empty() {
            return Err(LearnError::NoFeatures { learner: NAME });
        }
        silence()?;
        let positions: Vec<usize> = (0..features.len()).collect();
        let values = training.column_major(&positions);
        let label: Vec<f32> = training
            .label()
            .iter()
            .map(|&positive| f32::from(u8::from(positive)))
            .collect();
        let mut dataset = Dataset::from_slice(&values, &label, width(&features)?, false)?;
        dataset.set_feature_names(&library_names(&features))?;
        let booster = Booster::train(dataset, &self.library_parameters(seed))?;
        let text = booster.save_string()?;
        Ok(Box::new(LightgbmModel { features, text }))
    }
}
