//! A problem's training set, ready for learners.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::NaiveDate;
use safra_dataset::{Dataset, FeatureColumn, FeatureDates, Split};
use safra_features::{BackfillReport, Progress, backfill};
use safra_lake::Lake;
use safra_learn::{Categories, Column, Durations, Examples, Learner, Metric};
use safra_project::{LearnerSpec, Population, Problem, Project, View};
use serde::Serialize;

use crate::context::Context;
use crate::error::SafraError;

/// A training set as learners take it.
pub struct Prepared {
    /// The rows, with entity, dates and labels.
    pub dataset: Dataset,
    /// The same rows as numbers and categories.
    pub examples: Examples,
}

impl Prepared {
    /// Builds the training set of a problem, computing the features that the store lacks.
    pub async fn training(context: &Context, problem: &Problem) -> Result<Self, SafraError> {
        fill_features(context, problem).await?;
        Self::of(Dataset::labelled(&context.lake, &context.project, problem).await?)
    }

    /// What there is to be scored at a date, the cohort of that date or the events that are open then, computing the
    /// features that the store lacks.
    pub async fn cohort(
        context: &Context,
        problem: &Problem,
        date: NaiveDate,
    ) -> Result<Self, SafraError> {
        fill_until(context, problem, date).await?;
        Self::of(Dataset::unlabelled(&context.lake, &context.project, problem, date).await?)
    }

    /// Those to compare with the past at a date: the cohort of that date, or the events of the period that ends with it, open
    /// or not.
    pub async fn population(
        context: &Context,
        problem: &Problem,
        date: NaiveDate,
    ) -> Result<Self, SafraError> {
        if !problem.time.is_event() {
            return Self::cohort(context, problem, date).await;
        }
        fill_until(context, problem, date).await?;
        Self::of(Dataset::of_period(&context.lake, &context.project, problem, date).await?)
    }

    /// The training set from another lake, whose feature store is complete.
    pub async fn from_store(
        lake: &Lake,
        context: &Context,
        problem: &Problem,
    ) -> Result<Self, SafraError> {
        Self::of(Dataset::labelled(lake, &context.project, problem).await?)
    }

    /// The same training set as it stood on an earlier day: labels that were not certain by then are unknown.
    pub fn known_by(self, date: NaiveDate) -> Result<Self, SafraError> {
        Self::of(self.dataset.known_by(date))
    }

    /// A dataset as learners take it.
    pub fn of(dataset: Dataset) -> Result<Self, SafraError> {
        let names = dataset.feature_names();
        let columns: Vec<Column> = dataset.feature_columns()?.into_iter().map(column).collect();
        let examples = Examples::with_columns(names, columns, dataset.labels())?;
        let examples = match dataset.durations() {
            Some(held) => examples.with_durations(Durations {
                started: held.started(),
                days: held.days(),
                known: held.known(),
            })?,
            None => examples,
        };
        Ok(Self { dataset, examples })
    }
}

/// Texts are categories to learners.
fn column(column: FeatureColumn) -> Column {
    match column {
        FeatureColumn::Numbers(numbers) => numbers.into(),
        FeatureColumn::Texts(texts) => Categories::from_texts(texts.iter()).into(),
    }
}

/// Computes the features that the training set of a problem needs and the store lacks.
pub async fn fill_features(
    context: &Context,
    problem: &Problem,
) -> Result<Vec<BackfillReport>, SafraError> {
    let data_end = Dataset::data_end_of(&context.lake, &context.project, problem).await?;
    let needed = FeatureDates::of_training(&context.project, problem, data_end);
    ensure_features(context, problem.population(), &needed).await
}

/// Computes what the store lacks to score what there is at a date; nothing if the data does not reach up to it.
async fn fill_until(
    context: &Context,
    problem: &Problem,
    date: NaiveDate,
) -> Result<(), SafraError> {
    let data_end = Dataset::data_end_of(&context.lake, &context.project, problem).await?;
    if date > data_end {
        return Ok(());
    }
    let needed = match problem.time.is_event() {
        true => FeatureDates::of_training(&context.project, problem, date),
        false => FeatureDates::at(&[date]),
    };
    ensure_features(context, problem.population(), &needed).await?;
    Ok(())
}

/// Computes the features that a problem needs at some dates and the store lacks.
pub async fn ensure_features(
    context: &Context,
    population: Population<'_>,
    needed: &FeatureDates,
) -> Result<Vec<BackfillReport>, SafraError> {
    let views = views_of(context, population)?;
    let steps = views.iter().map(|view| needed.of(view).len()).sum();
    let progress = context.progress(steps, "features");
    let follow = crate::commands::features::follow(&progress);
    let reports = fill_views(&context.lake, &context.project, &views, needed, follow).await?;
    progress.finish_and_clear();
    Ok(reports)
}

/// Computes what the store lacks of some views, and reports on them in their order.
pub async fn fill_views(
    lake: &Lake,
    project: &Project,
    views: &[&View],
    needed: &FeatureDates,
    follow: Progress,
) -> Result<Vec<BackfillReport>, SafraError> {
    let (events, dates): (Vec<&View>, Vec<&View>) =
        views.iter().partition(|view| view.is_about_events());
    let mut reports = Vec::new();
    for (kind, days) in [(events, &needed.days), (dates, &needed.dates)] {
        let follow = Arc::clone(&follow);
        reports.extend(backfill(lake, project, &kind, days, follow).await?);
    }
    let place = |report: &BackfillReport| views.iter().position(|view| view.name == report.view);
    reports.sort_by_key(place);
    Ok(reports)
}

/// The feature views that a problem needs: those of its features, and those that its cohort names.
pub fn views_of<'a>(
    context: &'a Context,
    population: Population<'_>,
) -> Result<Vec<&'a View>, SafraError> {
    let mut names: BTreeSet<String> = population.features.views.iter().cloned().collect();
    names.extend(Dataset::cohort_views(&context.project, population)?);
    names
        .iter()
        .map(|name| Ok(context.project.view(name)?))
        .collect()
}

/// Parameters by name.
pub type Parameters = BTreeMap<String, serde_json::Value>;

/// The parameters of each learner that a problem declares.
pub fn declared(problem: &Problem) -> BTreeMap<String, Parameters> {
    let parameters = |spec: &LearnerSpec| (spec.name.clone(), as_json(&spec.parameters));
    problem.learners.iter().map(parameters).collect()
}

/// The same values as JSON.
pub fn as_json<V: Serialize>(values: &BTreeMap<String, V>) -> Parameters {
    let json = |value: &V| serde_json::to_value(value).unwrap_or_default();
    values
        .iter()
        .map(|(name, value)| (name.clone(), json(value)))
        .collect()
}

/// The learners that a problem declares, or only those named.
pub fn learners(problem: &Problem, only: &[String]) -> Result<Vec<Box<dyn Learner>>, SafraError> {
    for name in only {
        if !problem.learners.iter().any(|spec| spec.name == *name) {
            let known: Vec<&str> = problem
                .learners
                .iter()
                .map(|spec| spec.name.as_str())
                .collect();
            return Err(SafraError::Usage(format!(
                "no such learner in {}: {name}\nhint: it declares: {}",
                problem.file,
                known.join(", ")
            )));
        }
    }
    learners_with(problem, only, &declared(problem))
}

/// The learners that a problem declares, or only those named, with these parameters by learner.
pub fn learners_with(
    problem: &Problem,
    only: &[String],
    parameters: &BTreeMap<String, Parameters>,
) -> Result<Vec<Box<dyn Learner>>, SafraError> {
    let names = problem.learners.iter().map(|spec| &spec.name);
    names
        .filter(|name| only.is_empty() || only.contains(name))
        .map(|name| {
            let mut own = parameters.get(name).cloned().unwrap_or_default();
            if name == BLEND {
                own.insert(MEMBERS.to_owned(), members(&own, parameters));
            }
            Ok(safra_learn::learner(name, &own)?)
        })
        .collect()
}

/// Name of the learner that blends others, and of its parameter that names them.
const BLEND: &str = "blend";
const MEMBERS: &str = "members";

/// The members of a blend with the parameters they have as learners of the problem.
fn members(blend: &Parameters, parameters: &BTreeMap<String, Parameters>) -> serde_json::Value {
    let with_parameters = |name: &str| {
        let own = parameters.get(name).cloned().unwrap_or_default();
        (
            name.to_owned(),
            serde_json::Value::Object(own.into_iter().collect()),
        )
    };
    match blend.get(MEMBERS) {
        Some(serde_json::Value::Array(names)) => {
            let names = names.iter().filter_map(serde_json::Value::as_str);
            serde_json::Value::Object(names.map(with_parameters).collect())
        }
        Some(other) => other.clone(),
        None => {
            let usual = ["logistic_regression", "lightgbm"];
            serde_json::Value::Object(usual.into_iter().map(with_parameters).collect())
        }
    }
}

/// The metric by which a problem ranks its learners.
pub fn metric(problem: &Problem) -> Result<Metric, SafraError> {
    let known = Metric::ALL;
    known
        .into_iter()
        .find(|metric| metric.name() == problem.metric)
        .ok_or_else(|| {
            let names: Vec<&str> = known.iter().map(|metric| metric.name()).collect();
            SafraError::Usage(format!(
                "{}: no such metric: {}\nhint: the metrics are: {}",
                problem.file,
                problem.metric,
                names.join(", ")
            ))
        })
}

/// The splits of the last dates that can judge, as many as the problem says.
pub fn default_splits(dataset: &Dataset, problem: &Problem) -> Result<Vec<Split>, SafraError> {
    Ok(dataset.last_splits(problem.backtest.dates)?)
}
