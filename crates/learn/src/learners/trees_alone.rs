//! What one tree and a forest of independent ones share: leaves that hold shares of positive rows.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::LearnError;
use crate::parameters::{describe, require};

/// LightGBM's parameters of trees whose leaves hold the mean label: least squares on labels from which the base rate was taken.
pub(super) fn mean_of_labels<P: Serialize>(parameters: &P) -> BTreeMap<String, String> {
    let mut parameters = describe(parameters);
    parameters.insert("objective".to_owned(), "regression".to_owned());
    parameters.insert("boost_from_average".to_owned(), "false".to_owned());
    parameters
}

/// Refuses trees that cannot be grown.
pub(super) fn check_shape(
    learner: &'static str,
    num_leaves: u32,
    min_data_in_leaf: u32,
) -> Result<(), LearnError> {
    require(
        (2..=131_072).contains(&num_leaves),
        learner,
        "num_leaves",
        num_leaves,
        "from 2 to 131072",
    )?;
    require(
        (2..=1_000_000_000).contains(&min_data_in_leaf),
        learner,
        "min_data_in_leaf",
        min_data_in_leaf,
        "from 2 to 1000000000",
    )
}

/// Refuses leaves that could be certain.
pub(super) fn check_penalty(learner: &'static str, lambda_l2: f64) -> Result<(), LearnError> {
    require(
        lambda_l2 > 0.0 && lambda_l2.is_finite(),
        learner,
        "lambda_l2",
        lambda_l2,
        "above 0",
    )
}
