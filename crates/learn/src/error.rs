//! What can go wrong in learning and in evaluation.

use thiserror::Error;

/// An error of this crate. Messages name the feature, row, date, learner or parameter at fault.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LearnError {
    /// Feature names and feature columns differ in number.
    #[error("{names} feature names for {columns} feature columns")]
    ColumnCount {
        /// Number of names.
        names: usize,
        /// Number of columns.
        columns: usize,
    },
    /// A feature column has another number of rows than the label.
    #[error("feature `{feature}` has {found} rows, the label has {expected}")]
    ColumnLength {
        /// The feature.
        feature: String,
        /// Its number of rows.
        found: usize,
        /// The label's number of rows.
        expected: usize,
    },
    /// A feature name is empty or occurs twice.
    #[error("feature name is empty or not unique: `{0}`")]
    FeatureName(String),
    /// A feature value is infinite.
    #[error(
        "feature `{feature}` is infinite in row {row}\nhint: a value that does not exist is missing (NaN)"
    )]
    InfiniteValue {
        /// The feature.
        feature: String,
        /// The row, from 0.
        row: usize,
    },
    /// A selected row lies beyond the last row.
    #[error("row {row} was selected from {rows} rows")]
    RowOutOfRange {
        /// The row, from 0.
        row: usize,
        /// The number of rows there are.
        rows: usize,
    },
    /// A training row has no label yet.
    #[error(
        "training row {row} has no label\nhint: train on rows whose label was known by the training day"
    )]
    UnknownLabel {
        /// The row, from 0.
        row: usize,
    },
    /// A learner of durations was given none.
    #[error(
        "there are no durations to learn from\nhint: the label must come with `duration` and `duration_known_at`"
    )]
    NoDurations,
    /// The duration of a row is not what it must be.
    #[error("row {row} {reason}")]
    Duration {
        /// The row, from 0.
        row: usize,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// No outcome was seen, so that nothing is known of how long it takes.
    #[error("none of {rows} rows has come to its outcome")]
    NoOutcome {
        /// Number of rows.
        rows: usize,
    },
    /// There are no rows to compare.
    #[error("no {what} rows to compare")]
    NoRows {
        /// Which rows: `reference` or `current`.
        what: &'static str,
    },
    /// There is nothing to learn from.
    #[error("no training rows")]
    NoTrainingRows,
    /// All training rows carry the same label.
    #[error("all {rows} training rows are {}", if *.label { "positive" } else { "negative" })]
    OneClass {
        /// The one label.
        label: bool,
        /// Number of training rows.
        rows: usize,
    },
    /// A learner that needs features was given none.
    #[error("learner `{learner}` needs at least one feature")]
    NoFeatures {
        /// The learner.
        learner: &'static str,
    },
    /// Features a learner or model needs are not among the examples' features.
    #[error("learner `{learner}` needs features that are not there: {}", .missing.join(", "))]
    MissingFeatures {
        /// The learner.
        learner: &'static str,
        /// The features that are missing.
        missing: Vec<String>,
    },
    /// A feature is categories where the learner or model needs numbers, or the other way round.
    #[error(
        "learner `{learner}` needs feature `{feature}` as {}",
        if *.categories { "categories, not as numbers" } else { "numbers, not as categories" }
    )]
    FeatureKind {
        /// The learner.
        learner: &'static str,
        /// The feature.
        feature: String,
        /// Whether it needs categories.
        categories: bool,
    },
    /// No learner has this name.
    #[error("unknown learner: `{name}`\nhint: the learners are {}", .known.join(", "))]
    UnknownLearner {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: Vec<&'static str>,
    },
    /// Two learners of one backtest have the same name.
    #[error("learner `{0}` is listed twice")]
    DuplicateLearner(String),
    /// Two splits of one backtest have the same date.
    #[error("{0} is the date of two splits")]
    DuplicateDate(String),
    /// A prediction is of a date for which there is no split.
    #[error("there are predictions of {0}, but no split")]
    NoSplit(String),
    /// The predictions to compare are about different rows.
    #[error("the learners to compare did not score the same rows on {0}")]
    DifferentRows(String),
    /// A learner has no parameter of this name.
    #[error(
        "unknown parameter of learner `{learner}`: `{name}`\nhint: {}",
        if .known.is_empty() { "it has none".to_owned() } else { format!("its parameters are {}", .known.join(", ")) }
    )]
    UnknownParameter {
        /// The learner.
        learner: &'static str,
        /// The name given.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// A parameter has a value it cannot have.
    #[error("parameter `{name}` of learner `{learner}` must be {expected}: {value}")]
    ParameterValue {
        /// The learner.
        learner: &'static str,
        /// The parameter.
        name: String,
        /// The value given.
        value: String,
        /// What it must be.
        expected: String,
    },
    /// The values to try of a parameter are not declared as they must be.
    #[error(
        "values of parameter `{name}` to try for learner `{learner}`: {value}\nhint: a list, such as [7, 15, 31], or a range, such as {{ from = 0.01, to = 0.1, scale = \"log\" }}"
    )]
    SearchSpace {
        /// The learner.
        learner: String,
        /// The parameter.
        name: String,
        /// What is declared.
        value: String,
    },
    /// No metric has this name.
    #[error("unknown metric: `{name}`\nhint: the metrics are {}", .known.join(", "))]
    UnknownMetric {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: Vec<&'static str>,
    },
    /// Arrays that describe the same rows differ in length.
    #[error("{what}: {found} values for {expected} rows")]
    LengthMismatch {
        /// Which array.
        what: &'static str,
        /// Its length.
        found: usize,
        /// The number of rows.
        expected: usize,
    },
    /// A score is not a probability.
    #[error("score of row {row} is not a probability: {value}")]
    NotAProbability {
        /// The row, from 0.
        row: usize,
        /// The score.
        value: f64,
    },
    /// A bootstrap was asked for with impossible settings.
    #[error(
        "bootstrap needs at least one resample and a confidence between 0 and 1: {resamples} resamples, confidence {confidence}"
    )]
    Resampling {
        /// Number of resamples.
        resamples: usize,
        /// Confidence of the interval.
        confidence: f64,
    },
    /// A metric is defined on no date.
    #[error("{metric} is not defined on any date\nhint: it needs rows of both classes")]
    UndefinedMetric {
        /// The metric.
        metric: &'static str,
    },
    /// A row is both trained on and tested on.
    #[error("row {row} is in the training and in the test rows of {date}")]
    TrainTestOverlap {
        /// The date of the split.
        date: String,
        /// The row, from 0.
        row: usize,
    },
    /// A learner failed on one date of a backtest.
    #[error("learner `{learner}` on {date}: {source}")]
    Backtest {
        /// The learner.
        learner: String,
        /// The date of the split.
        date: String,
        /// What went wrong.
        source: Box<LearnError>,
    },
    /// A backtest holds no predictions of this learner.
    #[error("the backtest has no predictions of learner `{0}`")]
    NoPredictions(String),
    /// A saved model lacks a file or a file cannot be read.
    #[error("saved model of learner `{learner}`: file `{file}` {reason}")]
    SavedModel {
        /// The learner.
        learner: String,
        /// The file at fault.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// LightGBM refused.
    #[error("lightgbm: {0}")]
    Lightgbm(String),
    /// No segments could be found.
    #[error("segments: {0}")]
    Segments(String),
    /// The solver of the logistic regression failed.
    #[error("logistic regression: {0}")]
    LogisticRegression(String),
}

impl LearnError {
    /// Whether the rows, and not the request, are the cause: a window without rows or with one class only.
    pub(crate) fn is_unlearnable(&self) -> bool {
        matches!(
            self,
            LearnError::NoTrainingRows | LearnError::OneClass { .. } | LearnError::NoOutcome { .. }
        )
    }
}
