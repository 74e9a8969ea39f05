//! Learners behind one trait, backtest, metrics, explanation of scores, paired bootstrap comparison, and segments.
//!
//! The crate takes plain arrays and gives plain arrays back: it knows nothing of files, tables or dates.
//! A learner is made by name with [`learner()`], fitted to [`Training`] rows, and gives a [`Model`] whose
//! scores are probabilities of the positive class.
//!
//! ```
//! use std::collections::BTreeMap;
//! use safra_learn::{Examples, Training, learner};
//!
//! let days_since_last_sale = vec![2.0, 40.0, 5.0, 33.0, f64::NAN, 38.0];
//! let churned = [false, true, false, true, false, true].map(Some).to_vec();
//! let examples = Examples::new(vec!["days_since_last_sale".into()], vec![days_since_last_sale], churned)?;
//!
//! let learner = learner("logistic_regression", &BTreeMap::new())?;
//! let model = learner.fit(&Training::new(examples.all())?, 0)?;
//! let scores = model.predict(&examples.all())?;
//! assert!(scores[1] > scores[0]);
//! # Ok::<(), safra_learn::LearnError>(())
//! ```
//!
//! Everything is deterministic: one seed gives the same bytes for any number of threads.

mod backtest;
mod bootstrap;
mod calibrated;
mod calibration;
mod calibration_choice;
mod coefficients;
mod column;
mod comparison;
mod contributions;
mod curves;
mod drift;
mod durations;
mod encoding;
mod error;
mod examples;
mod fitting;
mod intervals;
mod learner;
mod learners;
mod metrics;
mod parameters;
mod preprocess;
mod probability;
mod random;
mod sample;
mod saved_model;
mod scored;
mod search_space;
mod segments;
mod training;
mod trees;
mod tuning;

pub use backtest::{Backtest, BacktestPredictions, BacktestRow, LearnerMeans, Split, backtest};
pub use bootstrap::{
    Comparison, EvaluationRows, Interval, Resampling, compare, confidence_interval,
};
pub use calibrated::calibrated;
pub use calibration::{Calibration, CalibrationMethod};
pub use calibration_choice::{CalibratedBacktest, calibrate, choose_calibration};
pub use column::{Categories, Column, FeatureValue};
pub use comparison::compare_predictions;
pub use contributions::{Contributions, Reason};
pub use curves::{CalibrationBin, RocPoint, calibration_bins, roc_curve};
pub use drift::{Drift, drift, score_drift};
pub use durations::Durations;
pub use error::LearnError;
pub use examples::{Examples, Rows};
pub use fitting::fit_all;
pub use intervals::{Intervals, intervals};
pub use learner::{FeatureImportance, LEARNERS, Learner, Model, Stage, learner, load};
pub use learners::baseline::{Baseline, BaselineParameters};
pub use learners::blend::{Blend, BlendParameters};
pub use learners::decision_tree::{DecisionTree, DecisionTreeParameters};
pub use learners::duration::{Duration, DurationParameters};
pub use learners::lightgbm::{Lightgbm, LightgbmParameters};
pub use learners::logistic::{LogisticRegression, LogisticRegressionParameters};
pub use learners::random_forest::{RandomForest, RandomForestParameters};
pub use learners::recency::{Direction, Recency, RecencyParameters};
pub use metrics::{Metric, Metrics, average_precision, brier, ece, lift_at_10, log_loss, roc_auc};
pub use saved_model::SavedModel;
pub use scored::Scored;
pub use search_space::SearchSpace;
pub use segments::{
    Algorithm, Assignment, Candidate, Choice, Components, Movements, SegmentFeature, SegmentModel,
    SegmentsParameters, Stability, adjusted_rand_index, fit_segments,
};
pub use training::Training;
pub use tuning::{Measured, Search, StageValue, Trial, Tuned, tune};
