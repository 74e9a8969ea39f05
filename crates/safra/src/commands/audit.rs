//! `safra audit`: does the store hold anything that was not known?

use std::collections::BTreeSet;

use chrono::NaiveDate;
use safra_dataset::FeatureDates;
use safra_features::{CompiledView, ViewAudit, audit, backfill_from};
use safra_history::History;
use safra_learn::Metrics;
use safra_project::View;
use serde::Serialize;

use super::features::follow;
use crate::context::Context;
use crate::error::SafraError;
use crate::output::{Column, metric, print_json, print_table, thousands};
use crate::pipeline::backtesting::Backtested;
use crate::pipeline::prepared::{Prepared, default_splits, learners, views_of};

/// Audits the store, prints what was compared, and says no (exit code 1) when anything differs.
pub async fn run(
    context: &Context,
    names: &[String],
    dates: &[NaiveDate],
) -> Result<(), SafraError> {
    let project = &context.project;
    let views: Vec<&View> = match names.is_empty() {
        true => stored_views(context)?,
        false => names
            .iter()
            .map(|name| project.view(name))
            .collect::<Result<_, _>>()?,
    };
    let progress = context.progress(views.len(), "audit");
    let done = |view: &str| {
        progress.set_message(view.to_owned());
        progress.inc(1);
    };
    let audits = audit(&context.lake, project, &views, dates, &done).await?;
    progress.finish_and_clear();
    match context.json {
        true => print_json(&audits)?,
        false => print(&audits),
    }
    let leaks: usize = audits.iter().map(|audit| audit.leaks.len()).sum();
    match leaks {
        0 => Ok(()),
        count => Err(SafraError::No(format!(
            "{count} features hold what was not known\nhint: a `known_at` in sources.toml is too early, or the store was written by something else"
        ))),
    }
}

/// The views that the store holds.
fn stored_views(context: &Context) -> Result<Vec<&View>, SafraError> {
    let held = context.lake.table_names(safra_lake::Folder::Features)?;
    let views: Vec<&View> = context
        .project
        .views
        .values()
        .filter(|view| held.contains(&view.name))
        .collect();
    match views.is_empty() {
        true => Err(SafraError::Usage(
            "the feature store is empty\nhint: `safra features` fills it".into(),
        )),
        false => Ok(views),
    }
}

fn print(audits: &[ViewAudit]) {
    let columns = [
        Column("view", false),
        Column("dates", true),
        Column("cells compared", true),
        Column("features that differ", true),
    ];
    let rows = audits.iter().map(|audit| {
        vec![
            audit.view.clone(),
            thousands(audit.dates.len()),
            thousands(audit.cells),
            thousands(audit.leaks.len()),
        ]
    });
    print_table(&columns, rows);
    if audits.iter().all(|audit| audit.leaks.is_empty()) {
        return;
    }
    let columns = [
        Column("view", false),
        Column("feature", false),
        Column("cells", true),
        Column("first at", false),
        Column("entity", false),
        Column("stored", true),
        Column("known then", true),
    ];
    let rows = audits.iter().flat_map(|audit| {
        audit.leaks.iter().map(|leak| {
            vec![
                audit.view.clone(),
                leak.column.clone(),
                thousands(leak.cells),
                leak.date.to_string(),
                leak.entity.clone(),
                leak.stored.clone(),
                leak.known.clone(),
            ]
        })
    });
    print_table(&columns, rows);
}

#[derive(Serialize)]
struct Inflation {
    problem: String,
    learner: String,
    honest: Metrics,
    hindsight: Metrics,
}

/// Backtests a problem on honest features and on features that read the future, side by side.
pub async fn inflation(context: &Context, problem: &str) -> Result<(), SafraError> {
    let problem = context.problem(problem)?;
    let honest = Prepared::training(context, problem).await?;
    let splits = default_splits(&honest.dataset, problem)?;
    let folder = context.lake.root().join("hindsight");
    let lake = context.lake.with_features_of(&folder);
    let views = views_of(context, problem.population())?;
    let mut sources = BTreeSet::new();
    for view in &views {
        sources.extend(CompiledView::new(&context.project, view).await?.sources());
    }
    let history = History::load(&lake, &context.project, &sources)
        .await?
        .with_hindsight();
    let needed = FeatureDates::of_training(&context.project, problem, honest.dataset.data_end());
    let steps = views.iter().map(|view| needed.of(view).len()).sum();
    let progress = context.progress(steps, "hindsight");
    let (events, dated): (Vec<&View>, Vec<&View>) =
        views.iter().partition(|view| view.is_about_events());
    for (views, dates) in [(events, &needed.days), (dated, &needed.dates)] {
        let history = history.clone();
        let follow = follow(&progress);
        backfill_from(&lake, &context.project, &views, dates, history, follow).await?;
    }
    progress.finish_and_clear();
    let leaky = Prepared::from_store(&lake, context, problem).await?;
    let removed = std::fs::remove_dir_all(&folder);
    removed.map_err(|source| SafraError::Io {
        path: folder.display().to_string(),
        source,
    })?;
    let learners = learners(problem, &[])?;
    let with = Backtested::run(context, problem, &leaky, &splits, &learners)?.evaluation;
    let without = Backtested::run(context, problem, &honest, &splits, &learners)?.evaluation;
    let rows = without
        .learners()
        .into_iter()
        .map(|learner| {
            Ok(Inflation {
                problem: problem.name.clone(),
                learner: learner.to_owned(),
                honest: without.means(learner)?,
                hindsight: with.means(learner)?,
            })
        })
        .collect::<Result<Vec<_>, SafraError>>()?;
    match context.json {
        true => print_json(&rows),
        false => {
            print_inflation(&rows);
            Ok(())
        }
    }
}

fn print_inflation(rows: &[Inflation]) {
    let columns = [
        Column("learner", false),
        Column("ROC AUC, honest", true),
        Column("with hindsight", true),
        Column("inflation", true),
        Column("log loss, honest", true),
        Column("with hindsight", true),
    ];
    let rows = rows.iter().map(|row| {
        let inflation = match (row.honest.roc_auc, row.hindsight.roc_auc) {
            (Some(honest), Some(hindsight)) => format!("{:+.4}", hindsight - honest),
            _ => "-".to_owned(),
        };
        vec![
            row.learner.clone(),
            metric(row.honest.roc_auc),
            metric(row.hindsight.roc_auc),
            inflation,
            metric(row.honest.log_loss),
            metric(row.hindsight.log_loss),
        ]
    });
    print_table(&columns, rows);
}
