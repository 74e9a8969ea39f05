//! `safra monitor`: what has moved since training, and whether promises were kept.

use chrono::NaiveDate;

use crate::context::Context;
use crate::error::SafraError;
use crate::output::{Column, line, metric as digits, print_json, print_table, thousands};
use crate::pipeline::monitoring::{Monitoring, Outcome, monitor};
use safra_learn::Drift;

/// Features shown on standard output; `--json` has all.
const SHOWN: usize = 10;

/// Compares, prints, and says no (exit code 1) when something is beyond the thresholds of the problem.
pub async fn run(
    context: &Context,
    problem: &str,
    at: Option<NaiveDate>,
) -> Result<(), SafraError> {
    let problem = context.problem(problem)?;
    let found = monitor(context, problem, at).await?;
    match context.json {
        true => print_json(&found)?,
        false => print(&found, &problem.metric),
    }
    match found.alarms.is_empty() {
        true => {
            context.say(&format!(
                "{} version {}: nothing is beyond the thresholds",
                found.model, found.model_version
            ));
            Ok(())
        }
        false => Err(SafraError::No(format!(
            "{} version {}:\n  {}\nhint: `safra train {}` learns from what has become known since {}",
            found.model,
            found.model_version,
            found.alarms.join("\n  "),
            found.problem,
            found.trained_at
        ))),
    }
}

fn print(found: &Monitoring, metric: &str) {
    line!(
        "{} version {}, trained on {} rows known by {}, against the {} rows of {}",
        found.model,
        found.model_version,
        thousands(found.train_rows),
        found.trained_at,
        thousands(found.rows),
        found.reference_date
    );
    let columns = [
        Column("what", false),
        Column("stability index", true),
        Column("by chance", true),
        Column("then", true),
        Column("now", true),
        Column("missing then", true),
        Column("missing now", true),
        Column("importance", true),
    ];
    let shown = found.features.iter().take(SHOWN);
    let features = shown.map(|feature| cells(&feature.drift, feature.importance_rank.to_string()));
    print_table(
        &columns,
        std::iter::once(cells(&found.score, String::new())).chain(features),
    );
    if found.outcomes.is_empty() {
        line!("no past prediction has all its labels settled yet");
        return;
    }
    let columns = [
        Column("predicted", false),
        Column("version", true),
        Column("rows", true),
        Column("positive", true),
        Column("mean score", true),
        Column("rate", true),
        Column("promised", true),
        Column("real", true),
    ];
    line!("promised and real {metric}");
    print_table(&columns, found.outcomes.iter().map(outcome));
}

fn cells(drift: &Drift, importance: String) -> Vec<String> {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    vec![
        drift.feature.clone(),
        format!("{:.3}", drift.psi),
        format!("{:.3}", drift.chance),
        text(&drift.reference),
        text(&drift.current),
        percent(drift.reference_missing),
        percent(drift.current_missing),
        importance,
    ]
}

fn outcome(outcome: &Outcome) -> Vec<String> {
    let real = outcome.real.map_or_else(
        || "-".to_owned(),
        |real| {
            format!(
                "{:.4} [{:.4}, {:.4}]",
                real.estimate, real.lower, real.upper
            )
        },
    );
    vec![
        outcome.predicted.to_string(),
        outcome.model_version.to_string(),
        thousands(outcome.rows),
        thousands(outcome.positives),
        format!("{:.4}", outcome.mean_score),
        format!("{:.4}", outcome.positives as f64 / outcome.rows as f64),
        digits(outcome.promised),
        real,
    ]
}
