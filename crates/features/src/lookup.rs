//! Features as of arbitrary times: for each row of a spine, the latest features that were known by then.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::compute::{cast, interleave};
use arrow::datatypes::{DataType, Date32Type, Field, Schema, TimeUnit, TimestampMicrosecondType};
use arrow::error::ArrowError;
use arrow::row::{RowConverter, Rows, SortField};
use chrono::NaiveDate;
use hashbrown::HashMap;
use rayon::prelude::*;
use safra_history::DAY;
use safra_lake::{Lake, Snapshot, Values};

use crate::store::{complete, condition, time_column};
use crate::{FeatureError, REFERENCE_DATE};

/// Which features to look up, and how old they may be.
#[derive(Clone, Copy)]
pub struct Lookup<'a> {
    /// The view.
    pub view: &'a str,
    /// The reference dates of the store that count; it must hold all of them.
    pub dates: &'a [NaiveDate],
    /// How many whole days the reference date may lie before the time.
    pub max_age_days: u32,
    /// Whether a feature, by its name in the store, is wanted.
    pub wants: &'a dyn Fn(&str) -> bool,
}

/// Looks features up for each row of `spine`, as of the time in its column `time` (a timestamp or a date): those of the
/// latest reference date `D` with `D` 00:00 at or before that time, and not too long before it. The result has a row for each
/// row of the spine, in its order, with the features; all of them NULL where the store has nothing recent enough.
///
/// The spine has the columns of the view's entity by name; values are compared in the types of the store.
///
/// # Errors
/// [`FeatureError`] when the store has no such view or not all dates, the view is about events, or the spine lacks a column.
pub async fn lookup(
    lake: &Lake,
    wanted: Lookup<'_>,
    spine: &RecordBatch,
    time: &str,
) -> Result<RecordBatch, FeatureError> {
    let snapshot = complete(lake, wanted.view, wanted.dates).await?;
    let failed = |error: ArrowError| FeatureError::datafusion(wanted.view, error);
    let schema = snapshot.schema();
    let names = schema.fields().iter().map(|field| field.name().as_str());
    if time_column(&schema) != REFERENCE_DATE {
        let view = wanted.view.to_owned();
        return Err(FeatureError::NotOfDates { view });
    }
    let entity: Vec<&str> = names
        .clone()
        .take_while(|name| *name != REFERENCE_DATE)
        .collect();
    check(wanted.view, spine, &entity, time)?;
    let features: Vec<&str> = names
        .filter(|name| *name != REFERENCE_DATE && !entity.contains(name) && (wanted.wants)(name))
        .collect();
    let conditions = [condition(REFERENCE_DATE, wanted.dates)];
    let keys = [&entity[..], &[REFERENCE_DATE]].concat();
    let stored = snapshot.read_where(Some(&keys), &conditions)?;
    let max_age = i64::from(wanted.max_age_days);
    let places = places(&stored, &entity, spine, time, max_age).map_err(failed)?;
    drop(stored);
    taken(&snapshot, &features, &conditions, &places)
}

/// Whether the spine has the columns that it needs.
fn check(view: &str, spine: &RecordBatch, entity: &[&str], time: &str) -> Result<(), FeatureError> {
    let present = spine.schema_ref().fields().iter();
    let present: Vec<&str> = present.map(|field| field.name().as_str()).collect();
    let mut needed = entity.iter().chain([&time]);
    match needed.find(|name| !present.contains(name)) {
        None => Ok(()),
        Some(missing) => Err(FeatureError::SpineColumn {
            view: view.to_owned(),
            column: (*missing).to_owned(),
            present: present.join(", "),
            entity: match entity.is_empty() {
                true => "none".to_owned(),
                false => entity.join(", "),
            },
        }),
    }
}

/// Where a row of the store is: the batch, and the row in it.
type Place = (usize, usize);

/// The features at these places, a few columns of the store at a time.
fn taken(
    snapshot: &Snapshot,
    features: &[&str],
    conditions: &[(String, Values)],
    places: &[Option<Place>],
) -> Result<RecordBatch, FeatureError> {
    let failed = |error: ArrowError| FeatureError::datafusion(snapshot.name(), error);
    let schema = snapshot.schema();
    let (mut fields, mut columns) = (Vec::new(), Vec::new());
    for names in features.chunks(COLUMNS_AT_ONCE) {
        let stored = snapshot.read_where(Some(names), conditions)?;
        let of_names = names.par_iter().enumerate().map(|(i, name)| {
            let kind = schema.field_with_name(name)?.data_type();
            let parts: Vec<&ArrayRef> = stored.iter().map(|batch| batch.column(i)).collect();
            Ok((
                Field::new(*name, kind.clone(), true),
                at(&parts, kind, places)?,
            ))
        });
        let of_names: Result<Vec<_>, ArrowError> = of_names.collect();
        let (of_fields, of_columns): (Vec<_>, Vec<_>) =
            of_names.map_err(failed)?.into_iter().unzip();
        fields.extend(of_fields);
        columns.extend(of_columns);
    }
    let rows = RecordBatchOptions::new().with_row_count(Some(places.len()));
    RecordBatch::try_new_with_options(Schema::new(fields).into(), columns, &rows).map_err(failed)
}

/// The values at these places, NULL where there is none.
fn at(
    stored: &[&ArrayRef],
    kind: &DataType,
    places: &[Option<Place>],
) -> Result<ArrayRef, ArrowError> {
    // What is not found comes from a batch of its own.
    let nothing = new_null_array(kind, 1);
    let missing = (stored.len(), 0);
    let parts = stored.iter().copied().chain([&nothing]);
    let parts: Vec<&dyn Array> = parts.map(AsRef::as_ref).collect();
    let rows = places.iter().map(|place| place.unwrap_or(missing));
    interleave(&parts, &rows.collect::<Vec<Place>>())
}

/// Columns of the store in memory at once.
const COLUMNS_AT_ONCE: usize = 8;

/// For each row of the spine the row of the store, if there is one.
fn places(
    stored: &[RecordBatch],
    entity: &[&str],
    spine: &RecordBatch,
    time: &str,
    max_age_days: i64,
) -> Result<Vec<Option<Place>>, ArrowError> {
    let Some(first) = stored.first() else {
        return Ok(vec![None; spine.num_rows()]);
    };
    let kinds = entity.iter().map(|name| {
        let field = first.schema_ref().field_with_name(name)?;
        Ok(field.data_type().clone())
    });
    let kinds: Vec<DataType> = kinds.collect::<Result<_, ArrowError>>()?;
    let fields = kinds.iter().cloned().map(SortField::new).collect();
    let converter = RowConverter::new(fields)?;
    // Without an entity there is nothing to compare: every row is about the same whole.
    let converted = |batch: &RecordBatch| -> Result<Option<Rows>, ArrowError> {
        let columns = entity.iter().zip(&kinds).map(|(name, kind)| {
            let column = batch.column(batch.schema_ref().index_of(name)?);
            cast(column, kind)
        });
        let columns: Vec<ArrayRef> = columns.collect::<Result<_, _>>()?;
        match columns.is_empty() {
            true => Ok(None),
            false => converter.convert_columns(&columns).map(Some),
        }
    };
    let held: Vec<Option<Rows>> = stored.iter().map(&converted).collect::<Result<_, _>>()?;
    let mut numbers: HashMap<&[u8], usize> = HashMap::new();
    let mut history: Vec<Vec<(i32, Place)>> = Vec::new();
    for (part, (batch, keys)) in stored.iter().zip(&held).enumerate() {
        let dates = batch.column(batch.schema_ref().index_of(REFERENCE_DATE)?);
        let dates = dates.as_primitive::<Date32Type>();
        let mut before = None;
        for row in 0..batch.num_rows() {
            let key = bytes(keys.as_ref(), row);
            // Mostly the dates of an entity stand together.
            let number = match before {
                Some((same, number)) if same == key => number,
                _ => *numbers.entry(key).or_insert(history.len()),
            };
            before = Some((key, number));
            if number == history.len() {
                history.push(Vec::new());
            }
            history[number].push((dates.value(row), (part, row)));
        }
    }
    history.par_iter_mut().for_each(|rows| rows.sort_unstable());
    let asked = converted(spine)?;
    let kind = DataType::Timestamp(TimeUnit::Microsecond, None);
    let times = cast(spine.column(spine.schema_ref().index_of(time)?), &kind)?;
    let times = times.as_primitive::<TimestampMicrosecondType>();
    Ok((0..spine.num_rows())
        .map(|row| {
            let number = numbers.get(bytes(asked.as_ref(), row));
            let rows = &history[*number.filter(|_| times.is_valid(row))?];
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
        // The rows of the store may come in several pieces.
        let pieces = [stored.slice(0, 1), stored.slice(1, 2)];
        let found = places(&pieces, &["seller_id"], &spine, "at", 5).unwrap();
        let expected = [None, Some((1, 0)), None, Some((0, 0)), None, None];
        assert_eq!(found, expected);
    }
}
