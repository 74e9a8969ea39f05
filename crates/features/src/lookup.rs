//! Features as of arbitrary times: for each row of a spine, the latest features that were known by then.

use std::collections::HashMap;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt32Array};
use arrow::compute::{cast, concat_batches, take_record_batch};
use arrow::datatypes::{DataType, Date32Type, TimeUnit, TimestampMicrosecondType};
use arrow::error::ArrowError;
use arrow::row::{RowConverter, Rows, SortField};
use safra_history::DAY;
use safra_lake::{Folder, Lake};

use crate::{FeatureError, REFERENCE_DATE};

/// Looks the features of `view` up for each row of `spine`, as of the time in its column `time` (a timestamp
/// or a date): those of the latest reference date `D` in the store with `D` 00:00 at or before that time, and at
/// most `max_age_days` whole days before it. The result has a row for each row of the spine, in its order, with
/// `reference_date` and the features; all of them NULL where the store has nothing recent enough.
///
/// The spine has the columns of the view's entity by name and of the same types.
///
/// # Errors
/// [`FeatureError`] when the store has no such view, or the spine lacks a column.
pub async fn lookup(
    lake: &Lake,
    view: &str,
    spine: &RecordBatch,
    time: &str,
    max_age_days: u32,
) -> Result<RecordBatch, FeatureError> {
    let table = lake.table(Folder::Features, view);
    let snapshot = table
        .require("`safra features` fills the feature store")
        .await?;
    let failed = |error: ArrowError| FeatureError::datafusion(table.name(), error);
    let stored = concat_batches(&snapshot.schema(), &snapshot.read(None)?).map_err(failed)?;
    let places = places(&stored, spine, time, i64::from(max_age_days)).map_err(failed)?;
    let features: Vec<usize> = (0..stored.num_columns())
        .filter(|&i| {
            let name = stored.schema_ref().field(i).name().clone();
            name == REFERENCE_DATE || spine.column_by_name(&name).is_none()
        })
        .collect();
    let features = stored.project(&features).map_err(failed)?;
    take_record_batch(&features, &places).map_err(failed)
}

/// For each row of the spine the row of the store, NULL where there is none.
fn places(
    stored: &RecordBatch,
    spine: &RecordBatch,
    time: &str,
    max_age_days: i64,
) -> Result<UInt32Array, ArrowError> {
    let names: Vec<&str> = stored
        .schema_ref()
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .take_while(|name| *name != REFERENCE_DATE)
        .collect();
    let key = |batch: &RecordBatch| -> Result<Vec<ArrayRef>, ArrowError> {
        let column = |name: &&str| Ok(batch.column(batch.schema_ref().index_of(name)?).clone());
        names.iter().map(column).collect()
    };
    // Without an entity there is nothing to compare: every row is about the same whole.
    let (held, asked) = match names.is_empty() {
        true => (None, None),
        false => {
            let (held, asked) = (key(stored)?, key(spine)?);
            let kind = |column: &ArrayRef| SortField::new(column.data_type().clone());
            let converter = RowConverter::new(held.iter().map(kind).collect())?;
            (
                Some(converter.convert_columns(&held)?),
                Some(converter.convert_columns(&asked)?),
            )
        }
    };
    let dates = stored.column(stored.schema_ref().index_of(REFERENCE_DATE)?);
    let dates = dates.as_primitive::<Date32Type>();
    let mut history: HashMap<&[u8], Vec<(i32, u32)>> = HashMap::new();
    for row in 0..stored.num_rows() {
        let entity = bytes(held.as_ref(), row);
        history
            .entry(entity)
            .or_default()
            .push((dates.value(row), row as u32));
    }
    history.values_mut().for_each(|rows| rows.sort_unstable());
    let kind = DataType::Timestamp(TimeUnit::Microsecond, None);
    let times = cast(spine.column(spine.schema_ref().index_of(time)?), &kind)?;
    let times = times.as_primitive::<TimestampMicrosecondType>();
    Ok((0..spine.num_rows())
        .map(|row| {
            let entity = bytes(asked.as_ref(), row);
            let rows = history.get(entity).filter(|_| times.is_valid(row))?;
            let day = times.value(row).div_euclid(DAY);
            let after = rows.partition_point(|&(date, _)| i64::from(date) <= day);
            let &(date, place) = rows.get(after.checked_sub(1)?)?;
            (day - i64::from(date) <= max_age_days).then_some(place)
        })
        .collect())
}

fn bytes(rows: Option<&Rows>, row: usize) -> &[u8] {
    match rows {
        Some(rows) => rows.row(row).data(),
        None => &[],
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use arrow::array::{Date32Array, Int64Array, StringArray, TimestampMicrosecondArray};

    use super::*;

    #[test]
    fn the_latest_date_that_is_not_too_old_is_found() {
        let stored = RecordBatch::try_from_iter([
            (
                "seller_id",
                Arc::new(StringArray::from(vec!["a", "a", "b"])) as ArrayRef,
            ),
            (
                REFERENCE_DATE,
                Arc::new(Date32Array::from(vec![20, 10, 10])),
            ),
            ("orders", Arc::new(Int64Array::from(vec![2, 1, 3]))),
        ])
        .unwrap();
        let times = [9, 10, 19, 20, 26, 12].map(|day: i64| day * DAY + 5);
        let spine = RecordBatch::try_from_iter([
            (
                "seller_id",
                Arc::new(StringArray::from(vec!["a", "a", "a", "a", "a", "c"])) as ArrayRef,
            ),
            (
                "at",
                Arc::new(TimestampMicrosecondArray::from(times.to_vec())),
            ),
        ])
        .unwrap();
        let found = places(&stored, &spine, "at", 5).unwrap();
        let found: Vec<Option<u32>> = found.iter().collect();
        assert_eq!(found, [None, Some(1), None, Some(0), None, None]);
    }
}
