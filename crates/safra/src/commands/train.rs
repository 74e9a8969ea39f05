//! `safra train`: backtest, fit, log, register.

use std::time::Duration;

use chrono::NaiveDate;
use safra_learn::Metrics;
use serde::Serialize;

use crate::context::Context;
use crate::error::SafraError;
use crate::output::{Column, metric, print_json, print_table};
use crate::pipeline::training::{LEARNER, Trained, train};

#[derive(Serialize)]
struct Report {
    problem: String,
    model: String,
    version: u32,
    learner: String,
    reused: bool,
    run_id: Option<String>,
    mean: Vec<Mean>,
}

#[derive(Serialize)]
struct Mean {
    learner: String,
    #[serde(flatten)]
    metrics: Metrics,
}

/// Trains and prints the means of the backtest and the version that was registered.
pub async fn run(
    context: &Context,
    problem: &str,
    at: Option<NaiveDate>,
    budget: Option<Duration>,
) -> Result<(), SafraError> {
    let problem = context.problem(problem)?;
    let trained = train(context, problem, at, budget).await?;
    let report = report(&problem.name, &trained)?;
    if context.json {
        return print_json(&report);
    }
    let columns = [
        Column("learner", false),
        Column("ROC AUC", true),
        Column("avg precision", true),
        Column("log loss", true),
        Column("Brier", true),
        Column("ECE", true),
        Column("lift at 10 %", true),
    ];
    let rows = report.mean.iter().map(|mean| {
        let mut cells = vec![mean.learner.clone()];
        cells.extend(safra_learn::Metric::ALL.map(|name| metric(mean.metrics.get(name))));
        cells
    });
    print_table(&columns, rows);
    context.say(&summary(&trained));
    Ok(())
}

/// One line on what was registered.
pub fn summary(trained: &Trained) -> String {
    let version = &trained.version;
    let learner = version.tags.get(LEARNER).map_or("", String::as_str);
    match trained.reused {
        true => format!(
            "{} version {}: {learner}, up to date: same data, declarations and code",
            version.name, version.version
        ),
        false => format!(
            "{} version {}: {learner}, registered",
            version.name, version.version
        ),
    }
}

fn report(problem: &str, trained: &Trained) -> Result<Report, SafraError> {
    let version = &trained.version;
    let mean = |learner: &&str| {
        let metrics = trained.evaluation.means(learner)?;
        Ok(Mean {
            learner: (*learner).to_owned(),
            metrics,
        })
    };
    Ok(Report {
        problem: problem.to_owned(),
        model: version.name.clone(),
        version: version.version,
        learner: version.tags.get(LEARNER).cloned().unwrap_or_default(),
        reused: trained.reused,
        run_id: version.run_id.clone(),
        mean: trained
            .evaluation
            .learners()
            .iter()
            .map(mean)
            .collect::<Result<_, SafraError>>()?,
    })
}
