//! The vocabulary of learning: a [`Learner`] is fitted to rows and gives a [`Model`].

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::calibrated::{calibrated, calibration_of};
use crate::learners::baseline::{Baseline, BaselineModel};
use crate::learners::blend::{Blend, BlendModel};
use crate::learners::decision_tree::DecisionTree;
use crate::learners::duration::{Duration, DurationModel};
use crate::learners::lightgbm::Lightgbm;
use crate::learners::logistic::{LogisticModel, LogisticRegression};
use crate::learners::random_forest::RandomForest;
use crate::learners::recency::{Recency, RecencyModel};
use crate::learners::{
    baseline, blend, decision_tree, duration, lightgbm, logistic, random_forest, recency,
};
use crate::trees::Ensemble;
use crate::{Calibration, Contributions, LearnError, Rows, SavedModel, Training};

/// A way to learn a model from examples. Its parameters were checked when it was made.
pub trait Learner: Send + Sync {
    /// The name of the learner, one of [`LEARNERS`].
    fn name(&self) -> &'static str;

    /// All parameters by name, defaults included, as text.
    fn parameters(&self) -> BTreeMap<String, String>;

    /// Fits a model to the training rows. Preprocessing is learned from these rows too, and is part of the model.
    ///
    /// The same rows in the same order and the same seed give the same model.
    ///
    /// # Errors
    /// If a feature the learner needs is not there, or the library behind the learner refuses.
    fn fit(&self, training: &Training<'_>, seed: u64) -> Result<Box<dyn Model>, LearnError>;

    /// The scores of `validation` at each stage of a model's growth on `training`, which ends when it no longer gains by it.
    ///
    /// A learner whose models do not grow has one stage: that of [`fit`](Learner::fit).
    ///
    /// # Errors
    /// As [`fit`](Learner::fit).
    fn stages(
        &self,
        training: &Training<'_>,
        validation: &Training<'_>,
        seed: u64,
    ) -> Result<Vec<Stage>, LearnError> {
        Ok(vec![Stage {
            parameters: BTreeMap::new(),
            scores: self.fit(training, seed)?.predict(validation)?,
        }])
    }

    /// Itself, if it is a blend of others: a backtest then combines the scores of those it has fitted anyway.
    fn as_blend(&self) -> Option<&Blend> {
        None
    }
}

/// A model on its way.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// The parameters with which the learner would fit the model of this stage, as far as they differ from its own.
    pub parameters: BTreeMap<String, Value>,
    /// The scores of the rows to validate on.
    pub scores: Vec<f64>,
}

/// A fitted model: scores rows, explains scores, and can be stored.
///
/// Rows are matched by feature name: other features may be there too, in any order.
pub trait Model: Send + Sync {
    /// The name of the learner that made it.
    fn learner(&self) -> &'static str;

    /// The features it was fitted to, in training order.
    fn features(&self) -> &[String];

    /// The probability of the positive class of each row.
    ///
    /// # Errors
    /// If a feature the model needs is not there.
    fn predict(&self, rows: &Rows<'_>) -> Result<Vec<f64>, LearnError>;

    /// What each feature adds to the log odds of each row's score.
    ///
    /// # Errors
    /// If a feature the model needs is not there.
    fn contributions(&self, rows: &Rows<'_>) -> Result<Contributions, LearnError>;

    /// How much the model relies on each feature, on a scale of the learner's own; in the order of
    /// [`features`](Model::features).
    ///
    /// # Errors
    /// If the library behind the model refuses.
    fn importance(&self) -> Result<Vec<FeatureImportance>, LearnError>;

    /// How its scores are calibrated, if they are.
    fn calibration(&self) -> Calibration {
        Calibration::None
    }

    /// The model as files; [`load`] gives back a model with exactly the same predictions.
    ///
    /// # Errors
    /// If the model cannot be written out.
    fn save(&self) -> Result<SavedModel, LearnError>;
}

/// How much a model relies on one feature.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FeatureImportance {
    /// The feature.
    pub feature: String,
    /// Its importance, not negative. Compare within one model only.
    pub importance: f64,
}

/// The names of all learners.
pub const LEARNERS: [&str; 8] = [
    baseline::NAME,
    recency::NAME,
    logistic::NAME,
    decision_tree::NAME,
    random_forest::NAME,
    lightgbm::NAME,
    blend::NAME,
    duration::NAME,
];

/// The learner of this name, with `overrides` in place of its default parameters.
///
/// # Errors
/// If there is no such learner, it has no such parameter, or a parameter cannot have this value.
pub fn learner(
    name: &str,
    overrides: &BTreeMap<String, Value>,
) -> Result<Box<dyn Learner>, LearnError> {
    use crate::parameters::parse;
    Ok(match name {
        baseline::NAME => Box::new(Baseline::new(parse(baseline::NAME, overrides)?)),
        recency::NAME => Box::new(Recency::new(parse(recency::NAME, overrides)?)?),
        logistic::NAME => Box::new(LogisticRegression::new(parse(logistic::NAME, overrides)?)?),
        decision_tree::NAME => Box::new(DecisionTree::new(parse(decision_tree::NAME, overrides)?)?),
        random_forest::NAME => Box::new(RandomForest::new(parse(random_forest::NAME, overrides)?)?),
        lightgbm::NAME => Box::new(Lightgbm::new(parse(lightgbm::NAME, overrides)?)?),
        duration::NAME => Box::new(Duration::new(parse(duration::NAME, overrides)?)?),
        blend::NAME => Box::new(Blend::new(parse(blend::NAME, overrides)?)?),
        _ => return Err(unknown_learner(name)),
    })
}

/// The model that was saved. It predicts exactly what it predicted before.
///
/// # Errors
/// If its learner is unknown, or a file is missing or cannot be read.
pub fn load(saved: &SavedModel) -> Result<Box<dyn Model>, LearnError> {
    let model: Box<dyn Model> = match saved.learner.as_str() {
        baseline::NAME => Box::new(BaselineModel::load(saved)?),
        recency::NAME => Box::new(RecencyModel::load(saved)?),
        logistic::NAME => Box::new(LogisticModel::load(saved)?),
        decision_tree::NAME => Box::new(Ensemble::load(decision_tree::NAME, saved)?),
        random_forest::NAME => Box::new(Ensemble::load(random_forest::NAME, saved)?),
        lightgbm::NAME => Box::new(Ensemble::load(lightgbm::NAME, saved)?),
        duration::NAME => Box::new(DurationModel::load(saved)?),
        blend::NAME => Box::new(BlendModel::load(saved)?),
        name => return Err(unknown_learner(name)),
    };
    Ok(calibrated(model, calibration_of(saved)?))
}

fn unknown_learner(name: &str) -> LearnError {
    LearnError::UnknownLearner {
        name: name.to_owned(),
        known: LEARNERS.to_vec(),
    }
}
