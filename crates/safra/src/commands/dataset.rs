//! `safra dataset`: the training set of a problem.

use safra_dataset::Dataset;
use serde::Serialize;

use crate::context::Context;
use crate::error::SafraError;
use crate::output::{Column, print_json, print_table, thousands};
use crate::pipeline::prepared::Prepared;

#[derive(Serialize)]
struct Report {
    problem: String,
    table: String,
    rows: usize,
    features: usize,
    data_end: String,
    dates: Vec<Cohort>,
}

#[derive(Serialize)]
struct Cohort {
    reference_date: String,
    rows: usize,
    settled: usize,
    positives: usize,
    trains_on: usize,
}

/// Builds the training set, writes it and prints its cohorts.
pub async fn run(context: &Context, problem: &str) -> Result<(), SafraError> {
    let problem = context.problem(problem)?;
    let prepared = Prepared::training(context, problem).await?;
    prepared.dataset.write(&context.lake).await?;
    let report = report(&prepared.dataset);
    if context.json {
        return print_json(&report);
    }
    let columns = [
        Column("reference date", false),
        Column("rows", true),
        Column("settled", true),
        Column("positive", true),
        Column("rate", true),
        Column("trains on", true),
    ];
    let rows = report.dates.iter().map(|cohort| {
        let rate = match cohort.settled {
            0 => "-".to_owned(),
            settled => format!("{:.4}", cohort.positives as f64 / settled as f64),
        };
        vec![
            cohort.reference_date.clone(),
            thousands(cohort.rows),
            thousands(cohort.settled),
            thousands(cohort.positives),
            rate,
            thousands(cohort.trains_on),
        ]
    });
    print_table(&columns, rows);
    context.say(&format!(
        "{}: {} rows, {} features; the data ends before {}",
        report.table,
        thousands(report.rows),
        report.features,
        report.data_end
    ));
    Ok(())
}

fn report(dataset: &Dataset) -> Report {
    let cohort = |&date: &chrono::NaiveDate| {
        let rows = dataset.rows_at(date).into_iter();
        let labels: Vec<Option<bool>> = rows.map(|row| dataset.label(row)).collect();
        Cohort {
            reference_date: date.to_string(),
            rows: labels.len(),
            settled: labels.iter().flatten().count(),
            positives: labels.iter().flatten().filter(|label| **label).count(),
            trains_on: dataset.training_rows(date).len(),
        }
    };
    Report {
        problem: dataset.problem().to_owned(),
        table: format!("datasets/{}", dataset.problem()),
        rows: dataset.len(),
        features: dataset.feature_names().len(),
        data_end: dataset.data_end().to_string(),
        dates: dataset.dates().iter().map(cohort).collect(),
    }
}
