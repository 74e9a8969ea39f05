//! What the Delta log says of a data file, so that readers need not open it.

use arrow::datatypes::{DataType, Schema, TimeUnit};
use chrono::{DateTime, NaiveDate};
use parquet::file::metadata::ParquetMetaData;
use parquet::file::statistics::Statistics;
use serde_json::{Map, Value, json};

use crate::values::day_of;

/// Columns of which the log holds the smallest and largest value, as is usual.
const COLUMNS_WITH_STATS: usize = 32;

/// What the Delta log says of a file: its number of rows, and for its first columns how many values are NULL and
/// between which bounds the others lie.
pub(crate) fn stats(schema: &Schema, metadata: &ParquetMetaData) -> Value {
    let (mut nulls, mut least, mut most) = (Map::new(), Map::new(), Map::new());
    for (index, field) in schema.fields().iter().enumerate().take(COLUMNS_WITH_STATS) {
        if field.data_type().is_nested() {
            // From here on, leaves have other numbers than columns.
            break;
        }
        let groups = metadata.row_groups().iter();
        let found: Option<Vec<&Statistics>> = groups
            .map(|group| group.column(index).statistics())
            .collect();
        let Some(found) = found else { continue };
        let count: Option<u64> = found.iter().map(|stats| stats.null_count_opt()).sum();
        if let Some(count) = count {
            nulls.insert(field.name().clone(), json!(count));
        }
        if let Some((low, high)) = bounds(field.data_type(), &found) {
            least.insert(field.name().clone(), low);
            most.insert(field.name().clone(), high);
        }
    }
    json!({
        "numRecords": metadata.file_metadata().num_rows(),
        "minValues": least,
        "maxValues": most,
        "nullCount": nulls,
    })
}

/// The smallest and the largest value of a column; `None` where no row group has one, or of types without bounds.
fn bounds(kind: &DataType, groups: &[&Statistics]) -> Option<(Value, Value)> {
    let groups = groups.iter().copied();
    let groups = || {
        groups
            .clone()
            .filter(|stats| stats.min_bytes_opt().is_some())
    };
    let numbers = || {
        let spans: Vec<(i64, i64)> = groups().map(span).collect::<Option<_>>()?;
        let least = spans.iter().map(|(least, _)| *least).min()?;
        let most = spans.iter().map(|(_, most)| *most).max()?;
        Some((least, most))
    };
    match kind {
        DataType::Date32 => {
            let (first, last) = numbers()?;
            let text = |day| Some(json!(date(day)?.to_string()));
            Some((text(first)?, text(last)?))
        }
        DataType::Int64 => {
            let (least, most) = numbers()?;
            Some((json!(least), json!(most)))
        }
        DataType::Timestamp(TimeUnit::Microsecond, None) => {
            let (first, last) = numbers()?;
            // The log knows milliseconds: bounds are rounded outwards.
            let text = |millis| {
                let time = DateTime::from_timestamp_millis(millis)?.naive_utc();
                Some(json!(time.format("%Y-%m-%dT%H:%M:%S%.3f").to_string()))
            };
            let after = last.div_euclid(1_000) + i64::from(last.rem_euclid(1_000) > 0);
            Some((text(first.div_euclid(1_000))?, text(after)?))
        }
        DataType::Utf8 => {
            let least = groups().filter_map(|stats| stats.min_bytes_opt()).min()?;
            let most = groups().filter_map(|stats| stats.max_bytes_opt()).max()?;
            let text = |bytes| Some(json!(std::str::from_utf8(bytes).ok()?));
            Some((text(least)?, text(most)?))
        }
        _ => None,
    }
}

/// The days since 1970-01-01 that a row group's dates or timestamps (in microseconds) span; `None` where it does not say.
pub(crate) fn days(kind: &DataType, stats: &Statistics) -> Option<(i32, i32)> {
    let (first, last) = span(stats)?;
    let day = |value: i64| match kind {
        DataType::Date32 => i32::try_from(value).ok(),
        DataType::Timestamp(TimeUnit::Microsecond, None) => day_of(value),
        _ => None,
    };
    Some((day(first)?, day(last)?))
}

/// The smallest and the largest of the whole numbers of a row group.
fn span(stats: &Statistics) -> Option<(i64, i64)> {
    match stats {
        Statistics::Int32(numbers) => Some((
            i64::from(*numbers.min_opt()?),
            i64::from(*numbers.max_opt()?),
        )),
        Statistics::Int64(numbers) => Some((*numbers.min_opt()?, *numbers.max_opt()?)),
        _ => None,
    }
}

fn date(day: i64) -> Option<NaiveDate> {
    NaiveDate::from_epoch_days(i32::try_from(day).ok()?)
}
