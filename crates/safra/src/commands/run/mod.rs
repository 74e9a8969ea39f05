//! `safra run`: everything, in order. Each step does only what is missing, so a killed run goes on where it stopped.

mod steps;

use std::path::Path;
use std::time::Instant;

use safra_lake::{Folder, IngestReport};
use safra_marketplace::Parameters;
use safra_project::{Problem, Segmentation};

use self::steps::Steps;
use super::generate::Wanted;
use super::{generate, ingest, predict, promote, report, segments, train};
use crate::context::Context;
use crate::error::SafraError;
use crate::output::thousands;
use crate::pipeline::prepared::fill_features;
use crate::pipeline::promotion;
use crate::pipeline::scoring;
use crate::pipeline::training;

/// Runs every step for every problem, and prints a table of what was made, where, and how long it took. A problem that
/// cannot be done does not stop the others.
pub async fn run(
    context: &Context,
    source: Option<&Path>,
    generated: &Wanted<'_>,
    wanted: &report::Wanted<'_>,
) -> Result<(), SafraError> {
    let mut steps = Steps::new(context);
    load(context, source, generated, &mut steps).await?;
    for problem in context.project.problems.values() {
        match learn(context, problem, &mut steps).await {
            Ok(()) => steps.finished(&problem.name),
            Err(error) => steps.stopped(&problem.name, error),
        }
    }
    for segmentation in context.project.segmentations.values() {
        match divide(context, segmentation, &mut steps).await {
            Ok(()) => steps.finished(&segmentation.name),
            Err(error) => steps.stopped(&segmentation.name, error),
        }
    }
    if steps.any_finished() {
        let started = Instant::now();
        match report::write(context, wanted, steps.taken().to_vec()).await {
            Ok(()) => steps.add("report", started, wanted.out.display().to_string()),
            Err(error) => steps.stopped("report", error),
        }
    }
    steps.print(wanted.out)?;
    steps.verdict()
}

/// Files into the lake: those of `source`, or of a generated marketplace if there is no other data.
async fn load(
    context: &Context,
    source: Option<&Path>,
    generated: &Wanted<'_>,
    steps: &mut Steps<'_>,
) -> Result<(), SafraError> {
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
    if let Some(folder) = source.or(nothing.then_some(generated.files)) {
        let started = Instant::now();
        let counts = ingest::load(context, folder).await?;
        steps.add("ingest", started, ingested(&counts));
    }
    Ok(())
}

/// One problem, from features to scores.
async fn learn(
    context: &Context,
    problem: &Problem,
    steps: &mut Steps<'_>,
) -> Result<(), SafraError> {
    let name = &problem.name;
    let started = Instant::now();
    let reports = fill_features(context, problem).await?;
    let computed = reports.iter().map(|report| report.computed).max();
    let columns: usize = reports.iter().map(|report| report.features).sum();
    let detail = format!(
        "{} views, {columns} features, {} dates computed",
        reports.len(),
        computed.unwrap_or_default()
    );
    steps.add(&format!("features {name}"), started, detail);
    let started = Instant::now();
    let trained = training::train(context, problem, None, None).await?;
    steps.add(&format!("train {name}"), started, train::summary(&trained));
    let started = Instant::now();
    let promotion = promotion::promote(context, problem, false)?;
    let detail = promote::summary(&promotion);
    steps.add(&format!("promote {name}"), started, detail);
    let started = Instant::now();
    let scored = scoring::score(context, problem, None).await?;
    scored.write(context, problem).await?;
    let detail = predict::summary(name, &scored);
    steps.add(&format!("predict {name}"), started, detail);
    Ok(())
}

/// One cohort, divided into segments.
async fn divide(
    context: &Context,
    segmentation: &Segmentation,
    steps: &mut Steps<'_>,
) -> Result<(), SafraError> {
    let started = Instant::now();
    let segmented = segments::divide(context, segmentation, None, false).await?;
    let detail = segments::summary(&segmentation.name, &segmented);
    steps.add(&segmentation.name, started, detail);
    Ok(())
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
