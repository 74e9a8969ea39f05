//! The point-in-time join: the features of exactly the reference date or event that is asked about, and for an event the
//! latest features of the reference dates before it.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::{cast, concat_batches, take_record_batch};
use arrow::datatypes::{FieldRef, Schema};
use arrow::error::ArrowError;
use chrono::NaiveDate;
use safra_features::{Lookup, lookup};
use safra_lake::Lake;
use safra_project::{Population, Project, View};

use crate::dataset::row_days;
use crate::keys::Keys;
use crate::{DatasetError, FeatureDates};

/// Feature columns for the rows of a cohort; NULL where a view has no row for them.
pub(crate) struct Features {
    pub fields: Vec<FieldRef>,
    pub columns: Vec<ArrayRef>,
}

impl Features {
    fn add(
        &mut self,
        problem: Population<'_>,
        field: &FieldRef,
        column: ArrayRef,
    ) -> Result<(), DatasetError> {
        if self.fields.iter().any(|held| held.name() == field.name()) {
            let message = format!(
                "{}: two of the views have a feature of that name",
                field.name()
            );
            return Err(DatasetError::shape(problem.file, "features", message));
        }
        self.fields
            .push(Arc::new(field.as_ref().clone().with_nullable(true)));
        self.columns.push(column);
        Ok(())
    }

    /// No features at all.
    pub(crate) fn none() -> Self {
        Self {
            fields: Vec::new(),
            columns: Vec::new(),
        }
    }
}

/// Looks the features of a problem up, view by view.
pub(crate) async fn collect(
    lake: &Lake,
    project: &Project,
    problem: Population<'_>,
    cohort: &RecordBatch,
    needed: &FeatureDates,
) -> Result<Features, DatasetError> {
    let mut features = Features::none();
    for name in &problem.features.views {
        let view = project.view(name)?;
        let key = key(problem, view, cohort)?;
        let found = match problem.time.is_event() && !view.is_about_events() {
            true => latest(lake, problem, view, cohort, &needed.dates).await?,
            false => exact(lake, problem, view, cohort, needed.of(view), &key).await?,
        };
        for (field, column) in found.schema().fields().iter().zip(found.columns()) {
            features.add(problem, field, column.clone())?;
        }
    }
    if features.fields.is_empty() {
        return Err(DatasetError::shape(
            problem.file,
            "features",
            "the views and exclusions leave no feature",
        ));
    }
    Ok(features)
}

/// The features of exactly these keys.
async fn exact(
    lake: &Lake,
    problem: Population<'_>,
    view: &View,
    cohort: &RecordBatch,
    dates: &[NaiveDate],
    key: &[String],
) -> Result<RecordBatch, DatasetError> {
    let batches = safra_features::read(lake, &view.name, dates).await?;
    let schema = batches
        .first()
        .map_or_else(|| cohort.schema(), RecordBatch::schema);
    let taken = || -> Result<RecordBatch, ArrowError> {
        let rows = concat_batches(&schema, &batches)?;
        let asked = as_held(cohort, &rows, key)?;
        let [asked, held] = Keys::of([&asked, &rows], key)?;
        let features = |name: &str| !key.iter().any(|key| key == name);
        let wanted = schema.fields().iter().enumerate();
        let wanted = wanted.filter(|(_, field)| {
            features(field.name()) && !problem.features.excludes(field.name())
        });
        let wanted: Vec<usize> = wanted.map(|(i, _)| i).collect();
        if wanted.is_empty() {
            return Ok(RecordBatch::new_empty(Arc::new(Schema::empty())));
        }
        take_record_batch(&rows.project(&wanted)?, &asked.find_in(&held))
    };
    taken().map_err(|source| DatasetError::Arrow {
        problem: problem.name.clone(),
        source,
    })
}

/// The latest features before each event, from the reference dates that matter to any of them.
async fn latest(
    lake: &Lake,
    problem: Population<'_>,
    view: &View,
    cohort: &RecordBatch,
    dates: &[NaiveDate],
) -> Result<RecordBatch, DatasetError> {
    let max_age_days = problem.features.max_age();
    let days = row_days(cohort, problem.time);
    let first = days.first().copied().unwrap_or_default();
    let last = days.last().copied().unwrap_or_default();
    let reach = i32::try_from(max_age_days).unwrap_or(i32::MAX);
    let matters = first.saturating_sub(reach)..=last;
    let dates: Vec<NaiveDate> = dates
        .iter()
        .filter(|date| matters.contains(&date.to_epoch_days()))
        .copied()
        .collect();
    let wanted = Lookup {
        view: &view.name,
        dates: &dates,
        max_age_days,
        wants: &|name| !problem.features.excludes(name),
    };
    Ok(lookup(lake, wanted, cohort, problem.time.column()).await?)
}

/// The columns by which the features of a view are looked up: the time, and the view's entity, which the cohort must
/// return.
fn key(
    problem: Population<'_>,
    view: &View,
    cohort: &RecordBatch,
) -> Result<Vec<String>, DatasetError> {
    let entity = view.entity.iter();
    let entity = entity.map(|name| name.rsplit('.').next().unwrap_or(name).to_owned());
    let key: Vec<String> = [problem.time.column().to_owned()]
        .into_iter()
        .chain(entity)
        .collect();
    let missing = key
        .iter()
        .find(|name| cohort.column_by_name(name).is_none());
    match missing {
        None => Ok(key),
        Some(name) => {
            let message = format!(
                "the view {} is about {name}, which the cohort does not return",
                view.name
            );
            Err(DatasetError::shape(problem.file, "features", message))
        }
    }
}

/// The key columns of the cohort in the types of the store, which a query may have changed.
fn as_held(
    cohort: &RecordBatch,
    held: &RecordBatch,
    key: &[String],
) -> Result<RecordBatch, ArrowError> {
    let mut fields = Vec::new();
    let mut columns = Vec::new();
    for name in key {
        let field = held.schema_ref().field_with_name(name)?.clone();
        let asked = cohort.column(cohort.schema_ref().index_of(name)?);
        columns.push(cast(asked, field.data_type())?);
        fields.push(field.with_nullable(true));
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
}
