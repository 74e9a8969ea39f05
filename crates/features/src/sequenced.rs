//! A query over row versions: the same query, in which every row carries the interval in which it holds.
//!
//! This is the sequenced semantics of temporal databases (Böhlen, Jensen, Snodgrass, "Temporal statement
//! modifiers", 2000): for every date, the result restricted to that date equals the plain query on the
//! tables restricted to that date. Operator by operator:
//!
//! | operator | its sequenced form |
//! |---|---|
//! | table | its row versions |
//! | projection, filter, alias | the same, the interval passes through |
//! | inner join | the same, with the intersection of the intervals, where it is not empty |
//! | left join | the inner join, and each left row with NULLs until its first match |
//! | group by, distinct | for each group, once for every stretch of time in which its rows stay the same |
//! | union all | the same |

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::common::{
    Column, DFSchema, JoinConstraint, JoinType, NullEquality, Result, ScalarValue, plan_err,
};
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::functions::core::expr_fn::{coalesce, greatest, least};
use datafusion::functions_aggregate::expr_fn::min;
use datafusion::logical_expr::logical_plan::{Distinct, Join, Projection, SubqueryAlias, Union};
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan, LogicalPlanBuilder, lit};
use safra_history::{OPEN, VALID_FROM, VALID_TO};

/// Rows handed to DataFusion at once, so that its operators work on pieces that stay in the cache.
const BATCH_ROWS: usize = 16_384;

/// A plan whose rows hold in `(from, to]`.
#[derive(Debug, Clone)]
pub(crate) struct Sequenced {
    pub plan: LogicalPlan,
    pub from: Expr,
    pub to: Expr,
}

/// Rewrites a plan over sources into one over their versions.
pub(crate) struct Rewriter<'a> {
    versions: &'a BTreeMap<String, RecordBatch>,
    names: usize,
}

impl<'a> Rewriter<'a> {
    pub(crate) fn new(versions: &'a BTreeMap<String, RecordBatch>) -> Self {
        Self { versions, names: 0 }
    }

    pub(crate) fn rewrite(&mut self, plan: &LogicalPlan) -> Result<Sequenced> {
        match plan {
            LogicalPlan::TableScan(scan) => self.table(scan),
            LogicalPlan::Projection(Projection { expr, input, .. }) => {
                let input = self.rewrite(input)?;
                let mut expressions = expr.clone();
                let (from, to) = self.interval_names();
                expressions.push(input.from.alias(&from));
                expressions.push(input.to.alias(&to));
                let plan = LogicalPlanBuilder::from(input.plan)
                    .project(expressions)?
                    .build()?;
                Ok(Sequenced {
                    plan,
                    from: column(&from),
                    to: column(&to),
                })
            }
            LogicalPlan::Filter(filter) => {
                let input = self.rewrite(&filter.input)?;
                let plan = LogicalPlanBuilder::from(input.plan)
                    .filter(filter.predicate.clone())?
                    .build()?;
                Ok(Sequenced { plan, ..input })
            }
            LogicalPlan::SubqueryAlias(alias) => self.alias(alias),
            LogicalPlan::Join(join) => self.join(join),
            LogicalPlan::Aggregate(aggregate) => self.aggregate(aggregate),
            LogicalPlan::Distinct(Distinct::All(input)) => {
                let columns = columns_of(input.schema());
                self.aggregate(&Aggregate::try_new(Arc::clone(input), columns, Vec::new())?)
            }
            LogicalPlan::Union(union) => self.union(union),
            other => plan_err!(
                "{}: not supported in a feature view",
                other
                    .display()
                    .to_string()
                    .split(':')
                    .next()
                    .unwrap_or_default()
            ),
        }
    }

    fn table(&mut self, scan: &datafusion::logical_expr::TableScan) -> Result<Sequenced> {
        let name = scan.table_name.table();
        let Some(versions) = self.versions.get(name) else {
            return plan_err!("{name}: its versions were not prepared");
        };
        let pieces = (0..versions.num_rows())
            .step_by(BATCH_ROWS)
            .map(|start| versions.slice(start, BATCH_ROWS.min(versions.num_rows() - start)))
            .collect();
        let table = MemTable::try_new(versions.schema(), vec![pieces])?;
        let source = provider_as_source(Arc::new(table));
        let scanned = LogicalPlanBuilder::scan(scan.table_name.clone(), source, None)?.build()?;
        let (from, to) = self.interval_names();
        let mut expressions: Vec<Expr> = columns_of(&scan.projected_schema);
        let qualified = |name: &str| Expr::Column(Column::new(Some(scan.table_name.clone()), name));
        expressions.push(qualified(VALID_FROM).alias(&from));
        expressions.push(qualified(VALID_TO).alias(&to));
        let plan = LogicalPlanBuilder::from(scanned)
            .project(expressions)?
            .build()?;
        Ok(Sequenced {
            plan,
            from: column(&from),
            to: column(&to),
        })
    }

    fn alias(&mut self, alias: &SubqueryAlias) -> Result<Sequenced> {
        let input = self.rewrite(&alias.input)?;
        let plan = LogicalPlanBuilder::from(input.plan)
            .alias(alias.alias.clone())?
            .build()?;
        let requalify = |expr: Expr| match expr {
            Expr::Column(inner) => Expr::Column(Column::new(Some(alias.alias.clone()), inner.name)),
            other => other,
        };
        Ok(Sequenced {
            plan,
            from: requalify(input.from),
            to: requalify(input.to),
        })
    }

    fn join(&mut self, join: &Join) -> Result<Sequenced> {
        let left = self.rewrite(&join.left)?;
        let right = self.rewrite(&join.right)?;
        match join.join_type {
            JoinType::Inner => self.inner_join(join, left, right),
            JoinType::Left => self.left_join(join, left, right),
            other => {
                plan_err!("{other} JOIN: not supported in a feature view; write INNER or LEFT JOIN")
            }
        }
    }

    fn inner_join(&mut self, join: &Join, left: Sequenced, right: Sequenced) -> Result<Sequenced> {
        let joined = Join::try_new(
            Arc::new(left.plan),
            Arc::new(right.plan),
            join.on.clone(),
            join.filter.clone(),
            JoinType::Inner,
            join.join_constraint,
            join.null_equality,
            false,
        )?;
        let start = greatest(vec![left.from, right.from]);
        let end = least(vec![left.to, right.to]);
        let (from, to) = self.interval_names();
        let mut expressions = columns_of(&join.schema);
        expressions.push(start.alias(&from));
        expressions.push(end.alias(&to));
        let plan = LogicalPlanBuilder::from(LogicalPlan::Join(joined))
            .project(expressions)?
            .filter(column(&from).lt(column(&to)))?
            .build()?;
        Ok(Sequenced {
            plan,
            from: column(&from),
            to: column(&to),
        })
    }

    /// A left row stands alone until the first row matches it. Rows, once known, stay known, so after that
    /// there is always a match; this holds as long as the join compares columns that do not change.
    fn left_join(&mut self, join: &Join, left: Sequenced, right: Sequenced) -> Result<Sequenced> {
        if join.filter.is_some() {
            return plan_err!(
                "LEFT JOIN: a condition that is not an equality is not supported in a feature view"
            );
        }
        let matched = self.inner_join(join, left.clone(), right.clone())?;
        let (first, _) = self.interval_names();
        let keys: Vec<Expr> = join
            .on
            .iter()
            .map(|(_, right_key)| right_key.clone())
            .collect();
        let aliases: Vec<String> = (0..keys.len()).map(|i| format!("{first}_key{i}")).collect();
        let grouped: Vec<Expr> = keys
            .into_iter()
            .zip(&aliases)
            .map(|(key, alias)| key.alias(alias))
            .collect();
        let firsts = LogicalPlanBuilder::from(right.plan)
            .aggregate(grouped, vec![min(right.from).alias(&first)])?
            .build()?;
        let on: Vec<(Expr, Expr)> = join
            .on
            .iter()
            .zip(&aliases)
            .map(|((left_key, _), alias)| (left_key.clone(), column(alias)))
            .collect();
        let alone = Join::try_new(
            Arc::new(left.plan),
            Arc::new(firsts),
            on,
            None,
            JoinType::Left,
            JoinConstraint::On,
            NullEquality::NullEqualsNothing,
            false,
        )?;
        let end = least(vec![left.to, coalesce(vec![column(&first), lit(OPEN)])]);
        let (from, to) = interval_of(&matched);
        let mut expressions = with_nulls(&join.schema, join.left.schema())?;
        expressions.push(left.from.alias(&from));
        expressions.push(end.alias(&to));
        let alone = LogicalPlanBuilder::from(LogicalPlan::Join(alone))
            .project(expressions)?
            .filter(column(&from).lt(column(&to)))?
            .build()?;
        let matched_plan = LogicalPlanBuilder::from(matched.plan)
            .project(all_columns(&join.schema, &from, &to))?
            .build()?;
        self.stack(vec![matched_plan, alone], &join.schema, &from, &to)
    }

    /// Stacks plans of the same columns and gives the columns their names, with tables, back.
    fn stack(
        &mut self,
        plans: Vec<LogicalPlan>,
        schema: &DFSchema,
        from: &str,
        to: &str,
    ) -> Result<Sequenced> {
        let inputs = plans
            .into_iter()
            .map(|plan| {
                let flat: Vec<Expr> = columns_of(plan.schema())
                    .into_iter()
                    .enumerate()
                    .map(|(i, expr)| expr.alias(format!("__column_{i}")))
                    .collect();
                LogicalPlanBuilder::from(plan)
                    .project(flat)?
                    .build()
                    .map(Arc::new)
            })
            .collect::<Result<Vec<_>>>()?;
        let union = LogicalPlan::Union(Union::try_new_with_loose_types(inputs)?);
        let mut names: Vec<Expr> = schema
            .columns()
            .into_iter()
            .enumerate()
            .map(|(i, named)| {
                column(&format!("__column_{i}")).alias_qualified(named.relation, named.name)
            })
            .collect();
        let width = names.len();
        names.push(column(&format!("__column_{width}")).alias(from));
        names.push(column(&format!("__column_{}", width + 1)).alias(to));
        let plan = LogicalPlanBuilder::from(union).project(names)?.build()?;
        Ok(Sequenced {
            plan,
            from: column(from),
            to: column(to),
        })
    }

    fn union(&mut self, union: &Union) -> Result<Sequenced> {
        let (from, to) = self.interval_names();
        let mut plans = Vec::new();
        for input in &union.inputs {
            let rewritten = self.rewrite(input)?;
            let mut expressions = columns_of(input.schema());
            expressions.push(rewritten.from.alias(&from));
            expressions.push(rewritten.to.alias(&to));
            plans.push(
                LogicalPlanBuilder::from(rewritten.plan)
                    .project(expressions)?
                    .build()?,
            );
        }
        self.stack(plans, &union.schema, &from, &to)
    }

    /// The stretches between the moments at which a row of the group comes or goes; each takes the rows
    /// that hold throughout.
    fn aggregate(&mut self, aggregate: &Aggregate) -> Result<Sequenced> {
        let (from, to) = self.interval_names();
        let (row_from, row_to) = self.interval_names();
        let keys: Vec<String> = (0..aggregate.group_expr.len())
            .map(|i| format!("{from}_group{i}"))
            .collect();
        let input = self.rewrite(&aggregate.input)?;
        let mut named = columns_of(aggregate.input.schema());
        named.extend(
            aggregate
                .group_expr
                .iter()
                .zip(&keys)
                .map(|(expr, key)| expr.clone().alias(key)),
        );
        named.push(input.from.alias(&row_from));
        named.push(input.to.alias(&row_to));
        let rows = LogicalPlanBuilder::from(input.plan)
            .project(named)?
            .build()?;
        let stretches = stretches(&rows, &keys, (&row_from, &row_to), (&from, &to))?;
        let on = keys
            .iter()
            .map(|key| (column(key), column(&stretch_key(key))))
            .collect();
        let holds = column(&row_from)
            .lt_eq(column(&from))
            .and(column(&to).lt_eq(column(&row_to)));
        let joined = Join::try_new(
            Arc::new(rows),
            Arc::new(stretches),
            on,
            Some(holds),
            JoinType::Inner,
            JoinConstraint::On,
            NullEquality::NullEqualsNull,
            false,
        )?;
        let mut group = aggregate.group_expr.clone();
        group.push(column(&from));
        group.push(column(&to));
        let plan = LogicalPlanBuilder::from(LogicalPlan::Join(joined))
            .aggregate(group, aggregate.aggr_expr.clone())?
            .build()?;
        Ok(Sequenced {
            plan,
            from: column(&from),
            to: column(&to),
        })
    }

    fn interval_names(&mut self) -> (String, String) {
        self.names += 1;
        (
            format!("__from_{}", self.names),
            format!("__to_{}", self.names),
        )
    }
}

/// For each group, the intervals between neighbouring moments at which one of its rows comes or goes.
fn stretches(
    rows: &LogicalPlan,
    keys: &[String],
    (row_from, row_to): (&str, &str),
    (from, to): (&str, &str),
) -> Result<LogicalPlan> {
    let moments = |moment: &str| -> Result<LogicalPlan> {
        let mut expressions: Vec<Expr> = keys
            .iter()
            .map(|key| column(key).alias(stretch_key(key)))
            .collect();
        expressions.push(column(moment).alias(from));
        LogicalPlanBuilder::from(rows.clone())
            .project(expressions)?
            .build()
    };
    let by: Vec<Expr> = keys.iter().map(|key| column(&stretch_key(key))).collect();
    let next = datafusion::functions_window::expr_fn::lead(column(from), Some(1), None);
    let next = window_over(next, by, column(from))?;
    let mut expressions: Vec<Expr> = keys.iter().map(|key| column(&stretch_key(key))).collect();
    expressions.push(column(from));
    expressions.push(next.clone().alias(to));
    let union = Union::try_new_with_loose_types(vec![
        Arc::new(moments(row_from)?),
        Arc::new(moments(row_to)?),
    ])?;
    LogicalPlanBuilder::from(LogicalPlan::Union(union))
        .distinct()?
        .window(vec![next])?
        .project(rename_last(expressions, to))?
        .filter(column(to).is_not_null())?
        .build()
}

fn window_over(function: Expr, partition_by: Vec<Expr>, order_by: Expr) -> Result<Expr> {
    use datafusion::logical_expr::ExprFunctionExt;
    function
        .partition_by(partition_by)
        .order_by(vec![order_by.sort(true, true)])
        .build()
}

/// After a window node its result is a column that carries the name of the expression.
fn rename_last(mut expressions: Vec<Expr>, name: &str) -> Vec<Expr> {
    if let Some(Expr::Alias(alias)) = expressions.pop() {
        expressions.push(column(&alias.expr.schema_name().to_string()).alias(name));
    }
    expressions
}

fn stretch_key(key: &str) -> String {
    format!("{key}_of_stretch")
}

/// A column by its bare name, whatever characters it has.
fn column(name: &str) -> Expr {
    Expr::Column(Column::new_unqualified(name))
}

fn columns_of(schema: &DFSchema) -> Vec<Expr> {
    schema.columns().into_iter().map(Expr::Column).collect()
}

fn all_columns(schema: &DFSchema, from: &str, to: &str) -> Vec<Expr> {
    let mut expressions = columns_of(schema);
    expressions.push(column(from));
    expressions.push(column(to));
    expressions
}

fn interval_of(sequenced: &Sequenced) -> (String, String) {
    let name = |expr: &Expr| match expr {
        Expr::Column(column) => column.name.clone(),
        other => other.schema_name().to_string(),
    };
    (name(&sequenced.from), name(&sequenced.to))
}

/// The columns of a join, those of its right side as NULLs.
fn with_nulls(joined: &DFSchema, left: &DFSchema) -> Result<Vec<Expr>> {
    let width = left.fields().len();
    joined
        .iter()
        .enumerate()
        .map(|(i, (relation, field))| {
            let named = Column::new(relation.cloned(), field.name());
            if i < width {
                return Ok(Expr::Column(named));
            }
            let null = ScalarValue::try_from(field.data_type())?;
            Ok(lit(null).alias_qualified(relation.cloned(), field.name()))
        })
        .collect()
}
