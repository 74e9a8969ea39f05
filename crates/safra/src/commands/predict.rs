//! `safra predict`: the cohort of a date, scored by the champion.

use chrono::NaiveDate;
use safra_project::Problem;
use serde::Serialize;

use crate::context::Context;
use crate::error::SafraError;
use crate::output::{Column, print_json, print_table, thousands};
use crate::pipeline::scoring::{Scored, score};

/// Rows shown on standard output.
const SHOWN: usize = 10;

#[derive(Serialize)]
struct Report {
    problem: String,
    reference_date: String,
    model: String,
    model_version: u32,
    rows: usize,
    mean_score: Option<f64>,
    table: String,
    top: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    entity: String,
    /// When it happened, where rows are events.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference_time: Option<String>,
    score: f64,
    reasons: Vec<String>,
}

/// Scores, writes the predictions and prints the highest of them.
pub async fn run(
    context: &Context,
    problem: &str,
    at: Option<NaiveDate>,
) -> Result<(), SafraError> {
    let problem = context.problem(problem)?;
    let scored = score(context, problem, at).await?;
    scored.write(context, problem).await?;
    if scored.scores.is_empty() {
        context.say(&format!(
            "warning: {}: {}",
            problem.name,
            scored.nobody(problem)
        ));
    }
    let report = report(problem, &scored);
    if context.json {
        return print_json(&report);
    }
    let mut columns = vec![
        Column("entity", false),
        Column("score", true),
        Column("reasons", false),
    ];
    if problem.time.is_event() {
        columns.insert(1, Column("time", false));
    }
    let rows = report.top.iter().map(|row| {
        let mut cells = vec![row.entity.clone()];
        cells.extend(row.reference_time.clone());
        cells.extend([format!("{:.4}", row.score), row.reasons.join("\n")]);
        cells
    });
    print_table(&columns, rows);
    context.say(&summary(&report.problem, &scored));
    Ok(())
}

/// One line on what was scored.
pub fn summary(problem: &str, scored: &Scored) -> String {
    format!(
        "predictions/{problem}: {} rows at {}, scored by {} version {}",
        thousands(scored.scores.len()),
        scored.date,
        scored.version.name,
        scored.version.version
    )
}

fn report(problem: &Problem, scored: &Scored) -> Report {
    let rows = scored.scores.len();
    let row = |&row: &usize| Row {
        entity: scored.prepared.dataset.entity(row),
        reference_time: scored.prepared.dataset.event_time(row),
        score: scored.scores[row],
        reasons: scored
            .reasons(row)
            .iter()
            .map(|reason| reason.text(&problem.score))
            .collect(),
    };
    Report {
        problem: problem.name.clone(),
        reference_date: scored.date.to_string(),
        model: scored.version.name.clone(),
        model_version: scored.version.version,
        rows,
        mean_score: (rows > 0).then(|| scored.scores.iter().sum::<f64>() / rows as f64),
        table: format!("predictions/{}", problem.name),
        top: scored.ranking().iter().take(SHOWN).map(row).collect(),
    }
}
