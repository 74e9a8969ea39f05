//! The training set as one table, and as the arrays that learners take.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Date32Array, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type, Field, FieldRef, Float64Type, Schema};
use arrow::util::display::array_value_to_string;
use chrono::NaiveDate;
use safra_features::REFERENCE_DATE;
use safra_history::{History, session};
use safra_lake::{Folder, Lake, Replace};
use safra_project::{Population, Problem, Project};
use serde_json::json;

use crate::join::Features;
use crate::label::Labels;
use crate::{DatasetError, cohort, join, label, sources};

/// Name of the label column.
pub const LABEL: &str = "label";
/// Name of the column with the day on which the label is certain.
pub const LABEL_KNOWN_AT: &str = "label_known_at";

/// The values of one feature for all rows of a training set.
#[derive(Debug, Clone, PartialEq)]
pub enum FeatureColumn {
    /// Numbers, NaN where missing.
    Numbers(Vec<f64>),
    /// Texts, NULL where missing.
    Texts(StringArray),
}

/// Rows of a problem, sorted by reference date, then entity: the entity, `reference_date`, `label` (NULL when
/// the data cannot know yet), `label_known_at`, and the features.
#[derive(Debug, Clone)]
pub struct Dataset {
    problem: String,
    entity: Vec<String>,
    dates: Vec<NaiveDate>,
    data_end: NaiveDate,
    reference_days: Vec<i32>,
    label: BooleanArray,
    known_at: Date32Array,
    rows: RecordBatch,
    first_feature: usize,
}

impl Dataset {
    /// Builds the training set of a problem: every date of its cadence from its first date to the end of
    /// the data. The features must be in the store.
    ///
    /// # Errors
    /// [`DatasetError`] names the problem's file and the query, view, column or row at fault.
    pub async fn labelled(
        lake: &Lake,
        project: &Project,
        problem: &Problem,
    ) -> Result<Self, DatasetError> {
        let (tables, history, data_end) = label_history(lake, project, problem).await?;
        let dates = training_dates(project, problem, data_end);
        let cohort = cohort::collect(lake, project, problem.population(), &dates).await?;
        let labels = label::collect(problem, &history, &tables, &cohort, data_end).await?;
        let population = problem.population();
        let features = join::collect(lake, project, population, &cohort, &dates).await?;
        Self::assemble(population, cohort, labels, features, dates, data_end)
    }

    /// The cohort of one date with its features, without labels, to be scored.
    ///
    /// # Errors
    /// [`DatasetError::AfterData`] when the data does not reach up to the date; else as [`Dataset::labelled`].
    pub async fn unlabelled(
        lake: &Lake,
        project: &Project,
        problem: &Problem,
        date: NaiveDate,
    ) -> Result<Self, DatasetError> {
        let (_, _, data_end) = label_history(lake, project, problem).await?;
        if date > data_end {
            return Err(DatasetError::AfterData {
                problem: problem.name.clone(),
                date,
                data_end,
            });
        }
        Self::of_population(lake, project, problem.population(), &[date], data_end).await
    }

    /// The cohorts of some dates with their features, without labels. The caller answers for `data_end`, the first day of
    /// which the data knows nothing, and for no date being after it.
    ///
    /// # Errors
    /// As [`Dataset::labelled`].
    pub async fn of_population(
        lake: &Lake,
        project: &Project,
        population: Population<'_>,
        dates: &[NaiveDate],
        data_end: NaiveDate,
    ) -> Result<Self, DatasetError> {
        let cohort = cohort::collect(lake, project, population, dates).await?;
        let labels = Labels::unknown(cohort.num_rows());
        let features = join::collect(lake, project, population, &cohort, dates).await?;
        Self::assemble(
            population,
            cohort,
            labels,
            features,
            dates.to_vec(),
            data_end,
        )
    }

    /// What happened to the cohorts of a problem, at every date as [`Dataset::labelled`], without any feature. Only the views
    /// that the cohort reads must be in the store.
    ///
    /// # Errors
    /// As [`Dataset::labelled`].
    pub async fn outcomes(
        lake: &Lake,
        project: &Project,
        problem: &Problem,
    ) -> Result<Self, DatasetError> {
        let (tables, history, data_end) = label_history(lake, project, problem).await?;
        let dates = training_dates(project, problem, data_end);
        let cohort = cohort::collect(lake, project, problem.population(), &dates).await?;
        let labels = label::collect(problem, &history, &tables, &cohort, data_end).await?;
        let features = Features::none();
        Self::assemble(
            problem.population(),
            cohort,
            labels,
            features,
            dates,
            data_end,
        )
    }

    /// The first day of which the tables that the label reads know nothing.
    ///
    /// # Errors
    /// [`DatasetError::EmptySources`] when a table behind the cohort or the label has no rows;
    /// [`DatasetError::NoData`] when none of the label's is dated.
    pub async fn data_end_of(
        lake: &Lake,
        project: &Project,
        problem: &Problem,
    ) -> Result<NaiveDate, DatasetError> {
        Ok(label_history(lake, project, problem).await?.2)
    }

    /// The reference dates of a problem's training set: its cadence from its first date to the end of the data.
    ///
    /// # Errors
    /// As [`Dataset::data_end_of`].
    pub async fn dates_of(
        lake: &Lake,
        project: &Project,
        problem: &Problem,
    ) -> Result<Vec<NaiveDate>, DatasetError> {
        let data_end = Self::data_end_of(lake, project, problem).await?;
        Ok(training_dates(project, problem, data_end))
    }

    /// The feature views that the cohort of a problem reads.
    ///
    /// # Errors
    /// [`DatasetError::Sql`] when the query is no SQL; [`DatasetError::Shape`] when it reads anything but feature views.
    pub fn cohort_views(
        project: &Project,
        population: Population<'_>,
    ) -> Result<Vec<String>, DatasetError> {
        cohort::views(&session(1), project, population)
    }

    /// The same rows as they stood on an earlier day: labels that were not certain by then are missing.
    pub fn known_by(mut self, date: NaiveDate) -> Self {
        let day = date.to_epoch_days();
        let known = |row: usize| self.known_day(row).is_some_and(|known| known <= day);
        let label: BooleanArray = (0..self.len())
            .map(|row| self.label(row).filter(|_| known(row)))
            .collect();
        let columns = self.rows.columns().iter().enumerate().map(|(i, column)| {
            match self.rows.schema_ref().field(i).name() == LABEL {
                true => Arc::new(label.clone()) as ArrayRef,
                false => column.clone(),
            }
        });
        if let Ok(rows) = RecordBatch::try_new(self.rows.schema(), columns.collect()) {
            self.rows = rows;
        }
        self.label = label;
        self
    }

    fn assemble(
        problem: Population<'_>,
        cohort: RecordBatch,
        labels: Labels,
        features: Features,
        dates: Vec<NaiveDate>,
        data_end: NaiveDate,
    ) -> Result<Self, DatasetError> {
        let mut fields: Vec<FieldRef> = Vec::new();
        let mut columns: Vec<ArrayRef> = Vec::new();
        for name in problem
            .entity
            .iter()
            .map(String::as_str)
            .chain([REFERENCE_DATE])
        {
            if let Some((index, field)) = cohort.schema_ref().column_with_name(name) {
                fields.push(Arc::new(field.clone().with_nullable(true)));
                columns.push(cohort.column(index).clone());
            }
        }
        let (label, known_at) = (labels.label.clone(), labels.known_at.clone());
        fields.push(Arc::new(Field::new(LABEL, DataType::Boolean, true)));
        fields.push(Arc::new(Field::new(LABEL_KNOWN_AT, DataType::Date32, true)));
        columns.extend(label::as_columns(labels));
        let first_feature = fields.len();
        fields.extend(features.fields);
        columns.extend(features.columns);
        let rows =
            RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(|source| {
                DatasetError::Arrow {
                    problem: problem.name.clone(),
                    source,
                }
            })?;
        let days = rows
            .column_by_name(REFERENCE_DATE)
            .and_then(|days| days.as_primitive_opt::<Date32Type>())
            .map(|days| days.values().to_vec())
            .unwrap_or_default();
        Ok(Self {
            problem: problem.name.clone(),
            entity: problem.entity.clone(),
            dates,
            data_end,
            reference_days: days,
            label,
            known_at,
            rows,
            first_feature,
        })
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

    /// The reference dates asked about, whether or not they have rows.
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

    /// The reference date of each row, in days since 1970-01-01.
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

/// The tables that the label reads, their rows, and the first day of which they know nothing.
async fn label_history(
    lake: &Lake,
    project: &Project,
    problem: &Problem,
) -> Result<(Vec<String>, History, NaiveDate), DatasetError> {
    sources::require_rows(lake, project, problem).await?;
    let context = session(1);
    let tables = cohort::table_names(
        &context,
        problem.population(),
        &problem.label.sql,
        label::PART,
    )?;
    let names: BTreeSet<String> = tables
        .iter()
        .filter(|name| *name != "cohort")
        .cloned()
        .collect();
    let history = History::load(lake, project, &names).await?;
    let data_end = history
        .data_end(names.iter().map(String::as_str))
        .ok_or_else(|| DatasetError::NoData {
            file: problem.file.clone(),
        })?;
    Ok((tables, history, data_end))
}

fn training_dates(project: &Project, problem: &Problem, data_end: NaiveDate) -> Vec<NaiveDate> {
    let first = problem.first_date.unwrap_or(project.settings.first_date);
    problem.cadence.dates(first, data_end)
}
