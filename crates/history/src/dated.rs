//! A source with the times at which its rows and columns become known.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch};
use arrow::compute::{cast, nullif};
use arrow::datatypes::{
    DataType, Field, Int64Type, Schema, SchemaRef, TimeUnit, TimestampMicrosecondType,
};
use datafusion::prelude::SessionContext;
use safra_lake::source_schema;
use safra_project::{Column, ColumnKnownAt, Derived, Source};

use crate::{HistoryError, session};

/// A source whose rows, and whose late columns, carry the time at which they become known.
#[derive(Debug, Clone)]
pub struct Dated {
    pub(crate) name: String,
    /// All columns, derived ones included, as they stand at the end of the data.
    pub(crate) rows: RecordBatch,
    /// For each row the time at which it becomes known; NULL when it never does.
    pub(crate) row_known_at: Int64Array,
    /// For each column, when its value becomes known.
    pub(crate) columns: Vec<KnownTime>,
}

/// When the values of a column become known.
#[derive(Debug, Clone)]
pub(crate) enum KnownTime {
    /// With the row.
    Row,
    /// Later, at these times; NULL when never.
    At(Int64Array),
    /// Never, as far as features are concerned.
    Never,
}

impl Dated {
    /// Dates the rows of a source. `row_known_at` has the time of every row in microseconds, NULL for never.
    ///
    /// # Errors
    /// [`HistoryError::Derived`] names a derived column whose SQL does not work.
    pub async fn new(
        source: &Source,
        rows: RecordBatch,
        row_known_at: Int64Array,
    ) -> Result<Self, HistoryError> {
        Self::with_derived(source, rows, row_known_at, &|_| true).await
    }

    /// As [`Dated::new`], of rows that may lack columns, with those of the derived columns that are wanted.
    pub(crate) async fn with_derived(
        source: &Source,
        rows: RecordBatch,
        row_known_at: Int64Array,
        wanted: &(dyn Fn(&str) -> bool + Sync),
    ) -> Result<Self, HistoryError> {
        let mut columns = Vec::new();
        let held = |column: &&Column| rows.column_by_name(&column.name).is_some();
        for column in source.columns.iter().filter(held) {
            columns.push(match &column.known_at {
                ColumnKnownAt::Row => KnownTime::Row,
                ColumnKnownAt::Never => KnownTime::Never,
                ColumnKnownAt::Column(time) => KnownTime::At(micros_of(&source.name, &rows, time)?),
            });
        }
        let mut fields: Vec<Arc<Field>> = rows.schema().fields().to_vec();
        let mut values = rows.columns().to_vec();
        for derived in source
            .derived
            .iter()
            .filter(|derived| wanted(&derived.name))
        {
            let (value, known_at) = derive(source, derived, &rows).await?;
            fields.push(Arc::new(Field::new(
                &derived.name,
                value.data_type().clone(),
                true,
            )));
            values.push(value);
            columns.push(KnownTime::At(known_at));
        }
        let rows = RecordBatch::try_new(Arc::new(Schema::new(fields)), values)
            .map_err(|e| HistoryError::at(&source.name, e))?;
        Ok(Self {
            name: source.name.clone(),
            rows,
            row_known_at,
            columns,
        })
    }

    /// All rows and columns, derived ones included, as they stand at the end of the data: for labels only.
    pub fn full(&self) -> &RecordBatch {
        &self.rows
    }

    /// The latest time at which a row became known; `None` for undated or empty sources.
    pub fn last_known(&self) -> Option<i64> {
        arrow::compute::max(&self.row_known_at).filter(|time| *time != crate::ALWAYS)
    }

    /// For each row of [`Dated::full`] the time at which it becomes known, NULL when never.
    pub fn row_known_at(&self) -> &Int64Array {
        &self.row_known_at
    }
}

/// The columns that SQL over a source sees, derived ones included, and the names of those that are never known.
///
/// # Errors
/// [`HistoryError::Derived`] names a derived column whose SQL does not work.
pub async fn known_schema(source: &Source) -> Result<(SchemaRef, Vec<String>), HistoryError> {
    let empty = RecordBatch::new_empty(source_schema(source).0);
    let dated = Dated::new(source, empty, Int64Array::from(Vec::<i64>::new())).await?;
    let never = source
        .columns
        .iter()
        .filter(|column| column.known_at == ColumnKnownAt::Never)
        .map(|column| column.name.clone())
        .collect();
    Ok((dated.rows.schema(), never))
}

pub(crate) async fn derive(
    source: &Source,
    derived: &Derived,
    rows: &RecordBatch,
) -> Result<(ArrayRef, Int64Array), HistoryError> {
    let failed = |error: datafusion::error::DataFusionError| HistoryError::Derived {
        table: source.name.clone(),
        column: derived.name.clone(),
        source: Box::new(error),
    };
    let context = session(1);
    register(&context, &source.name, rows).map_err(failed)?;
    let sql = format!(
        "SELECT {} AS value, CAST({} AS TIMESTAMP) AS known_at FROM {}",
        derived.sql, derived.known_at, source.name
    );
    let frame = context.sql(&sql).await.map_err(failed)?;
    let schema = Arc::new(frame.schema().as_arrow().clone());
    let batches = frame.collect().await.map_err(failed)?;
    let batch = arrow::compute::concat_batches(&schema, &batches).map_err(|e| failed(e.into()))?;
    // A derived value of a row that is not settled yet is NULL as well, whatever its SQL makes of NULLs.
    let known_at = to_micros(batch.column(1)).map_err(|e| failed(e.into()))?;
    let unsettled: BooleanArray = known_at.iter().map(|time| Some(time.is_none())).collect();
    let value = nullif(batch.column(0), &unsettled).map_err(|e| failed(e.into()))?;
    Ok((value, known_at))
}

fn register(
    context: &SessionContext,
    name: &str,
    rows: &RecordBatch,
) -> Result<(), datafusion::error::DataFusionError> {
    context.register_batch(name, rows.clone()).map(|_| ())
}

/// A timestamp or date column as microseconds.
pub(crate) fn micros_of(
    table: &str,
    rows: &RecordBatch,
    column: &str,
) -> Result<Int64Array, HistoryError> {
    let index = rows
        .schema_ref()
        .index_of(column)
        .map_err(|e| HistoryError::at(table, e))?;
    to_micros(rows.column(index)).map_err(|e| HistoryError::at(table, e))
}

fn to_micros(times: &dyn Array) -> Result<Int64Array, arrow::error::ArrowError> {
    let times = cast(times, &DataType::Timestamp(TimeUnit::Microsecond, None))?;
    Ok(times
        .as_primitive::<TimestampMicrosecondType>()
        .reinterpret_cast::<Int64Type>())
}
