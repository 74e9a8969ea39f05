//! The page of a problem.

use std::collections::BTreeMap;

use minijinja::Value;
use serde::Serialize;

use super::top::Top;
use crate::ReportError;
use crate::charts::{Chart, Figure};
use crate::facts::{METRICS, Metric};
use crate::input::{Interval, Intervals, LearnerMean, MetricRow, ProblemReport};
use crate::printer::Printer;
use crate::sentences::{answer, cautions};

/// How many rows of the backtest are listed, so that the page stays small.
const MOST_METRIC_ROWS: usize = 300;

/// A column of the metrics tables.
#[derive(Serialize)]
pub(super) struct Column {
    name: &'static str,
    places: usize,
}

impl Column {
    /// All of them.
    pub(super) fn all() -> Vec<Self> {
        METRICS
            .iter()
            .map(|metric| Self {
                name: metric.name,
                places: metric.places,
            })
            .collect()
    }
}

/// What the page shows of one problem, beside the input itself.
#[derive(Serialize)]
pub(super) struct ProblemView<'a> {
    input: Input<'a>,
    names: Value,
    answer: Vec<String>,
    cautions: Vec<String>,
    /// What the simple rule sorts by; empty if there is none.
    rule: String,
    figures: Figures,
    top: Top<'a>,
    means: Vec<MeanView<'a>>,
    metric_rows: Vec<MetricRowView<'a>>,
    /// Whether any metric has an interval.
    has_intervals: bool,
}

/// What the templates take from the input as it is.
#[derive(Serialize)]
struct Input<'a> {
    question: &'a str,
    champion: &'a Option<crate::input::Champion>,
    cohort: &'a str,
    label: &'a str,
    /// How many rows have been scored.
    scores: usize,
    /// How many rows the backtest has.
    metrics: usize,
}

#[derive(Serialize)]
struct Figures {
    backtest_lines: Option<Figure>,
    base_rate: Option<Figure>,
    roc: Option<Figure>,
    calibration: Option<Figure>,
    importance: Option<Figure>,
    histogram: Option<Figure>,
}

/// A metric with its interval, by the metric's name.
type Measured = BTreeMap<&'static str, Value>;

#[derive(Serialize)]
struct MeanView<'a> {
    learner: &'a str,
    metrics: Measured,
}

#[derive(Serialize)]
struct MetricRowView<'a> {
    reference_date: &'a str,
    learner: &'a str,
    train_rows: u64,
    rows: u64,
    positives: u64,
    metrics: Measured,
}

impl<'a> ProblemView<'a> {
    pub(super) fn of(printer: &Printer, problem: &'a ProblemReport) -> Result<Self, ReportError> {
        let means = problem.means.iter().map(|mean| &mean.intervals);
        let rows = problem.metrics.iter().map(|row| &row.intervals);
        Ok(Self {
            input: Input::of(problem),
            names: printer.names(problem)?,
            answer: answer(printer, problem)?,
            cautions: cautions(printer, problem)?,
            rule: match &problem.rule {
                Some(rule) if !rule.feature.name.is_empty() => {
                    printer.feature_name(&rule.feature)?
                }
                _ => String::new(),
            },
            figures: Figures::of(printer, problem)?,
            top: Top::of(printer, &problem.scored)?,
            has_intervals: means.chain(rows).any(has_any),
            means: means_of(problem),
            metric_rows: latest_metric_rows(problem),
        })
    }
}

impl<'a> Input<'a> {
    fn of(problem: &'a ProblemReport) -> Self {
        Self {
            question: &problem.question,
            champion: &problem.champion,
            cohort: &problem.cohort,
            label: &problem.label,
            scores: problem.scored.scores.len(),
            metrics: problem.metrics.len(),
        }
    }
}

impl Figures {
    fn of(printer: &Printer, problem: &ProblemReport) -> Result<Self, ReportError> {
        Ok(Self {
            backtest_lines: Chart::BacktestLines.figure(printer, problem)?,
            base_rate: Chart::BaseRate.figure(printer, problem)?,
            roc: Chart::Roc.figure(printer, problem)?,
            calibration: Chart::Calibration.figure(printer, problem)?,
            importance: Chart::Importance.figure(printer, problem)?,
            histogram: Chart::Histogram.figure(printer, problem)?,
        })
    }
}

fn means_of(problem: &ProblemReport) -> Vec<MeanView<'_>> {
    let best = best_means(problem);
    let view = |mean: &'_ LearnerMean| {
        measured(|metric| {
            let value = (metric.of)(&mean.metrics);
            let is_best = value.is_some() && value == best[metric.name];
            cell(value, metric.interval(&mean.intervals), is_best)
        })
    };
    let means = problem.means.iter();
    means
        .map(|mean| MeanView {
            learner: &mean.learner,
            metrics: view(mean),
        })
        .collect()
}

/// The rows of the latest dates, in the order of dates, and within a date in the order of the means.
fn latest_metric_rows(problem: &ProblemReport) -> Vec<MetricRowView<'_>> {
    let place = |row: &MetricRow| {
        let mut means = problem.means.iter();
        means.position(|mean| mean.learner == row.learner)
    };
    let mut rows: Vec<&MetricRow> = problem.metrics.iter().collect();
    rows.sort_by_key(|row| (&row.reference_date, place(row), &row.learner));
    rows.split_off(rows.len().saturating_sub(MOST_METRIC_ROWS))
        .into_iter()
        .map(|row| MetricRowView {
            reference_date: &row.reference_date,
            learner: &row.learner,
            train_rows: row.train_rows,
            rows: row.rows,
            positives: row.positives,
            metrics: measured(|metric| {
                let interval = metric.interval(&row.intervals);
                cell((metric.of)(&row.metrics), interval, false)
            }),
        })
        .collect()
}

fn measured(of: impl Fn(&Metric) -> Value) -> Measured {
    METRICS
        .iter()
        .map(|metric| (metric.name, of(metric)))
        .collect()
}

fn cell(value: Option<f64>, interval: Option<Interval>, is_best: bool) -> Value {
    let interval = interval.map(|interval| (interval.low, interval.high));
    minijinja::context! { value, interval, is_best }
}

fn best_means(problem: &ProblemReport) -> BTreeMap<&'static str, Option<f64>> {
    let means = || problem.means.iter().map(|mean| &mean.metrics);
    let best = |metric: &Metric| (metric.name, metric.best(means()));
    METRICS.iter().map(best).collect()
}

fn has_any(intervals: &Intervals) -> bool {
    METRICS
        .iter()
        .any(|metric| metric.interval(intervals).is_some())
}
