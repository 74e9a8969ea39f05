//! The features of events: what was known at the time of each.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::compute::{
    SortColumn, concat_batches, filter_record_batch, lexsort_to_indices, take_record_batch,
};
use arrow::datatypes::{DataType, Schema, TimeUnit, TimestampMicrosecondType};
use arrow::error::ArrowError;
use chrono::NaiveDate;
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast};
use safra_history::{DAY, History, session};

use crate::pieces::InPieces;
use crate::project_features::{
    aggregate_column, column, entity_column, event_expressions, nullable,
};
use crate::rows::sequenced;
use crate::sequenced::Sequenced;
use crate::store::REFERENCE_TIME;
use crate::{CompiledView, FeatureError};

/// The features of events: the entity's columns, `reference_time` and the features, sorted by time, then entity.
pub(crate) struct Events {
    pub rows: RecordBatch,
}

/// Computes the features of all events, from a view's rows before the aggregates. A row takes part in an event when its
/// version holds at the time of the event, which the row itself names: what became known at that very time is known.
pub(crate) async fn collect(
    view: &CompiledView,
    input: &LogicalPlan,
    history: &History,
) -> std::result::Result<Events, FeatureError> {
    let failed = |error: DataFusionError| FeatureError::datafusion(&view.view.file, error);
    let mut pieces = Vec::new();
    for piece in InPieces::of(view, history)? {
        let piece = piece?;
        let rows = sequenced(view, input, &piece).await?;
        pieces.push(of_piece(view, rows).await.map_err(failed)?);
    }
    let rows = merged(view, pieces).map_err(|error| failed(error.into()))?;
    Ok(Events { rows })
}

/// The events among some rows, by time, then entity.
async fn of_piece(view: &CompiledView, rows: Sequenced) -> Result<RecordBatch> {
    let moment = cast(time(view), DataType::Int64);
    let holds = rows.from.lt_eq(moment.clone()).and(moment.lt(rows.to));
    let plan = grouped(view, rows.plan, holds)?;
    let frame = session(1).execute_logical_plan(plan).await?;
    let schema = Arc::new(nullable(frame.schema().as_arrow()));
    Ok(concat_batches(&schema, &frame.collect().await?)?)
}

/// The events of all pieces, by time, then entity.
fn merged(
    view: &CompiledView,
    pieces: Vec<RecordBatch>,
) -> std::result::Result<RecordBatch, ArrowError> {
    let Some(first) = pieces.first() else {
        return Ok(RecordBatch::new_empty(Arc::new(Schema::empty())));
    };
    if pieces.len() == 1 {
        return Ok(first.clone());
    }
    let rows = concat_batches(&first.schema(), &pieces)?;
    drop(pieces);
    let order = [REFERENCE_TIME].into_iter();
    let order = order.chain(view.entity.iter().map(String::as_str));
    let by = |name: &str| -> std::result::Result<SortColumn, ArrowError> {
        let index = rows.schema_ref().index_of(name)?;
        Ok(SortColumn {
            values: rows.column(index).clone(),
            options: None,
        })
    };
    let by: Vec<SortColumn> = order.map(by).collect::<std::result::Result<_, _>>()?;
    take_record_batch(&rows, &lexsort_to_indices(&by, None)?)
}

/// The features of the events among some rows, by entity and time.
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
    let order = [REFERENCE_TIME].into_iter();
    let order = order.chain(view.entity.iter().map(String::as_str));
    let order: Vec<_> = order.map(|name| column(name).sort(true, true)).collect();
    LogicalPlanBuilder::from(rows)
        .filter(of_somebody)?
        .aggregate(group, aggregates)?
        .project(event_expressions(view)?)?
        .sort(order)?
        .build()
}

/// The time of the event, over the rows of a view; rows without one are of no event, since no condition on it holds.
pub(crate) fn time(view: &CompiledView) -> Expr {
    let kind = DataType::Timestamp(TimeUnit::Microsecond, None);
    cast(view.time_expression.clone(), kind)
}

impl Events {
    /// The day of each event, in days since 1970-01-01.
    pub(crate) fn days(&self) -> Vec<i32> {
        days(&self.rows)
    }

    /// The events on some days.
    ///
    /// # Errors
    /// What Arrow says.
    pub(crate) fn on<'a>(
        &self,
        dates: impl IntoIterator<Item = &'a NaiveDate>,
    ) -> std::result::Result<RecordBatch, arrow::error::ArrowError> {
        let dates = dates.into_iter();
        let wanted: BTreeSet<i32> = dates.map(|date| date.to_epoch_days()).collect();
        let days = self.days().into_iter();
        let kept: BooleanArray = days.map(|day| Some(wanted.contains(&day))).collect();
        filter_record_batch(&self.rows, &kept)
    }
}

/// The day of each event of a table, in days since 1970-01-01.
pub(crate) fn days(rows: &RecordBatch) -> Vec<i32> {
    let times = rows
        .column_by_name(REFERENCE_TIME)
        .and_then(|times| times.as_primitive_opt::<TimestampMicrosecondType>());
    let day = |time: Option<i64>| {
        let day = time.unwrap_or(i64::MIN).div_euclid(DAY);
        i32::try_from(day).unwrap_or(i32::MIN)
    };
    times.map_or_else(Vec::new, |times| times.iter().map(day).collect())
}
