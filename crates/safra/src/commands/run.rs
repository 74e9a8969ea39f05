//! `safra run`: everything, in order. Each step does only what is missing, so a killed run goes on where it stopped.

use std::path::Path;
use std::time::Instant;

use safra_lake::{Folder, IngestReport};
use safra_marketplace::Parameters;
use safra_report::StepTime;
use serde::Serialize;

use super::generate::Wanted;
use super::{features, generate, ingest, predict, promote, report, train};
use crate::context::Context;
use crate::error::SafraError;
use crate::output::{Column, print_json, print_table, thousands};
use crate::pipeline::promotion;
use crate::pipeline::scoring;
use crate::pipeline::training;

#[derive(Serialize)]
struct Report<'a> {
    steps: &'a [StepTime],
    lake: String,
    tracking: String,
    report: String,
}

/// Runs every step and prints a table of what was made, where, and how long it took.
pub async fn run(
    context: &Context,
    source: Option<&Path>,
    generated: &Wanted<'_>,
    wanted: &report::Wanted<'_>,
) -> Result<(), SafraError> {
    let mut steps = Steps {
        context,
        taken: Vec::new(),
    };
    let nothing = context.lake.table_names(Folder::Sources)?.is_empty();
    if source.is_none() && nothing {
        let started = Instant::now();
        let parameters = Parameters {
            scale: generated.scale,
            seed: context.project.settings.seed,
            ..Parameters::default()
        };
        let made = generate::write(context, &parameters, generated.files)?;
        let rows: u64 = made.rows.values().sum();
        let detail = format!(
            "{}: {} rows",
            generated.files.display(),
            thousands(rows as usize)
        );
        steps.add("generate", started, detail);
    }
    let source = source.or(nothing.then_some(generated.files));
    if let Some(folder) = source {
        let started = Instant::now();
        let counts = ingest::load(context, folder).await?;
        steps.add("ingest", started, ingested(&counts));
    }
    for problem in context.project.problems.values() {
        let started = Instant::now();
        let views: Vec<String> = problem.features.views.clone();
        let reports =
            features::compute(context, &views, problem.first_date, None, problem.cadence).await?;
        let computed = reports
            .iter()
            .map(|report| report.computed)
            .max()
            .unwrap_or_default();
        let columns: usize = reports.iter().map(|report| report.features).sum();
        let detail = format!(
            "{} views, {columns} features, {computed} dates computed",
            reports.len()
        );
        steps.add("features", started, detail);
        let started = Instant::now();
        let trained = training::train(context, problem, None).await?;
        steps.add(
            &format!("train {}", problem.name),
            started,
            train::summary(&trained),
        );
        let started = Instant::now();
        let promotion = promotion::promote(context, problem)?;
        steps.add(
            &format!("promote {}", problem.name),
            started,
            promote::summary(&promotion),
        );
        let started = Instant::now();
        let scored = scoring::score(context, problem, None).await?;
        scored.write(context, problem).await?;
        steps.add(
            &format!("predict {}", problem.name),
            started,
            predict::summary(&problem.name, &scored),
        );
    }
    let started = Instant::now();
    report::write(context, wanted, steps.taken.clone()).await?;
    steps.add("report", started, wanted.out.display().to_string());
    steps.print(wanted.out)
}

struct Steps<'a> {
    context: &'a Context,
    taken: Vec<StepTime>,
}

impl Steps<'_> {
    fn add(&mut self, name: &str, started: Instant, detail: String) {
        let seconds = started.elapsed().as_secs_f64();
        self.context
            .say(&format!("{name}: {detail} ({seconds:.1} s)"));
        self.taken.push(StepTime {
            name: name.to_owned(),
            seconds,
            detail,
        });
    }

    fn print(&self, out: &Path) -> Result<(), SafraError> {
        let lake = self.context.lake.root().display().to_string();
        if self.context.json {
            return print_json(&Report {
                steps: &self.taken,
                lake,
                tracking: self.context.shown_tracking(),
                report: out.display().to_string(),
            });
        }
        let columns = [
            Column("step", false),
            Column("made", false),
            Column("seconds", true),
        ];
        let rows = self.taken.iter().map(|step| {
            vec![
                step.name.clone(),
                step.detail.clone(),
                format!("{:.1}", step.seconds),
            ]
        });
        let total: f64 = self.taken.iter().map(|step| step.seconds).sum();
        let total = vec!["all".to_owned(), String::new(), format!("{total:.1}")];
        print_table(&columns, rows.chain([total]));
        self.context.say(&format!(
            "open {} to read the result\n`safra sql \"SELECT * FROM predictions.churn ORDER BY score DESC LIMIT 10\"` asks the lake in {lake}\n{} shows the runs",
            out.display(),
            runs_page(&self.context.shown_tracking())
        ));
        Ok(())
    }
}

/// What shows the runs: the pages of the server, or those that MLflow serves from a folder.
fn runs_page(tracking: &str) -> String {
    if tracking.starts_with("http") {
        return tracking.to_owned();
    }
    format!("`MLFLOW_ALLOW_FILE_STORE=true mlflow ui --backend-store-uri {tracking}`")
}

fn ingested(report: &IngestReport) -> String {
    let sum = |count: fn(&safra_lake::TableCounts) -> usize| -> String {
        thousands(report.tables.iter().map(count).sum())
    };
    format!(
        "{} tables: {} rows read, {} new, {} changed, {} rejected",
        report.tables.len(),
        sum(|table| table.read),
        sum(|table| table.new),
        sum(|table| table.changed),
        sum(|table| table.rejected)
    )
}
