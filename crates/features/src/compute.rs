//! The features of a view for many dates, in one pass.

use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, RecordBatch, UInt32Array};
use arrow::compute::take;
use chrono::NaiveDate;
use safra_history::History;
use safra_project::Window;
use safra_sweep::{Aggregate, Rows, Swept, sweep};

use crate::project_features::{Grouped, project};
use crate::rows::{ViewRows, collect};
use crate::{CompiledView, FeatureError};

/// The features of a view at each of `dates` (strictly increasing): the entity's columns, `reference_date`,
/// and each feature for each window, sorted by reference date, then entity.
///
/// # Errors
/// [`FeatureError`] names the file of the view and what went wrong.
pub async fn compute(
    view: &CompiledView,
    history: &History,
    dates: &[NaiveDate],
) -> Result<RecordBatch, FeatureError> {
    let rows = collect(view, history).await?;
    compute_rows(view, &rows, dates).await
}

/// As [`compute`], from rows that were collected before.
pub(crate) async fn compute_rows(
    view: &CompiledView,
    rows: &ViewRows,
    dates: &[NaiveDate],
) -> Result<RecordBatch, FeatureError> {
    let days: Vec<i32> = dates.iter().map(|date| date.to_epoch_days()).collect();
    let windows: Vec<_> = view
        .view
        .windows
        .iter()
        .copied()
        .map(sweep_window)
        .collect();
    let aggregates: Vec<Aggregate> = view
        .aggregates
        .iter()
        .zip(&rows.places)
        .map(|(wanted, &(column, filter))| Aggregate {
            function: wanted.function,
            column,
            filter,
        })
        .collect();
    let input = Rows {
        entity: &rows.entity,
        time: &rows.time,
        valid_from: &rows.valid_from,
        valid_to: &rows.valid_to,
        columns: &rows.columns,
    };
    let swept =
        sweep(&input, &windows, &aggregates, &days).map_err(|source| FeatureError::Sweep {
            file: view.view.file.clone(),
            source,
        })?;
    project(view, by_date(view, rows, swept, &days)?).await
}

fn sweep_window(window: Window) -> safra_sweep::Window {
    match window {
        Window::Days(days) => safra_sweep::Window::Days(days),
        Window::Months(months) => safra_sweep::Window::Months(months),
        Window::All => safra_sweep::Window::All,
    }
}

/// The sweep goes from entity to entity; the store is sorted by date, so that a date is one piece of a file.
fn by_date(
    view: &CompiledView,
    rows: &ViewRows,
    swept: Swept,
    days: &[i32],
) -> Result<Grouped, FeatureError> {
    let mut order: Vec<u32> = (0..swept.date.len() as u32).collect();
    let position = |row: u32| {
        days.binary_search(&swept.date[row as usize])
            .unwrap_or_default()
    };
    order.sort_by_cached_key(|&row| position(row) as u32);
    let order = UInt32Array::from(order);
    let entity = UInt32Array::from(swept.entity);
    let reordered = |values: &ArrayRef| take(values, &order, None);
    let pick = || -> Result<Grouped, arrow::error::ArrowError> {
        let entity_of_row = take(&entity, &order, None)?;
        let entity_of_row =
            arrow::array::AsArray::as_primitive::<arrow::datatypes::UInt32Type>(&entity_of_row);
        let dates: ArrayRef = Arc::new(Date32Array::from(swept.date));
        Ok(Grouped {
            entity: rows
                .entities
                .iter()
                .map(|keys| take(keys, entity_of_row, None))
                .collect::<Result<_, _>>()?,
            reference_date: reordered(&dates)?,
            aggregates: swept
                .values
                .iter()
                .map(|window| window.iter().map(reordered).collect::<Result<_, _>>())
                .collect::<Result<_, _>>()?,
        })
    };
    pick().map_err(|error| FeatureError::datafusion(&view.view.file, error))
}
