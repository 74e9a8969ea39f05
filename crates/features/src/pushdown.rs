//! Predicate pushdown over joined intervals: what a condition asks of the interval of joined rows, it asks of each of theirs, and rows
//! that fail it need not be joined.
//!
//! DataFusion brings conditions down to the sources whose columns they read, but knows nothing of the later of two times.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::Transformed;
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{BinaryExpr, Expr, LogicalPlan, Operator};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::push_down_filter::PushDownFilter;
use datafusion::optimizer::{Optimizer, OptimizerConfig, OptimizerContext, OptimizerRule};
use datafusion::prelude::lit;

use crate::extremes::{both_of_earlier, both_of_later};

/// Joins inside one another that a condition passes, at most; below them it goes no further.
const PASSES: u8 = 32;

/// The same rows, with every condition as near to the sources as it goes.
pub(crate) fn push_down(plan: LogicalPlan) -> Result<LogicalPlan> {
    let rules = Optimizer::with_rules(vec![
        Arc::new(SplitExtremes),
        Arc::new(PushDownFilter::new()),
    ]);
    let config = OptimizerContext::new()
        .with_max_passes(PASSES)
        .with_skip_failing_rules(false);
    rules.optimize(plan, &config, |_, _| {})
}

/// `later(a, b) <= x` as `a <= x AND b <= x`, and `x < earlier(a, b)` as `x < a AND x < b`, in filters and joins.
#[derive(Debug)]
struct SplitExtremes;

impl OptimizerRule for SplitExtremes {
    fn name(&self) -> &str {
        "split_extremes"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::TopDown)
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        _: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        match plan {
            LogicalPlan::Filter(mut filter) => {
                let split = split(filter.predicate);
                filter.predicate = split.data;
                let plan = LogicalPlan::Filter(filter);
                Ok(Transformed::new_transformed(plan, split.transformed))
            }
            LogicalPlan::Join(mut join) => {
                let Some(filter) = join.filter.take() else {
                    return Ok(Transformed::no(LogicalPlan::Join(join)));
                };
                let split = split(filter);
                join.filter = Some(split.data);
                let plan = LogicalPlan::Join(join);
                Ok(Transformed::new_transformed(plan, split.transformed))
            }
            other => Ok(Transformed::no(other)),
        }
    }
}

fn split(condition: Expr) -> Transformed<Expr> {
    let mut is_split = false;
    let mut conditions = Vec::new();
    for condition in split_conjunction_owned(condition) {
        match of_each(&condition) {
            Some(of_each) => {
                is_split = true;
                conditions.extend(of_each);
            }
            None => conditions.push(condition),
        }
    }
    let condition = conjunction(conditions).unwrap_or_else(|| lit(true));
    Transformed::new_transformed(condition, is_split)
}

/// What a comparison with an extreme asks of each of its arguments; `None` for any other condition, and for one between two extremes.
fn of_each(condition: &Expr) -> Option<Vec<Expr>> {
    let Expr::BinaryExpr(BinaryExpr { left, op, right }) = condition else {
        return None;
    };
    // Both with the lesser side first.
    let (below, above, turned) = match op {
        Operator::Lt | Operator::LtEq => (left, right, *op),
        Operator::Gt => (right, left, Operator::Lt),
        Operator::GtEq => (right, left, Operator::LtEq),
        _ => return None,
    };
    let compared = |below: &Expr, above: &Expr| {
        let (below, above) = (Box::new(below.clone()), Box::new(above.clone()));
        Expr::BinaryExpr(BinaryExpr::new(below, turned, above))
    };
    // Between two extremes it says little, and would say it many times.
    match (both_of_later(below), both_of_earlier(above)) {
        (Some(starts), None) => Some(starts.iter().map(|start| compared(start, above)).collect()),
        (None, Some(ends)) => Some(ends.iter().map(|end| compared(below, end)).collect()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Arc;

    use datafusion::arrow::datatypes::{DataType, Field, Schema};
    use datafusion::common::JoinType;
    use datafusion::datasource::empty::EmptyTable;
    use datafusion::datasource::provider_as_source;
    use datafusion::logical_expr::LogicalPlanBuilder;
    use datafusion::prelude::col;

    use super::*;
    use crate::extremes::{earlier, later};

    fn table(name: &str, columns: &[&str]) -> LogicalPlan {
        let fields = columns
            .iter()
            .map(|column| Field::new(*column, DataType::Int64, false));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let source = provider_as_source(Arc::new(EmptyTable::new(schema)));
        LogicalPlanBuilder::scan(name, source, None)
            .and_then(LogicalPlanBuilder::build)
            .unwrap()
    }

    /// Both, with the interval that they share under new names.
    fn joined(
        (left, right): (LogicalPlan, LogicalPlan),
        on: (&str, &str),
        (from, to): (&str, &str),
    ) -> LogicalPlan {
        let last = |plan: &LogicalPlan, back: usize| {
            let columns = plan.schema().columns();
            Expr::Column(columns[columns.len() - back].clone())
        };
        let begins = later(last(&left, 2), last(&right, 2)).alias(from);
        let ends = earlier(last(&left, 1), last(&right, 1)).alias(to);
        LogicalPlanBuilder::from(left)
            .join(right, JoinType::Inner, (vec![on.0], vec![on.1]), None)
            .and_then(|plan| plan.project([col("moment"), col("product"), begins, ends]))
            .and_then(LogicalPlanBuilder::build)
            .unwrap()
    }

    #[test]
    fn what_holds_at_a_moment_is_asked_of_every_table() {
        let orders = table("orders", &["order", "moment", "from", "to"]);
        let items = table("items", &["item_order", "product", "from", "to"]);
        let products = table("products", &["id", "from", "to"]);
        let sold = joined((orders, items), ("order", "item_order"), ("f1", "t1"));
        let plan = joined((sold, products), ("product", "id"), ("f2", "t2"));
        let holds = col("f2")
            .lt_eq(col("moment"))
            .and(col("t2").gt(col("moment")));
        let plan = LogicalPlanBuilder::from(plan)
            .filter(holds)
            .and_then(LogicalPlanBuilder::build)
            .unwrap();
        let pushed = push_down(plan).unwrap().display_indent().to_string();
        let expected = "\
Projection: orders.moment, items.product, later(f1, products.from) AS f2, earlier(t1, products.to) AS t2
  Inner Join: items.product = products.id Filter: products.from <= orders.moment AND orders.moment < products.to
    Projection: orders.moment, items.product, later(orders.from, items.from) AS f1, earlier(orders.to, items.to) AS t1
      Inner Join: orders.order = items.item_order Filter: items.from <= orders.moment AND orders.moment < items.to
        Filter: orders.from <= orders.moment AND orders.moment < orders.to
          TableScan: orders
        TableScan: items
    TableScan: products";
        assert_eq!(pushed, expected);
    }
}
