//! Declarations held to the times in the rows themselves, moment by moment.

use arrow::array::{Array, ArrayRef, BooleanArray, Int64Array, RecordBatch};
use arrow::compute::nullif;
use arrow::row::{RowConverter, SortField};
use safra_project::{ColumnKnownAt, ColumnType, Project, Source};

use crate::dated::{KnownTime, derive, micros_of};
use crate::{Dated, History, HistoryError};

impl History {
    /// The same sources, in which nothing is known before the times in it have come, for audits of what was known at
    /// a moment. The declarations are not taken at their word: a row or value is known no sooner than a time in
    /// it that is not declared `planned`, and a derived value no sooner than its expression gives it.
    ///
    /// # Errors
    /// [`HistoryError`] names the source at fault.
    pub async fn by_own_times(&self, project: &Project) -> Result<Self, HistoryError> {
        let mut held = Self::empty();
        for source in project.sources.values() {
            if let Some(dated) = self.source(&source.name) {
                held.insert(source, by_own_times(source, dated).await?);
            }
        }
        Ok(held)
    }
}

async fn by_own_times(source: &Source, dated: &Dated) -> Result<Dated, HistoryError> {
    let mut row_known_at = dated.row_known_at.clone();
    let mut columns = dated.columns.clone();
    for (column, known) in source.columns.iter().zip(&mut columns) {
        let is_time = matches!(column.kind, ColumnType::Timestamp | ColumnType::Date);
        if !is_time || column.planned {
            continue;
        }
        let own = micros_of(&source.name, &dated.rows, &column.name)?;
        match known {
            KnownTime::Row if column.known_at == ColumnKnownAt::Row => {
                row_known_at = later(&row_known_at, &own);
            }
            KnownTime::At(times) => *times = later(times, &own),
            KnownTime::Row | KnownTime::Never => {}
        }
    }
    for (i, derived) in source.derived.iter().enumerate() {
        let place = source.columns.len() + i;
        let KnownTime::At(known_at) = &dated.columns[place] else {
            continue;
        };
        let then = rows_at(source, dated, &columns, known_at)?;
        let (value, _) = derive(source, derived, &then).await?;
        let same = equal(&value, dated.rows.column(place))
            .map_err(|error| HistoryError::at(&source.name, error))?;
        let complete = complete(&columns[..source.columns.len()], &row_known_at);
        let times = (0..same.len()).map(|row| {
            let declared = known_at.is_valid(row).then(|| known_at.value(row))?;
            Some(match same[row] {
                true => declared,
                false => declared.max(complete[row]),
            })
        });
        columns[place] = KnownTime::At(times.collect());
    }
    Ok(Dated {
        name: dated.name.clone(),
        rows: dated.rows.clone(),
        row_known_at,
        columns,
    })
}

/// The later of two times, as far as there is a second; never stays never.
fn later(known: &Int64Array, own: &Int64Array) -> Int64Array {
    let pairs = known.iter().zip(own);
    pairs
        .map(|(known, own)| Some(known?.max(own.unwrap_or(i64::MIN))))
        .collect()
}

/// The columns that are read from the file, as each row stood at a time of its own.
fn rows_at(
    source: &Source,
    dated: &Dated,
    columns: &[KnownTime],
    at: &Int64Array,
) -> Result<RecordBatch, HistoryError> {
    let failed = |error| HistoryError::at(&source.name, error);
    let raw: Vec<usize> = (0..source.columns.len()).collect();
    let rows = dated.rows.project(&raw).map_err(failed)?;
    let mut values = rows.columns().to_vec();
    for (value, known) in values.iter_mut().zip(columns) {
        if let KnownTime::At(times) = known {
            let hidden: BooleanArray = times
                .iter()
                .zip(at)
                .map(|(known, at)| Some(known.is_none() || known > at))
                .collect();
            *value = nullif(value, &hidden).map_err(failed)?;
        }
    }
    RecordBatch::try_new(rows.schema(), values).map_err(failed)
}

/// When all is known that will ever be known of a row.
fn complete(columns: &[KnownTime], row_known_at: &Int64Array) -> Vec<i64> {
    let mut complete: Vec<i64> = row_known_at
        .iter()
        .map(|time| time.unwrap_or(i64::MIN))
        .collect();
    for known in columns {
        if let KnownTime::At(times) = known {
            for (complete, time) in complete.iter_mut().zip(times) {
                *complete = time.map_or(*complete, |time| time.max(*complete));
            }
        }
    }
    complete
}

/// Whether two columns have the same value in each row; NULLs are equal.
fn equal(one: &ArrayRef, other: &ArrayRef) -> Result<Vec<bool>, arrow::error::ArrowError> {
    let converter = RowConverter::new(vec![SortField::new(one.data_type().clone())])?;
    let one = converter.convert_columns(std::slice::from_ref(one))?;
    let other = converter.convert_columns(std::slice::from_ref(other))?;
    Ok(one.iter().zip(other.iter()).map(|(a, b)| a == b).collect())
}
