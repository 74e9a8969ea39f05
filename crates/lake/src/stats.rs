//! What the Delta log says of a data file, so that readers need not open it.

use arrow::datatypes::{DataType, Schema};
use chrono::NaiveDate;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::statistics::Statistics;
use serde_json::{Map, Value, json};

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
    let groups = || {
        groups
            .iter()
            .filter(|stats| stats.min_bytes_opt().is_some())
    };
    match kind {
        DataType::Date32 => {
            let day = |stats: &&Statistics, low: bool| match stats {
                Statistics::Int32(days) if low => days.min_opt().copied(),
                Statistics::Int32(days) => days.max_opt().copied(),
                _ => None,
            };
            let first = groups().map(|stats| day(stats, true)).min()??;
            let last = groups().map(|stats| day(stats, false)).max()??;
            let text = |day| Some(json!(NaiveDate::from_epoch_days(day)?.to_string()));
            Some((text(first)?, text(last)?))
        }
        DataType::Int64 => {
            let number = |stats: &&Statistics, low: bool| match stats {
                Statistics::Int64(numbers) if low => numbers.min_opt().copied(),
                Statistics::Int64(numbers) => numbers.max_opt().copied(),
                _ => None,
            };
            let least = groups().map(|stats| number(stats, true)).min()??;
            let most = groups().map(|stats| number(stats, false)).max()??;
            Some((json!(least), json!(most)))
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
