//! The nested aggregates of a plan, each as a relation of its own: their groups change over time, which no
//! operator of DataFusion computes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::arrow::datatypes::FieldRef;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, Result, TableReference, plan_err};
use datafusion::datasource::empty::EmptyTable;
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan, LogicalPlanBuilder};

use crate::reads::reads;
use crate::sequenced::{Rewriter, Versions};
use crate::{FeatureError, groups};

/// A plan, and the groups that it reads, each after those that it reads itself.
pub(crate) struct Stages {
    pub groups: Vec<Group>,
    pub rest: LogicalPlan,
}

/// A nested `GROUP BY`, whose result the rest of the plan reads as a table.
pub(crate) struct Group {
    pub table: String,
    pub input: LogicalPlan,
    pub keys: Vec<Expr>,
    pub calls: Vec<AggregateFunction>,
    /// The columns of the table: keys, then calls.
    pub fields: Vec<FieldRef>,
}

impl Stages {
    /// Takes the aggregates out of a plan.
    ///
    /// # Errors
    /// If one of them is not the same for every order of its rows, or has no sequenced form; the message
    /// says which and why.
    pub(crate) fn of(plan: &LogicalPlan) -> Result<Self> {
        let mut groups: Vec<Group> = Vec::new();
        // The same subquery may stand in a plan more than once.
        let mut seen: Vec<Aggregate> = Vec::new();
        let rest = plan.clone().transform_up(|node| match node {
            LogicalPlan::Aggregate(aggregate) if !aggregate.aggr_expr.is_empty() => {
                if let Some(same) = seen.iter().position(|other| *other == aggregate) {
                    return Ok(Transformed::yes(groups[same].as_table(&aggregate)?));
                }
                let group = Group::new(&aggregate, format!("__groups_{}", groups.len()))?;
                let table = group.as_table(&aggregate)?;
                groups.push(group);
                seen.push(aggregate);
                Ok(Transformed::yes(table))
            }
            other => Ok(Transformed::no(other)),
        })?;
        Ok(Self {
            groups,
            rest: rest.data,
        })
    }

    /// Computes the groups, but for those that are there, and adds them to the versions of the sources.
    pub(crate) async fn collect(&self, versions: &mut BTreeMap<String, Versions>) -> Result<()> {
        for group in &self.groups {
            if !versions.contains_key(&group.table) {
                group.collect(versions).await?;
            }
        }
        Ok(())
    }

    /// The groups that read none of these tables, and no other group that does.
    ///
    /// # Errors
    /// What DataFusion says of them.
    pub(crate) fn without(
        &self,
        tables: &BTreeSet<&str>,
    ) -> std::result::Result<Vec<&Group>, FeatureError> {
        let mut avoided: BTreeSet<&str> = tables.clone();
        let mut found = Vec::new();
        for group in &self.groups {
            let reads = reads(&group.input)?;
            if reads.keys().any(|table| avoided.contains(table.as_str())) {
                avoided.insert(&group.table);
            } else {
                found.push(group);
            }
        }
        Ok(found)
    }

    /// As [`Stages::collect`] without rows, to see whether it can be done.
    pub(crate) fn check(&self, versions: &mut BTreeMap<String, Versions>) -> Result<()> {
        for group in &self.groups {
            let result = groups::check(group, &mut Rewriter::new(versions))?;
            versions.insert(group.table.clone(), result);
        }
        Ok(())
    }
}

impl Group {
    fn new(aggregate: &Aggregate, table: String) -> Result<Self> {
        check_groups(aggregate)?;
        let calls = aggregate.aggr_expr.iter().map(call_of);
        let fields = aggregate.schema.fields().iter().enumerate();
        let renamed = |(i, field): (usize, &FieldRef)| {
            Arc::new(
                field
                    .as_ref()
                    .clone()
                    .with_name(column_name(i))
                    .with_nullable(true),
            )
        };
        Ok(Self {
            table,
            input: aggregate.input.as_ref().clone(),
            keys: aggregate.group_expr.clone(),
            calls: calls.collect::<Result<_>>()?,
            fields: fields.map(renamed).collect(),
        })
    }

    /// Computes the groups, and adds them to the tables that they read.
    pub(crate) async fn collect(&self, versions: &mut BTreeMap<String, Versions>) -> Result<()> {
        let result = groups::collect(self, &mut Rewriter::new(versions)).await?;
        versions.insert(self.table.clone(), result);
        Ok(())
    }

    /// The table, with the columns named as those of the aggregate.
    fn as_table(&self, aggregate: &Aggregate) -> Result<LogicalPlan> {
        let schema = datafusion::arrow::datatypes::Schema::new(self.fields.clone());
        let source = provider_as_source(Arc::new(EmptyTable::new(Arc::new(schema))));
        let table = TableReference::bare(self.table.as_str());
        let named = aggregate.schema.columns().into_iter().enumerate();
        let named = named.map(|(i, own)| {
            let held = Expr::Column(Column::new(Some(table.clone()), column_name(i)));
            held.alias_qualified(own.relation, own.name)
        });
        LogicalPlanBuilder::scan(table.clone(), source, None)?
            .project(named)?
            .build()
    }
}

fn column_name(index: usize) -> String {
    format!("column_{index}")
}

fn check_groups(aggregate: &Aggregate) -> Result<()> {
    if aggregate.group_expr.is_empty() {
        // Without rows it would still be one row, at times at which nothing comes or goes.
        return plan_err!("an aggregate without GROUP BY");
    }
    let sets = |expr: &Expr| matches!(expr, Expr::GroupingSet(_));
    if aggregate.group_expr.iter().any(sets) {
        return plan_err!("GROUPING SETS, CUBE or ROLLUP");
    }
    Ok(())
}

/// Aggregates that depend on the values of a group, and not on the order in which they are taken in, nor on
/// the pieces in which they are.
const ORDERLESS: &[&str] = &[
    "avg",
    "avg_gap_days",
    "bool_and",
    "bool_or",
    "count",
    "decayed_count",
    "decayed_sum",
    "max",
    "max_by",
    "max_gap_days",
    "median",
    "min",
    "min_by",
    "mode",
    "percentile",
    "percentile_gap_days",
    "stddev",
    "stddev_pop",
    "sum",
    "var",
    "var_pop",
];

/// Whether an aggregate is the same for every order of its rows.
pub(crate) fn is_orderless(call: &AggregateFunction) -> bool {
    ORDERLESS.contains(&call.func.name()) && call.params.order_by.is_empty()
}

fn call_of(expr: &Expr) -> Result<AggregateFunction> {
    let mut call = None;
    expr.apply(|part| {
        if let Expr::AggregateFunction(found) = part {
            call = Some(found.clone());
            return Ok(TreeNodeRecursion::Stop);
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    match call {
        Some(call) if is_orderless(&call) => Ok(call),
        _ => plan_err!("{expr} in a subquery"),
    }
}
