//! `safra features`: the feature store.

use std::sync::Arc;

use chrono::NaiveDate;
use indicatif::ProgressBar;
use safra_dataset::FeatureDates;
use safra_features::{BackfillReport, CompiledView, Progress};
use safra_project::{Cadence, View};

use crate::context::Context;
use crate::error::SafraError;
use crate::output::{Column, line, print_json, print_table, thousands};
use crate::pipeline::prepared::fill_views;

/// Computes features and prints what was computed.
pub async fn run(
    context: &Context,
    names: &[String],
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
    every: Cadence,
) -> Result<(), SafraError> {
    let reports = compute(context, names, from, to, every).await?;
    if context.json {
        return print_json(&reports);
    }
    let columns = [
        Column("view", false),
        Column("features", true),
        Column("dates", true),
        Column("computed", true),
        Column("rows", true),
    ];
    let rows = reports.iter().map(|report| {
        let counts = [report.features, report.dates, report.computed, report.rows];
        let mut row = vec![report.view.clone()];
        row.extend(counts.map(thousands));
        row
    });
    print_table(&columns, rows);
    Ok(())
}

/// Computes features with a progress bar.
pub async fn compute(
    context: &Context,
    names: &[String],
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
    every: Cadence,
) -> Result<Vec<BackfillReport>, SafraError> {
    let project = &context.project;
    let views: Vec<&View> = match names.is_empty() {
        true => project.views.values().collect(),
        false => names
            .iter()
            .map(|name| project.view(name))
            .collect::<Result<_, _>>()?,
    };
    let data_end = data_end(context).await?;
    let to = to.unwrap_or(data_end);
    if to > data_end {
        return Err(SafraError::Usage(format!(
            "--to {to} is after the end of the data\nhint: the data is complete for days before {data_end}, so {data_end} is the last reference date"
        )));
    }
    let from = from.unwrap_or(project.settings.first_date);
    if from > to {
        return Err(SafraError::Usage(format!(
            "--from {from} is after the last reference date, {to}\nhint: --to says which is the last, by default the end of the data"
        )));
    }
    let needed = FeatureDates {
        dates: every.dates(from, to),
        // What is before the last date is known at it.
        days: Cadence::Day.dates(from, to.pred_opt().unwrap_or(to)),
    };
    let steps = views.iter().map(|view| needed.of(view).len()).sum();
    let progress = context.progress(steps, "features");
    let follow = follow(&progress);
    let reports = fill_views(&context.lake, project, &views, &needed, follow).await?;
    progress.finish_and_clear();
    Ok(reports)
}

/// The first day of which no source knows anything.
async fn data_end(context: &Context) -> Result<NaiveDate, SafraError> {
    let names = context.project.sources.keys().cloned().collect();
    let end = safra_history::data_end(&context.lake, &context.project, &names).await?;
    end.ok_or_else(|| {
        SafraError::Usage(
            "the lake holds no dated row\nhint: `safra ingest DIR` reads the files of a folder"
                .into(),
        )
    })
}

/// Moves a progress bar by the dates of a backfill.
pub fn follow(progress: &ProgressBar) -> Progress {
    let progress = progress.clone();
    Arc::new(move |view: &str, dates: usize| {
        progress.set_message(view.to_owned());
        progress.inc(dates as u64);
    })
}

/// Shows what a view reads, when that becomes known, and how it is computed.
pub async fn explain(context: &Context, view: &str) -> Result<(), SafraError> {
    let view = context.project.view(view)?;
    let compiled = CompiledView::new(&context.project, view).await?;
    let explanation = compiled.explain(&context.project)?;
    if context.json {
        return print_json(&explanation);
    }
    line!("{}: {}", view.name, view.description);
    line!("entity: {}", explanation.entity.join(", "));
    match explanation.events {
        true => line!("at: {}", explanation.time),
        false => {
            line!("time: {}", explanation.time);
            line!("windows: {}", explanation.windows.join(", "));
        }
    }
    let columns = [Column("reads", false), Column("known", false)];
    let reads = explanation.reads.iter();
    print_table(
        &columns,
        reads.map(|read| {
            vec![
                format!("{}.{}", read.table, read.column),
                read.known.clone(),
            ]
        }),
    );
    let (rows, aggregates, projection) = match explanation.date_by_date.is_empty() {
        true if explanation.events => (
            "once over row versions, those that held at the time of each event",
            "by entity and time",
            "once over the aggregates",
        ),
        true => (
            "once over row versions",
            "swept for all windows and dates",
            "once over the aggregates",
        ),
        false => {
            line!("computed by one query a date, which is slow:");
            for obstacle in &explanation.date_by_date {
                line!("  {obstacle}");
            }
            ("for each date", "for each date", "for each date")
        }
    };
    if !explanation.divided_by.is_empty() {
        let columns = explanation.divided_by.join(", ");
        line!("in pieces, where the sources are large: by {columns}");
    }
    if !explanation.followed_by_reference.is_empty() {
        let columns = explanation.followed_by_reference.join(", ");
        line!("a piece takes no other rows than it refers to: by {columns}");
    }
    line!("row plan, {rows}:\n{}", indented(&explanation.row_plan));
    line!("aggregates, {aggregates}:");
    for aggregate in &explanation.aggregates {
        line!("  {aggregate}");
    }
    line!("projection, {projection}:");
    for (name, expression) in &explanation.projection {
        line!("  {name} = {expression}");
    }
    Ok(())
}

fn indented(text: &str) -> String {
    text.lines()
        .map(|line| format!("  {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}
