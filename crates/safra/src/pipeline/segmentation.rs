//! Segments of a cohort: found once, registered, and then the measure for the dates that follow.

mod logging;
pub mod page;
pub mod profile;
mod registry;
mod table;

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use safra_dataset::{Dataset, DatasetError, FeatureDates};
use safra_features::CompiledView;
use safra_learn::{Assignment, Movements, SegmentModel};
use safra_mlflow::ModelVersion;
use safra_project::Segmentation;

use self::profile::{Outcome, Profile};
use self::registry::Registry;
use super::prepared::{Prepared, ensure_features, views_of};
use super::provenance::Provenance;
use crate::context::Context;
use crate::error::SafraError;

/// Where the segments of a date come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// From the champion; where there is none that could have been used on that date, they are found anew.
    IfNeeded,
    /// Found anew, whatever the champion says.
    Always,
    /// From the champion alone.
    Never,
}

/// A cohort divided into segments.
pub struct Segmented {
    /// The version that divided it.
    pub version: ModelVersion,
    /// The model.
    pub model: SegmentModel,
    /// Whether the segments were found just now, and not by an earlier command.
    pub is_new: bool,
    /// The reference date.
    pub date: NaiveDate,
    /// The cohort.
    pub cohort: Prepared,
    /// The segment of each row.
    pub assignments: Vec<Assignment>,
    /// What there is to say about each segment.
    pub profile: Profile,
    /// The date before, and how entities moved since; `None` when the cohort was empty then.
    pub movements: Option<(NaiveDate, Movements)>,
}

/// Divides the cohort of a date into segments. `None` when `fit` is [`Fit::Never`] and there is no champion to use.
pub async fn segment(
    context: &Context,
    segmentation: &Segmentation,
    at: Option<NaiveDate>,
    fit: Fit,
) -> Result<Option<Segmented>, SafraError> {
    let registry = Registry::open(context, segmentation)?;
    if fit == Fit::Never && registry.champion()?.is_none() {
        return Ok(None);
    }
    let data_end = data_end(context, segmentation).await?;
    let date = reference_date(context, segmentation, at, data_end)?;
    let cohorts = Cohorts {
        context,
        segmentation,
        data_end,
    };
    let cohort = cohorts.at(date).await?;
    if cohort.dataset.is_empty() {
        return Err(SafraError::Usage(format!(
            "{}: nobody is in the cohort on {date}\nhint: {}",
            segmentation.name, segmentation.cohort.description
        )));
    }
    let usable = match fit {
        Fit::Always => None,
        Fit::IfNeeded | Fit::Never => registry.usable_champion(date)?,
    };
    let (version, model, is_new) = match (usable, fit) {
        (Some((version, model)), _) => (version, model, false),
        (None, Fit::Never) => return Ok(None),
        (None, _) => {
            let provenance = Provenance::of(context, segmentation.population()).await?;
            registry.fit(&cohort, date, fit == Fit::Always, &provenance)?
        }
    };
    let assignments = model.assign(&cohort.examples.all())?;
    let outcomes = cohorts.outcomes(&model, date).await?;
    let profile = Profile::of(
        segmentation,
        &model,
        &cohort.examples,
        &assignments,
        &outcomes,
    )?;
    let movements = cohorts
        .movements(&model, date, &cohort, &assignments)
        .await?;
    Ok(Some(Segmented {
        version,
        model,
        is_new,
        date,
        cohort,
        assignments,
        profile,
        movements,
    }))
}

/// The cohorts of a segmentation.
struct Cohorts<'a> {
    context: &'a Context,
    segmentation: &'a Segmentation,
    data_end: NaiveDate,
}

impl Cohorts<'_> {
    async fn at(&self, date: NaiveDate) -> Result<Prepared, SafraError> {
        let (context, population) = (self.context, self.segmentation.population());
        let dates = [date];
        ensure_features(context, population, &FeatureDates::at(&dates)).await?;
        let (lake, project) = (&context.lake, &context.project);
        Prepared::of(
            Dataset::of_population(lake, project, population, &dates, self.data_end).await?,
        )
    }

    /// How entities moved since the date before, both dates divided by the same model.
    async fn movements(
        &self,
        model: &SegmentModel,
        date: NaiveDate,
        now: &Prepared,
        assignments: &[Assignment],
    ) -> Result<Option<(NaiveDate, Movements)>, SafraError> {
        let first = first_date(self.context, self.segmentation);
        let Some(before) = self
            .segmentation
            .cadence
            .before(date)
            .filter(|before| *before >= first)
        else {
            return Ok(None);
        };
        let cohort = self.at(before).await?;
        if cohort.dataset.is_empty() {
            return Ok(None);
        }
        let earlier = by_entity(&cohort, &model.assign(&cohort.examples.all())?);
        let movements = Movements::between(
            model.segments().len(),
            &earlier,
            &by_entity(now, assignments),
        );
        Ok(Some((before, movements)))
    }

    /// For each outcome that the profile asks for: what happened to the segments of the latest date on which that was certain by
    /// `date`.
    async fn outcomes(
        &self,
        model: &SegmentModel,
        date: NaiveDate,
    ) -> Result<BTreeMap<String, Outcome>, SafraError> {
        let mut outcomes = BTreeMap::new();
        let names: BTreeSet<&String> = self
            .segmentation
            .profile
            .iter()
            .filter_map(|column| column.outcome.as_ref())
            .collect();
        for name in names {
            if let Some(outcome) = self.outcome(model, name, date).await? {
                outcomes.insert(name.clone(), outcome);
            }
        }
        Ok(outcomes)
    }

    async fn outcome(
        &self,
        model: &SegmentModel,
        problem: &str,
        date: NaiveDate,
    ) -> Result<Option<Outcome>, SafraError> {
        let (context, problem) = (self.context, self.context.problem(problem)?);
        let dates = Dataset::dates_of(&context.lake, &context.project, problem).await?;
        let cohort_only = safra_project::FeatureSelection {
            views: Vec::new(),
            ..problem.features.clone()
        };
        let population = safra_project::Population {
            features: &cohort_only,
            ..problem.population()
        };
        ensure_features(context, population, &FeatureDates::at(&dates)).await?;
        let happened = Dataset::outcomes(&context.lake, &context.project, problem)
            .await?
            .known_by(date);
        let Some(settled) = last_settled(&happened, date) else {
            return Ok(None);
        };
        let cohort = self.at(settled).await?;
        let segments = by_entity(&cohort, &model.assign(&cohort.examples.all())?);
        let labels = (0..happened.len())
            .filter(|&row| happened.reference_days()[row] == settled.to_epoch_days());
        let labels = labels
            .filter_map(|row| Some((*segments.get(&happened.entity(row))?, happened.label(row)?)));
        Ok(Some(Outcome::count(
            settled,
            model.segments().len(),
            labels,
        )))
    }
}

/// The last date before `date` on which every label is certain.
fn last_settled(happened: &Dataset, date: NaiveDate) -> Option<NaiveDate> {
    let is_settled = |day: &&NaiveDate| {
        let mut rows = (0..happened.len())
            .filter(|&row| happened.reference_days()[row] == day.to_epoch_days())
            .peekable();
        rows.peek().is_some() && rows.all(|row| happened.label(row).is_some())
    };
    happened
        .dates()
        .iter()
        .rev()
        .filter(|day| **day < date)
        .find(is_settled)
        .copied()
}

fn by_entity(cohort: &Prepared, assignments: &[Assignment]) -> BTreeMap<String, usize> {
    let rows = assignments.iter().enumerate();
    rows.map(|(row, assignment)| (cohort.dataset.entity(row), assignment.segment))
        .collect()
}

fn first_date(context: &Context, segmentation: &Segmentation) -> NaiveDate {
    segmentation
        .first_date
        .unwrap_or(context.project.settings.first_date)
}

/// The date asked for, or the last of the cadence in the data.
fn reference_date(
    context: &Context,
    segmentation: &Segmentation,
    at: Option<NaiveDate>,
    data_end: NaiveDate,
) -> Result<NaiveDate, SafraError> {
    match at {
        Some(date) if date > data_end => Err(SafraError::Dataset(DatasetError::AfterData {
            problem: segmentation.name.clone(),
            date,
            data_end,
        })),
        Some(date) => Ok(date),
        None => {
            let dates = segmentation
                .cadence
                .dates(first_date(context, segmentation), data_end);
            dates.last().copied().ok_or_else(|| {
                SafraError::Usage(format!(
                    "{}: the data ends before the first reference date",
                    segmentation.name
                ))
            })
        }
    }
}

/// The first day of which none of the sources that the views read knows anything.
async fn data_end(context: &Context, segmentation: &Segmentation) -> Result<NaiveDate, SafraError> {
    let mut sources = BTreeSet::new();
    for view in views_of(context, segmentation.population())? {
        sources.extend(CompiledView::new(&context.project, view).await?.sources());
    }
    let end = safra_history::data_end(&context.lake, &context.project, &sources).await?;
    end.ok_or_else(|| {
        SafraError::Dataset(DatasetError::NoData {
            file: segmentation.file.clone(),
        })
    })
}
