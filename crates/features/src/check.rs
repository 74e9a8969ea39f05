//! What the expressions of a view may not say, and what they may say at a price.

use datafusion::common::Result;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, LogicalPlan, Volatility};
use safra_project::View;

use crate::FeatureError;
use crate::obstacle::Obstacle;
use crate::place;
use crate::query::is_reference_date;

/// Refuses what is not the same each time it is computed.
///
/// # Errors
/// [`FeatureError::Unsupported`] names the expression.
pub(crate) fn check_plan(view: &View, plan: &LogicalPlan) -> std::result::Result<(), FeatureError> {
    let mut found = None;
    let walked = plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            expr.apply(|part| {
                if found.is_none() && is_volatile(part) {
                    found = Some(part.clone());
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    });
    walked.map_err(|error| FeatureError::datafusion(&view.file, error))?;
    match found {
        None => Ok(()),
        Some(part) => {
            let name = part.schema_name().to_string();
            Err(FeatureError::Unsupported {
                file: view.file.clone(),
                place: place::of_name(view, name.split('(').next().unwrap_or_default()),
                expression: part.to_string(),
                reason: "its value is not the same each time it is computed".to_owned(),
            })
        }
    }
}

fn is_volatile(part: &Expr) -> bool {
    matches!(part, Expr::ScalarFunction(call)
        if call.func.signature().volatility != Volatility::Immutable && !is_reference_date(part))
}

const SUBQUERY: &str = "a subquery inside an expression is computed date by date; write a JOIN";
const BELOW: &str = "reference_date stands below the aggregates; put it around them, or derive a column with a time of its own in sources.toml";

/// What in the rows and in the features of a view keeps it from being computed for all dates at once.
pub(crate) fn obstacles<'a>(
    input: &LogicalPlan,
    features: impl IntoIterator<Item = &'a Expr>,
) -> Result<Vec<Obstacle>> {
    let mut found = Vec::new();
    for expr in features {
        expr.apply(|part| Ok(note(&mut found, part, false)))?;
    }
    input.apply(|node| {
        node.apply_expressions(|expr| {
            expr.apply(|part| Ok(note(&mut found, part, true)))?;
            Ok(TreeNodeRecursion::Continue)
        })
    })?;
    Ok(found)
}

fn note(found: &mut Vec<Obstacle>, part: &Expr, is_below: bool) -> TreeNodeRecursion {
    let obstacle = match part {
        Expr::Exists(_)
        | Expr::InSubquery(_)
        | Expr::SetComparison(_)
        | Expr::ScalarSubquery(_) => Obstacle::new(subquery_name(part), SUBQUERY),
        _ if is_below && is_reference_date(part) => Obstacle::new("reference_date", BELOW),
        _ => return TreeNodeRecursion::Continue,
    };
    if !found.contains(&obstacle) {
        found.push(obstacle);
    }
    TreeNodeRecursion::Jump
}

fn subquery_name(part: &Expr) -> &'static str {
    match part {
        Expr::Exists(_) => "EXISTS",
        Expr::InSubquery(_) => "IN",
        _ => "a subquery",
    }
}
