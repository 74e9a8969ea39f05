//! What happened: the label query over the full tables, and the day on which each label is certain.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Date32Array, RecordBatch, UInt32Array};
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, Date32Type, Float64Type, TimeUnit, TimestampMicrosecondType};
use arrow::error::ArrowError;
use chrono::NaiveDate;
use safra_history::{DAY, History, session};
use safra_project::Problem;

use crate::cohort::{describe, register, run};
use crate::dataset::row_days;
use crate::durations::Durations;
use crate::keys::Keys;
use crate::{DURATION, DURATION_KNOWN_AT, DatasetError, LABEL, LABEL_KNOWN_AT};

pub(crate) const PART: &str = "label.sql";

/// The labels of a cohort, row by row.
pub(crate) struct Labels {
    /// Whether it happened; NULL when the data cannot know yet.
    pub label: BooleanArray,
    /// The day on which the label is certain whichever way it falls.
    pub known_at: Date32Array,
    /// How long it took, where the query says so.
    pub durations: Option<Durations>,
}

impl Labels {
    /// No label at all, for rows that are to be scored.
    pub(crate) fn unknown(rows: usize) -> Self {
        Self {
            label: BooleanArray::new_null(rows),
            known_at: Date32Array::new_null(rows),
            durations: None,
        }
    }

    /// The rows of which at a date neither the label is certain nor the outcome has been seen.
    pub(crate) fn open_at(&self, date: NaiveDate) -> impl Iterator<Item = usize> + '_ {
        let day = date.to_epoch_days();
        let moment = i64::from(day) * DAY;
        (0..self.known_at.len()).filter(move |&row| {
            let durations = self.durations.as_ref();
            let is_seen = durations.is_some_and(|held| held.is_seen_before(row, moment));
            self.known_at.value(row) > day && !is_seen
        })
    }

    /// The columns as they stand in a dataset.
    pub(crate) fn into_columns(self) -> Vec<(&'static str, ArrayRef)> {
        let mut columns: Vec<(&'static str, ArrayRef)> = vec![
            (LABEL, Arc::new(self.label)),
            (LABEL_KNOWN_AT, Arc::new(self.known_at)),
        ];
        if let Some(durations) = self.durations {
            columns.push((DURATION, Arc::new(durations.days)));
            columns.push((DURATION_KNOWN_AT, Arc::new(durations.known_at)));
        }
        columns
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
    let answers = Answers::of(problem, history, tables, cohort).await?;
    let label = answers.column(LABEL, &DataType::Boolean)?;
    let known_at = answers.column(LABEL_KNOWN_AT, &DataType::Date32)?;
    let known_at = known_at.as_primitive::<Date32Type>().clone();
    answers.check_known_at(&known_at)?;
    let end = data_end.to_epoch_days();
    let label = label.as_boolean().iter().zip(&known_at);
    let label = label
        .map(|(label, day)| label.filter(|_| day.is_some_and(|day| day <= end)))
        .collect();
    Ok(Labels {
        label,
        known_at,
        durations: answers.durations(data_end)?,
    })
}

/// What the label query returns for a cohort.
struct Answers<'a> {
    problem: &'a Problem,
    cohort: &'a RecordBatch,
    /// Columns that identify a row.
    key: Vec<String>,
    rows: RecordBatch,
    /// For each row of the cohort its row among the answers.
    places: UInt32Array,
}

impl<'a> Answers<'a> {
    async fn of(
        problem: &'a Problem,
        history: &History,
        tables: &[String],
        cohort: &'a RecordBatch,
    ) -> Result<Self, DatasetError> {
        let context = session(1);
        let population = problem.population();
        for name in tables.iter().filter(|name| *name != "cohort") {
            if let Some(source) = history.source(name) {
                let rows = vec![source.full().clone()];
                register(&context, population, PART, name, rows)?;
            }
        }
        register(&context, population, PART, "cohort", vec![cohort.clone()])?;
        let rows = run(&context, population, &problem.label.sql, PART).await?;
        let mut key = vec![problem.time.column().to_owned()];
        key.extend(problem.entity.iter().cloned());
        let must = key
            .iter()
            .map(String::as_str)
            .chain([LABEL, LABEL_KNOWN_AT]);
        if let Some(name) = must
            .into_iter()
            .find(|name| rows.column_by_name(name).is_none())
        {
            let message = format!("does not return {name}");
            return Err(DatasetError::shape(&problem.file, PART, message));
        }
        let places = places(problem, cohort, &rows, &key)?;
        Ok(Self {
            problem,
            cohort,
            key,
            rows,
            places,
        })
    }

    /// A column of the answers, row by row of the cohort.
    fn column(&self, name: &str, kind: &DataType) -> Result<ArrayRef, DatasetError> {
        let taken = || -> Result<ArrayRef, ArrowError> {
            let index = self.rows.schema_ref().index_of(name)?;
            take(&cast(self.rows.column(index), kind)?, &self.places, None)
        };
        taken().map_err(|source| DatasetError::Arrow {
            problem: self.problem.name.clone(),
            source,
        })
    }

    /// A label that is certain on its reference date, or on the day of its event, or before would be no question.
    fn check_known_at(&self, known_at: &Date32Array) -> Result<(), DatasetError> {
        let asked = row_days(self.cohort, self.problem.time);
        let wrong = known_at
            .iter()
            .zip(&asked)
            .position(|(known, asked)| known.is_none_or(|known| known <= *asked));
        match wrong {
            None => Ok(()),
            Some(row) => {
                let time = match self.problem.time.is_event() {
                    true => "day of the event",
                    false => "reference date",
                };
                let row = describe(self.cohort, &self.key, row);
                Err(self.wrong(format!(
                    "{LABEL_KNOWN_AT} is missing or not after the {time} for {row}"
                )))
            }
        }
    }

    /// How long it took, as far as it was seen before the end of the data.
    fn durations(&self, data_end: NaiveDate) -> Result<Option<Durations>, DatasetError> {
        let there =
            [DURATION, DURATION_KNOWN_AT].map(|name| self.rows.column_by_name(name).is_some());
        match there {
            [false, false] => return Ok(None),
            [true, true] if self.problem.time.is_event() => {}
            [true, true] => {
                let message = format!(
                    "{DURATION} is counted from an event, and this problem is about reference dates"
                );
                return Err(self.wrong(message));
            }
            _ => {
                let message =
                    format!("returns {DURATION} or {DURATION_KNOWN_AT} without the other");
                return Err(self.wrong(message));
            }
        }
        let time = DataType::Timestamp(TimeUnit::Microsecond, None);
        let days = self.column(DURATION, &DataType::Float64)?;
        let known_at = self.column(DURATION_KNOWN_AT, &time)?;
        let started = self.cohort.column_by_name(self.problem.time.column());
        let started =
            started.and_then(|times| times.as_primitive_opt::<TimestampMicrosecondType>());
        let durations = Durations {
            started: started
                .cloned()
                .unwrap_or_else(|| vec![None::<i64>; self.cohort.num_rows()].into()),
            days: days.as_primitive::<Float64Type>().clone(),
            known_at: known_at.as_primitive::<TimestampMicrosecondType>().clone(),
        };
        self.check_durations(&durations)?;
        Ok(Some(durations.known_before(data_end)))
    }

    /// An outcome before its event would be no question.
    fn check_durations(&self, durations: &Durations) -> Result<(), DatasetError> {
        let Durations {
            started,
            days,
            known_at,
        } = durations;
        let is_wrong = |&row: &usize| match (days.is_valid(row), known_at.is_valid(row)) {
            (false, false) => false,
            (true, true) => {
                !(days.value(row) >= 0.0 && days.value(row).is_finite())
                    || known_at.value(row) < started.value(row)
            }
            _ => true,
        };
        match (0..days.len()).find(is_wrong) {
            None => Ok(()),
            Some(row) => {
                let row = describe(self.cohort, &self.key, row);
                let message = format!(
                    "{DURATION} is negative, or {DURATION_KNOWN_AT} missing or before the event, for {row}\nhint: let the cohort ask about events without an outcome only"
                );
                Err(self.wrong(message))
            }
        }
    }

    fn wrong(&self, message: String) -> DatasetError {
        DatasetError::shape(&self.problem.file, PART, message)
    }
}

/// For each row of the cohort its row among the labels: exactly one.
fn places(
    problem: &Problem,
    cohort: &RecordBatch,
    rows: &RecordBatch,
    key: &[String],
) -> Result<UInt32Array, DatasetError> {
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
