//! The aggregates of a view, as DataFusion computes them.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::{AggregateFunction, NullTreatment};
use datafusion::logical_expr::{AggregateUDF, Expr, ExprSchemable, cast};
use safra_project::View;

use crate::{FeatureError, query};

/// An aggregate over the rows of a view.
#[derive(Debug, Clone)]
pub(crate) struct ViewAggregate {
    /// The column of the grouped relation that it fills.
    pub output: String,
    /// The function and its arguments, which say all that the view leaves to be understood.
    pub call: AggregateFunction,
}

/// What the aggregates of a view refer to.
pub(crate) struct Scope<'a> {
    pub view: &'a View,
    /// The time of the view over its rows.
    pub time: &'a Expr,
    /// The columns of its rows.
    pub schema: &'a DFSchema,
    /// The aggregates of the dialect.
    pub functions: &'a HashMap<String, Arc<AggregateUDF>>,
}

impl ViewAggregate {
    /// # Errors
    /// [`FeatureError::Shape`] for an expression that is no aggregate.
    pub(crate) fn new(scope: &Scope, expr: &Expr, output: String) -> Result<Self, FeatureError> {
        let Expr::AggregateFunction(call) = expr.clone().unalias_nested().data else {
            let message = format!("{expr}: not an aggregate");
            return Err(FeatureError::shape(&scope.view.file, message));
        };
        let call = spelled_out(scope, call)
            .map_err(|error| FeatureError::datafusion(&scope.view.file, error))?;
        Ok(Self { output, call })
    }

    /// What the aggregate looks at: its arguments and its filter.
    pub(crate) fn expressions(&self) -> impl Iterator<Item = &Expr> {
        let params = &self.call.params;
        params.args.iter().chain(params.filter.as_deref())
    }

    /// The aggregate with one more condition on its rows.
    pub(crate) fn filtered(&self, condition: Option<Expr>) -> Expr {
        let mut call = self.call.clone();
        let own = call.params.filter.take();
        call.params.filter = and(own, condition);
        Expr::AggregateFunction(call)
    }
}

/// The call, with the view's time and reference date where they are understood, and under one name for each
/// function.
fn spelled_out(scope: &Scope, mut call: AggregateFunction) -> Result<AggregateFunction> {
    let function = |name: &str| scope.functions.get(name).map(Arc::clone);
    match (call.func.name(), call.params.args.len()) {
        ("first_value", 1) => by_time(scope, call, false),
        ("last_value", 1) => by_time(scope, call, true),
        ("decayed_count", 1) | ("decayed_sum", 2) => {
            let kind = DataType::Timestamp(TimeUnit::Microsecond, None);
            call.params.args.push(cast(scope.time.clone(), kind));
            call.params
                .args
                .push(query::reference_date_function().call(Vec::new()));
            Ok(call)
        }
        ("percentile_cont", 2) if call.params.order_by.iter().all(|order| order.asc) => {
            call.func = function("percentile").unwrap_or(call.func);
            call.params.order_by.clear();
            widened(call, scope.schema, true)
        }
        ("sum" | "min" | "max" | "count" | "mode" | "min_by" | "max_by", _) => {
            widened(call, scope.schema, false)
        }
        ("avg", _) => widened(call, scope.schema, true),
        _ => Ok(call),
    }
}

/// The first or last value in the order of a key, without one in the order of the view's time.
fn by_time(scope: &Scope, mut call: AggregateFunction, last: bool) -> Result<AggregateFunction> {
    let (key, ascending) = match &call.params.order_by[..] {
        [] => (scope.time.clone(), true),
        [order] => (order.expr.clone(), order.asc),
        _ => return Ok(call),
    };
    let name = if last == ascending {
        "max_by"
    } else {
        "min_by"
    };
    let Some(function) = scope.functions.get(name) else {
        return Ok(call);
    };
    call.func = Arc::clone(function);
    call.params.order_by.clear();
    if call.params.null_treatment.take() == Some(NullTreatment::IgnoreNulls) {
        let has_value = call.params.args[0].clone().is_not_null();
        call.params.filter = and(call.params.filter.take(), Some(has_value));
    }
    call.params.args.push(key);
    widened(call, scope.schema, false)
}

fn and(one: Option<Box<Expr>>, other: Option<Expr>) -> Option<Box<Expr>> {
    match (one, other) {
        (Some(one), Some(other)) => Some(Box::new(one.and(other))),
        (one, other) => one.or(other.map(Box::new)),
    }
}

/// The call with 64-bit numbers, and for means and percentiles with floats.
fn widened(
    mut call: AggregateFunction,
    schema: &DFSchema,
    fractional: bool,
) -> Result<AggregateFunction> {
    let Some(argument) = call.params.args.first_mut() else {
        return Ok(call);
    };
    let kind = argument.get_type(schema)?;
    let wide = match kind {
        DataType::Float64 | DataType::Int64 if !(fractional && kind == DataType::Int64) => {
            return Ok(call);
        }
        _ if kind.is_numeric() && fractional => DataType::Float64,
        DataType::Float16 | DataType::Float32 | DataType::Decimal128(..) => DataType::Float64,
        _ if kind.is_integer() => DataType::Int64,
        _ => return Ok(call),
    };
    *argument = cast(argument.clone(), wide);
    Ok(call)
}

/// Replaces columns of the grouped relation and `reference_date` by other expressions.
pub(crate) fn substitute(expr: Expr, replace: &dyn Fn(&Expr) -> Option<Expr>) -> Result<Expr> {
    Ok(expr
        .transform_up(|part| {
            Ok(match replace(&part) {
                Some(other) => Transformed::yes(other),
                None => Transformed::no(part),
            })
        })?
        .data)
}
