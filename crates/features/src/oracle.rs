//! The features of one date, the naive way: the plain query on tables cut at that date.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use chrono::{Months, NaiveDate};
use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Result, ScalarValue};
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, TableSource, cast, lit};
use datafusion::prelude::SessionContext;
use safra_history::{DAY, History, session};
use safra_project::Window;

use crate::place::planner_error;
use crate::project_features::{aggregate_column, column, entity_column, expressions, nullable};
use crate::query::{is_reference_date, reference_date_at};
use crate::store::REFERENCE_DATE;
use crate::{CompiledView, FeatureError, event_oracle};

/// The features of a view at one date, as [`compute`](crate::compute) lays them out, from the plain query on
/// the sources cut at that date. It shares neither versions nor sweep with `compute`, and is slow. Of a view about events,
/// those of the events on that day, each moment from the sources cut at it.
///
/// # Errors
/// [`FeatureError`] names the file of the view and what went wrong.
pub async fn oracle(
    view: &CompiledView,
    history: &History,
    date: NaiveDate,
) -> Result<RecordBatch, FeatureError> {
    if view.view.is_about_events() {
        return event_oracle::on_day(view, history, date).await;
    }
    let tables = tables(view, history, micros(date))?;
    let run = async {
        let plan = at(plan(view, date)?, &tables, date)?;
        let frame = session(1).execute_logical_plan(plan).await?;
        let schema = Arc::new(nullable(frame.schema().as_arrow()));
        Ok::<_, DataFusionError>(concat_batches(&schema, &frame.collect().await?)?)
    };
    run.await
        .map_err(|error| FeatureError::datafusion(&view.view.file, error))
}

/// The columns of the features.
pub(crate) fn oracle_schema(view: &CompiledView) -> std::result::Result<SchemaRef, FeatureError> {
    let plan = plan(view, NaiveDate::default());
    let plan = plan.map_err(|error| FeatureError::datafusion(&view.view.file, error))?;
    Ok(Arc::new(nullable(plan.schema().as_arrow())))
}

/// The query of a date over sources without rows, as it is run in the end: it reads no column that it does
/// not need.
///
/// # Errors
/// [`FeatureError::Sql`] when there is no way to run it.
pub(crate) async fn optimized(
    view: &CompiledView,
    context: &SessionContext,
) -> std::result::Result<LogicalPlan, FeatureError> {
    let state = context.state();
    let date = NaiveDate::default();
    let plan = plan(view, date).and_then(|plan| at(plan, &BTreeMap::new(), date));
    let optimized = plan.and_then(|plan| state.optimize(&plan));
    let planned = match optimized {
        Ok(plan) => state
            .query_planner()
            .create_physical_plan(&plan, &state)
            .await
            .map(|_| plan),
        Err(error) => Err(error),
    };
    planned.map_err(|error| planner_error(&view.view, &state, &error))
}

/// Sources by name.
pub(crate) type Tables = BTreeMap<String, Arc<dyn TableSource>>;

/// The sources, cut before a moment in microseconds.
pub(crate) fn tables(
    view: &CompiledView,
    history: &History,
    before: i64,
) -> std::result::Result<Tables, FeatureError> {
    let mut tables = Tables::new();
    for table in view.reads.keys() {
        let dated = history.source(table).ok_or_else(|| {
            FeatureError::shape(
                &view.view.file,
                format!("{table}: the source was not loaded"),
            )
        })?;
        let cut = dated.cut_before(before)?;
        let provider = MemTable::try_new(cut.schema(), vec![vec![cut]])
            .map_err(|error| FeatureError::datafusion(&view.view.file, error))?;
        tables.insert(table.clone(), provider_as_source(Arc::new(provider)));
    }
    Ok(tables)
}

/// The plan over these tables, with the date for `reference_date`.
pub(crate) fn at(plan: LogicalPlan, tables: &Tables, date: NaiveDate) -> Result<LogicalPlan> {
    let function = Arc::new(reference_date_at(date));
    let dated = |part: Expr| match part {
        Expr::ScalarFunction(call) if is_reference_date(&Expr::ScalarFunction(call.clone())) => {
            let dated = ScalarFunction::new_udf(Arc::clone(&function), Vec::new());
            Ok(Transformed::yes(Expr::ScalarFunction(dated)))
        }
        other => Ok(Transformed::no(other)),
    };
    let moved = plan.transform_up_with_subqueries(|node| {
        let node = match node {
            LogicalPlan::TableScan(mut scan) => {
                if let Some(source) = tables.get(scan.table_name.table()) {
                    scan.source = Arc::clone(source);
                }
                LogicalPlan::TableScan(scan)
            }
            other => other,
        };
        let moved = node.map_expressions(|expr| expr.transform_up(dated))?;
        Ok(Transformed::yes(moved.data))
    })?;
    Ok(moved.data)
}

/// Groups by entity, each aggregate once for each window as a further condition on its rows.
fn plan(view: &CompiledView, date: NaiveDate) -> Result<LogicalPlan> {
    // Grouping by the date as well changes no group, but without an entity and without rows SQL would
    // give one row of empty aggregates, where the store has none.
    let mut group = named(view.entity_expressions.iter().cloned(), entity_column);
    group.push(lit(ScalarValue::Date32(Some(date.to_epoch_days()))).alias(REFERENCE_DATE));
    let (mut aggregates, mut columns) = (Vec::new(), Vec::new());
    columns.extend((0..view.entity.len()).map(|i| column(&entity_column(i))));
    columns.push(column(REFERENCE_DATE));
    for (w, &window) in view.view.windows.iter().enumerate() {
        for (a, aggregate) in view.aggregates.iter().enumerate() {
            let name = aggregate_column(w, a);
            aggregates.push(aggregate.filtered(since(view, window, date)).alias(&name));
            columns.push(column(&name));
        }
    }
    let value = |window, aggregate| Ok(column(&aggregate_column(window, aggregate)));
    let features = LogicalPlanBuilder::from(view.input.clone())
        .filter(in_any_window(view, date))?
        .aggregate(group, aggregates)?
        .project(columns)?
        .project(expressions(view, &value)?)?;
    let order = view.entity.iter().map(|name| column(name).sort(true, true));
    match view.entity.is_empty() {
        true => features.build(),
        false => features.sort(order)?.build(),
    }
}

/// The rows of somebody that any window holds.
fn in_any_window(view: &CompiledView, date: NaiveDate) -> Expr {
    let windows = view.view.windows.iter();
    let in_any = windows
        .map(|&window| since(view, window, date).unwrap_or(lit(true)))
        .reduce(Expr::or)
        .unwrap_or(lit(false));
    let before = time(view).lt(midnight(date));
    let keys = view.entity_expressions.iter();
    keys.map(|key| key.clone().is_not_null())
        .fold(before.and(in_any), Expr::and)
}

/// The rows from the start of a window on.
fn since(view: &CompiledView, window: Window, date: NaiveDate) -> Option<Expr> {
    start(window, date).map(|start| time(view).gt_eq(midnight(start)))
}

fn time(view: &CompiledView) -> Expr {
    cast(view.time_expression.clone(), TIMESTAMP)
}

fn micros(date: NaiveDate) -> i64 {
    i64::from(date.to_epoch_days()) * DAY
}

fn midnight(date: NaiveDate) -> Expr {
    cast(
        lit(ScalarValue::Date32(Some(date.to_epoch_days()))),
        TIMESTAMP,
    )
}

const TIMESTAMP: DataType = DataType::Timestamp(TimeUnit::Microsecond, None);

fn named(expressions: impl Iterator<Item = Expr>, name: impl Fn(usize) -> String) -> Vec<Expr> {
    expressions
        .enumerate()
        .map(|(i, expr)| expr.alias(name(i)))
        .collect()
}

fn start(window: Window, date: NaiveDate) -> Option<NaiveDate> {
    match window {
        Window::Days(days) => date.checked_sub_days(chrono::Days::new(u64::from(days))),
        Window::Months(months) => date.checked_sub_months(Months::new(months)),
        Window::All => None,
    }
}
