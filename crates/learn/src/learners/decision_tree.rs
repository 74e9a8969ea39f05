//! One classification tree by LightGBM's engine: what can be read, and what forests and boosting are held against.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::trees_alone::{check_penalty, check_shape, mean_of_labels};
use crate::parameters::describe;
use crate::trees::{Growth, grow};
use crate::{LearnError, Learner, Model, Training};

pub(crate) const NAME: &str = "decision_tree";

/// Parameters of the learner `decision_tree`, under LightGBM's own names.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DecisionTreeParameters {
    /// Most leaves, from 2 to 131,072. Default 15.
    pub num_leaves: u32,
    /// Greatest depth; 0 or less is no limit. Default -1.
    pub max_depth: i32,
    /// Fewest training rows of a leaf, at least 2. Default 50.
    pub min_data_in_leaf: u32,
    /// So many rows of the base rate are added to each leaf, above 0: a leaf of one class is not certain. Default 1.
    pub lambda_l2: f64,
}

impl Default for DecisionTreeParameters {
    fn default() -> Self {
        Self {
            num_leaves: 15,
            max_depth: -1,
            min_data_in_leaf: 50,
            lambda_l2: 1.0,
        }
    }
}

/// The learner `decision_tree`: a tree that splits by the largest reduction of the squared error (which is that of the Gini
/// impurity), leaf by leaf (Breiman, Friedman, Olshen and Stone, "Classification and regression trees", 1984).
///
/// The score is the share of positive training rows of the leaf. A missing value goes to the side that a split learned for it;
/// categories are split into two sets, and one that did not occur in training is taken for a rare one.
#[derive(Clone, Debug)]
pub struct DecisionTree {
    parameters: DecisionTreeParameters,
}

impl DecisionTree {
    /// The learner with these parameters.
    ///
    /// # Errors
    /// If a parameter is out of its range.
    pub fn new(parameters: DecisionTreeParameters) -> Result<Self, LearnError> {
        check_shape(NAME, parameters.num_leaves, parameters.min_data_in_leaf)?;
        check_penalty(NAME, parameters.lambda_l2)?;
        Ok(Self { parameters })
    }
}

impl Learner for DecisionTree {
    fn name(&self) -> &'static str {
        NAME
    }

    fn parameters(&self) -> BTreeMap<String, String> {
        describe(&self.parameters)
    }

    fn fit(&self, training: &Training<'_>, _seed: u64) -> Result<Box<dyn Model>, LearnError> {
        let mut parameters = mean_of_labels(&self.parameters);
        parameters.insert("learning_rate".to_owned(), "1".to_owned());
        let growth = Growth {
            learner: NAME,
            trees: 1,
            log_odds: false,
            parameters,
        };
        Ok(Box::new(grow(&growth, training, 0)?))
    }
}
