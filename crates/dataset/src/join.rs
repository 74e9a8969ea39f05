//! The point-in-time join: the features of exactly the reference date that is asked about.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::{cast, concat_batches, take};
use arrow::datatypes::{FieldRef, Schema};
use arrow::error::ArrowError;
use chrono::NaiveDate;
use safra_features::REFERENCE_DATE;
use safra_lake::Lake;
use safra_project::{Population, Project, View};

use crate::DatasetError;
use crate::keys::Keys;

/// Feature columns for the rows of a cohort; NULL where a view has no row for them.
pub(crate) struct Features {
    pub fields: Vec<FieldRef>,
    pub columns: Vec<ArrayRef>,
}

impl Features {
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
    dates: &[NaiveDate],
) -> Result<Features, DatasetError> {
    let arrow = |source| DatasetError::Arrow {
        problem: problem.name.clone(),
        source,
    };
    let mut features = Features::none();
    for name in &problem.features.views {
        let key = key(problem, project.view(name)?, cohort)?;
        let batches = safra_features::read(lake, name, dates).await?;
        let schema = batches
            .first()
            .map_or_else(|| cohort.schema(), RecordBatch::schema);
        let rows = concat_batches(&schema, &batches).map_err(arrow)?;
        let asked = as_held(cohort, &rows, &key).map_err(arrow)?;
        let [asked, held] = Keys::of([&asked, &rows], &key).map_err(arrow)?;
        let places = asked.find_in(&held);
        for (field, column) in rows.schema().fields().iter().zip(rows.columns()) {
            if key.contains(field.name()) || problem.features.excludes(field.name()) {
                continue;
            }
            if features
                .fields
                .iter()
                .any(|held| held.name() == field.name())
            {
                let message = format!(
                    "{}: two of the views have a feature of that name",
                    field.name()
                );
                return Err(DatasetError::shape(problem.file, "features", message));
            }
            features
                .fields
                .push(Arc::new(field.as_ref().clone().with_nullable(true)));
            features
                .columns
                .push(take(column, &places, None).map_err(arrow)?);
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

/// The columns by which the features of a view are looked up: the reference date, and the view's entity, which the
/// cohort must return.
fn key(
    problem: Population<'_>,
    view: &View,
    cohort: &RecordBatch,
) -> Result<Vec<String>, DatasetError> {
    let entity = view.entity.iter();
    let entity = entity.map(|name| name.rsplit('.').next().unwrap_or(name).to_owned());
    let key: Vec<String> = [REFERENCE_DATE.to_owned()]
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
