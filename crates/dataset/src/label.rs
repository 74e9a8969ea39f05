//! What happened: the label query over the full tables, and the day on which each label is certain.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, Date32Array, RecordBatch};
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, Date32Type};
use chrono::NaiveDate;
use safra_features::REFERENCE_DATE;
use safra_history::{History, session};
use safra_project::Problem;

use crate::cohort::{describe, register, run};
use crate::keys::Keys;
use crate::{DatasetError, LABEL, LABEL_KNOWN_AT};

pub(crate) const PART: &str = "label.sql";

/// The labels of a cohort, row by row.
pub(crate) struct Labels {
    /// Whether it happened; NULL when the data cannot know yet.
    pub label: BooleanArray,
    /// The day on which the label is certain whichever way it falls.
    pub known_at: Date32Array,
}

impl Labels {
    /// No label at all, for rows that are to be scored.
    pub(crate) fn unknown(rows: usize) -> Self {
        Self {
            label: BooleanArray::new_null(rows),
            known_at: Date32Array::new_null(rows),
        }
    }
}

/// Labels `cohort` from the full tables. A label that is certain only after `data_end` is NULL, whatever the
/// query says: the data does not hold the days on which it depends.
pub(crate) async fn collect(
    problem: &Problem,
    history: &History,
    tables: &[String],
    cohort: &RecordBatch,
    data_end: NaiveDate,
) -> Result<Labels, DatasetError> {
    let context = session(1);
    for name in tables.iter().filter(|name| *name != "cohort") {
        if let Some(source) = history.source(name) {
            register(
                &context,
                problem.population(),
                PART,
                name,
                vec![source.full().clone()],
            )?;
        }
    }
    register(
        &context,
        problem.population(),
        PART,
        "cohort",
        vec![cohort.clone()],
    )?;
    let rows = run(&context, problem.population(), &problem.label.sql, PART).await?;
    let mut key = vec![REFERENCE_DATE.to_owned()];
    key.extend(problem.entity.iter().cloned());
    for name in key
        .iter()
        .map(String::as_str)
        .chain([LABEL, LABEL_KNOWN_AT])
    {
        if rows.column_by_name(name).is_none() {
            let message = format!("does not return {name}");
            return Err(DatasetError::shape(&problem.file, PART, message));
        }
    }
    let places = places(problem, cohort, &rows, &key)?;
    let column = |name: &str, kind: &DataType| -> Result<ArrayRef, arrow::error::ArrowError> {
        let index = rows.schema_ref().index_of(name)?;
        take(&cast(rows.column(index), kind)?, &places, None)
    };
    let arrow = |source| DatasetError::Arrow {
        problem: problem.name.clone(),
        source,
    };
    let label = column(LABEL, &DataType::Boolean).map_err(arrow)?;
    let known_at = column(LABEL_KNOWN_AT, &DataType::Date32).map_err(arrow)?;
    let known_at = known_at.as_primitive::<Date32Type>().clone();
    check_known_at(problem, cohort, &key, &known_at)?;
    let end = data_end.to_epoch_days();
    let label = label.as_boolean().iter().zip(&known_at);
    let label = label
        .map(|(label, day)| label.filter(|_| day.is_some_and(|day| day <= end)))
        .collect();
    Ok(Labels { label, known_at })
}

/// For each row of the cohort its row among the labels: exactly one.
fn places(
    problem: &Problem,
    cohort: &RecordBatch,
    rows: &RecordBatch,
    key: &[String],
) -> Result<arrow::array::UInt32Array, DatasetError> {
    let [asked, answered] =
        Keys::of([cohort, rows], key).map_err(|source| DatasetError::Arrow {
            problem: problem.name.clone(),
            source,
        })?;
    if let Some(row) = answered.first_repeated() {
        let message = format!("returns a row twice: {}", describe(rows, key, row));
        return Err(DatasetError::shape(&problem.file, PART, message));
    }
    let places = asked.find_in(&answered);
    match places.iter().position(|place| place.is_none()) {
        None => Ok(places),
        Some(row) => {
            let message = format!("returns no row for {}", describe(cohort, key, row));
            Err(DatasetError::shape(&problem.file, PART, message))
        }
    }
}

/// A label that is certain on its reference date or before would be no question.
fn check_known_at(
    problem: &Problem,
    cohort: &RecordBatch,
    key: &[String],
    known_at: &Date32Array,
) -> Result<(), DatasetError> {
    let asked = cohort
        .column_by_name(REFERENCE_DATE)
        .and_then(|dates| dates.as_primitive_opt::<Date32Type>().cloned())
        .unwrap_or_else(|| Date32Array::new_null(cohort.num_rows()));
    let wrong = known_at
        .iter()
        .zip(&asked)
        .position(|(known, asked)| match (known, asked) {
            (Some(known), Some(asked)) => known <= asked,
            _ => true,
        });
    match wrong {
        None => Ok(()),
        Some(row) => {
            let message = format!(
                "{LABEL_KNOWN_AT} is missing or not after the reference date for {}",
                describe(cohort, key, row)
            );
            Err(DatasetError::shape(&problem.file, PART, message))
        }
    }
}

/// Label columns as they stand in a dataset.
pub(crate) fn as_columns(labels: Labels) -> [ArrayRef; 2] {
    [Arc::new(labels.label), Arc::new(labels.known_at)]
}
