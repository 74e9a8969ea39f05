//! The point-in-time join: the features of exactly the reference date that is asked about.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::{concat_batches, take};
use arrow::datatypes::FieldRef;
use chrono::NaiveDate;
use safra_features::REFERENCE_DATE;
use safra_lake::Lake;
use safra_project::{Problem, Project};

use crate::DatasetError;
use crate::keys::Keys;

/// Feature columns for the rows of a cohort; NULL where a view has no row for them.
pub(crate) struct Features {
    pub fields: Vec<FieldRef>,
    pub columns: Vec<ArrayRef>,
}

/// Looks the features of a problem up, view by view.
pub(crate) async fn collect(
    lake: &Lake,
    project: &Project,
    problem: &Problem,
    cohort: &RecordBatch,
    dates: &[NaiveDate],
) -> Result<Features, DatasetError> {
    let arrow = |source| DatasetError::Arrow {
        problem: problem.name.clone(),
        source,
    };
    let mut features = Features {
        fields: Vec::new(),
        columns: Vec::new(),
    };
    for name in &problem.features.views {
        let view = project.view(name)?;
        let mut key: Vec<String> = vec![REFERENCE_DATE.to_owned()];
        key.extend(
            view.entity
                .iter()
                .map(|name| name.rsplit('.').next().unwrap_or(name).to_owned()),
        );
        let batches = safra_features::read(lake, name, dates).await?;
        let schema = batches
            .first()
            .map_or_else(|| cohort.schema(), RecordBatch::schema);
        let rows = concat_batches(&schema, &batches).map_err(arrow)?;
        let [asked, held] = Keys::of([cohort, &rows], &key).map_err(arrow)?;
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
                return Err(DatasetError::shape(&problem.file, "features", message));
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
            &problem.file,
            "features",
            "the views and exclusions leave no feature",
        ));
    }
    Ok(features)
}
