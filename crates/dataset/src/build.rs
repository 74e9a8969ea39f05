//! How a training set is built: the cohort, its labels, its features.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::{Field, FieldRef, Schema};
use chrono::NaiveDate;
use safra_history::{History, session};
use safra_lake::Lake;
use safra_project::{Population, Problem, Project};

use crate::dataset::row_days;
use crate::join::{self, Features};
use crate::label::{self, Labels};
use crate::needed::{first_date, training_dates};
use crate::{Dataset, DatasetError, FeatureDates, cohort, sources};

impl Dataset {
    /// Builds the training set of a problem: every date of its cadence, or every event, from its first date to the end
    /// of the data. The features must be in the store.
    ///
    /// # Errors
    /// [`DatasetError`] names the problem's file and the query, view, column or row at fault.
    pub async fn labelled(
        lake: &Lake,
        project: &Project,
        problem: &Problem,
    ) -> Result<Self, DatasetError> {
        Self::training(lake, project, problem, true).await
    }

    /// What there is to be scored at a date, with its features, without labels: the cohort of that date, or, where rows are
    /// events, those before it that are still open, which is to say that neither what was asked about has been seen nor the label
    /// is certain. The features must be in the store.
    ///
    /// # Errors
    /// [`DatasetError::AfterData`] when the data does not reach up to the date; else as [`Dataset::labelled`].
    pub async fn unlabelled(
        lake: &Lake,
        project: &Project,
        problem: &Problem,
        date: NaiveDate,
    ) -> Result<Self, DatasetError> {
        let known = Known::of(lake, project, problem).await?;
        known.check_reaches(problem, date)?;
        if !problem.time.is_event() {
            let dates = [date];
            let population = problem.population();
            return Self::of_population(lake, project, population, &dates, known.data_end).await;
        }
        let first = first_date(project, problem);
        let needed = FeatureDates::of_events(&problem.features, first, date);
        let (cohort, labels) = known.labelled(lake, project, problem, &needed).await?;
        let open: UInt32Array = labels.open_at(date).map(|row| row as u32).collect();
        let cohort = take_record_batch(&cohort, &open).map_err(arrow(problem.population()))?;
        Self::events(lake, project, problem, cohort, &needed, known.data_end).await
    }

    /// The events of the period of a problem that ends with a date, open or not, with their features, without labels. The
    /// features must be in the store.
    ///
    /// # Errors
    /// As [`Dataset::unlabelled`].
    pub async fn of_period(
        lake: &Lake,
        project: &Project,
        problem: &Problem,
        date: NaiveDate,
    ) -> Result<Self, DatasetError> {
        let known = Known::of(lake, project, problem).await?;
        known.check_reaches(problem, date)?;
        let start = problem.cadence.before(date).unwrap_or(date);
        let needed = FeatureDates::of_events(&problem.features, start, date);
        let cohort = cohort::collect(lake, project, problem.population(), &needed.days).await?;
        Self::events(lake, project, problem, cohort, &needed, known.data_end).await
    }

    /// Events with their features, without labels.
    async fn events(
        lake: &Lake,
        project: &Project,
        problem: &Problem,
        cohort: RecordBatch,
        needed: &FeatureDates,
        data_end: NaiveDate,
    ) -> Result<Self, DatasetError> {
        let population = problem.population();
        let labels = Labels::unknown(cohort.num_rows());
        let features = join::collect(lake, project, population, &cohort, needed).await?;
        let set = Self::assemble(population, cohort, labels, features, Vec::new(), data_end)?;
        Ok(set.of_problem(problem))
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
        let needed = FeatureDates::at(dates);
        let cohort = cohort::collect(lake, project, population, dates).await?;
        let labels = Labels::unknown(cohort.num_rows());
        let features = join::collect(lake, project, population, &cohort, &needed).await?;
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
        Self::training(lake, project, problem, false).await
    }

    /// Who was asked about at every date and what happened, with or without features.
    async fn training(
        lake: &Lake,
        project: &Project,
        problem: &Problem,
        with_features: bool,
    ) -> Result<Self, DatasetError> {
        let known = Known::of(lake, project, problem).await?;
        let needed = FeatureDates::of_training(project, problem, known.data_end);
        let (cohort, labels) = known.labelled(lake, project, problem, &needed).await?;
        let population = problem.population();
        let features = match with_features {
            true => join::collect(lake, project, population, &cohort, &needed).await?,
            false => Features::none(),
        };
        let dates = training_dates(project, problem, known.data_end);
        let set = Self::assemble(population, cohort, labels, features, dates, known.data_end)?;
        Ok(set.of_problem(problem))
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
        Ok(Known::of(lake, project, problem).await?.data_end)
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
    /// [`DatasetError::Sql`] when the query is no SQL; [`DatasetError::Shape`] when it reads anything but feature views of the
    /// kind that the problem is about.
    pub fn cohort_views(
        project: &Project,
        population: Population<'_>,
    ) -> Result<Vec<String>, DatasetError> {
        cohort::views(&session(1), project, population)
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
        let entity = problem.entity.iter().map(String::as_str);
        for name in entity.chain([problem.time.column()]) {
            if let Some((index, field)) = cohort.schema_ref().column_with_name(name) {
                fields.push(Arc::new(field.clone().with_nullable(true)));
                columns.push(cohort.column(index).clone());
            }
        }
        let (label, known_at) = (labels.label.clone(), labels.known_at.clone());
        let durations = labels.durations.clone();
        for (name, values) in labels.into_columns() {
            fields.push(Arc::new(Field::new(name, values.data_type().clone(), true)));
            columns.push(values);
        }
        let first_feature = fields.len();
        fields.extend(features.fields);
        columns.extend(features.columns);
        let rows = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns);
        let rows = rows.map_err(arrow(problem))?;
        Ok(Self {
            problem: problem.name.clone(),
            entity: problem.entity.clone(),
            time: problem.time,
            cadence: None,
            training_days: None,
            dates,
            data_end,
            reference_days: row_days(&rows, problem.time),
            label,
            known_at,
            durations,
            rows,
            first_feature,
        })
    }

    /// Which rows train and judge.
    fn of_problem(mut self, problem: &Problem) -> Self {
        self.cadence = problem.time.is_event().then_some(problem.cadence);
        self.training_days = problem.training_days;
        self
    }
}

fn arrow(problem: Population<'_>) -> impl Fn(arrow::error::ArrowError) -> DatasetError {
    move |source| DatasetError::Arrow {
        problem: problem.name.clone(),
        source,
    }
}

/// What is known of the tables that a label reads.
struct Known {
    tables: Vec<String>,
    history: History,
    /// The first day of which they know nothing.
    data_end: NaiveDate,
}

impl Known {
    async fn of(lake: &Lake, project: &Project, problem: &Problem) -> Result<Self, DatasetError> {
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
        Ok(Self {
            tables,
            history,
            data_end,
        })
    }

    /// The cohort of a problem and its labels.
    async fn labelled(
        &self,
        lake: &Lake,
        project: &Project,
        problem: &Problem,
        needed: &FeatureDates,
    ) -> Result<(RecordBatch, Labels), DatasetError> {
        let population = problem.population();
        let asked = needed.asked(population);
        let cohort = cohort::collect(lake, project, population, asked).await?;
        let (tables, history) = (&self.tables, &self.history);
        let labels = label::collect(problem, history, tables, &cohort, self.data_end).await?;
        Ok((cohort, labels))
    }

    fn check_reaches(&self, problem: &Problem, date: NaiveDate) -> Result<(), DatasetError> {
        match date <= self.data_end {
            true => Ok(()),
            false => Err(DatasetError::AfterData {
                problem: problem.name.clone(),
                date,
                data_end: self.data_end,
            }),
        }
    }
}
