//! The features of events: what was known at the time of each.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, RecordBatch, RecordBatchOptions,
    TimestampMicrosecondArray,
};
use arrow::compute::{concat_batches, filter_record_batch, interleave, take};
use arrow::datatypes::{DataType, Schema, TimeUnit};
use arrow::error::ArrowError;
use arrow::row::{RowConverter, SortField};
use chrono::NaiveDate;
use datafusion::common::Result;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast};
use futures::TryStreamExt;
use rayon::prelude::*;
use safra_history::{DAY, History, session};

use crate::pieces::InPieces;
use crate::project_features::{aggregate_column, entity_column, event_expressions, nullable};
use crate::pushdown::push_down;
use crate::rows::entity_texts;
use crate::sequenced::Sequenced;
use crate::staged::Staged;
use crate::store::REFERENCE_TIME;
use crate::{CompiledView, FeatureError};

/// The features of events: the entity's columns, `reference_time` and the features.
pub(crate) struct Events {
    /// Of each piece of the sources.
    pieces: Vec<RecordBatch>,
    /// All rows by time, then entity: the piece of each, and its place in that.
    order: Vec<(u32, u32)>,
}

/// Computes the features of the events on some days, in days since 1970-01-01, from a view's rows before the aggregates. A row takes part in
/// an event when its version holds at the time of the event, which the row itself names: what became known at that very
/// time is known.
pub(crate) async fn collect(
    view: &CompiledView,
    input: &LogicalPlan,
    history: &History,
    days: impl IntoIterator<Item = NaiveDate>,
) -> std::result::Result<Events, FeatureError> {
    let view = &view.over(history);
    let pieces = InPieces::of(view, history)?;
    let work = Arc::new(Work {
        view: view.clone(),
        staged: Staged::new(view, input, history).await?,
        texts: entity_texts(view, history),
        days: days.into_iter().map(|day| day.to_epoch_days()).collect(),
    });
    let pieces = pieces.side_by_side(&view.view.file, move |_, piece| {
        let work = Arc::clone(&work);
        async move { work.piece(&piece).await }
    });
    let pieces: Vec<RecordBatch> = pieces.try_collect().await?;
    Events::of(view, pieces).map_err(|error| FeatureError::datafusion(&view.view.file, error))
}

/// What all pieces need to know.
struct Work {
    view: CompiledView,
    staged: Staged,
    /// For each column of the entity the texts that its numbers stand for, if it has numbers.
    texts: Vec<Option<ArrayRef>>,
    /// In days since 1970-01-01.
    days: BTreeSet<i32>,
}

impl Work {
    /// The events of a piece of the sources, in any order.
    async fn piece(&self, piece: &History) -> std::result::Result<RecordBatch, FeatureError> {
        let rows = self.staged.sequenced(piece).await?;
        let failed = |error| FeatureError::datafusion(&self.view.view.file, error);
        self.events(rows).await.map_err(failed)
    }

    async fn events(&self, rows: Sequenced) -> Result<RecordBatch> {
        let moment = cast(time(&self.view), DataType::Int64);
        let holds = rows.from.lt_eq(moment.clone()).and(moment.lt(rows.to));
        let plan = push_down(grouped(&self.view, rows.plan, holds)?)?;
        let frame = session(1).execute_logical_plan(plan).await?;
        let schema = Arc::new(nullable(frame.schema().as_arrow()));
        let rows = concat_batches(&schema, &frame.collect().await?)?;
        Ok(self.with_texts(on_days(&rows, &self.days)?)?)
    }

    /// The texts of the entity in the place of their numbers.
    fn with_texts(&self, rows: RecordBatch) -> std::result::Result<RecordBatch, ArrowError> {
        let (schema, mut columns, _) = rows.into_parts();
        let mut fields = schema.fields().to_vec();
        // The columns of the entity come first.
        for (i, texts) in self.texts.iter().enumerate() {
            if let Some(texts) = texts {
                columns[i] = take(texts, &columns[i], None)?;
                let field = fields[i].as_ref().clone();
                fields[i] = Arc::new(field.with_data_type(texts.data_type().clone()));
            }
        }
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
    }
}

/// The events of a table on some days.
fn on_days(
    rows: &RecordBatch,
    wanted: &BTreeSet<i32>,
) -> std::result::Result<RecordBatch, ArrowError> {
    let kept = days(rows)?.into_iter();
    let kept: BooleanArray = kept.map(|day| Some(wanted.contains(&day))).collect();
    match kept.has_false() {
        true => filter_record_batch(rows, &kept),
        false => Ok(rows.clone()),
    }
}

/// The features of the events among some rows, in any order.
pub(crate) fn grouped(
    view: &CompiledView,
    rows: LogicalPlan,
    condition: Expr,
) -> Result<LogicalPlan> {
    let keys = view.entity_expressions.iter();
    let of_somebody = keys
        .clone()
        .map(|key| key.clone().is_not_null())
        .fold(condition, Expr::and);
    let mut group: Vec<Expr> = keys
        .enumerate()
        .map(|(i, key)| key.clone().alias(entity_column(i)))
        .collect();
    group.push(time(view).alias(REFERENCE_TIME));
    let aggregates = view.aggregates.iter().enumerate();
    let aggregates = aggregates.map(|(i, aggregate)| {
        let call = Expr::AggregateFunction(aggregate.call.clone());
        call.alias(aggregate_column(0, i))
    });
    LogicalPlanBuilder::from(rows)
        .filter(of_somebody)?
        .aggregate(group, aggregates)?
        .project(event_expressions(view)?)?
        .build()
}

/// The time of the event, over the rows of a view; rows without one are of no event, since no condition on it holds.
pub(crate) fn time(view: &CompiledView) -> Expr {
    let kind = DataType::Timestamp(TimeUnit::Microsecond, None);
    cast(view.time_expression.clone(), kind)
}

/// Rows that are put out at once.
const ROWS_AT_ONCE: usize = 1 << 17;

impl Events {
    fn of(view: &CompiledView, pieces: Vec<RecordBatch>) -> std::result::Result<Self, ArrowError> {
        let mut order = Vec::with_capacity(pieces.iter().map(RecordBatch::num_rows).sum());
        for (number, piece) in pieces.iter().enumerate() {
            let places = times(piece)?.values().iter().zip(0..);
            order.extend(places.map(|(&time, row)| (time, number as u32, row)));
        }
        if let Some(first) = pieces.first() {
            let entity_of =
                |piece: &RecordBatch| -> std::result::Result<Vec<ArrayRef>, ArrowError> {
                    let schema = piece.schema_ref();
                    let column = |name: &String| Ok(piece.column(schema.index_of(name)?).clone());
                    view.entity.iter().map(column).collect()
                };
            let kinds = entity_of(first)?;
            let kinds = kinds.iter().map(|column| column.data_type().clone());
            let converter = RowConverter::new(kinds.map(SortField::new).collect())?;
            let keys = pieces.par_iter();
            let keys = keys.map(|piece| converter.convert_columns(&entity_of(piece)?));
            let keys = keys.collect::<std::result::Result<Vec<_>, _>>()?;
            let key = |piece: u32, row: u32| keys[piece as usize].row(row as usize);
            // Most events have a time of their own.
            order.par_sort_by(|one: &(i64, u32, u32), other| {
                let by_entity = || key(one.1, one.2).cmp(&key(other.1, other.2));
                one.0.cmp(&other.0).then_with(by_entity)
            });
        }
        let order = order
            .into_iter()
            .map(|(_, piece, row)| (piece, row))
            .collect();
        Ok(Self { pieces, order })
    }

    /// The events on some days among those that were collected, by time, then entity, some at a time.
    pub(crate) fn batches(
        &self,
        dates: impl IntoIterator<Item = NaiveDate>,
    ) -> impl Iterator<Item = std::result::Result<RecordBatch, ArrowError>> {
        self.chunks(ROWS_AT_ONCE, dates)
    }

    /// As [`Events::batches`], from so many rows each.
    fn chunks(
        &self,
        at_once: usize,
        dates: impl IntoIterator<Item = NaiveDate>,
    ) -> impl Iterator<Item = std::result::Result<RecordBatch, ArrowError>> {
        let wanted: BTreeSet<i32> = dates.into_iter().map(|day| day.to_epoch_days()).collect();
        let pieces: Vec<&RecordBatch> = self.pieces.iter().collect();
        // Without rows there is a batch of none, which has the columns.
        let chunks = self.order.len().div_ceil(at_once).max(1);
        (0..chunks).map(move |chunk| {
            let start = chunk * at_once;
            let end = self.order.len().min(start + at_once);
            let places = self.order[start..end].iter();
            let places: Vec<(usize, usize)> = places
                .map(|&(piece, row)| (piece as usize, row as usize))
                .collect();
            on_days(&put_together(&pieces, &places)?, &wanted)
        })
    }

    /// As [`Events::batches`], all at once.
    ///
    /// # Errors
    /// What Arrow says.
    pub(crate) fn on(
        &self,
        dates: impl IntoIterator<Item = NaiveDate>,
    ) -> std::result::Result<RecordBatch, ArrowError> {
        let batches = self
            .batches(dates)
            .collect::<std::result::Result<Vec<_>, _>>()?;
        let schema = batches.first().map(RecordBatch::schema);
        let schema = schema.unwrap_or_else(|| Arc::new(Schema::empty()));
        concat_batches(&schema, &batches)
    }
}

/// The rows at these places: the piece of each, and its place in that.
fn put_together(
    pieces: &[&RecordBatch],
    places: &[(usize, usize)],
) -> std::result::Result<RecordBatch, ArrowError> {
    let Some(first) = pieces.first() else {
        return Ok(RecordBatch::new_empty(Arc::new(Schema::empty())));
    };
    let columns = (0..first.num_columns()).into_par_iter().map(|column| {
        let pieces: Vec<&dyn Array> = pieces.iter().map(|piece| &**piece.column(column)).collect();
        interleave(&pieces, places)
    });
    let columns = columns.collect::<std::result::Result<_, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(places.len()));
    RecordBatch::try_new_with_options(first.schema(), columns, &options)
}

/// The time of each event of a table.
fn times(rows: &RecordBatch) -> std::result::Result<&TimestampMicrosecondArray, ArrowError> {
    let times = rows.column(rows.schema_ref().index_of(REFERENCE_TIME)?);
    times.as_primitive_opt().ok_or_else(|| {
        let found = times.data_type();
        ArrowError::SchemaError(format!("{REFERENCE_TIME} is of type {found}"))
    })
}

/// The day of each event of a table, in days since 1970-01-01.
pub(crate) fn days(rows: &RecordBatch) -> std::result::Result<Vec<i32>, ArrowError> {
    let day = |time: Option<i64>| {
        let day = time.unwrap_or(i64::MIN).div_euclid(DAY);
        i32::try_from(day).unwrap_or(i32::MIN)
    };
    Ok(times(rows)?.iter().map(day).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use arrow::array::Int64Array;
    use arrow::datatypes::Field;

    use super::*;

    fn piece(days_and_values: &[(i64, i64)]) -> RecordBatch {
        let times = days_and_values.iter().map(|(day, _)| day * DAY);
        let times = TimestampMicrosecondArray::from_iter_values(times);
        let values = Int64Array::from_iter_values(days_and_values.iter().map(|(_, value)| *value));
        let kind = DataType::Timestamp(TimeUnit::Microsecond, None);
        let fields = vec![
            Field::new(REFERENCE_TIME, kind, true),
            Field::new("value", DataType::Int64, true),
        ];
        let columns: Vec<ArrayRef> = vec![Arc::new(times), Arc::new(values)];
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
    }

    #[test]
    fn rows_come_in_order_whatever_comes_at_once() {
        let events = Events {
            pieces: vec![piece(&[(0, 1), (2, 3), (2, 4)]), piece(&[(1, 2), (3, 5)])],
            order: vec![(0, 0), (1, 0), (0, 1), (0, 2), (1, 1)],
        };
        let dates = [0, 2, 3].map(|day| NaiveDate::from_epoch_days(day).unwrap());
        for at_once in 1..7 {
            let chunks: Vec<RecordBatch> = events
                .chunks(at_once, dates)
                .collect::<std::result::Result<_, _>>()
                .unwrap();
            assert_eq!(chunks.len(), 5_usize.div_ceil(at_once));
            let values = chunks.iter().flat_map(|chunk| {
                let values = chunk
                    .column(1)
                    .as_primitive::<arrow::datatypes::Int64Type>();
                values.values().to_vec()
            });
            assert_eq!(values.collect::<Vec<_>>(), [1, 3, 4, 5]);
        }
        let none = Events {
            pieces: vec![piece(&[])],
            order: Vec::new(),
        };
        assert_eq!(none.on(dates).unwrap().num_columns(), 2);
    }
}
