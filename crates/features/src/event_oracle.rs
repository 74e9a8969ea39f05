//! The features of events, the naive way: one moment at a time, by the plain query on tables cut at it.

use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::{SchemaRef, TimestampMicrosecondType};
use chrono::NaiveDate;
use datafusion::common::ScalarValue;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, lit};
use safra_history::{DAY, History, session};

use crate::events::{grouped, time};
use crate::oracle::{at, tables};
use crate::project_features::{column, nullable};
use crate::{CompiledView, FeatureError};

/// The features of the events at one moment (microseconds since 1970-01-01), as [`compute`](crate::compute) lays them
/// out, from the plain query on the sources cut at that moment, what became known at it included. It knows nothing of versions,
/// and is slow.
///
/// # Errors
/// [`FeatureError`] names the file of the view and what went wrong.
pub async fn event_oracle(
    view: &CompiledView,
    history: &History,
    moment: i64,
) -> Result<RecordBatch, FeatureError> {
    let failed = |error| FeatureError::datafusion(&view.view.file, error);
    let is_now = time(view).eq(timestamp(moment));
    let by_entity = view.entity.iter().map(|name| column(name).sort(true, true));
    let plan = grouped(view, view.input.clone(), is_now).and_then(|plan| {
        LogicalPlanBuilder::from(plan)
            .sort(by_entity.collect::<Vec<_>>())?
            .build()
    });
    let plan = plan.map_err(failed)?;
    run(view, history, plan, moment.saturating_add(1)).await
}

/// The features of all events on a day, moment by moment.
pub(crate) async fn on_day(
    view: &CompiledView,
    history: &History,
    date: NaiveDate,
) -> Result<RecordBatch, FeatureError> {
    let failed = |error: DataFusionError| FeatureError::datafusion(&view.view.file, error);
    let start = i64::from(date.to_epoch_days()) * DAY;
    let end = start + DAY;
    let on_day = time(view)
        .gt_eq(timestamp(start))
        .and(time(view).lt(timestamp(end)));
    let moments = LogicalPlanBuilder::from(view.input.clone())
        .filter(on_day)
        .and_then(|plan| {
            plan.project([time(view).alias("moment")])?
                .distinct()?
                .build()
        })
        .map_err(failed)?;
    let moments = run(view, history, moments, end).await?;
    let mut moments = moments
        .column(0)
        .as_primitive::<TimestampMicrosecondType>()
        .values()
        .to_vec();
    moments.sort_unstable();
    let mut found = Vec::with_capacity(moments.len());
    for moment in moments {
        found.push(event_oracle(view, history, moment).await?);
    }
    let schema = match found.first() {
        Some(first) => first.schema(),
        None => schema(view).map_err(failed)?,
    };
    concat_batches(&schema, &found).map_err(|error| failed(error.into()))
}

fn schema(view: &CompiledView) -> Result<SchemaRef, DataFusionError> {
    let plan = grouped(view, view.input.clone(), lit(true))?;
    Ok(Arc::new(nullable(plan.schema().as_arrow())))
}

/// Runs a plan over the sources, cut before a moment.
async fn run(
    view: &CompiledView,
    history: &History,
    plan: LogicalPlan,
    before: i64,
) -> Result<RecordBatch, FeatureError> {
    let tables = tables(view, history, before)?;
    let run = async {
        let plan = at(plan, &tables, NaiveDate::default())?;
        let frame = session(1).execute_logical_plan(plan).await?;
        let schema = Arc::new(nullable(frame.schema().as_arrow()));
        Ok::<_, DataFusionError>(concat_batches(&schema, &frame.collect().await?)?)
    };
    run.await
        .map_err(|error| FeatureError::datafusion(&view.view.file, error))
}

fn timestamp(micros: i64) -> Expr {
    lit(ScalarValue::TimestampMicrosecond(Some(micros), None))
}
