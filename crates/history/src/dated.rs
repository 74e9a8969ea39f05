//! A source with the times at which its rows and columns become known.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch, RecordBatchOptions,
};
use arrow::compute::{cast, concat_batches, nullif};
use arrow::datatypes::{
    DataType, Field, Int64Type, Schema, SchemaRef, TimeUnit, TimestampMicrosecondType,
};
use arrow::error::ArrowError;
use datafusion::error::DataFusionError;
use futures::{StreamExt, TryStreamExt};
use safra_lake::source_schema;
use safra_project::{Column, ColumnKnownAt, Derived, Source};

use crate::codes::{codes, decoded};
use crate::columns::names;
use crate::{HistoryError, session};

/// A source whose rows, and whose late columns, carry the time at which they become known.
#[derive(Debug, Clone)]
pub struct Dated {
    pub(crate) name: String,
    /// All columns, derived ones included, as they stand at the end of the data. Texts may be encoded
    /// ([`crate::History::load_encoded`]).
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

    /// All rows and columns, derived ones included, as they stand at the end of the data: for labels only. Texts that are encoded
    /// ([`crate::History::load_encoded`]) are dictionaries.
    pub fn full(&self) -> &RecordBatch {
        &self.rows
    }

    /// The latest time at which a row became known; `None` for undated or empty sources.
    pub fn last_known(&self) -> Option<i64> {
        arrow::compute::max(&self.row_known_at).filter(|time| *time != crate::ALWAYS)
    }

    /// The same rows with no columns but these.
    pub(crate) fn only(&self, columns: &BTreeSet<String>) -> Result<Self, HistoryError> {
        let fields = self.rows.schema_ref().fields().iter();
        let kept: Vec<usize> = fields
            .enumerate()
            .filter(|(_, field)| columns.contains(field.name()))
            .map(|(place, _)| place)
            .collect();
        let rows = self.rows.project(&kept);
        Ok(Self {
            name: self.name.clone(),
            rows: rows.map_err(|error| HistoryError::at(&self.name, error))?,
            row_known_at: self.row_known_at.clone(),
            columns: kept.iter().map(|&i| self.columns[i].clone()).collect(),
        })
    }

    /// Puts another form of a column in its place.
    pub(crate) fn replace(&mut self, place: usize, column: ArrayRef) -> Result<(), HistoryError> {
        let mut columns = self.rows.columns().to_vec();
        let mut fields: Vec<Field> = fields_of(&self.rows);
        fields[place] = fields[place]
            .clone()
            .with_data_type(column.data_type().clone());
        columns[place] = column;
        self.rows = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
            .map_err(|e| HistoryError::at(&self.name, e))?;
        Ok(())
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
    let failed = |error: DataFusionError| HistoryError::Derived {
        table: source.name.clone(),
        column: derived.name.clone(),
        source: Box::new(error),
    };
    let rows = read_by(derived, rows).map_err(|e| failed(e.into()))?;
    let sql = format!(
        "SELECT {} AS value, CAST({} AS TIMESTAMP) AS known_at FROM {}",
        derived.sql, derived.known_at, source.name
    );
    let batch = side_by_side(&source.name, &rows, &sql).await;
    let batch = batch.map_err(failed)?;
    // A derived value of a row that is not settled yet is NULL as well, whatever its SQL makes of NULLs.
    let known_at = to_micros(batch.column(1)).map_err(|e| failed(e.into()))?;
    let unsettled: BooleanArray = known_at.iter().map(|time| Some(time.is_none())).collect();
    let value = nullif(batch.column(0), &unsettled).map_err(|e| failed(e.into()))?;
    Ok((value, known_at))
}

/// Rows of which one thread computes a derived column in one go.
const DERIVED_AT_ONCE: usize = 1 << 18;

/// The result of SQL over rows with this name that has a row for each, in their order: of many, a few parts at a time.
async fn side_by_side(
    name: &str,
    rows: &RecordBatch,
    sql: &str,
) -> Result<RecordBatch, DataFusionError> {
    if rows.num_rows() <= DERIVED_AT_ONCE {
        return computed(name.to_owned(), rows.clone(), sql.to_owned()).await;
    }
    let starts = (0..rows.num_rows()).step_by(DERIVED_AT_ONCE);
    let parts = starts.map(|start| {
        let part = rows.slice(start, DERIVED_AT_ONCE.min(rows.num_rows() - start));
        let computed = computed(name.to_owned(), part, sql.to_owned());
        async {
            let joined = tokio::spawn(computed).await;
            joined.unwrap_or_else(|error| Err(DataFusionError::External(Box::new(error))))
        }
    });
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let parts = futures::stream::iter(parts).buffered(threads);
    let parts: Vec<RecordBatch> = parts.try_collect().await?;
    Ok(concat_batches(&parts[0].schema(), &parts)?)
}

async fn computed(
    name: String,
    rows: RecordBatch,
    sql: String,
) -> Result<RecordBatch, DataFusionError> {
    let context = session(1);
    context.register_batch(&name, rows)?;
    let frame = context.sql(&sql).await?;
    let schema = Arc::new(frame.schema().as_arrow().clone());
    Ok(concat_batches(&schema, &frame.collect().await?)?)
}

/// The columns that a derived one may read, as SQL knows them.
fn read_by(derived: &Derived, rows: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let (mut fields, mut columns) = (Vec::new(), Vec::new());
    for (field, column) in fields_of(rows).into_iter().zip(rows.columns()) {
        let is_named =
            || names(&derived.sql, field.name()) || names(&derived.known_at, field.name());
        // What is not encoded costs nothing.
        if codes(column).is_none() || is_named() {
            let column = decoded(column)?;
            fields.push(field.with_data_type(column.data_type().clone()));
            columns.push(column);
        }
    }
    let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)
}

pub(crate) fn fields_of(rows: &RecordBatch) -> Vec<Field> {
    let fields = rows.schema_ref().fields().iter();
    fields.map(|field| field.as_ref().clone()).collect()
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
