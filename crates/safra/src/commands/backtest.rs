//! `safra backtest`: how well past dates would have been predicted.

use chrono::NaiveDate;
use safra_learn::Metrics;
use serde::Serialize;

use crate::context::Context;
use crate::error::SafraError;
use crate::output::{Column, metric, print_json, print_table, thousands};
use crate::pipeline::evaluation::{Evaluation, Unjudged};
use crate::pipeline::prepared::{Prepared, default_splits, learners};

#[derive(Serialize)]
struct Report {
    problem: String,
    rows: Vec<Row>,
    mean: Vec<Mean>,
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
}

#[derive(Serialize)]
struct Mean {
    learner: String,
    #[serde(flatten)]
    metrics: Metrics,
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
    let evaluation = Evaluation::run(context, &prepared, &splits, &learners)?;
    let report = report(&problem.name, &evaluation)?;
    say_what_is_missing(context, &report);
    match context.json {
        true => print_json(&report),
        false => {
            print(&report);
            Ok(())
        }
    }
}

fn report(problem: &str, evaluation: &Evaluation) -> Result<Report, SafraError> {
    let row = |fold: &crate::pipeline::evaluation::Fold| {
        Ok(Row {
            reference_date: fold.date.to_string(),
            learner: fold.learner.clone(),
            train_rows: fold.train_rows,
            rows: fold.rows.len(),
            positives: fold.positives(),
            metrics: fold.metrics()?,
        })
    };
    let mean = |learner: &&str| {
        let metrics = evaluation.means(learner)?;
        Ok(Mean {
            learner: (*learner).to_owned(),
            metrics,
        })
    };
    Ok(Report {
        problem: problem.to_owned(),
        rows: evaluation
            .folds
            .iter()
            .map(row)
            .collect::<Result<_, SafraError>>()?,
        mean: evaluation
            .learners()
            .iter()
            .map(mean)
            .collect::<Result<_, SafraError>>()?,
        unjudged: evaluation.unjudged.clone(),
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

fn print(report: &Report) {
    let columns = [
        Column("reference date", false),
        Column("learner", false),
        Column("train rows", true),
        Column("rows", true),
        Column("positive", true),
        Column("ROC AUC", true),
        Column("avg precision", true),
        Column("log loss", true),
        Column("Brier", true),
        Column("ECE", true),
        Column("lift at 10 %", true),
    ];
    let dated = report.rows.iter().map(|row| {
        let mut cells = vec![row.reference_date.clone(), row.learner.clone()];
        cells.extend([row.train_rows, row.rows, row.positives].map(thousands));
        cells.extend(metrics(&row.metrics));
        cells
    });
    let means = report.mean.iter().map(|mean| {
        let mut cells = vec!["mean".to_owned(), mean.learner.clone()];
        cells.extend(["", "", ""].map(str::to_owned));
        cells.extend(metrics(&mean.metrics));
        cells
    });
    print_table(&columns, dated.chain(means));
}

fn metrics(metrics: &Metrics) -> [String; 6] {
    safra_learn::Metric::ALL.map(|name| metric(metrics.get(name)))
}
