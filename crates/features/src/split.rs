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

use crate::aggregates::SweptAggregate;
use crate::check::{check_expressions, check_rows};
use crate::{FeatureError, query};

/// What comes before the aggregates, the aggregates, and what is around them.
pub(crate) struct Parts {
    /// The rows that are aggregated; it reads no column that it does not need.
    pub input: LogicalPlan,
    /// The entity and the time over `input`.
    pub entity: Vec<Expr>,
    pub time: Expr,
    /// The aggregates over `input`.
    pub aggregates: Vec<SweptAggregate>,
    /// The columns of the grouped relation that hold the entity.
    pub entity_outputs: Vec<String>,
    /// The features over the grouped relation.
    pub projection: Vec<Expr>,
}

/// Parses the SQL of a view, and splits it.
///
/// # Errors
/// [`FeatureError`] names the file, and the expression or column at fault.
pub(crate) async fn split(context: &SessionContext, view: &View) -> Result<Parts, FeatureError> {
    let (projection, grouped) = at_aggregates(view, plan(context, view).await?)?;
    check_expressions(view, projection.iter().chain(&grouped.aggr_expr))?;
    let columns = grouped.schema.columns();
    let outputs: Vec<String> = columns.iter().map(|column| column.flat_name()).collect();
    let (entity_outputs, swept) = outputs.split_at(grouped.group_expr.len());
    let entity_outputs = entity_outputs[..view.entity.len()].to_vec();
    check_outputs(view, &projection, &entity_outputs, swept)?;
    let swept = grouped.aggr_expr.iter().zip(swept);
    let aggregates = swept
        .map(|(expr, output)| {
            SweptAggregate::new(view, expr.clone(), output.clone(), grouped.input.schema())
        })
        .collect::<Result<_, _>>()?;
    // Behind entity and time stand columns that, as the planner found out, depend on them.
    let groups = &grouped.group_expr[..=view.entity.len()];
    let needed = groups.iter().chain(&grouped.aggr_expr);
    let input = prune(context, &grouped.input, needed)
        .map_err(|error| FeatureError::datafusion(&view.file, error))?;
    check_rows(view, groups, &input)?;
    Ok(Parts {
        input,
        entity: groups[..view.entity.len()].to_vec(),
        time: groups[view.entity.len()].clone(),
        aggregates,
        entity_outputs,
        projection,
    })
}

/// The query of a view, typed.
async fn plan(context: &SessionContext, view: &View) -> Result<LogicalPlan, FeatureError> {
    let failed = |error: DataFusionError| FeatureError::Sql {
        file: view.file.clone(),
        message: error.strip_backtrace(),
    };
    let state = context.state();
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

/// A column in a feature, outside aggregates, has to be the entity's: a window holds many values of the others.
fn check_outputs(
    view: &View,
    projection: &[Expr],
    entity: &[String],
    swept: &[String],
) -> Result<(), FeatureError> {
    let columns: BTreeSet<String> = projection
        .iter()
        .flat_map(|expr| expr.column_refs())
        .map(|column| column.flat_name())
        .collect();
    let known = |name: &String| entity.contains(name) || swept.contains(name);
    match columns.iter().find(|name| !known(name)) {
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
