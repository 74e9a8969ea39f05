//! Which sources a piece of the others takes only some rows of: where a source is read for nothing but to be joined by a key that divided
//! sources refer to, such as the customers of orders, a piece needs no row whose key nothing in the piece refers to.

use std::collections::BTreeMap;

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, JoinType, Result};
use datafusion::logical_expr::logical_plan::Join;
use datafusion::logical_expr::{Expr, LogicalPlan};
use safra_history::Link;

use crate::division::{Division, passed_on};

/// For each source of which a piece takes only some rows, the reference that they follow.
pub(crate) type Links = BTreeMap<String, Link>;

/// The links of a plan whose sources are divided. A row that they leave out has no match in any of the joins that read its source, which are
/// inner joins, or left joins of which it is the right side.
///
/// # Errors
/// What DataFusion says of the plan.
pub(crate) fn find(plan: &LogicalPlan, division: &Division) -> Result<Links> {
    let mut found: BTreeMap<String, Vec<Link>> = BTreeMap::new();
    let mut scans: BTreeMap<String, usize> = BTreeMap::new();
    plan.apply(|node| {
        match node {
            LogicalPlan::TableScan(scan) => {
                *scans.entry(scan.table_name.table().to_owned()).or_default() += 1;
            }
            LogicalPlan::Join(join) => {
                for (source, link) in links_of(join, division) {
                    found.entry(source).or_default().push(link);
                }
            }
            _ => {}
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    let links = found.into_iter().filter_map(|(source, links)| {
        // Wherever the source is read, by the same key.
        let first = links.first()?.clone();
        let everywhere = scans.get(&source) == Some(&links.len());
        let same = links.iter().all(|link| *link == first);
        (everywhere && same).then_some((source, first))
    });
    Ok(links.collect())
}

/// The sources that a join reads for nothing else, at most one a side.
fn links_of(join: &Join, division: &Division) -> Vec<(String, Link)> {
    let right = (&*join.right, &*join.left);
    let left = (&*join.left, &*join.right);
    let sides: &[_] = match join.join_type {
        JoinType::Inner => &[left, right],
        JoinType::Left => &[right],
        _ => &[],
    };
    let mut found = Vec::new();
    for (own, other) in sides.iter().filter(|(own, _)| is_table(own)) {
        let link = join.on.iter().find_map(|(one, two)| {
            link(own, other, one, two, division).or_else(|| link(own, other, two, one, division))
        });
        found.extend(link);
    }
    found
}

/// Whether a plan is a table, some of whose rows and columns may be left out.
fn is_table(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::TableScan(_) => true,
        LogicalPlan::Projection(projection) => is_table(&projection.input),
        LogicalPlan::Filter(filter) => is_table(&filter.input),
        LogicalPlan::SubqueryAlias(alias) => is_table(&alias.input),
        _ => false,
    }
}

/// The source of a side and its link, if these expressions of both sides are its key and what refers to it.
fn link(
    own: &LogicalPlan,
    other: &LogicalPlan,
    key: &Expr,
    reference: &Expr,
    division: &Division,
) -> Option<(String, Link)> {
    let (Expr::Column(key), Expr::Column(reference)) = (key, reference) else {
        return None;
    };
    let (source, key) = origin(own, key)?;
    let (from, column) = origin(other, reference)?;
    let is_whole = !division.contains_key(&source);
    (is_whole && division.contains_key(&from)).then_some((source, Link { key, from, column }))
}

/// The source and column whose values, or NULL in their place, a column of a plan holds.
fn origin(plan: &LogicalPlan, column: &Column) -> Option<(String, String)> {
    let position = plan.schema().maybe_index_of_column(column)?;
    match plan {
        LogicalPlan::TableScan(scan) => {
            Some((scan.table_name.table().to_owned(), column.name.clone()))
        }
        LogicalPlan::Projection(projection) => origin(
            &projection.input,
            passed_on(projection.expr.get(position)?)?,
        ),
        LogicalPlan::Filter(filter) => origin(&filter.input, column),
        LogicalPlan::SubqueryAlias(alias) => {
            let columns = alias.input.schema().columns();
            origin(&alias.input, columns.get(position)?)
        }
        LogicalPlan::Join(join) => {
            let of_side = |side: &LogicalPlan| {
                let is_its = side.schema().maybe_index_of_column(column).is_some();
                is_its.then(|| origin(side, column)).flatten()
            };
            of_side(&join.left).or_else(|| of_side(&join.right))
        }
        LogicalPlan::Aggregate(aggregate) => origin(
            &aggregate.input,
            passed_on(aggregate.group_expr.get(position)?)?,
        ),
        LogicalPlan::Distinct(distinct) => origin(distinct.input(), column),
        _ => None,
    }
}
