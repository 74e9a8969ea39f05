//! What the expressions of a view may not say.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, LogicalPlan, Volatility};
use safra_project::View;

use crate::FeatureError;
use crate::query::is_reference_date;

/// Refuses what DataFusion would accept, but what has no value, or not the same value each time, over row versions.
///
/// # Errors
/// [`FeatureError::Unsupported`] names the expression.
pub(crate) fn check_expressions<'a>(
    view: &View,
    expressions: impl IntoIterator<Item = &'a Expr>,
) -> Result<(), FeatureError> {
    let mut expressions = expressions.into_iter();
    expressions.try_for_each(|expr| check(view, expr, &objection))
}

/// As [`check_expressions`], for what comes before the aggregates, where no reference date is known either.
///
/// # Errors
/// [`FeatureError::Unsupported`] names the expression.
pub(crate) fn check_rows(
    view: &View,
    groups: &[Expr],
    input: &LogicalPlan,
) -> Result<(), FeatureError> {
    let mut outcome = groups
        .iter()
        .try_for_each(|expr| check(view, expr, &objection_to_rows));
    let walked = input.apply(|node| {
        node.apply_expressions(|expr| {
            if outcome.is_ok() {
                outcome = check(view, expr, &objection_to_rows);
            }
            Ok(match outcome {
                Ok(()) => TreeNodeRecursion::Continue,
                Err(_) => TreeNodeRecursion::Stop,
            })
        })
    });
    outcome?;
    walked.map_err(|error| FeatureError::datafusion(&view.file, error))?;
    Ok(())
}

type Objection = dyn Fn(&Expr) -> Option<&'static str>;

fn check(view: &View, expr: &Expr, objection: &Objection) -> Result<(), FeatureError> {
    let mut found = None;
    let walked = expr.apply(|part| {
        found = objection(part).map(|reason| FeatureError::Unsupported {
            file: view.file.clone(),
            expression: part.to_string(),
            reason: reason.to_owned(),
        });
        Ok(match found {
            None => TreeNodeRecursion::Continue,
            Some(_) => TreeNodeRecursion::Stop,
        })
    });
    match (found, walked) {
        (Some(error), _) => Err(error),
        (None, Err(error)) => Err(FeatureError::datafusion(&view.file, error)),
        (None, Ok(_)) => Ok(()),
    }
}

fn objection(part: &Expr) -> Option<&'static str> {
    match part {
        Expr::Exists(_)
        | Expr::InSubquery(_)
        | Expr::SetComparison(_)
        | Expr::ScalarSubquery(_) => {
            Some("a subquery inside an expression is not supported in a feature view; write a JOIN")
        }
        Expr::ScalarFunction(call)
            if call.func.signature().volatility != Volatility::Immutable
                && !is_reference_date(part) =>
        {
            Some("its value is not the same each time it is computed")
        }
        _ => None,
    }
}

fn objection_to_rows(part: &Expr) -> Option<&'static str> {
    match is_reference_date(part) {
        true => Some(
            "reference_date stands below the aggregates; put it around them, or derive a column with a time of its own in sources.toml",
        ),
        false => objection(part),
    }
}
