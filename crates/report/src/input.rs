//! What a report is made from: plain values, computed elsewhere.
//!
//! Dates are ISO strings (`2018-06-01`; a time after the day is ignored) and local to the marketplace.
//! Probabilities, rates and shares are fractions between 0 and 1. A value that is not finite counts as
//! missing. Everything has a default, so that what is not known yet can be left out.

mod segments;

use serde::Serialize;

use crate::Language;

pub use segments::{
    MapAxis, MapPoint, ProfileColumn, Segment, SegmentMovements, SegmentsCandidate, SegmentsPage,
};

/// Everything in the report.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Report {
    /// The language in which the report is written; texts of the input are shown as they are.
    pub language: Language,
    /// Heading of the report.
    pub title: String,
    /// Name of the project.
    pub project: String,
    /// First day of the data.
    pub data_from: String,
    /// Last day of the data.
    pub data_until: String,
    /// Reference date of the scores.
    pub generated_for: String,
    /// How the business goes, in a few numbers, for the start page.
    pub figures: Vec<KeyFigure>,
    /// The pages between the start and the end, in order.
    pub pages: Vec<Page>,
    /// The steps that led here, in the order they were taken.
    pub steps: Vec<StepTime>,
    /// The tables read or written, in the order of the page.
    pub tables: Vec<TableSummary>,
}

/// One page of the report.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Page {
    /// A problem with a model in use.
    Problem(Box<ProblemReport>),
    /// A problem about which nothing can be said yet.
    Untrained(Untrained),
    /// A cohort that was divided into segments.
    Segments(Box<SegmentsPage>),
}

/// A problem without a champion.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Untrained {
    /// Name of the problem, such as `churn`.
    pub name: String,
    /// Heading for people.
    pub title: String,
    /// The question the model is to answer, as one sentence.
    pub question: String,
    /// The commands that lead to a champion, in order.
    pub commands: Vec<String>,
}

/// A number that says how the business goes.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct KeyFigure {
    /// What it counts, such as `orders`.
    pub label: String,
    /// Its unit, as [`FeatureText::unit`].
    pub unit: String,
    /// Its values by period, the latest last; a single one if it has no periods.
    pub values: Vec<PeriodValue>,
}

/// The value of a figure in one period.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct PeriodValue {
    /// First day of the period; empty if there are no periods.
    pub period: String,
    /// The value.
    pub value: f64,
}

/// How long a step took.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct StepTime {
    /// Name of the step, such as `ingest`.
    pub name: String,
    /// Elapsed time in seconds.
    pub seconds: f64,
    /// What it did, in a few words.
    pub detail: String,
}

/// One table of the lake.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct TableSummary {
    /// Name of the table, which is its folder inside the lake, such as `sources/orders`.
    pub name: String,
    /// Rows in the table.
    pub rows: u64,
    /// Rows that broke a rule and were set aside.
    pub rejected: u64,
}

/// What is known about one problem: its question, its champion, its past and its scores.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ProblemReport {
    /// Name of the problem, such as `churn`.
    pub name: String,
    /// Heading for people.
    pub title: String,
    /// The question the model answers, as one sentence.
    pub question: String,
    /// What one row is, in the singular, such as `seller`.
    pub entity: String,
    /// What the rows are called in the plural, such as `sellers`.
    pub rows: String,
    /// Whether the word for a row is feminine, for languages in which articles follow it.
    pub feminine: bool,
    /// Whether each row has a time of its own, as orders do. The dates of the backtest are then the first days
    /// of periods, and each period judges the rows that fall into it.
    pub events: bool,
    /// What a positive label means, as a verb in the third person, such as `stops selling`.
    pub positive: String,
    /// Who is asked about, in words.
    pub cohort: String,
    /// What counts as positive, in words.
    pub label: String,
    /// The model in use, if there is one.
    pub champion: Option<Champion>,
    /// The simple rule that the champion must beat, if there is one.
    pub rule: Option<Rule>,
    /// Backtest: one row for each reference date and learner, in any order.
    pub metrics: Vec<MetricRow>,
    /// Backtest: means over the dates, one row for each learner, in the order of the page.
    pub means: Vec<LearnerMean>,
    /// Backtest: one curve for each learner, over the rows of all dates.
    pub roc_curves: Vec<RocCurve>,
    /// Backtest: predictions of the champion's learner over the rows of all dates, in bins.
    pub calibration: Vec<CalibrationBin>,
    /// Features of the champion, in any order.
    pub importances: Vec<Importance>,
    /// Share of positive rows at each reference date, in any order.
    pub base_rates: Vec<BaseRate>,
    /// The scores of the champion at the date asked about.
    pub scored: Scored,
}

/// The model in use.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Champion {
    /// Name of its learner, such as `lightgbm`.
    pub learner: String,
    /// Its version in the model registry.
    pub version: String,
    /// Rows it was trained on.
    pub train_rows: u64,
    /// Number of features it looks at.
    pub features: u64,
    /// Day before which its training labels were known.
    pub trained_until: String,
}

/// A rule that sorts by one feature alone.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Rule {
    /// Name of the rule among the learners.
    pub learner: String,
    /// The feature it sorts by.
    pub feature: FeatureText,
    /// ROC AUC of the champion minus that of the rule on the same rows, averaged over the dates.
    pub difference: Option<Estimate>,
}

/// A value with its 95 % interval.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Estimate {
    /// The value.
    pub value: f64,
    /// Its interval, if there is one.
    pub interval: Option<Interval>,
}

/// A 95 % interval.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// 95 % intervals of metrics; `None` where there is none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Intervals {
    /// See [`Metrics::roc_auc`].
    pub roc_auc: Option<Interval>,
    /// See [`Metrics::average_precision`].
    pub average_precision: Option<Interval>,
    /// See [`Metrics::log_loss`].
    pub log_loss: Option<Interval>,
    /// See [`Metrics::brier`].
    pub brier: Option<Interval>,
    /// See [`Metrics::ece`].
    pub ece: Option<Interval>,
    /// See [`Metrics::lift_at_10`].
    pub lift_at_10: Option<Interval>,
}

/// A feature of the store, for people.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FeatureText {
    /// Its name in the store, such as `orders_30d`.
    pub name: String,
    /// What it is, in words and without its window; may be empty.
    pub meaning: String,
    /// Its unit, such as `R$` or `days`; `%` for fractions that are read as percentages, `?` for 1 and 0
    /// that mean yes and no. May be empty.
    pub unit: String,
    /// What it means that there is no value, such as `no sale`; may be empty.
    pub none: String,
    /// How far back it looks.
    pub window: Window,
}

/// How far back from the reference date a feature looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Window {
    /// Its name does not say, or several windows are meant together.
    #[default]
    Unsaid,
    /// A number of days.
    Days(u32),
    /// A number of calendar months.
    Months(u32),
    /// All history.
    All,
}

/// How good the scores of one learner were. `None` where a metric is undefined, as with one class only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Metrics {
    /// Area under the ROC curve.
    pub roc_auc: Option<f64>,
    /// Average precision.
    pub average_precision: Option<f64>,
    /// Logarithmic loss, in nats.
    pub log_loss: Option<f64>,
    /// Brier score.
    pub brier: Option<f64>,
    /// Expected calibration error.
    pub ece: Option<f64>,
    /// Positive rate in the tenth with the highest scores, divided by the base rate.
    pub lift_at_10: Option<f64>,
}

/// One learner on one date of the backtest.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct MetricRow {
    /// Date whose rows were scored.
    pub reference_date: String,
    /// Name of the learner.
    pub learner: String,
    /// Rows it was trained on.
    pub train_rows: u64,
    /// Rows it scored.
    pub rows: u64,
    /// How many of them turned out positive.
    pub positives: u64,
    /// How good the scores were.
    pub metrics: Metrics,
    /// How certain that is.
    pub intervals: Intervals,
}

/// One learner over all dates of the backtest.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct LearnerMean {
    /// Name of the learner.
    pub learner: String,
    /// Mean of each metric over the dates where it is defined.
    pub metrics: Metrics,
    /// How certain that is.
    pub intervals: Intervals,
}

/// The ROC curve of one learner.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct RocCurve {
    /// Name of the learner.
    pub learner: String,
    /// From (0, 0) to (1, 1), in the order of falling thresholds.
    pub points: Vec<RocPoint>,
}

/// One threshold of a ROC curve.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct RocPoint {
    /// Share of the negative rows at or above the threshold.
    pub false_positive_rate: f64,
    /// Share of the positive rows at or above the threshold.
    pub true_positive_rate: f64,
}

/// Rows with similar predictions, and what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct CalibrationBin {
    /// Mean of their predicted probabilities.
    pub mean_predicted: f64,
    /// Share of them that turned out positive.
    pub observed_rate: f64,
    /// How many rows there are.
    pub count: u64,
}

/// How much a feature counts in a model, all its windows together.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Importance {
    /// The feature.
    pub feature: FeatureText,
    /// Its share of the importance of all features.
    pub share: f64,
}

/// How many rows of one date are positive.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct BaseRate {
    /// Date at which the question was asked.
    pub reference_date: String,
    /// Rows whose label is known.
    pub rows: u64,
    /// How many of them are positive.
    pub positives: u64,
}

/// The scores of one reference date.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Scored {
    /// Date at which the question is asked.
    pub reference_date: String,
    /// The score of every row, in any order.
    pub scores: Vec<f64>,
    /// Headings of [`ScoredRow::extra`].
    pub extra_columns: Vec<FeatureText>,
    /// Whether to act first on the lowest scores: what is predicted is hoped for.
    pub act_on_lowest: bool,
    /// The rows to act on, first things first.
    pub top: Vec<ScoredRow>,
}

/// One row to act on.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ScoredRow {
    /// What identifies the row, such as the seller's id.
    pub entity_id: String,
    /// When the row happened, as an ISO date and time; empty where all rows have the same reference date.
    pub time: String,
    /// Its predicted probability.
    pub score: f64,
    /// What moved the score most, strongest first.
    pub reasons: Vec<Reason>,
    /// One value for each of [`Scored::extra_columns`].
    pub extra: Vec<Cell>,
}

/// A feature that moved a score.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Reason {
    /// The feature.
    pub feature: FeatureText,
    /// Its value in this row, if it has one.
    pub value: Cell,
    /// Which way it moved the score.
    pub direction: Direction,
}

/// Which way a feature moved a score.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// The score is higher for it.
    #[default]
    Raises,
    /// The score is lower for it.
    Lowers,
}

/// A value in a column of the caller's choice.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Cell {
    /// No value.
    #[default]
    Missing,
    /// A number, rounded for display.
    Number(f64),
    /// Any other text, shown as it is.
    Text(String),
}
