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
//! | left join | the inner join, and each left row with NULLs while it has no match |
//! | group by | for each group, once for every stretch of time in which its rows stay the same |
//! | distinct | for each row, the intervals in which at least one row like it holds |
//! | union all | the same |

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::common::{
    Column, DFSchema, JoinConstraint, JoinType, NullEquality, Result, ScalarValue, plan_err,
};
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::functions::core::expr_fn::{coalesce, greatest, least};
use datafusion::logical_expr::logical_plan::{
    Distinct, Join, Projection, SubqueryAlias, TableScan, Union,
};
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan, LogicalPlanBuilder, lit};
use safra_history::{ALWAYS, OPEN, VALID_FROM, VALID_TO};

use crate::timeline::{Timeline, column};

/// Rows handed to DataFusion at once, so that its operators work on pieces that stay in the cache.
const BATCH_ROWS: usize = 16_384;

/// The row versions of a source.
pub(crate) struct Versions {
    /// With [`VALID_FROM`] and [`VALID_TO`].
    pub rows: RecordBatch,
    /// Whether rows come and never go: none has a second version.
    pub grows: bool,
}

/// A plan whose rows hold in `(from, to]`.
#[derive(Debug, Clone)]
pub(crate) struct Sequenced {
    pub plan: LogicalPlan,
    pub from: Expr,
    pub to: Expr,
    /// Whether rows come and never go.
    pub grows: bool,
}

impl Sequenced {
    fn named(plan: LogicalPlan, from: &str, to: &str, grows: bool) -> Self {
        Self {
            plan,
            from: column(from),
            to: column(to),
            grows,
        }
    }
}

/// Rewrites a plan over sources into one over their versions.
pub(crate) struct Rewriter<'a> {
    versions: &'a BTreeMap<String, Versions>,
    names: usize,
}

impl<'a> Rewriter<'a> {
    pub(crate) fn new(versions: &'a BTreeMap<String, Versions>) -> Self {
        Self { versions, names: 0 }
    }

    pub(crate) fn rewrite(&mut self, plan: &LogicalPlan) -> Result<Sequenced> {
        match plan {
            LogicalPlan::TableScan(scan) => self.table(scan),
            LogicalPlan::Projection(Projection { expr, input, .. }) => {
                let input = self.rewrite(input)?;
                self.project(input, expr.clone())
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
                let rows = self.rewrite(input)?;
                self.distinct(rows, columns_of(input.schema()))
            }
            LogicalPlan::Union(union) => self.union(union),
            other => plan_err!("{}: not supported in a feature view", name_of(other)),
        }
    }

    fn table(&mut self, scan: &TableScan) -> Result<Sequenced> {
        let name = scan.table_name.table();
        let Some(versions) = self.versions.get(name) else {
            return plan_err!("{name}: its versions were not prepared");
        };
        let Versions { rows, grows } = versions;
        let pieces = (0..rows.num_rows())
            .step_by(BATCH_ROWS)
            .map(|start| rows.slice(start, BATCH_ROWS.min(rows.num_rows() - start)))
            .collect();
        let table = MemTable::try_new(rows.schema(), vec![pieces])?;
        let source = provider_as_source(Arc::new(table));
        let scanned = LogicalPlanBuilder::scan(scan.table_name.clone(), source, None)?.build()?;
        let qualified = |name: &str| Expr::Column(Column::new(Some(scan.table_name.clone()), name));
        let rows = Sequenced {
            plan: scanned,
            from: qualified(VALID_FROM),
            to: qualified(VALID_TO),
            grows: *grows,
        };
        self.project(rows, columns_of(&scan.projected_schema))
    }

    /// These expressions over the rows, with an interval of its own name.
    fn project(&mut self, rows: Sequenced, mut expressions: Vec<Expr>) -> Result<Sequenced> {
        let (from, to) = self.interval_names();
        expressions.push(rows.from.alias(&from));
        expressions.push(rows.to.alias(&to));
        let plan = LogicalPlanBuilder::from(rows.plan)
            .project(expressions)?
            .build()?;
        Ok(Sequenced::named(plan, &from, &to, rows.grows))
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
            grows: input.grows,
        })
    }

    fn join(&mut self, join: &Join) -> Result<Sequenced> {
        let left = self.rewrite(&join.left)?;
        let right = self.rewrite(&join.right)?;
        match join.join_type {
            JoinType::Inner => self.matches(join, left, right, columns_of(&join.schema)),
            JoinType::Left => self.left_join(join, left, right),
            other => {
                let name = other.to_string().to_uppercase();
                plan_err!("{name} JOIN: not supported in a feature view; write INNER or LEFT JOIN")
            }
        }
    }

    /// Pairs that match, while both hold, as these expressions over both.
    fn matches(
        &mut self,
        join: &Join,
        left: Sequenced,
        right: Sequenced,
        expressions: Vec<Expr>,
    ) -> Result<Sequenced> {
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
        let pairs = Sequenced {
            plan: LogicalPlan::Join(joined),
            from: greatest(vec![left.from, right.from]),
            to: least(vec![left.to, right.to]),
            grows: left.grows && right.grows,
        };
        self.project(pairs, expressions).and_then(not_empty)
    }

    /// The matches, and each left row alone in the gaps that they leave.
    fn left_join(&mut self, join: &Join, left: Sequenced, right: Sequenced) -> Result<Sequenced> {
        let (join, right) = filter_right_first(join, right)?;
        let columns = columns_of(&join.schema);
        let matched = self.matches(&join, left.clone(), right.clone(), columns.clone())?;
        let gaps = match join.filter {
            None => self.gaps_by_key(&join, right)?,
            Some(_) => self.gaps_by_row(&join, left.clone(), right)?,
        };
        let alone = Join::try_new(
            Arc::new(left.plan),
            Arc::new(gaps.timeline.plan),
            gaps.on,
            None,
            JoinType::Left,
            JoinConstraint::On,
            gaps.null_equality,
            false,
        )?;
        let gap_from = coalesce(vec![column(&gaps.timeline.from), lit(ALWAYS)]);
        let gap_to = coalesce(vec![column(&gaps.timeline.to), lit(OPEN)]);
        let alone = Sequenced {
            plan: LogicalPlan::Join(alone),
            from: greatest(vec![left.from, gap_from]),
            to: least(vec![left.to, gap_to]),
            grows: false,
        };
        let alone = self.project(alone, with_nulls(&join.schema, join.left.schema())?)?;
        let parts = vec![(matched, columns.clone()), (not_empty(alone)?, columns)];
        self.stack(parts, &join.schema)
    }

    /// Where a join compares keys only, the left rows of a key are alone while no right row has that key.
    fn gaps_by_key(&mut self, join: &Join, right: Sequenced) -> Result<Gaps> {
        let (left_keys, right_keys): (Vec<Expr>, Vec<Expr>) = join.on.iter().cloned().unzip();
        let timeline = self.timeline(right, right_keys)?.gaps()?;
        Ok(Gaps {
            on: left_keys.into_iter().zip(timeline.keys.clone()).collect(),
            null_equality: join.null_equality,
            timeline,
        })
    }

    /// Any other condition may tell one left row from another: it is alone while no row like it has a match.
    fn gaps_by_row(&mut self, join: &Join, left: Sequenced, right: Sequenced) -> Result<Gaps> {
        let row = columns_of(left.plan.schema());
        let matched = self.matches(join, left, right, row.clone())?;
        let timeline = self.timeline(matched, row.clone())?.gaps()?;
        Ok(Gaps {
            on: row.into_iter().zip(timeline.keys.clone()).collect(),
            null_equality: NullEquality::NullEqualsNull,
            timeline,
        })
    }

    /// The rows by key, with nothing but the key and the interval.
    fn timeline(&mut self, rows: Sequenced, keys: Vec<Expr>) -> Result<Timeline> {
        let (from, to) = self.interval_names();
        let names: Vec<String> = (0..keys.len()).map(|i| format!("{from}_key{i}")).collect();
        let mut expressions: Vec<Expr> = keys
            .into_iter()
            .zip(&names)
            .map(|(key, name)| key.alias(name))
            .collect();
        expressions.push(rows.from.alias(&from));
        expressions.push(rows.to.alias(&to));
        Ok(Timeline {
            plan: LogicalPlanBuilder::from(rows.plan)
                .project(expressions)?
                .build()?,
            keys: names.iter().map(|name| column(name)).collect(),
            from,
            to,
            grows: rows.grows,
        })
    }

    /// Stacks the columns of several plans, and gives them the names of the schema, with tables.
    fn stack(
        &mut self,
        parts: Vec<(Sequenced, Vec<Expr>)>,
        schema: &DFSchema,
    ) -> Result<Sequenced> {
        let name = |i: usize| format!("__column_{i}");
        let flat = |(rows, mut columns): (Sequenced, Vec<Expr>)| {
            columns.extend([rows.from, rows.to]);
            let named = columns.into_iter().enumerate();
            LogicalPlanBuilder::from(rows.plan)
                .project(named.map(|(i, expr)| expr.alias(name(i))))?
                .build()
                .map(Arc::new)
        };
        let grows = parts.iter().all(|(rows, _)| rows.grows);
        let parts = parts.into_iter().map(flat).collect::<Result<Vec<_>>>()?;
        let width = schema.fields().len();
        let stacked = Sequenced {
            plan: LogicalPlan::Union(Union::try_new_with_loose_types(parts)?),
            from: column(&name(width)),
            to: column(&name(width + 1)),
            grows,
        };
        let names = schema.columns().into_iter().enumerate();
        let named = names.map(|(i, own)| column(&name(i)).alias_qualified(own.relation, own.name));
        self.project(stacked, named.collect())
    }

    fn union(&mut self, union: &Union) -> Result<Sequenced> {
        let parts = union.inputs.iter().map(|input| {
            let rows = self.rewrite(input)?;
            Ok((rows, columns_of(input.schema())))
        });
        let parts = parts.collect::<Result<Vec<_>>>()?;
        self.stack(parts, &union.schema)
    }

    /// These expressions over the rows, once while any row gives them.
    fn distinct(&mut self, rows: Sequenced, expressions: Vec<Expr>) -> Result<Sequenced> {
        let rows = self.project(rows, expressions)?;
        let schema = Arc::clone(rows.plan.schema());
        let width = schema.fields().len() - 2;
        let (from, to) = (schema.field(width).name(), schema.field(width + 1).name());
        let timeline = Timeline {
            plan: rows.plan,
            keys: columns_of(&schema).drain(..width).collect(),
            from: from.clone(),
            to: to.clone(),
            grows: rows.grows,
        };
        let covers = timeline.covers()?;
        Ok(Sequenced::named(
            covers.plan,
            &covers.from,
            &covers.to,
            rows.grows,
        ))
    }

    /// The stretches between the moments at which a row of the group comes or goes; each takes the rows
    /// that hold throughout.
    fn aggregate(&mut self, aggregate: &Aggregate) -> Result<Sequenced> {
        check_groups(aggregate)?;
        let input = self.rewrite(&aggregate.input)?;
        if aggregate.aggr_expr.is_empty() {
            return self.distinct(input, aggregate.group_expr.clone());
        }
        let timeline = self.timeline(input.clone(), aggregate.group_expr.clone())?;
        let stretches = timeline.stretches()?;
        let on = aggregate
            .group_expr
            .iter()
            .cloned()
            .zip(stretches.keys)
            .collect();
        let (from, to) = (column(&stretches.from), column(&stretches.to));
        let holds = input
            .from
            .lt_eq(from.clone())
            .and(to.clone().lt_eq(input.to));
        let joined = Join::try_new(
            Arc::new(input.plan),
            Arc::new(stretches.plan),
            on,
            Some(holds),
            JoinType::Inner,
            JoinConstraint::On,
            NullEquality::NullEqualsNull,
            false,
        )?;
        let mut group = aggregate.group_expr.clone();
        group.extend([from, to]);
        let plan = LogicalPlanBuilder::from(LogicalPlan::Join(joined))
            .aggregate(group, aggregate.aggr_expr.clone())?
            .build()?;
        Ok(Sequenced::named(
            plan,
            &stretches.from,
            &stretches.to,
            false,
        ))
    }

    fn interval_names(&mut self) -> (String, String) {
        self.names += 1;
        (
            format!("__from_{}", self.names),
            format!("__to_{}", self.names),
        )
    }
}

/// When the left rows of a join have no match.
struct Gaps {
    timeline: Timeline,
    /// What a left row has in common with its gaps.
    on: Vec<(Expr, Expr)>,
    null_equality: NullEquality,
}

/// A condition on the right side of a left join alone may as well choose the right rows beforehand.
fn filter_right_first(join: &Join, right: Sequenced) -> Result<(Join, Sequenced)> {
    let Some(filter) = &join.filter else {
        return Ok((join.clone(), right));
    };
    let of_right = |column: &&Column| join.right.schema().has_column(column);
    if !filter.column_refs().iter().all(of_right) {
        return Ok((join.clone(), right));
    }
    let plan = LogicalPlanBuilder::from(right.plan)
        .filter(filter.clone())?
        .build()?;
    let join = Join {
        filter: None,
        ..join.clone()
    };
    Ok((join, Sequenced { plan, ..right }))
}

fn check_groups(aggregate: &Aggregate) -> Result<()> {
    if aggregate.group_expr.is_empty() {
        // Without rows it would still be one row, at times at which nothing comes or goes.
        return plan_err!("an aggregate without GROUP BY: not supported in a feature view");
    }
    let sets = |expr: &Expr| matches!(expr, Expr::GroupingSet(_));
    if aggregate.group_expr.iter().any(sets) {
        return plan_err!("GROUPING SETS, CUBE or ROLLUP: not supported in a feature view");
    }
    Ok(())
}

fn not_empty(rows: Sequenced) -> Result<Sequenced> {
    let lasts = rows.from.clone().lt(rows.to.clone());
    let plan = LogicalPlanBuilder::from(rows.plan).filter(lasts)?.build()?;
    Ok(Sequenced { plan, ..rows })
}

/// What people call an operator.
fn name_of(plan: &LogicalPlan) -> String {
    match plan {
        LogicalPlan::Limit(_) => "LIMIT".to_owned(),
        LogicalPlan::Sort(_) => "ORDER BY".to_owned(),
        LogicalPlan::Window(_) => "a window function".to_owned(),
        LogicalPlan::Distinct(_) => "DISTINCT ON".to_owned(),
        other => {
            let text = other.display().to_string();
            text.split(':').next().unwrap_or_default().to_owned()
        }
    }
}

fn columns_of(schema: &DFSchema) -> Vec<Expr> {
    schema.columns().into_iter().map(Expr::Column).collect()
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
