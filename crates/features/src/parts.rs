//! The aggregates of the sweep that a call of SQL stands for.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{Expr, ExprSchemable};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use safra_sweep::Function;

use crate::aggregates::Scope;
use crate::query::is_reference_date;
use crate::swept::Part;

const INSIDE: &str = "reference_date stands inside an aggregate; put it around it, or derive a column with a time of its own in sources.toml";
pub(crate) const UNKNOWN: &str = "not among the aggregates that are computed for all dates at once";
const OTHER_TIME: &str = "computed for all dates at once only by the time of the view";

/// The aggregate itself, and where needed the one that says whether it holds; otherwise why there is none.
pub(crate) fn parts_of(scope: &Scope, call: &AggregateFunction) -> Result<Vec<Part>, &'static str> {
    let params = &call.params;
    let is_weighed = matches!(call.func.name(), "decayed_count" | "decayed_sum");
    let ends_at_the_date = params.args.last().is_some_and(is_reference_date);
    let free = params.args.len() - usize::from(is_weighed && ends_at_the_date);
    let filter = params.filter.as_deref();
    let mut anywhere = params.args[..free].iter().chain(filter);
    if anywhere.any(mentions_reference_date) {
        return Err(INSIDE);
    }
    if !params.order_by.is_empty() {
        return Err(UNKNOWN);
    }
    let (function, argument) = match (of_values(call), &params.args[..]) {
        (Some(found), _) => found,
        (None, [value, by])
            if by == scope.time && matches!(call.func.name(), "min_by" | "max_by") =>
        {
            return Ok(first_or_last(scope.schema, call, value));
        }
        _ => of_times(scope, call)?,
    };
    Ok(vec![Part {
        function,
        argument: argument.cloned(),
        filter: filter.cloned(),
    }])
}

type Found<'a> = (Function, Option<&'a Expr>);

/// What does not depend on times.
fn of_values(call: &AggregateFunction) -> Option<Found<'_>> {
    let arguments = &call.params.args[..];
    let function = match (call.func.name(), call.params.distinct, arguments) {
        ("count", false, [Expr::Literal(value, _)]) if !value.is_null() => {
            return Some((Function::CountRows, None));
        }
        ("count", true, [_]) => Function::CountDistinct,
        ("count", false, [_]) => Function::Count,
        ("sum", false, [_]) => Function::Sum,
        ("avg", false, [_]) => Function::Average,
        ("min" | "bool_and", _, [_]) => Function::Minimum,
        ("max" | "bool_or", _, [_]) => Function::Maximum,
        ("median", false, [_]) => Function::Quantile(0.5),
        ("percentile", false, [_, share]) => Function::Quantile(constant(share)?),
        ("mode", false, [_]) => Function::Mode,
        ("stddev", false, [_]) => Function::StandardDeviation { sample: true },
        ("stddev_pop", false, [_]) => Function::StandardDeviation { sample: false },
        ("var", false, [_]) => Function::Variance { sample: true },
        ("var_pop", false, [_]) => Function::Variance { sample: false },
        _ => return None,
    };
    Some((function, arguments.first()))
}

/// What depends on the times of rows, which for the sweep is the time of the view.
fn of_times<'a>(scope: &Scope, call: &'a AggregateFunction) -> Result<Found<'a>, &'static str> {
    let is_day = |expr: &Expr| strip(expr, is_time) == strip(scope.time, is_time);
    let is_moment = |expr: &Expr| strip(expr, is_timestamp) == strip(scope.time, is_timestamp);
    let number = |expr| constant(expr).ok_or(UNKNOWN);
    Ok(match (call.func.name(), &call.params.args[..]) {
        ("avg_gap_days", [time]) if is_day(time) => (Function::MeanGap, None),
        ("max_gap_days", [time]) if is_day(time) => (Function::LongestGap, None),
        ("percentile_gap_days", [time, share]) if is_day(time) => {
            (Function::QuantileGap(number(share)?), None)
        }
        ("decayed_count", [half_life, time, date])
            if is_moment(time) && is_reference_date(date) =>
        {
            let half_life_days = number(half_life)?;
            (Function::DecayedCount { half_life_days }, None)
        }
        ("decayed_sum", [value, half_life, time, date])
            if is_moment(time) && is_reference_date(date) && !call.params.distinct =>
        {
            let half_life_days = number(half_life)?;
            (Function::DecayedSum { half_life_days }, Some(value))
        }
        (
            "min_by"
            | "max_by"
            | "avg_gap_days"
            | "max_gap_days"
            | "percentile_gap_days"
            | "decayed_count"
            | "decayed_sum",
            _,
        ) => return Err(OTHER_TIME),
        _ => return Err(UNKNOWN),
    })
}

/// The first or last value by time. The sweep leaves out NULLs: what it finds is the value only where the
/// first or last row has one.
fn first_or_last(schema: &DFSchema, call: &AggregateFunction, value: &Expr) -> Vec<Part> {
    let last = call.func.name() == "max_by";
    let filter = call.params.filter.as_deref();
    let function = if last {
        Function::Last
    } else {
        Function::First
    };
    let part = |function, argument| Part {
        function,
        argument: Some(argument),
        filter: filter.cloned(),
    };
    let mut parts = vec![part(function, value.clone())];
    let is_there = value.clone().is_not_null();
    let mut conditions = filter.into_iter().flat_map(split_conjunction);
    let is_filtered = conditions.any(|condition| *condition == is_there);
    if !is_filtered && value.nullable(schema).unwrap_or(true) {
        let flag = if last {
            is_there
        } else {
            value.clone().is_null()
        };
        parts.push(part(function, flag));
    }
    parts
}

/// An expression without the casts to some types around it.
fn strip(expr: &Expr, types: fn(&DataType) -> bool) -> &Expr {
    match expr {
        Expr::Cast(cast) if types(cast.field.data_type()) => strip(&cast.expr, types),
        other => other,
    }
}

fn is_timestamp(kind: &DataType) -> bool {
    matches!(kind, DataType::Timestamp(_, None))
}

fn is_time(kind: &DataType) -> bool {
    is_timestamp(kind) || *kind == DataType::Date32
}

/// The number that an expression is in every row.
fn constant(expr: &Expr) -> Option<f64> {
    let context = SimplifyContext::builder().with_schema(Arc::new(DFSchema::empty()));
    let simplified = ExprSimplifier::new(context.build())
        .simplify(expr.clone())
        .ok()?;
    match simplified {
        Expr::Literal(value, _) => match value.cast_to(&DataType::Float64).ok()? {
            ScalarValue::Float64(number) => number,
            _ => None,
        },
        _ => None,
    }
}

fn mentions_reference_date(expr: &Expr) -> bool {
    let mut found = false;
    let walked = expr.apply(|part| {
        found |= is_reference_date(part);
        Ok(if found {
            TreeNodeRecursion::Stop
        } else {
            TreeNodeRecursion::Continue
        })
    });
    found || walked.is_err()
}
