//! The features of a view for many dates, in one pass.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, RecordBatch, UInt32Array};
use arrow::compute::{concat_batches, take};
use chrono::NaiveDate;
use safra_history::History;
use safra_project::Window;
use safra_sweep::{Aggregate, Rows, Swept as Output, sweep};

use crate::compile::Way;
use crate::events::{self, Events};
use crate::oracle::{oracle, oracle_schema};
use crate::project_features::{Grouped, project};
use crate::rows::{ViewRows, collect};
use crate::swept::Swept;
use crate::{CompiledView, FeatureError};

/// The features of a view at each of `dates` (strictly increasing): the entity's columns, `reference_date`,
/// and each feature for each window, sorted by reference date, then entity. Of a view about events, those of the events on
/// these days: the entity's columns, `reference_time`, and each feature, sorted by time, then entity.
///
/// A view with [`CompiledView::obstacles`] is computed by one query a date, and a warning says so.
///
/// # Errors
/// [`FeatureError`] names the file of the view and what went wrong.
pub async fn compute(
    view: &CompiledView,
    history: &History,
    dates: &[NaiveDate],
) -> Result<RecordBatch, FeatureError> {
    Prepared::new(view, history).await?.features(dates).await
}

/// A view, ready to be computed for any dates.
pub(crate) struct Prepared<'a> {
    view: &'a CompiledView,
    from: From<'a>,
}

/// What the features are computed from.
enum From<'a> {
    Rows(ViewRows, &'a Swept),
    Events(Events),
    Sources(&'a History),
}

/// Feature values computed at once, 8 bytes each: what bounds the memory of a backfill, whatever the number of dates.
const VALUES_AT_ONCE: usize = 16 << 20;

/// Feature values of a commit for each value of its input, at least: then walking the input again for the next commit
/// costs little beside writing what came of it.
const OUTPUT_PER_INPUT: usize = 4;

/// Dates computed at once where each takes a query: what is lost when a backfill is killed.
const QUERIES_AT_ONCE: usize = 32;

impl<'a> Prepared<'a> {
    pub(crate) async fn new(
        view: &'a CompiledView,
        history: &'a History,
    ) -> Result<Self, FeatureError> {
        let from = match &view.way {
            Way::Sweep(input, swept) => {
                From::Rows(collect(view, input, swept, history).await?, swept)
            }
            Way::Events(input) => From::Events(events::collect(view, input, history).await?),
            Way::Dates(_) => {
                view.warn();
                From::Sources(history)
            }
        };
        Ok(Self { view, from })
    }

    /// As [`compute`].
    pub(crate) async fn features(&self, dates: &[NaiveDate]) -> Result<RecordBatch, FeatureError> {
        self.features_of(dates, self.all()).await
    }

    /// As [`compute`], from a part of the rows.
    pub(crate) async fn features_of(
        &self,
        dates: &[NaiveDate],
        part: Range<usize>,
    ) -> Result<RecordBatch, FeatureError> {
        match &self.from {
            From::Rows(rows, swept) => compute_rows(self.view, rows, part, swept, dates).await,
            From::Events(events) => events
                .on(dates)
                .map_err(|error| FeatureError::datafusion(&self.view.view.file, error)),
            From::Sources(history) => {
                let mut batches = Vec::with_capacity(dates.len());
                for &date in dates {
                    batches.push(oracle(self.view, history, date).await?);
                }
                let none = oracle_schema(self.view);
                let schema = batches.first().map_or(none, |batch| Ok(batch.schema()))?;
                concat_batches(&schema, &batches)
                    .map_err(|error| FeatureError::datafusion(&self.view.view.file, error))
            }
        }
    }

    /// How many dates to compute for one commit.
    pub(crate) fn dates_at_once(&self) -> usize {
        match &self.from {
            From::Rows(rows, _) => {
                let values = (rows.entity_count() * self.width()).max(1);
                let input = rows.entity.len() * (rows.columns.len() + 4);
                let least = (input * OUTPUT_PER_INPUT).div_ceil(values);
                (VALUES_AT_ONCE / values).max(least).max(1)
            }
            From::Events(_) => usize::MAX,
            From::Sources(_) => QUERIES_AT_ONCE,
        }
    }

    /// Parts of the rows, of some entities each, whose features at so many dates fit into memory. In this order
    /// they give the features of all rows.
    pub(crate) fn parts(&self, dates: usize) -> Vec<Range<usize>> {
        let From::Rows(rows, _) = &self.from else {
            return vec![self.all()];
        };
        let entities = (VALUES_AT_ONCE / (dates * self.width()).max(1)).max(1);
        let mut parts = Vec::new();
        let mut start = 0;
        while start < rows.entity.len() {
            let after = rows.entity[start] as usize + entities;
            let end = rows
                .entity
                .partition_point(|&entity| (entity as usize) < after);
            parts.push(start..end);
            start = end;
        }
        if parts.is_empty() {
            parts.push(self.all());
        }
        parts
    }

    fn all(&self) -> Range<usize> {
        match &self.from {
            From::Rows(rows, _) => 0..rows.entity.len(),
            From::Events(_) | From::Sources(_) => 0..0,
        }
    }

    /// Features of an entity at a date.
    fn width(&self) -> usize {
        self.view.features.len() * self.view.view.windows.len()
    }
}

async fn compute_rows(
    view: &CompiledView,
    rows: &ViewRows,
    part: Range<usize>,
    swept: &Swept,
    dates: &[NaiveDate],
) -> Result<RecordBatch, FeatureError> {
    let days: Vec<i32> = dates.iter().map(|date| date.to_epoch_days()).collect();
    let windows = view.view.windows.iter().copied();
    let windows: Vec<_> = windows.map(sweep_window).collect();
    let parts = swept.parts.iter().zip(&rows.places);
    let aggregates: Vec<Aggregate> = parts
        .map(|(part, &(column, filter))| Aggregate {
            function: part.function,
            column,
            filter,
        })
        .collect();
    let columns = rows.columns.iter();
    let columns: Vec<ArrayRef> = columns
        .map(|column| column.slice(part.start, part.len()))
        .collect();
    let input = Rows {
        entity: &rows.entity[part.clone()],
        time: &rows.time[part.clone()],
        valid_from: &rows.valid_from[part.clone()],
        valid_to: &rows.valid_to[part],
        columns: &columns,
    };
    let output =
        sweep(&input, &windows, &aggregates, &days).map_err(|source| FeatureError::Sweep {
            file: view.view.file.clone(),
            source,
        })?;
    project(view, swept, by_date(view, rows, output, &days)?).await
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
    swept: Output,
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
            parts: swept
                .values
                .iter()
                .map(|window| window.iter().map(reordered).collect::<Result<_, _>>())
                .collect::<Result<_, _>>()?,
        })
    };
    pick().map_err(|error| FeatureError::datafusion(&view.view.file, error))
}
