//! The SQL of a project: DataFusion with Spark's functions and Spark's division.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DFSchema, Result};
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::functions_aggregate::average::avg_udaf;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, cast};
use datafusion::prelude::{SessionConfig, SessionContext, lit, nullif};
use datafusion::sql::sqlparser::ast::BinaryOperator;
use datafusion_spark::SessionStateBuilderSpark;

/// A session that reads the SQL of a project.
///
/// Where dialects differ it follows Spark: its functions come first, and `/` is floating-point division
/// that gives NULL for a zero divisor (Spark's default before ANSI mode). Strings are plain Utf8, and
/// the number of partitions is 1 when `threads` is 1, which keeps small queries fast.
pub fn session(threads: usize) -> SessionContext {
    let mut config = SessionConfig::new().with_target_partitions(threads.max(1));
    config.options_mut().sql_parser.map_string_types_to_utf8view = false;
    config.options_mut().execution.collect_statistics = false;
    let mut builder = SessionStateBuilder::new_with_default_features()
        .with_config(config)
        .with_spark_features();
    builder
        .expr_planners()
        .get_or_insert_with(Vec::new)
        .insert(0, Arc::new(SparkDivision));
    let context = SessionContext::new_with_state(builder.build());
    // The AVG of datafusion-spark overlooks the FILTER clause wherever there are groups.
    context.register_udaf(avg_udaf().as_ref().clone());
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use datafusion::arrow::util::pretty::pretty_format_batches;

    use super::*;

    fn query(sql: &str) -> String {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let frame = async { session(1).sql(sql).await.unwrap().collect().await.unwrap() };
        let batches = runtime.unwrap().block_on(frame);
        let text = pretty_format_batches(&batches).unwrap().to_string();
        let cell = text.lines().nth(3).unwrap_or_default();
        cell.trim_matches(['|', ' ']).to_owned()
    }

    #[test]
    fn division_is_of_fractions_and_by_zero_it_is_null() {
        assert_eq!(query("SELECT 7 / 2"), "3.5");
        assert_eq!(query("SELECT COALESCE(7 / 0, -1)"), "-1.0");
    }

    #[test]
    fn every_aggregate_heeds_its_filter() {
        let aggregates = [
            "AVG", "SUM", "MIN", "MAX", "COUNT", "MEDIAN", "STDDEV", "VAR",
        ];
        for name in aggregates {
            let call = format!("CAST({name}(v) FILTER (WHERE v < 3) AS DOUBLE)");
            let plain = format!("CAST({name}(CASE WHEN v < 3 THEN v END) AS DOUBLE)");
            let rows = "(VALUES ('a', 1.0), ('a', 2.0), ('a', 9.0)) AS r(k, v)";
            for group in ["", "GROUP BY k"] {
                let filtered = query(&format!("SELECT {call} FROM {rows} {group}"));
                assert_eq!(
                    filtered,
                    query(&format!("SELECT {plain} FROM {rows} {group}")),
                    "{name}"
                );
            }
        }
    }

    #[test]
    fn an_average_of_nothing_is_null() {
        let nothing = "AVG(v) FILTER (WHERE v > 9) IS NULL";
        let rows = "(VALUES ('a', 1.0), ('b', 2.0)) AS r(k, v)";
        assert_eq!(
            query(&format!("SELECT {nothing} FROM {rows} GROUP BY k")),
            "true"
        );
    }
}
