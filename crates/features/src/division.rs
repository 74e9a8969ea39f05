//! Whether the rows of a view can be computed piece by piece, from sources that are divided by what their rows are about.
//!
//! What a query over row versions takes grows with the rows of its sources, and with the versions of each. Where all joins and
//! groups keep to one identity that the sources share, such as the number of an order or of a seller, the rows of the query are those
//! of the query over each piece, together: a piece holds all rows of some orders, of every source that has the number.
//!
//! | operator | keeps to the identity |
//! |---|---|
//! | table | is divided by the column that has it, or is whole in every piece |
//! | projection, filter, alias | as their input, as long as the column is passed on |
//! | inner join | of two divided inputs, on their columns; of a divided and a whole one, always |
//! | left join | the same, unless nothing but its right side is divided |
//! | group by, distinct | of a divided input, by its column |
//! | union all | of divided inputs |

use std::collections::{BTreeMap, BTreeSet};

use datafusion::common::tree_node::TreeNode;
use datafusion::common::{Column, JoinType, Result};
use datafusion::logical_expr::logical_plan::{Distinct, Join, Union};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{BinaryExpr, Expr, LogicalPlan, Operator};
use safra_history::Identity;
use safra_project::{ColumnKnownAt, ColumnType, KnownAt, Project, Source};

use crate::links::{self, Links};

/// The column by which each of some sources is divided; all others are whole in every piece.
pub(crate) type Division = BTreeMap<String, String>;

/// The division by which a plan can be computed that leaves the fewest of the sources that it reads whole in every piece, with the links
/// of those that follow it; `None` where there is none. `identities` are columns that the plan compares with one another; what they
/// divide leaves none whole. With `group`, the rows of the plan are then grouped by these expressions.
///
/// # Errors
/// What DataFusion says of the plan.
pub(crate) fn find(
    project: &Project,
    sources: &BTreeSet<String>,
    identities: &[Identity],
    plan: &LogicalPlan,
    group: Option<&[Expr]>,
) -> Result<Option<(Division, Links)>> {
    let fits = |division: &Division| match rows_of(plan, division) {
        Some(Rows::Divided(keys)) => group.is_none_or(|group| !kept(group, &keys).is_empty()),
        Some(Rows::Whole) | None => false,
    };
    let weighed = |division: Division| {
        let links = links::find(plan, &division)?;
        let whole = sources.len().saturating_sub(division.len() + links.len());
        Ok((whole, division, links))
    };
    let declared = candidates(project).into_iter().map(|mut division| {
        division.retain(|source, _| sources.contains(source));
        division
    });
    let declared = declared.filter(fits).map(weighed);
    let compared = identities.iter();
    let compared = compared.filter_map(|identity| division_of(project, identity));
    let compared = compared.filter(fits).map(weighed);
    let compared = compared.filter(|found| !matches!(found, Ok((1.., ..))));
    // Of those that leave as many, the first one.
    let found = declared.chain(compared).collect::<Result<Vec<_>>>()?;
    let least = found.into_iter().min_by_key(|(whole, ..)| *whole);
    Ok(least.map(|(_, division, links)| (division, links)))
}

/// The division by columns that are compared with one another, of several sources.
fn division_of(project: &Project, identity: &Identity) -> Option<Division> {
    let mut division = Division::new();
    for (source, column) in identity {
        kind_of(project.sources.get(source)?, column)?;
        if division.insert(source.clone(), column.clone()).is_some() {
            return None;
        }
    }
    (division.len() > 1).then_some(division)
}

/// The type of a column that is known with its row. Else a row would have NULL before, and be in another piece than the NULLs of others.
fn kind_of(source: &Source, column: &str) -> Option<ColumnType> {
    let column = source.column(column)?;
    (column.known_at == ColumnKnownAt::Row).then_some(column.kind)
}

/// For each source that others refer to by its key, the sources that have that key, too, or refer to it. Those from which others take
/// their times come first: what refers to them stands in their order, so that their pieces are of neighbouring rows.
fn candidates(project: &Project) -> Vec<Division> {
    let mut keys: Vec<(&Source, &str)> = Vec::new();
    let dated = project.sources.values().filter_map(dated_by);
    let referred = project.sources.values().flat_map(referred_to);
    for (parent, on) in dated.chain(referred) {
        if let Some(parent) = project.sources.get(parent)
            && parent.key == [on]
            && !keys.iter().any(|(held, _)| held.name == parent.name)
        {
            keys.push((parent, on));
        }
    }
    let divisions = keys.into_iter();
    divisions
        .filter_map(|(parent, on)| division_by(project, parent, on))
        .collect()
}

/// The sources that have the key of `parent`, or refer to it, by columns that are known with their rows. `None` if the key is not.
fn division_by(project: &Project, parent: &Source, on: &str) -> Option<Division> {
    let of_key = kind_of(parent, on)?;
    let mut division = Division::from([(parent.name.clone(), on.to_owned())]);
    for source in project.sources.values() {
        let dated = dated_by(source).filter(|found| *found == (&parent.name, on));
        let dated = dated.map(|(_, column)| column);
        let mut references = source.references.iter().zip(referred_to(source));
        let referring = references.find_map(|(reference, target)| {
            (target == (&parent.name, on)).then_some(reference.column.as_str())
        });
        if let Some(column) = dated.or(referring)
            && kind_of(source, column) == Some(of_key)
        {
            division.insert(source.name.clone(), column.to_owned());
        }
    }
    Some(division)
}

/// The source from which a source takes its times, and the column by which it does.
fn dated_by(source: &Source) -> Option<(&str, &str)> {
    match &source.known_at {
        KnownAt::From { from, on } => Some((from, on)),
        _ => None,
    }
}

/// The sources that a source refers to, each with the column that is referred to.
fn referred_to(source: &Source) -> impl Iterator<Item = (&str, &str)> {
    source.references.iter().map(|reference| {
        let target = reference.on.as_ref().unwrap_or(&reference.column);
        (reference.to.as_str(), target.as_str())
    })
}

/// The rows of a plan over a piece.
enum Rows {
    /// Those of the plan over all sources.
    Whole,
    /// Some of them, and no piece has those of another. These columns hold the identity by which they are divided.
    Divided(BTreeSet<Column>),
}

/// `None` where pieces do not tell.
fn rows_of(plan: &LogicalPlan, division: &Division) -> Option<Rows> {
    if plan.expressions().iter().any(asks) {
        return None;
    }
    match plan {
        LogicalPlan::TableScan(scan) => Some(match division.get(scan.table_name.table()) {
            None => Rows::Whole,
            Some(name) => {
                let columns = scan.projected_schema.columns().into_iter();
                Rows::Divided(columns.filter(|column| column.name == *name).collect())
            }
        }),
        LogicalPlan::EmptyRelation(_) => Some(Rows::Whole),
        LogicalPlan::Projection(projection) => {
            let input = rows_of(&projection.input, division)?;
            Some(input.through(|keys| renamed(&projection.expr, plan, keys)))
        }
        LogicalPlan::Filter(filter) => rows_of(&filter.input, division),
        LogicalPlan::SubqueryAlias(alias) => {
            let own = |column: Column| Column::new(Some(alias.alias.clone()), column.name);
            let input = rows_of(&alias.input, division)?;
            Some(input.through(|keys| keys.into_iter().map(own).collect()))
        }
        LogicalPlan::Join(join) => joined(join, division),
        LogicalPlan::Aggregate(aggregate) => match rows_of(&aggregate.input, division)? {
            Rows::Divided(keys) => divided(renamed(&aggregate.group_expr, plan, keys)),
            Rows::Whole => Some(Rows::Whole),
        },
        LogicalPlan::Distinct(Distinct::All(input)) => match rows_of(input, division)? {
            Rows::Divided(keys) => divided(keys),
            Rows::Whole => Some(Rows::Whole),
        },
        LogicalPlan::Union(union) => united(union, plan, division),
        _ => None,
    }
}

impl Rows {
    fn through(self, keys: impl FnOnce(BTreeSet<Column>) -> BTreeSet<Column>) -> Self {
        match self {
            Self::Whole => Self::Whole,
            Self::Divided(held) => Self::Divided(keys(held)),
        }
    }
}

/// What brings rows together, by columns of which one must hold the identity.
fn divided(keys: BTreeSet<Column>) -> Option<Rows> {
    (!keys.is_empty()).then_some(Rows::Divided(keys))
}

/// Whether an expression asks other tables.
fn asks(expr: &Expr) -> bool {
    let is_query = |expr: &Expr| {
        Ok(matches!(
            expr,
            Expr::ScalarSubquery(_) | Expr::InSubquery(_) | Expr::Exists(_)
        ))
    };
    // What cannot be told is taken for a query.
    expr.exists(is_query).unwrap_or(true)
}

/// The column that an expression passes on.
pub(crate) fn passed_on(expr: &Expr) -> Option<&Column> {
    match expr {
        Expr::Column(column) => Some(column),
        Expr::Alias(alias) => passed_on(&alias.expr),
        _ => None,
    }
}

/// The positions of the expressions that pass on one of the keys.
fn kept(expressions: &[Expr], keys: &BTreeSet<Column>) -> Vec<usize> {
    let holds = |expr: &Expr| passed_on(expr).is_some_and(|column| keys.contains(column));
    (0..expressions.len())
        .filter(|&i| holds(&expressions[i]))
        .collect()
}

/// The keys under the names that the plan gives them.
fn renamed(expressions: &[Expr], plan: &LogicalPlan, keys: BTreeSet<Column>) -> BTreeSet<Column> {
    let names = plan.schema().columns();
    let kept = kept(expressions, &keys).into_iter();
    kept.filter_map(|i| names.get(i).cloned()).collect()
}

fn joined(join: &Join, division: &Division) -> Option<Rows> {
    if !matches!(join.join_type, JoinType::Inner | JoinType::Left) {
        return None;
    }
    let left = rows_of(&join.left, division)?;
    let right = rows_of(&join.right, division)?;
    match (left, right, join.join_type) {
        (Rows::Whole, Rows::Whole, _) => Some(Rows::Whole),
        (Rows::Divided(keys), Rows::Whole, _) => Some(Rows::Divided(keys)),
        (Rows::Whole, Rows::Divided(keys), JoinType::Inner) => Some(Rows::Divided(keys)),
        (Rows::Divided(mut left), Rows::Divided(right), kind) if meet(join, &left, &right) => {
            // Without a match the right side of a left join is NULL.
            if kind == JoinType::Inner {
                left.extend(right);
            }
            Some(Rows::Divided(left))
        }
        _ => None,
    }
}

/// Whether rows meet only where both sides have the same identity.
fn meet(join: &Join, left: &BTreeSet<Column>, right: &BTreeSet<Column>) -> bool {
    let is_pair = |one: &Expr, other: &Expr| match (one, other) {
        (Expr::Column(one), Expr::Column(other)) => {
            let are = |a: &Column, b: &Column| left.contains(a) && right.contains(b);
            are(one, other) || are(other, one)
        }
        _ => false,
    };
    let is_condition = |expr: &&Expr| match expr {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            *op == Operator::Eq && is_pair(left, right)
        }
        _ => false,
    };
    let conditions = join.filter.iter().flat_map(split_conjunction);
    join.on.iter().any(|(one, other)| is_pair(one, other))
        || conditions.into_iter().any(|expr| is_condition(&expr))
}

fn united(union: &Union, plan: &LogicalPlan, division: &Division) -> Option<Rows> {
    let inputs = union.inputs.iter();
    let inputs: Vec<Rows> = inputs
        .map(|input| rows_of(input, division))
        .collect::<Option<_>>()?;
    if inputs.iter().all(|rows| matches!(rows, Rows::Whole)) {
        return Some(Rows::Whole);
    }
    let mut positions: BTreeSet<usize> = (0..plan.schema().fields().len()).collect();
    for (rows, input) in inputs.iter().zip(&union.inputs) {
        let Rows::Divided(keys) = rows else {
            return None;
        };
        let columns = input.schema().columns();
        positions.retain(|&i| keys.contains(&columns[i]));
    }
    let names = plan.schema().columns().into_iter().enumerate();
    let keys = names.filter(|(i, _)| positions.contains(i));
    Some(Rows::Divided(keys.map(|(_, name)| name).collect()))
}
