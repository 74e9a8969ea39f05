//! Which dates of a view change when its sources do.
//!
//! The rows of the view, before aggregation, are compared between two versions of the sources. For one
//! entity, time and content, the rows of either version cover stretches of reference dates; where the
//! coverage differs, features may differ, as long as a window reaches back to the row's time.

use std::collections::{BTreeSet, HashMap};

use arrow::array::ArrayRef;
use arrow::row::{RowConverter, SortField};
use chrono::{Days, Months, NaiveDate};
use datafusion::error::DataFusionError;
use safra_history::{DAY, History};
use safra_project::Window;

use crate::collect::collect_rows;
use crate::compile::Way;
use crate::rows::ViewRows;
use crate::{CompiledView, FeatureError};

/// The dates among `dates` whose features may differ between the two versions of the sources. Exact but for
/// changes that cancel out in the aggregates.
pub(crate) async fn stale_dates(
    view: &CompiledView,
    before: &History,
    after: &History,
    dates: &BTreeSet<NaiveDate>,
) -> Result<BTreeSet<NaiveDate>, FeatureError> {
    let file = &view.view.file;
    let changes = match &view.way {
        Way::Sweep(input, swept) => {
            // Numbers of two histories do not compare.
            let view = &view.over_texts();
            let before = collect_rows(view, input, swept, before).await?;
            let after = collect_rows(view, input, swept, after).await?;
            changes(&before, &after).map_err(|error| FeatureError::datafusion(file, error))?
        }
        Way::Events(_) | Way::Dates(_) => source_changes(view, before, after)?,
    };
    let days: Vec<i32> = dates.iter().map(|date| date.to_epoch_days()).collect();
    let starts = widest_starts(&view.view.windows, dates);
    let mut marks = vec![0_i32; days.len() + 1];
    for Change { time, from, to } in changes {
        let first_day = time.max(from).div_euclid(DAY) + 1;
        let last_day = to.div_euclid(DAY);
        let first = days.partition_point(|&day| i64::from(day) < first_day);
        let known = days.partition_point(|&day| i64::from(day) <= last_day);
        let reached = starts.partition_point(|&start| start <= time);
        let end = known.min(reached);
        if first < end {
            marks[first] += 1;
            marks[end] -= 1;
        }
    }
    let mut open = 0;
    Ok(dates
        .iter()
        .zip(marks)
        .filter_map(|(date, mark)| {
            open += mark;
            (open > 0).then_some(*date)
        })
        .collect())
}

/// For each date, the time from which its widest window holds rows.
fn widest_starts(windows: &[Window], dates: &BTreeSet<NaiveDate>) -> Vec<i64> {
    let start = |date: NaiveDate, window: Window| match window {
        Window::Days(days) => date.checked_sub_days(Days::new(u64::from(days))),
        Window::Months(months) => date.checked_sub_months(Months::new(months)),
        Window::All => None,
    };
    let micros = |date: NaiveDate| i64::from(date.to_epoch_days()) * DAY;
    dates
        .iter()
        .map(|&date| {
            let starts = windows
                .iter()
                .map(|&w| start(date, w).map_or(i64::MIN, micros));
            starts.min().unwrap_or(i64::MIN)
        })
        .collect()
}

/// A row that holds in `(from, to]` in one version of the sources only.
struct Change {
    time: i64,
    from: i64,
    to: i64,
}

/// An end of a row's interval, and by how much it changes the coverage.
type Edge = (i64, i32);

/// What changed in the sources of a view. All that it reads counts at any time.
fn source_changes(
    view: &CompiledView,
    before: &History,
    after: &History,
) -> Result<Vec<Change>, FeatureError> {
    let mut found = Vec::new();
    for (table, columns) in &view.reads {
        let rows = |history: &History| -> Result<ViewRows, FeatureError> {
            let missing = || {
                FeatureError::shape(
                    &view.view.file,
                    format!("{table}: the source was not loaded"),
                )
            };
            let dated = history.source(table).ok_or_else(missing)?;
            Ok(ViewRows::undated(&dated.versions(columns)?))
        };
        let changed = changes(&rows(before)?, &rows(after)?);
        found.extend(changed.map_err(|error| FeatureError::datafusion(&view.view.file, error))?);
    }
    Ok(found)
}

fn changes(before: &ViewRows, after: &ViewRows) -> Result<Vec<Change>, DataFusionError> {
    let fields = key_columns(before)?
        .iter()
        .map(|column| SortField::new(column.data_type().clone()))
        .collect();
    let converter = RowConverter::new(fields)?;
    let mut edges: HashMap<(Box<[u8]>, i64), Vec<Edge>> = HashMap::new();
    for (rows, sign) in [(before, 1), (after, -1)] {
        let keys = converter.convert_columns(&key_columns(rows)?)?;
        for row in 0..rows.time.len() {
            let key = (Box::from(keys.row(row).data()), rows.time[row]);
            let edges = edges.entry(key).or_default();
            edges.push((rows.valid_from[row], sign));
            edges.push((rows.valid_to[row], -sign));
        }
    }
    Ok(edges
        .into_iter()
        .flat_map(|((_, time), edges)| differences(time, edges))
        .collect())
}

fn differences(time: i64, mut edges: Vec<Edge>) -> Vec<Change> {
    edges.sort_unstable();
    let mut changes = Vec::new();
    let mut coverage = 0;
    for pair in edges.windows(2) {
        let ((from, by), (to, _)) = (pair[0], pair[1]);
        coverage += by;
        if coverage != 0 && from < to {
            changes.push(Change { time, from, to });
        }
    }
    changes
}

/// The entity and the content of each row.
fn key_columns(rows: &ViewRows) -> Result<Vec<ArrayRef>, DataFusionError> {
    let numbers = arrow::array::UInt32Array::from(rows.entity.clone());
    let mut columns: Vec<ArrayRef> = rows
        .entities
        .iter()
        .map(|keys| arrow::compute::take(keys, &numbers, None))
        .collect::<Result<_, _>>()?;
    columns.extend(rows.columns.iter().cloned());
    if columns.is_empty() {
        columns.push(std::sync::Arc::new(numbers));
    }
    Ok(columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_cancel_out_change_nothing() {
        assert!(differences(5, vec![(1, 1), (9, -1), (1, -1), (9, 1)]).is_empty());
    }

    #[test]
    fn a_later_value_changes_only_what_comes_after_it() {
        let changes = differences(5, vec![(1, 1), (i64::MAX, -1), (1, -1), (9, 1)]);
        assert_eq!(changes.len(), 1);
        assert_eq!((changes[0].from, changes[0].to), (9, i64::MAX));
    }
}
