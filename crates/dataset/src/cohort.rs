//! Who is asked about: the cohort query over the feature store.

use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use arrow::compute::{concat_batches, take_record_batch};
use arrow::datatypes::{DataType, TimeUnit};
use arrow::util::display::array_value_to_string;
use chrono::NaiveDate;
use datafusion::datasource::MemTable;
use datafusion::prelude::SessionContext;
use safra_history::session;
use safra_lake::Lake;
use safra_project::{Population, Project};

use crate::DatasetError;
use crate::keys::Keys;

const PART: &str = "cohort.sql";

/// The rows of the cohort at `dates`, sorted by reference date, then entity; of events, those on these days, by time.
pub(crate) async fn collect(
    lake: &Lake,
    project: &Project,
    problem: Population<'_>,
    dates: &[NaiveDate],
) -> Result<RecordBatch, DatasetError> {
    let context = session(1);
    for name in views(&context, project, problem)? {
        let batches = safra_features::read(lake, &name, dates).await?;
        register(&context, problem, PART, &name, batches)?;
    }
    let rows = run(&context, problem, &problem.cohort.sql, PART).await?;
    let mut key = vec![problem.time.column().to_owned()];
    key.extend(problem.entity.iter().cloned());
    check(problem, &rows, &key)?;
    let arrow = |source| DatasetError::Arrow {
        problem: problem.name.clone(),
        source,
    };
    let [keys] = Keys::of([&rows], &key).map_err(arrow)?;
    if let Some(row) = keys.first_repeated() {
        let message = format!("returns a row twice: {}", describe(&rows, &key, row));
        return Err(DatasetError::shape(problem.file, PART, message));
    }
    take_record_batch(&rows, &keys.order()).map_err(arrow)
}

/// The feature views that a cohort reads; it must read nothing else, and all of them are about events or none.
pub(crate) fn views(
    context: &SessionContext,
    project: &Project,
    problem: Population<'_>,
) -> Result<Vec<String>, DatasetError> {
    let names = table_names(context, problem, &problem.cohort.sql, PART)?;
    for name in &names {
        let wrong = |message: String| DatasetError::shape(problem.file, PART, message);
        let view = project
            .view(name)
            .map_err(|error| wrong(format!("a cohort reads feature views only: {error}")))?;
        match (view.is_about_events(), problem.time.is_event()) {
            (true, false) => {
                let message = format!(
                    "{name} is about events, each at a time of its own, and this problem about reference dates\nhint: a problem with `time = \"reference_time\"` asks about each event"
                );
                return Err(wrong(message));
            }
            (false, true) => {
                let message = format!(
                    "{name} is about reference dates; a cohort of events reads views about events only\nhint: features of {name} are looked up as of each event when `features.views` names it"
                );
                return Err(wrong(message));
            }
            _ => {}
        }
    }
    Ok(names)
}

fn check(problem: Population<'_>, rows: &RecordBatch, key: &[String]) -> Result<(), DatasetError> {
    for name in key {
        let Some(column) = rows.column_by_name(name) else {
            let message = format!("does not return {name}");
            return Err(DatasetError::shape(problem.file, PART, message));
        };
        if column.null_count() > 0 {
            let message = format!("returns {} rows without {name}", column.null_count());
            return Err(DatasetError::shape(problem.file, PART, message));
        }
        let (kind, words) = match problem.time.is_event() {
            true => (
                DataType::Timestamp(TimeUnit::Microsecond, None),
                "a timestamp in microseconds",
            ),
            false => (DataType::Date32, "a date"),
        };
        if name == problem.time.column() && column.data_type() != &kind {
            let message = format!("returns {name} as {}, not as {words}", column.data_type());
            return Err(DatasetError::shape(problem.file, PART, message));
        }
    }
    Ok(())
}

/// The values of some columns of a row, for messages.
pub(crate) fn describe(rows: &RecordBatch, columns: &[String], row: usize) -> String {
    let value = |name: &String| {
        let column = rows.column_by_name(name)?;
        Some(format!(
            "{name} = {}",
            array_value_to_string(column, row).ok()?
        ))
    };
    columns
        .iter()
        .filter_map(value)
        .collect::<Vec<_>>()
        .join(", ")
}

/// The tables that a query names.
pub(crate) fn table_names(
    context: &SessionContext,
    problem: Population<'_>,
    sql: &str,
    part: &'static str,
) -> Result<Vec<String>, DatasetError> {
    let state = context.state();
    let failed = |error| DatasetError::sql(problem.file, part, error);
    let dialect = state.config_options().sql_parser.dialect;
    let statement = state.sql_to_statement(sql, &dialect).map_err(failed)?;
    let references = state.resolve_table_references(&statement).map_err(failed)?;
    let mut names: Vec<String> = references
        .iter()
        .map(|name| name.table().to_owned())
        .collect();
    names.sort();
    names.dedup();
    Ok(names)
}

pub(crate) fn register(
    context: &SessionContext,
    problem: Population<'_>,
    part: &'static str,
    name: &str,
    batches: Vec<RecordBatch>,
) -> Result<(), DatasetError> {
    let failed = |error| DatasetError::sql(problem.file, part, error);
    let Some(first) = batches.first() else {
        return Ok(());
    };
    let table = MemTable::try_new(first.schema(), vec![batches]).map_err(failed)?;
    context
        .register_table(name, Arc::new(table))
        .map_err(failed)?;
    Ok(())
}

/// Runs a query of a problem and returns its rows as one batch.
pub(crate) async fn run(
    context: &SessionContext,
    problem: Population<'_>,
    sql: &str,
    part: &'static str,
) -> Result<RecordBatch, DatasetError> {
    let run = async {
        let frame = context.sql(sql).await?;
        let schema = Arc::new(frame.schema().as_arrow().clone());
        let batches = frame.collect().await?;
        Ok::<_, datafusion::error::DataFusionError>(concat_batches(&schema, &batches)?)
    };
    run.await
        .map_err(|error| DatasetError::sql(problem.file, part, error))
}
