//! `safra report`: the HTML report.

use std::path::Path;

use safra_mlflow::ModelVersion;
use safra_project::Problem;
use safra_report::{ProblemReport, Report, StepTime};

use crate::context::Context;
use crate::error::SafraError;
use crate::pipeline::model::CHAMPION;
use crate::pipeline::reporting::{add_scores, backtest_part, tables};
use crate::pipeline::scoring::score;
use crate::pipeline::training::{LEARNER, stored_evaluation};

/// Writes the report from what the lake and the tracking store hold.
pub async fn run(context: &Context, out: &Path) -> Result<(), SafraError> {
    write(context, out, Vec::new()).await?;
    context.say(&format!("{}: written", out.display()));
    Ok(())
}

/// Writes the report, with the times of the steps that led to it.
pub async fn write(context: &Context, out: &Path, steps: Vec<StepTime>) -> Result<(), SafraError> {
    let mut problems = Vec::new();
    let mut last_day = String::new();
    let mut generated_for = String::new();
    for problem in context.project.problems.values() {
        let Some(version) = champion(context, problem)? else {
            continue;
        };
        let (part, day) = problem_part(context, problem, &version).await?;
        generated_for.clone_from(&part.scored.reference_date);
        last_day = day;
        problems.push(part);
    }
    if problems.is_empty() {
        return Err(SafraError::Usage(
            "there is no champion to report on\nhint: `safra run --source DIR` does everything up to the report".into(),
        ));
    }
    let settings = &context.project.settings;
    let html = safra_report::render(&Report {
        title: settings.description.clone(),
        project: settings.name.clone(),
        data_from: settings.first_date.to_string(),
        data_until: last_day,
        generated_for,
        problems,
        steps,
        tables: tables(&context.lake).await?,
    })?;
    let failed = |source| SafraError::Io {
        path: out.display().to_string(),
        source,
    };
    let temporary = out.with_extension("html.partial");
    std::fs::write(&temporary, html).map_err(failed)?;
    std::fs::rename(&temporary, out).map_err(failed)
}

async fn problem_part(
    context: &Context,
    problem: &Problem,
    version: &ModelVersion,
) -> Result<(ProblemReport, String), SafraError> {
    let store = context.store()?;
    let evaluation = stored_evaluation(store.as_ref(), version)?;
    let learner = version.tags.get(LEARNER).map_or("", String::as_str);
    let mut part = backtest_part(problem, &evaluation, learner)?;
    let scored = score(context, problem, None).await?;
    add_scores(&mut part, problem, &scored)?;
    let data_end = scored.prepared.dataset.data_end();
    let last_day = data_end.pred_opt().unwrap_or(data_end);
    Ok((part, last_day.to_string()))
}

fn champion(context: &Context, problem: &Problem) -> Result<Option<ModelVersion>, SafraError> {
    let store = context.store()?;
    let name = context.model_name(problem);
    Ok(match store.get_registered_model(&name)? {
        Some(_) => store.get_model_version_by_alias(&name, CHAMPION)?,
        None => None,
    })
}
