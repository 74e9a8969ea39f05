//! A view's plan, split at its aggregates.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan, LogicalPlanBuilder, Projection};
use datafusion::optimizer::extract_equijoin_predicate::ExtractEquijoinPredicate;
use datafusion::optimizer::optimize_projections::OptimizeProjections;
use datafusion::optimizer::{Optimizer, OptimizerContext};
use datafusion::prelude::SessionContext;
use safra_project::View;

use crate::aggregates::{Scope, ViewAggregate};
use crate::check::{check_plan, obstacles};
use crate::obstacle::Obstacle;
use crate::stages::is_orderless;
use crate::swept::Swept;
use crate::{FeatureError, place, query};

/// What comes before the aggregates, the aggregates, and what is around them.
pub(crate) struct Parts {
    /// The rows that are aggregated.
    pub input: LogicalPlan,
    /// The entity and the time over `input`.
    pub entity: Vec<Expr>,
    pub time: Expr,
    /// The aggregates over `input`.
    pub aggregates: Vec<ViewAggregate>,
    /// The columns of the grouped relation that hold the entity.
    pub entity_outputs: Vec<String>,
    /// The column of the grouped relation that holds the time.
    pub time_output: String,
    /// The features over the grouped relation.
    pub projection: Vec<Expr>,
    /// The aggregates as the sweep computes them, over an input that reads no column it does not need.
    pub swept: Result<(LogicalPlan, Swept), Vec<Obstacle>>,
}

/// Parses the SQL of a view, and splits it.
///
/// # Errors
/// [`FeatureError`] names the file, and the expression or column at fault.
pub(crate) async fn split(context: &SessionContext, view: &View) -> Result<Parts, FeatureError> {
    let failed = |error| FeatureError::datafusion(&view.file, error);
    let plan = plan(context, view).await?;
    check_plan(view, &plan)?;
    let (projection, grouped) = at_aggregates(view, plan)?;
    let columns = grouped.schema.columns();
    let outputs: Vec<String> = columns.iter().map(|column| column.flat_name()).collect();
    let (entity_outputs, filled) = outputs.split_at(grouped.group_expr.len());
    let time_output = entity_outputs[view.entity.len()].clone();
    let entity_outputs = entity_outputs[..view.entity.len()].to_vec();
    let mut usable = [&entity_outputs, filled].concat();
    if view.is_about_events() {
        usable.push(time_output.clone());
    }
    check_outputs(view, &projection, &usable)?;
    // Behind entity and time stand columns that, as the planner found out, depend on them.
    let groups = &grouped.group_expr[..=view.entity.len()];
    let (entity, time) = groups.split_at(view.entity.len());
    let state = context.state();
    let scope = Scope {
        view,
        time: &time[0],
        schema: grouped.input.schema(),
        functions: state.aggregate_functions(),
    };
    let expressions = grouped.aggr_expr.iter().zip(filled);
    let aggregates = expressions
        .map(|(expr, output)| ViewAggregate::new(&scope, expr, output.clone()))
        .collect::<Result<Vec<_>, _>>()?;
    let features = projection.iter().chain(&grouped.aggr_expr);
    let mut obstacles = obstacles(&grouped.input, features).map_err(failed)?;
    // Of events, the aggregates are those of one moment, and not swept.
    let swept = match view.is_about_events() {
        true => {
            obstacles.extend(unordered(&aggregates));
            Ok(Swept::default())
        }
        false => Swept::of(&scope, &aggregates)?,
    };
    let swept = match swept {
        Ok(swept) if obstacles.is_empty() => {
            let calls = aggregates.iter().flat_map(ViewAggregate::expressions);
            let needed: Vec<&Expr> = match view.is_about_events() {
                true => groups.iter().chain(calls).collect(),
                false => groups.iter().chain(swept.expressions()).collect(),
            };
            let input = prune(context, &grouped.input, needed.into_iter()).map_err(failed)?;
            Ok((input, swept))
        }
        other => Err([obstacles, other.err().unwrap_or_default()].concat()),
    };
    Ok(Parts {
        entity: entity.to_vec(),
        time: time[0].clone(),
        aggregates,
        entity_outputs,
        time_output,
        projection,
        swept,
        input: Arc::unwrap_or_clone(grouped.input),
    })
}

/// The aggregates that depend on the order of their rows.
fn unordered(aggregates: &[ViewAggregate]) -> impl Iterator<Item = Obstacle> + '_ {
    let ordered = |aggregate: &&ViewAggregate| !is_orderless(&aggregate.call);
    let reason = "depends on the order of rows, of which the rows of an event have none";
    let obstacle = |aggregate: &ViewAggregate| Obstacle::new(&aggregate.output, reason);
    aggregates.iter().filter(ordered).map(obstacle)
}

/// The query of a view, typed.
async fn plan(context: &SessionContext, view: &View) -> Result<LogicalPlan, FeatureError> {
    let state = context.state();
    let failed = |error: DataFusionError| place::planner_error(view, &state, &error);
    let plan = state
        .statement_to_plan(query::statement(view)?)
        .await
        .map_err(failed)?;
    state
        .analyzer()
        .execute_and_check(plan, state.config_options(), |_, _| {})
        .map_err(failed)
}

fn at_aggregates(view: &View, plan: LogicalPlan) -> Result<(Vec<Expr>, Aggregate), FeatureError> {
    let message = "a feature view is a SELECT of aggregates, such as COUNT(*) or SUM(price)";
    let none = || FeatureError::shape(&view.file, message);
    let LogicalPlan::Projection(Projection { expr, input, .. }) = plan else {
        return Err(none());
    };
    match Arc::unwrap_or_clone(input) {
        LogicalPlan::Aggregate(grouped)
            if !grouped.aggr_expr.is_empty() && grouped.group_expr.len() > view.entity.len() =>
        {
            Ok((expr, grouped))
        }
        _ => Err(none()),
    }
}

/// A column in a feature, outside aggregates, has to be the entity's, or the time of an event: there are many values of
/// the others.
fn check_outputs(view: &View, projection: &[Expr], usable: &[String]) -> Result<(), FeatureError> {
    let columns: BTreeSet<String> = projection
        .iter()
        .flat_map(|expr| expr.column_refs())
        .map(|column| column.flat_name())
        .collect();
    match columns.iter().find(|name| !usable.contains(name)) {
        None => Ok(()),
        Some(name) => {
            let message = format!("{name}: neither inside an aggregate nor part of the entity");
            Err(FeatureError::shape(&view.file, message))
        }
    }
}

/// The input without the columns that nobody needs, so that no row is split over one of them.
fn prune<'a>(
    context: &SessionContext,
    input: &LogicalPlan,
    needed: impl Iterator<Item = &'a Expr>,
) -> datafusion::common::Result<LogicalPlan> {
    let names: BTreeSet<String> = needed
        .flat_map(|expr| expr.column_refs())
        .map(|column| column.flat_name())
        .collect();
    let columns = input.schema().columns().into_iter();
    let kept = columns.filter(|column| names.contains(&column.flat_name()));
    let plan = LogicalPlanBuilder::from(input.clone())
        .project(kept.map(Expr::Column))?
        .build()?;
    let rules = Optimizer::with_rules(vec![
        Arc::new(ExtractEquijoinPredicate::new()),
        Arc::new(OptimizeProjections::new()),
    ]);
    let state = context.state();
    let options = Arc::clone(state.config_options());
    let config = OptimizerContext::new_with_config_options(options).with_skip_failing_rules(false);
    rules.optimize(plan, &config, |_, _| {})
}
