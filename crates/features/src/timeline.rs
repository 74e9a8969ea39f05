//! When the rows of a key hold: together, and not at all.

use std::sync::Arc;

use datafusion::common::{Column, Result, ScalarValue};
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::functions_aggregate::min_max::{max_udaf, min};
use datafusion::functions_window::expr_fn::lead;
use datafusion::logical_expr::expr::WindowFunction;
use datafusion::logical_expr::logical_plan::Union;
use datafusion::logical_expr::{
    Expr, ExprFuncBuilder, ExprFunctionExt, LogicalPlan, LogicalPlanBuilder, WindowFrame,
    WindowFrameBound, WindowFrameUnits, lit,
};
use safra_history::{ALWAYS, OPEN};

/// Rows with a key, which hold in `(from, to]`. NULLs in a key are equal to one another.
pub(crate) struct Timeline {
    pub plan: LogicalPlan,
    /// The columns of the plan that are the key.
    pub keys: Vec<Expr>,
    /// The column of the plan with the time after which a row holds.
    pub from: String,
    /// The column of the plan with the last time at which a row holds.
    pub to: String,
    /// Whether rows come and never go, which makes most questions simple.
    pub grows: bool,
}

impl Timeline {
    /// The longest intervals throughout which at least one of the key's rows holds.
    pub(crate) fn covers(self) -> Result<Self> {
        if self.grows {
            let since = self.since()?;
            let plan = since.select(&[(column(&self.from), &self.from), (lit(OPEN), &self.to)])?;
            return Ok(self.with(plan, self.from.clone(), self.to.clone()));
        }
        let (before, last) = (format!("{}_before", self.to), format!("{}_last", self.to));
        let previous = WindowFrameBound::Preceding(ScalarValue::UInt64(Some(1)));
        let until_before = self
            .in_order(self.latest(), &self.from)
            .window_frame(up_to(previous));
        let of_key = self.latest().partition_by(self.keys.clone());
        let rows = with_window(self.plan.clone(), until_before.build()?, &before)?.build()?;
        let follows_a_gap = column(&before)
            .is_null()
            .or(column(&before).lt(column(&self.from)));
        let starts = with_window(rows, of_key.build()?, &last)?
            .filter(follows_a_gap)?
            .build()?;
        // All that came before the next start ends before it.
        let end = format!("{}_end", self.to);
        let next = self.in_order(lead(column(&before), Some(1), None), &self.from);
        let starts = with_window(starts, next.build()?, &end)?.build()?;
        let ends = self.with(starts, self.from.clone(), end);
        let until = coalesce(vec![column(&ends.to), column(&last)]);
        let plan = ends.select(&[(column(&self.from), &self.from), (until, &self.to)])?;
        Ok(self.with(plan, self.from.clone(), self.to.clone()))
    }

    /// The longest intervals throughout which none of the key's rows holds, from [`ALWAYS`] to [`OPEN`]. Each
    /// key has at least one, which is empty where there is no gap.
    pub(crate) fn gaps(self) -> Result<Self> {
        let (from, to) = (format!("{}_gap", self.from), format!("{}_gap", self.to));
        if self.grows {
            let since = self.since()?;
            let plan = since.select(&[(lit(ALWAYS), &from), (column(&self.from), &to)])?;
            return Ok(self.with(plan, from, to));
        }
        let rows = self.select(&[
            (column(&self.from), &self.from),
            (column(&self.to), &self.to),
        ])?;
        let nothing = self.select(&[(lit(ALWAYS), &self.from), (lit(ALWAYS), &self.to)])?;
        let nothing = LogicalPlanBuilder::from(nothing).distinct()?.build()?;
        let rows = stacked(rows, nothing)?;
        let now = WindowFrameBound::CurrentRow;
        let until_now = self
            .in_order(self.latest(), &self.from)
            .window_frame(up_to(now));
        let open = ScalarValue::Int64(Some(OPEN));
        let next = self.in_order(lead(column(&self.from), Some(1), Some(open)), &self.from);
        let rows = with_window(rows, until_now.build()?, &from)?.build()?;
        let is_gap = column(&from).lt(column(&to));
        let is_nothing = column(&self.to).eq(lit(ALWAYS));
        let rows = with_window(rows, next.build()?, &to)?
            .filter(is_gap.or(is_nothing))?
            .build()?;
        let rows = self.with(rows, from.clone(), to.clone());
        let plan = rows.select(&[(column(&from), &from), (column(&to), &to)])?;
        Ok(self.with(plan, from, to))
    }

    fn with(&self, plan: LogicalPlan, from: String, to: String) -> Self {
        let keys = self.keys.clone();
        Self {
            plan,
            keys,
            from,
            to,
            grows: self.grows,
        }
    }

    /// Each key once, from its first row on.
    fn since(&self) -> Result<Self> {
        let first = min(column(&self.from)).alias(&self.from);
        let plan = LogicalPlanBuilder::from(self.plan.clone())
            .aggregate(self.keys.clone(), vec![first])?
            .build()?;
        Ok(self.with(plan, self.from.clone(), self.to.clone()))
    }

    /// The keys and these named expressions.
    fn select(&self, named: &[(Expr, &String)]) -> Result<LogicalPlan> {
        let named = named.iter().map(|(expr, name)| expr.clone().alias(*name));
        LogicalPlanBuilder::from(self.plan.clone())
            .project(self.keys.iter().cloned().chain(named))?
            .build()
    }

    fn latest(&self) -> Expr {
        Expr::from(WindowFunction::new(max_udaf(), vec![column(&self.to)]))
    }

    /// A window function over the rows of the key, in the order of a column.
    fn in_order(&self, function: Expr, order: &str) -> ExprFuncBuilder {
        function
            .partition_by(self.keys.clone())
            .order_by(vec![column(order).sort(true, true)])
    }
}

/// A column by its bare name, whatever characters it has.
pub(crate) fn column(name: &str) -> Expr {
    Expr::Column(Column::new_unqualified(name))
}

fn stacked(one: LogicalPlan, other: LogicalPlan) -> Result<LogicalPlan> {
    let both = vec![Arc::new(one), Arc::new(other)];
    Ok(LogicalPlan::Union(Union::try_new_with_loose_types(both)?))
}

/// The rows from the first of the key to a bound.
fn up_to(bound: WindowFrameBound) -> WindowFrame {
    let first = WindowFrameBound::Preceding(ScalarValue::UInt64(None));
    WindowFrame::new_bounds(WindowFrameUnits::Rows, first, bound)
}

/// Adds the result of a window function as a column of that name.
fn with_window(plan: LogicalPlan, function: Expr, name: &str) -> Result<LogicalPlanBuilder> {
    let held = plan.schema().columns().into_iter().map(Expr::Column);
    let mut expressions: Vec<Expr> = held.collect();
    expressions.push(column(&function.schema_name().to_string()).alias(name));
    LogicalPlanBuilder::from(plan)
        .window(vec![function])?
        .project(expressions)
}
