//! The features of a view for many dates, in one pass.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, UInt32Array};
use arrow::compute::{cast, concat_batches, take_record_batch};
use arrow::datatypes::{DataType, Date32Type, Field, Schema};
use arrow::error::ArrowError;
use chrono::NaiveDate;
use safra_history::History;
use safra_sweep::{Rows, Steps, sweep_steps};

use crate::collect::{Collected, collect};
use crate::compile::Way;
use crate::events::{self, Events};
use crate::oracle::{oracle, oracle_schema};
use crate::projection::project;
use crate::rows::ViewRows;
use crate::store::REFERENCE_DATE;
use crate::swept::Swept;
use crate::totals::OrderedTotals;
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
    let prepared = Prepared::new(view, history, dates).await?;
    prepared.features(dates).await
}

/// A view, ready to be computed for some dates.
pub(crate) struct Prepared<'a> {
    view: &'a CompiledView,
    from: From<'a>,
}

/// What the features are computed from.
enum From<'a> {
    Rows(ViewRows, &'a Swept),
    Totals(OrderedTotals, &'a Swept),
    Events(Events),
    Sources(&'a History),
}

/// Feature values computed at once, 8 bytes each: what bounds the memory of a backfill, whatever the number of dates.
const VALUES_AT_ONCE: usize = 16 << 20;

/// Rows swept at once, but for those of one entity: what bounds the memory of the sweep where entities have many rows.
const ROWS_AT_ONCE: usize = 4 << 20;

/// Feature values of a commit: what is lost at most when a backfill is killed, and little enough that a date is found
/// without reading far.
const VALUES_A_COMMIT: usize = 128 << 20;

/// Feature values of a commit for each value of its input, at least: then walking the input again for the next commit
/// costs little beside writing what came of it.
const OUTPUT_PER_INPUT: usize = 8;

/// Dates computed at once where each takes a query: what is lost when a backfill is killed.
const QUERIES_AT_ONCE: usize = 32;

impl<'a> Prepared<'a> {
    pub(crate) async fn new(
        view: &'a CompiledView,
        history: &'a History,
        dates: &[NaiveDate],
    ) -> Result<Self, FeatureError> {
        let from = match &view.way {
            Way::Sweep(input, swept) => match collect(view, input, swept, history, dates).await? {
                Collected::Rows(rows) => From::Rows(rows, swept),
                Collected::Totals(totals) => From::Totals(totals, swept),
            },
            Way::Events(input) => {
                From::Events(events::collect(view, input, history, dates.iter().copied()).await?)
            }
            Way::Dates(_) => {
                view.warn();
                From::Sources(history)
            }
        };
        Ok(Self { view, from })
    }

    /// As [`compute`], for all or some of the dates that it was prepared for.
    pub(crate) async fn features(&self, dates: &[NaiveDate]) -> Result<RecordBatch, FeatureError> {
        let features = self.features_of(dates, self.all()).await?;
        match &self.from {
            From::Rows(..) | From::Totals(..) => by_date(&features)
                .map_err(|error| FeatureError::datafusion(&self.view.view.file, error)),
            From::Events(_) | From::Sources(_) => Ok(features),
        }
    }

    /// As [`compute`], from one of the [`Prepared::parts`], for dates that follow one another among those that it was prepared for, and as they come: where the sweep computes them sorted by entity, then reference
    /// date, and run-end encoded where values last.
    pub(crate) async fn features_of(
        &self,
        dates: &[NaiveDate],
        part: Range<usize>,
    ) -> Result<RecordBatch, FeatureError> {
        match self.at_once(dates, part) {
            Some(features) => features,
            None => self.by_query(dates).await,
        }
    }

    /// As [`Prepared::features_of`], without waiting for anything; `None` where each date takes a query.
    pub(crate) fn at_once(
        &self,
        dates: &[NaiveDate],
        part: Range<usize>,
    ) -> Option<Result<RecordBatch, FeatureError>> {
        match &self.from {
            From::Rows(rows, swept) => Some(
                sweep_rows(self.view, rows, part, swept, dates)
                    .and_then(|steps| self.project(swept, &rows.entities, &steps)),
            ),
            From::Totals(totals, swept) => Some(
                totals
                    .steps(self.view, part, dates)
                    .and_then(|steps| self.project(swept, &totals.entities, &steps)),
            ),
            From::Events(events) => Some(
                events
                    .on(dates.iter().copied())
                    .map_err(|error| FeatureError::datafusion(&self.view.view.file, error)),
            ),
            From::Sources(_) => None,
        }
    }

    async fn by_query(&self, dates: &[NaiveDate]) -> Result<RecordBatch, FeatureError> {
        let failed = |error| FeatureError::datafusion(&self.view.view.file, error);
        let mut batches = Vec::with_capacity(dates.len());
        if let From::Sources(history) = &self.from {
            for &date in dates {
                batches.push(oracle(self.view, history, date).await?);
            }
        }
        let none = oracle_schema(self.view);
        let schema = batches.first().map_or(none, |batch| Ok(batch.schema()))?;
        concat_batches(&schema, &batches).map_err(failed)
    }

    /// How many dates to compute for one commit.
    pub(crate) fn dates_at_once(&self) -> usize {
        match &self.from {
            From::Rows(rows, _) => {
                let values = (rows.entity_count() * self.width()).max(1);
                let input = rows.entity.len() * (rows.columns.len() + 4);
                let least = (input * OUTPUT_PER_INPUT).div_ceil(values);
                (VALUES_A_COMMIT / values).max(least).max(1)
            }
            From::Totals(totals, _) => {
                let values = (totals.entity_count() * self.width()).max(1);
                (VALUES_A_COMMIT / values).max(1)
            }
            From::Events(_) => usize::MAX,
            From::Sources(_) => QUERIES_AT_ONCE,
        }
    }

    /// Parts of what the features are computed from, of some entities each, whose features at so many dates fit into memory. In this
    /// order they give the features of all entities.
    pub(crate) fn parts(&self, dates: usize) -> Vec<Range<usize>> {
        let entities = (VALUES_AT_ONCE / (dates * self.width()).max(1)).max(1);
        let rows = match &self.from {
            From::Rows(rows, _) => rows,
            From::Totals(totals, _) if totals.entity_count() > 0 => {
                let count = totals.entity_count();
                let starts = (0..count).step_by(entities);
                return starts
                    .map(|start| start..count.min(start + entities))
                    .collect();
            }
            From::Totals(..) | From::Events(_) | From::Sources(_) => return vec![self.all()],
        };
        let mut parts = Vec::new();
        let mut start = 0;
        while start < rows.entity.len() {
            let first = rows.entity[start] as usize;
            let beyond = rows.entity.get(start + ROWS_AT_ONCE);
            let beyond = beyond.map_or(usize::MAX, |&entity| (entity as usize).max(first + 1));
            let after = beyond.min(first + entities);
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
            From::Totals(totals, _) => 0..totals.entity_count(),
            From::Events(_) | From::Sources(_) => 0..0,
        }
    }

    /// Features of an entity at a date.
    fn width(&self) -> usize {
        self.view.features.len() * self.view.view.windows.len()
    }

    fn project(
        &self,
        swept: &Swept,
        entities: &[ArrayRef],
        steps: &Steps,
    ) -> Result<RecordBatch, FeatureError> {
        project(self.view, swept, entities, steps)
            .map_err(|error| FeatureError::datafusion(&self.view.view.file, error))
    }
}

fn sweep_rows(
    view: &CompiledView,
    rows: &ViewRows,
    part: Range<usize>,
    swept: &Swept,
    dates: &[NaiveDate],
) -> Result<Steps, FeatureError> {
    let days: Vec<i32> = dates.iter().map(|date| date.to_epoch_days()).collect();
    let (windows, aggregates) = (view.sweep_windows(), swept.aggregates(&rows.places));
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
    sweep_steps(&input, &windows, &aggregates, &days).map_err(|source| FeatureError::Sweep {
        file: view.view.file.clone(),
        source,
    })
}

/// The same rows by reference date, then entity, with a value a row.
fn by_date(features: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let plain = features
        .columns()
        .iter()
        .map(|column| match column.data_type() {
            DataType::RunEndEncoded(_, values) => cast(column, values.data_type()),
            _ => Ok(column.clone()),
        });
    let columns = plain.collect::<Result<Vec<_>, _>>()?;
    let fields = features.schema_ref().fields().iter().zip(&columns);
    let fields =
        fields.map(|(field, column)| Field::new(field.name(), column.data_type().clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let batch = RecordBatch::try_new(schema, columns)?;
    let dates = batch.column(batch.schema_ref().index_of(REFERENCE_DATE)?);
    let dates = dates.as_primitive::<Date32Type>();
    let mut order: Vec<u32> = (0..batch.num_rows() as u32).collect();
    // A stable sort, which keeps the entities of a date in order.
    order.sort_by_key(|&row| dates.value(row as usize));
    take_record_batch(&batch, &UInt32Array::from(order))
}
