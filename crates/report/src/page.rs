//! The HTML page.

use std::collections::BTreeMap;

use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::Serialize;

use crate::ReportError;
use crate::charts::{Chart, Figure};
use crate::facts::{METRICS, Metric};
use crate::input::{MetricRow, ProblemReport, Report, ScoredRow};
use crate::printer::Printer;
use crate::sentences::{answer, cautions};

/// How many of the rows with the highest scores are listed, so that the page stays small.
const MOST_SCORED_ROWS: usize = 200;
/// How many rows of the backtest are listed.
const MOST_METRIC_ROWS: usize = 300;

/// Writes a report as one HTML file that loads nothing from elsewhere.
///
/// Whatever the inputs lack is left out or said to be missing, and every text is escaped. Long lists are
/// cut and say so, which keeps a report of four problems well below 3 MB.
///
/// # Errors
/// [`ReportError`] if a template of this crate is at fault; no input is.
pub fn render(report: &Report) -> Result<String, ReportError> {
    let printer = Printer::english()?;
    let problems = report
        .problems
        .iter()
        .map(|problem| ProblemPage::of(&printer, problem))
        .collect::<Result<Vec<_>, _>>()?;
    let metrics: Vec<Column> = METRICS
        .iter()
        .map(|metric| Column {
            name: metric.name,
            places: metric.places,
        })
        .collect();
    printer.render(
        "page.html",
        context! {
            report => Serde(report),
            problems => Serde(problems),
            metrics => Serde(metrics),
            seconds => report.steps.iter().map(|step| step.seconds).sum::<f64>(),
        },
    )
}

/// A column of the metrics tables.
#[derive(Serialize)]
struct Column {
    name: &'static str,
    places: usize,
}

/// What the page shows of one problem, beside the input itself.
#[derive(Serialize)]
struct ProblemPage<'a> {
    input: &'a ProblemReport,
    names: Value,
    answer: Vec<String>,
    cautions: Vec<String>,
    figures: Figures,
    top: Vec<&'a ScoredRow>,
    metric_rows: Vec<&'a MetricRow>,
    /// The best mean of each metric, by its name.
    best: BTreeMap<&'static str, Option<f64>>,
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

impl<'a> ProblemPage<'a> {
    fn of(printer: &Printer, problem: &'a ProblemReport) -> Result<Self, ReportError> {
        Ok(Self {
            input: problem,
            names: printer.names(problem)?,
            answer: answer(printer, problem)?,
            cautions: cautions(printer, problem)?,
            figures: Figures::of(printer, problem)?,
            top: problem
                .scored
                .top
                .iter()
                .filter(|row| row.score.is_finite())
                .take(MOST_SCORED_ROWS)
                .collect(),
            metric_rows: latest_metric_rows(problem),
            best: best_means(problem),
        })
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

/// The rows of the latest dates, in the order of dates, and within a date in the order of the means.
fn latest_metric_rows(problem: &ProblemReport) -> Vec<&MetricRow> {
    let place = |row: &MetricRow| {
        let mut means = problem.means.iter();
        means.position(|mean| mean.learner == row.learner)
    };
    let mut rows: Vec<&MetricRow> = problem.metrics.iter().collect();
    rows.sort_by_key(|row| (&row.reference_date, place(row), &row.learner));
    rows.split_off(rows.len().saturating_sub(MOST_METRIC_ROWS))
}

fn best_means(problem: &ProblemReport) -> BTreeMap<&'static str, Option<f64>> {
    let means = || problem.means.iter().map(|mean| &mean.metrics);
    let best = |metric: &Metric| (metric.name, metric.best(means()));
    METRICS.iter().map(best).collect()
}
