//! `safra backtest`: how well past dates would have been predicted.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use safra_learn::{CalibrationMethod, Interval, Metric, Metrics};
use serde::Serialize;

use crate::context::Context;
use crate::error::SafraError;
use crate::output::{Column, metric, print_json, print_table, thousands};
use crate::pipeline::backtesting::Backtested;
use crate::pipeline::evaluation::{Evaluation, Fold, Unjudged};
use crate::pipeline::prepared::{Prepared, default_splits, learners, metric as ranked_by};

#[derive(Serialize)]
struct Report {
    problem: String,
    rows: Vec<Row>,
    mean: Vec<Mean>,
    calibration: Vec<Calibrated>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    unjudged: Vec<Unjudged>,
}

#[derive(Serialize)]
struct Row {
    reference_date: String,
    learner: String,
    train_rows: usize,
    rows: usize,
    positives: usize,
    #[serde(flatten)]
    metrics: Metrics,
    /// 95 % intervals, where the metric is defined.
    intervals: BTreeMap<Metric, Interval>,
}

#[derive(Serialize)]
struct Mean {
    learner: String,
    #[serde(flatten)]
    metrics: Metrics,
    /// 95 % intervals, where the metric is defined.
    intervals: BTreeMap<Metric, Interval>,
}

/// The means of one learner before and after calibration.
#[derive(Serialize)]
struct Calibrated {
    learner: String,
    /// The method of each date.
    methods: BTreeMap<String, CalibrationMethod>,
    before: Metrics,
    after: Metrics,
}

/// Backtests a problem's learners and prints a row for each date and learner, and their means.
pub async fn run(
    context: &Context,
    problem: &str,
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
    only: &[String],
) -> Result<(), SafraError> {
    let problem = context.problem(problem)?;
    let learners = learners(problem, only)?;
    if let (Some(from), Some(to)) = (from, to)
        && from > to
    {
        return Err(SafraError::Usage(format!(
            "--from {from} is after --to {to}\nhint: --from is the first date to judge, --to the last"
        )));
    }
    let prepared = Prepared::training(context, problem).await?;
    let splits = match (from, to) {
        (None, None) => default_splits(&prepared.dataset, problem)?,
        (from, to) => {
            let settled = prepared.dataset.settled_dates();
            let from = from.or(settled.first().copied()).unwrap_or(NaiveDate::MIN);
            let to = to.or(settled.last().copied()).unwrap_or(NaiveDate::MAX);
            prepared.dataset.splits(from, to)?
        }
    };
    let backtested = Backtested::run(context, problem, &prepared, &splits, &learners)?;
    let seed = context.project.settings.seed;
    let report = report(&problem.name, &backtested.evaluation, seed)?;
    say_what_is_missing(context, &report);
    match context.json {
        true => print_json(&report),
        false => {
            print(&report, ranked_by(problem)?);
            Ok(())
        }
    }
}

fn report(problem: &str, evaluation: &Evaluation, seed: u64) -> Result<Report, SafraError> {
    let mut report = Report {
        problem: problem.to_owned(),
        rows: Vec::new(),
        mean: Vec::new(),
        calibration: Vec::new(),
        unjudged: evaluation.unjudged.clone(),
    };
    for learner in evaluation.learners() {
        let intervals = evaluation.intervals(learner, seed)?;
        for (fold, intervals) in evaluation.folds_of(learner).zip(intervals.by_date) {
            report.rows.push(row(fold, intervals)?);
        }
        report.mean.push(Mean {
            learner: learner.to_owned(),
            metrics: evaluation.means(learner)?,
            intervals: intervals.mean,
        });
        let methods = evaluation.folds_of(learner);
        report.calibration.push(Calibrated {
            learner: learner.to_owned(),
            methods: methods
                .map(|fold| (fold.date.to_string(), fold.calibration))
                .collect(),
            before: evaluation.uncalibrated_means(learner)?,
            after: evaluation.means(learner)?,
        });
    }
    // By date, and within a date in the order of the learners, which a stable sort keeps.
    report
        .rows
        .sort_by(|a, b| a.reference_date.cmp(&b.reference_date));
    Ok(report)
}

fn row(fold: &Fold, intervals: BTreeMap<Metric, Interval>) -> Result<Row, SafraError> {
    Ok(Row {
        reference_date: fold.date.to_string(),
        learner: fold.learner.clone(),
        train_rows: fold.train_rows,
        rows: fold.rows.len(),
        positives: fold.positives(),
        metrics: fold.metrics()?,
        intervals,
    })
}

/// Says why dates are missing, and why metrics are.
fn say_what_is_missing(context: &Context, report: &Report) {
    let mut reasons: Vec<String> = report
        .unjudged
        .iter()
        .map(|unjudged| format!("{}: {}", unjudged.reference_date, unjudged.reason))
        .collect();
    reasons.dedup();
    for reason in reasons {
        context.say(&format!(
            "warning: {}: not judged on {reason}",
            report.problem
        ));
    }
    let mut one_class: Vec<&Row> = report
        .rows
        .iter()
        .filter(|row| row.positives == 0 || row.positives == row.rows)
        .collect();
    one_class.dedup_by(|a, b| a.reference_date == b.reference_date);
    for row in one_class {
        context.say(&format!(
            "warning: {}: {}: {} of {} rows are positive; metrics that need both classes are not defined",
            report.problem, row.reference_date, row.positives, row.rows
        ));
    }
}

/// The headings of all metrics, in the order of [`Metric::ALL`].
const HEADINGS: [&str; 6] = [
    "ROC AUC",
    "avg precision",
    "log loss",
    "Brier",
    "ECE",
    "lift at 10 %",
];

fn print(report: &Report, ranking: Metric) {
    let columns = [
        Column("reference date", false),
        Column("learner", false),
        Column("train rows", true),
        Column("rows", true),
        Column("positive", true),
    ];
    let metrics = || HEADINGS.map(|heading| Column(heading, true));
    let rows = report.rows.iter().map(|row| {
        let mut cells = vec![row.reference_date.clone(), row.learner.clone()];
        cells.extend([row.train_rows, row.rows, row.positives].map(thousands));
        // All intervals would make the table too wide to read.
        let ranking = row.intervals.iter().filter(|(name, _)| **name == ranking);
        let intervals = ranking.map(|(name, interval)| (*name, *interval)).collect();
        cells.extend(with_intervals(&row.metrics, &intervals));
        cells
    });
    let columns: Vec<Column> = columns.into_iter().chain(metrics()).collect();
    print_table(&columns, rows);
    let means = report.mean.iter().map(|mean| {
        let metrics = with_intervals(&mean.metrics, &mean.intervals);
        [mean.learner.clone()].into_iter().chain(metrics).collect()
    });
    let columns: Vec<Column> = [Column("mean", false)]
        .into_iter()
        .chain(metrics())
        .collect();
    print_table(&columns, means);
    print_calibration(&report.calibration);
}

fn print_calibration(calibration: &[Calibrated]) {
    let columns = [
        Column("calibration", false),
        Column("methods", false),
        Column("log loss", true),
        Column("calibrated", true),
        Column("Brier", true),
        Column("calibrated", true),
        Column("ECE", true),
        Column("calibrated", true),
    ];
    let rows = calibration.iter().map(|learner| {
        let mut methods: Vec<&str> = learner
            .methods
            .values()
            .map(|method| method.name())
            .collect();
        methods.dedup();
        let mut cells = vec![learner.learner.clone(), methods.join(", ")];
        for name in [Metric::LogLoss, Metric::Brier, Metric::Ece] {
            cells.push(metric(learner.before.get(name)));
            cells.push(metric(learner.after.get(name)));
        }
        cells
    });
    print_table(&columns, rows);
}

/// Each metric with its interval, such as `0.872 [0.861, 0.883]`.
fn with_intervals(metrics: &Metrics, intervals: &BTreeMap<Metric, Interval>) -> [String; 6] {
    Metric::ALL.map(|name| match (metrics.get(name), intervals.get(&name)) {
        (Some(value), Some(Interval { lower, upper, .. })) => {
            format!("{value:.3} [{lower:.3}, {upper:.3}]")
        }
        (value, _) => metric(value),
    })
}
