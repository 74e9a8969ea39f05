//! The training set as one table, and as the arrays that learners take.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Date32Array, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type, Float64Type, TimestampMicrosecondType};
use arrow::util::display::array_value_to_string;
use chrono::NaiveDate;
use safra_history::DAY;
use safra_lake::{Folder, Lake, Replace};
use safra_project::{Cadence, RowTime};
use serde_json::json;

use crate::DatasetError;
use crate::durations::Durations;

/// Name of the label column.
pub const LABEL: &str = "label";
/// Name of the column with the day on which the label is certain.
pub const LABEL_KNOWN_AT: &str = "label_known_at";
/// Name of the column with the days from an event to its outcome.
pub const DURATION: &str = "duration";
/// Name of the column with the time at which the outcome was seen.
pub const DURATION_KNOWN_AT: &str = "duration_known_at";

/// The values of one feature for all rows of a training set.
#[derive(Debug, Clone, PartialEq)]
pub enum FeatureColumn {
    /// Numbers, NaN where missing.
    Numbers(Vec<f64>),
    /// Texts, NULL where missing.
    Texts(StringArray),
}

/// Rows of a problem, sorted by their time, then entity: the entity, `reference_date` or, of events, `reference_time`,
/// `label` (NULL when the data cannot know yet), `label_known_at`, where the label query gives them `duration` and
/// `duration_known_at`, and the features.
#[derive(Debug, Clone)]
pub struct Dataset {
    pub(crate) problem: String,
    pub(crate) entity: Vec<String>,
    pub(crate) time: RowTime,
    /// How long a period of events is; none where rows are asked about on dates.
    pub(crate) cadence: Option<Cadence>,
    /// How many days before a date the rows begin that train for it; none if all do.
    pub(crate) training_days: Option<u32>,
    pub(crate) dates: Vec<NaiveDate>,
    pub(crate) data_end: NaiveDate,
    pub(crate) reference_days: Vec<i32>,
    pub(crate) label: BooleanArray,
    pub(crate) known_at: Date32Array,
    pub(crate) durations: Option<Durations>,
    pub(crate) rows: RecordBatch,
    pub(crate) first_feature: usize,
}

impl Dataset {
    /// The same rows as they stood on an earlier day: labels that were not certain by then are missing, and what was not
    /// seen before it was not seen.
    pub fn known_by(mut self, date: NaiveDate) -> Self {
        let day = date.to_epoch_days();
        let known = |row: usize| self.known_day(row).is_some_and(|known| known <= day);
        let label: BooleanArray = (0..self.len())
            .map(|row| self.label(row).filter(|_| known(row)))
            .collect();
        let durations = self.durations.take();
        let durations = durations.map(|durations| durations.known_before(date));
        let columns = self
            .rows
            .columns()
            .iter()
            .zip(self.rows.schema_ref().fields());
        let columns = columns.map(
            |(column, field)| match (field.name().as_str(), &durations) {
                (LABEL, _) => Arc::new(label.clone()) as ArrayRef,
                (DURATION, Some(durations)) => Arc::new(durations.days.clone()),
                (DURATION_KNOWN_AT, Some(durations)) => Arc::new(durations.known_at.clone()),
                _ => column.clone(),
            },
        );
        if let Ok(rows) = RecordBatch::try_new(self.rows.schema(), columns.collect()) {
            self.rows = rows;
        }
        self.label = label;
        self.durations = durations;
        self
    }

    /// Writes the training set to `datasets/<problem>` and returns the table's new version.
    ///
    /// # Errors
    /// [`DatasetError::Lake`] when the table cannot be written.
    pub async fn write(&self, lake: &Lake) -> Result<u64, DatasetError> {
        let table = lake.table(Folder::Datasets, &self.problem);
        let metadata = HashMap::from([("safra.data_end".to_owned(), json!(self.data_end))]);
        let rows = std::slice::from_ref(&self.rows);
        Ok(table
            .write(self.rows.schema(), rows, &Replace::All, metadata)
            .await?)
    }

    /// The problem.
    pub fn problem(&self) -> &str {
        &self.problem
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.num_rows()
    }

    /// Whether nobody is asked about.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All columns.
    pub fn rows(&self) -> &RecordBatch {
        &self.rows
    }

    /// What the time of a row is.
    pub fn time(&self) -> RowTime {
        self.time
    }

    /// The reference dates asked about, or on which periods of events begin, whether or not they have rows.
    pub fn dates(&self) -> &[NaiveDate] {
        &self.dates
    }

    /// The first day of which the data knows nothing.
    pub fn data_end(&self) -> NaiveDate {
        self.data_end
    }

    /// The entity of a row as text; the values of several columns are joined by `/`.
    pub fn entity(&self, row: usize) -> String {
        let value = |name: &String| {
            let column = self.rows.column_by_name(name)?;
            array_value_to_string(column, row).ok()
        };
        self.entity
            .iter()
            .filter_map(value)
            .collect::<Vec<_>>()
            .join("/")
    }

    /// When an event happened, as text; `None` where rows are asked about on reference dates.
    pub fn event_time(&self, row: usize) -> Option<String> {
        let times = self.rows.column_by_name(RowTime::ReferenceTime.column());
        let times = times.filter(|_| self.time.is_event())?;
        array_value_to_string(times, row).ok()
    }

    /// The reference date of each row, or the day of the event, in days since 1970-01-01.
    pub fn reference_days(&self) -> &[i32] {
        &self.reference_days
    }

    /// The label of a row; `None` when the data cannot know yet.
    pub fn label(&self, row: usize) -> Option<bool> {
        self.label.is_valid(row).then(|| self.label.value(row))
    }

    /// The labels of all rows.
    pub fn labels(&self) -> Vec<Option<bool>> {
        self.label.iter().collect()
    }

    /// How long it took until the outcome of each event, if the label query says so.
    pub fn durations(&self) -> Option<&Durations> {
        self.durations.as_ref()
    }

    pub(crate) fn known_day(&self, row: usize) -> Option<i32> {
        self.known_at
            .is_valid(row)
            .then(|| self.known_at.value(row))
    }

    /// The names of the features.
    pub fn feature_names(&self) -> Vec<String> {
        let fields = self.rows.schema();
        fields.fields()[self.first_feature..]
            .iter()
            .map(|field| field.name().clone())
            .collect()
    }

    /// The features column by column: numbers and booleans as numbers, texts as texts.
    ///
    /// # Errors
    /// [`DatasetError::Shape`] names a feature that is neither.
    pub fn feature_columns(&self) -> Result<Vec<FeatureColumn>, DatasetError> {
        let names = self.feature_names();
        let columns = self.rows.columns()[self.first_feature..].iter();
        columns
            .zip(names)
            .map(|(column, name)| self.feature_column(column, &name))
            .collect()
    }

    fn feature_column(&self, column: &ArrayRef, name: &str) -> Result<FeatureColumn, DatasetError> {
        let arrow = |source| DatasetError::Arrow {
            problem: self.problem.clone(),
            source,
        };
        match column.data_type() {
            kind if kind.is_numeric() || *kind == DataType::Boolean => {
                let numbers = cast(column, &DataType::Float64).map_err(arrow)?;
                let numbers = numbers.as_primitive::<Float64Type>();
                let numbers = numbers.iter().map(|number| number.unwrap_or(f64::NAN));
                Ok(FeatureColumn::Numbers(numbers.collect()))
            }
            kind if is_text(kind) => {
                let texts = cast(column, &DataType::Utf8).map_err(arrow)?;
                Ok(FeatureColumn::Texts(texts.as_string().clone()))
            }
            kind => {
                let message = format!(
                    "{name} is {kind}, neither a number nor a text\nhint: leave it out with `features.exclude`, or make a number or a text of it in the view"
                );
                Err(DatasetError::shape(&self.problem, "features", message))
            }
        }
    }
}

fn is_text(kind: &DataType) -> bool {
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}

/// The day of each row, in days since 1970-01-01.
pub(crate) fn row_days(rows: &RecordBatch, time: RowTime) -> Vec<i32> {
    let Some(times) = rows.column_by_name(time.column()) else {
        return Vec::new();
    };
    if let Some(days) = times.as_primitive_opt::<Date32Type>() {
        return days.values().to_vec();
    }
    let micros = times.as_primitive_opt::<TimestampMicrosecondType>();
    let day = |micros: &i64| i32::try_from(micros.div_euclid(DAY)).unwrap_or_default();
    micros.map_or_else(Vec::new, |micros| micros.values().iter().map(day).collect())
}
