//! The features of one date, the naive way: the plain query on tables cut at that date.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use chrono::{Months, NaiveDate};
use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::tree_node::Transformed;
use datafusion::common::{Result, ScalarValue};
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, lit};
use safra_history::{History, session};
use safra_project::Window;

use crate::project_features::{aggregate_column, column, entity_column, expressions};
use crate::store::REFERENCE_DATE;
use crate::{CompiledView, FeatureError};

/// The features of a view at one date, as [`compute`](crate::compute) lays them out, from the plain query on
/// the sources cut at that date. It shares neither versions nor sweep with `compute`, and is slow.
///
/// # Errors
/// [`FeatureError`] names the file of the view and what went wrong.
pub async fn oracle(
    view: &CompiledView,
    history: &History,
    date: NaiveDate,
) -> Result<RecordBatch, FeatureError> {
    let input = with_tables(view, history, date)?;
    let run = async {
        let plan = plan(view, input, date)?;
        let frame = session(1)
            .execute_logical_plan(plan)
            .await?
            .select(expressions(view)?)?;
        let names = view.entity.iter();
        let order: Vec<_> = names.map(|name| column(name).sort(true, true)).collect();
        let frame = match order.is_empty() {
            true => frame,
            false => frame.sort(order)?,
        };
        let schema = Arc::new(frame.schema().as_arrow().clone());
        Ok::<_, DataFusionError>(concat_batches(&schema, &frame.collect().await?)?)
    };
    run.await
        .map_err(|error| FeatureError::datafusion(&view.view.file, error))
}

/// The input of the view's aggregates, over the sources cut at the date.
fn with_tables(
    view: &CompiledView,
    history: &History,
    date: NaiveDate,
) -> Result<LogicalPlan, FeatureError> {
    let mut tables = std::collections::BTreeMap::new();
    for table in view.reads.keys() {
        let dated = history.source(table).ok_or_else(|| {
            FeatureError::shape(
                &view.view.file,
                format!("{table}: the source was not loaded"),
            )
        })?;
        let cut = dated.cut(date)?;
        let provider = MemTable::try_new(cut.schema(), vec![vec![cut]])
            .map_err(|error| FeatureError::datafusion(&view.view.file, error))?;
        tables.insert(table.clone(), provider_as_source(Arc::new(provider)));
    }
    view.input
        .clone()
        .transform_up_with_subqueries(|node| match node {
            LogicalPlan::TableScan(mut scan) => {
                if let Some(source) = tables.get(scan.table_name.table()) {
                    scan.source = Arc::clone(source);
                }
                Ok(Transformed::yes(LogicalPlan::TableScan(scan)))
            }
            other => Ok(Transformed::no(other)),
        })
        .map(|transformed| transformed.data)
        .map_err(|error| FeatureError::datafusion(&view.view.file, error))
}

/// Groups by entity, each aggregate once for each window as a further condition on its rows.
fn plan(view: &CompiledView, input: LogicalPlan, date: NaiveDate) -> Result<LogicalPlan> {
    let kind = DataType::Timestamp(TimeUnit::Microsecond, None);
    let time = || cast(view.time_expression.clone(), kind.clone());
    let midnight = |date: NaiveDate| {
        cast(
            lit(ScalarValue::Date32(Some(date.to_epoch_days()))),
            kind.clone(),
        )
    };
    let since = |window| start(window, date).map(|start| time().gt_eq(midnight(start)));
    let in_any_window = view
        .view
        .windows
        .iter()
        .map(|&window| since(window).unwrap_or(lit(true)))
        .reduce(Expr::or)
        .unwrap_or(lit(false));
    let somebody = view
        .entity_expressions
        .iter()
        .map(|key| key.clone().is_not_null());
    let kept = somebody.fold(time().lt(midnight(date)).and(in_any_window), Expr::and);
    // Grouping by the date as well changes no group, but without an entity and without rows SQL would
    // give one row of empty aggregates, where the store has none.
    let mut group = named(view.entity_expressions.iter().cloned(), entity_column);
    group.push(lit(ScalarValue::Date32(Some(date.to_epoch_days()))).alias(REFERENCE_DATE));
    let mut aggregates = Vec::new();
    for (w, &window) in view.view.windows.iter().enumerate() {
        for (a, aggregate) in view.aggregates.iter().enumerate() {
            aggregates.push(
                aggregate
                    .filtered(since(window))
                    .alias(aggregate_column(w, a)),
            );
        }
    }
    let mut columns: Vec<Expr> = (0..view.entity.len())
        .map(|i| column(&entity_column(i)))
        .collect();
    columns.push(column(REFERENCE_DATE));
    let width = view.view.windows.len() * view.aggregates.len();
    columns.extend((0..width).map(|i| {
        column(&aggregate_column(
            i / view.aggregates.len(),
            i % view.aggregates.len(),
        ))
    }));
    let grouped = LogicalPlanBuilder::from(input)
        .filter(kept)?
        .aggregate(group, aggregates)?;
    grouped.project(columns)?.build()
}

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
