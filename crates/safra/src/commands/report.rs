//! `safra report`: the HTML report.

use std::path::Path;

use safra_mlflow::ModelVersion;
use safra_project::{Problem, Segmentation};
use safra_report::{Language, Page, ProblemReport, Report, StepTime, Untrained};

use crate::context::Context;
use crate::error::SafraError;
use crate::interrupt::partial;
use crate::pipeline::model::CHAMPION;
use crate::pipeline::reporting::{figures, problem_report, tables};
use crate::pipeline::scoring::score;
use crate::pipeline::segmentation::{self, Fit};
use crate::pipeline::training::stored_evaluation;

/// What is to be reported, and where.
pub struct Wanted<'a> {
    /// The problems; all of them if empty.
    pub problems: &'a [String],
    /// The language; that of the project if none is asked for.
    pub language: Option<Language>,
    /// The file.
    pub out: &'a Path,
}

/// Writes the report from what the lake and the tracking store hold.
pub async fn run(context: &Context, wanted: &Wanted<'_>) -> Result<(), SafraError> {
    write(context, wanted, Vec::new()).await?;
    context.say(&format!("{}: written", wanted.out.display()));
    Ok(())
}

/// Writes the report, with the times of the steps that led to it.
pub async fn write(
    context: &Context,
    wanted: &Wanted<'_>,
    steps: Vec<StepTime>,
) -> Result<(), SafraError> {
    let settings = &context.project.settings;
    let language = wanted.language.or(Language::of_tag(&settings.language));
    let language = language.unwrap_or_default();
    let mut report = Report {
        language,
        title: settings.description_in(language.tag()).to_owned(),
        project: settings.name.clone(),
        data_from: settings.first_date.to_string(),
        steps,
        ..Report::default()
    };
    for problem in chosen(context, wanted.problems)? {
        let page = page(context, &mut report, problem).await?;
        report.pages.push(page);
    }
    for segmentation in chosen_segmentations(context, wanted.problems) {
        let page = segments_page(context, &mut report, segmentation).await?;
        report.pages.push(page);
    }
    if report
        .pages
        .iter()
        .all(|page| matches!(page, Page::Untrained(_)))
    {
        return Err(SafraError::Usage(
            "there is no champion to report on\nhint: `safra run --source DIR` does everything up to the report".into(),
        ));
    }
    report.figures = figures(context, language).await?;
    report.tables = tables(&context.lake).await?;
    whole_file(wanted.out, &safra_report::render(&report)?)
}

/// The problems of these names, or all of them, in the order of the project.
fn chosen<'a>(context: &'a Context, names: &[String]) -> Result<Vec<&'a Problem>, SafraError> {
    let segmentations = &context.project.segmentations;
    for name in names
        .iter()
        .filter(|name| !segmentations.contains_key(*name))
    {
        context.problem(name)?;
    }
    let problems = context.project.problems.values();
    Ok(problems
        .filter(|problem| names.is_empty() || names.contains(&problem.name))
        .collect())
}

/// The cohorts to divide, of these names or all of them, in the order of the project.
fn chosen_segmentations<'a>(
    context: &'a Context,
    names: &'a [String],
) -> impl Iterator<Item = &'a Segmentation> {
    let segmentations = context.project.segmentations.values();
    segmentations.filter(move |one| names.is_empty() || names.contains(&one.name))
}

/// The page of a cohort that was divided into segments, or how to divide it.
async fn segments_page(
    context: &Context,
    report: &mut Report,
    segmentation: &Segmentation,
) -> Result<Page, SafraError> {
    let segmented = segmentation::segment(context, segmentation, None, Fit::Never).await?;
    let Some(segmented) = segmented else {
        let command = format!("safra segments {}", segmentation.name);
        context.warn(&format!(
            "{}: there are no segments to report on\nhint: run `{command}`",
            segmentation.name
        ));
        let texts = segmentation.texts(report.language.tag());
        return Ok(Page::Untrained(Untrained {
            name: segmentation.name.clone(),
            title: texts.title.to_owned(),
            question: texts.question.to_owned(),
            commands: vec![command],
        }));
    };
    if report.data_until.is_empty() {
        let data_end = segmented.cohort.dataset.data_end();
        report.data_until = data_end.pred_opt().unwrap_or(data_end).to_string();
    }
    let page = segmentation::page::page(segmentation, report.language, &segmented)?;
    Ok(Page::Segments(Box::new(page)))
}

/// The page of a problem: what its champion says, or how to get one.
async fn page(
    context: &Context,
    report: &mut Report,
    problem: &Problem,
) -> Result<Page, SafraError> {
    let Some(version) = champion(context, problem)? else {
        let commands = ["train", "promote"].map(|step| format!("safra {step} {}", problem.name));
        context.warn(&format!(
            "{}: there is no champion to report on\nhint: run `{}`",
            problem.name,
            commands.join("` and `")
        ));
        let texts = problem.texts(report.language.tag());
        return Ok(Page::Untrained(Untrained {
            name: problem.name.clone(),
            title: texts.title.to_owned(),
            question: texts.question.to_owned(),
            commands: commands.to_vec(),
        }));
    };
    let (part, last_day) = trained(context, report.language, problem, &version).await?;
    report.generated_for.clone_from(&part.scored.reference_date);
    report.data_until = last_day;
    Ok(Page::Problem(Box::new(part)))
}

/// What the champion of a problem says, and the last day of the data.
async fn trained(
    context: &Context,
    language: Language,
    problem: &Problem,
    version: &ModelVersion,
) -> Result<(ProblemReport, String), SafraError> {
    let store = context.store()?;
    let evaluation = stored_evaluation(store.as_ref(), version)?;
    let scored = score(context, problem, None).await?;
    let part = problem_report(context, problem, language, &evaluation, &scored)?;
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

fn whole_file(path: &Path, text: &str) -> Result<(), SafraError> {
    let failed = |source| SafraError::Io {
        path: path.display().to_string(),
        source,
    };
    let temporary = partial(path);
    std::fs::write(&temporary, text).map_err(failed)?;
    std::fs::rename(&temporary, path).map_err(failed)
}
