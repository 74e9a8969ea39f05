//! The SQL of a project: DataFusion with Spark's functions, Spark's division, and aggregates that do not
//! depend on the order of rows.

mod aggregates;
mod dates;
mod unix;

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DFSchema, Result};
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::functions_aggregate::first_last::{first_value_udaf, last_value_udaf};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, cast};
use datafusion::prelude::{SessionConfig, SessionContext, lit, nullif};
use datafusion::sql::sqlparser::ast::BinaryOperator;
use datafusion_spark::SessionStateBuilderSpark;

/// A session that reads the SQL of a project.
///
/// Where dialects differ it follows Spark: its functions come first, and `/` is floating-point division
/// that gives NULL for a zero divisor (Spark's default before ANSI mode). Strings are plain Utf8, and
/// the number of partitions is 1 when `threads` is 1, which keeps small queries fast. Sums, means and
/// variances of floats are exact, rounded once. Columns know their place in the SQL, for messages.
pub fn session(threads: usize) -> SessionContext {
    let mut config = SessionConfig::new().with_target_partitions(threads.max(1));
    config.options_mut().sql_parser.map_string_types_to_utf8view = false;
    config.options_mut().sql_parser.collect_spans = true;
    config.options_mut().execution.collect_statistics = false;
    config.options_mut().optimizer.use_statistics_registry = true;
    let mut builder = SessionStateBuilder::new_with_default_features()
        .with_config(config)
        .with_spark_features();
    builder
        .expr_planners()
        .get_or_insert_with(Vec::new)
        .insert(0, Arc::new(SparkDivision));
    let context = SessionContext::new_with_state(builder.build());
    for function in aggregates::functions() {
        context.register_udaf(function);
    }
    for (plain, alias) in [(first_value_udaf(), "first"), (last_value_udaf(), "last")] {
        context.register_udaf(plain.as_ref().clone().with_aliases([alias]));
    }
    for function in dates::functions().into_iter().chain(unix::functions()) {
        context.register_udf(function);
    }
    context
}

#[derive(Debug)]
struct SparkDivision;

impl ExprPlanner for SparkDivision {
    fn plan_binary_op(
        &self,
        expr: RawBinaryExpr,
        _schema: &DFSchema,
    ) -> Result<PlannerResult<RawBinaryExpr>> {
        if expr.op != BinaryOperator::Divide {
            return Ok(PlannerResult::Original(expr));
        }
        let divisor = nullif(cast(expr.right, DataType::Float64), lit(0.0_f64));
        Ok(PlannerResult::Planned(Expr::BinaryExpr(BinaryExpr::new(
            Box::new(cast(expr.left, DataType::Float64)),
            Operator::Divide,
            Box::new(divisor),
        ))))
    }
}
