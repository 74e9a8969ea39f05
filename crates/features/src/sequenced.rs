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
//! | group by | for each group, once for every stretch of time in which its rows stay the same ([`crate::stages`]) |
//! | distinct | for each row, the intervals in which at least one row like it holds |
//! | union all | the same |

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::common::{Column, DFSchema, JoinType, Result, plan_err};
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::logical_expr::logical_plan::{
    Distinct, Join, Projection, SubqueryAlias, TableScan, Union,
};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use safra_history::{VALID_FROM, VALID_TO};

use crate::extremes::{earlier, later};
use crate::timeline::{Timeline, column};

/// Rows handed to DataFusion at once, so that its operators work on pieces that stay in the cache.
const BATCH_ROWS: usize = 16_384;

/// The row versions of a source.
#[derive(Clone)]
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
            LogicalPlan::Aggregate(keys) if keys.aggr_expr.is_empty() => {
                let rows = self.rewrite(&keys.input)?;
                self.distinct(rows, keys.group_expr.clone())
            }
            LogicalPlan::Distinct(Distinct::All(input)) => {
                let rows = self.rewrite(input)?;
                self.distinct(rows, columns_of(input.schema()))
            }
            LogicalPlan::Union(union) => self.union(union),
            other => plan_err!("{}", name_of(other)),
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
    pub(crate) fn project(
        &mut self,
        rows: Sequenced,
        mut expressions: Vec<Expr>,
    ) -> Result<Sequenced> {
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
                plan_err!("{name} JOIN")
            }
        }
    }

    /// Pairs that match, while both hold, as these expressions over both.
    pub(crate) fn matches(
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
            from: later(left.from, right.from),
            to: earlier(left.to, right.to),
            grows: left.grows && right.grows,
        };
        self.project(pairs, expressions).and_then(not_empty)
    }

    /// The rows by key, with nothing but the key and the interval.
    pub(crate) fn timeline(&mut self, rows: Sequenced, keys: Vec<Expr>) -> Result<Timeline> {
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
    pub(crate) fn stack(
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

    fn interval_names(&mut self) -> (String, String) {
        self.names += 1;
        (
            format!("__from_{}", self.names),
            format!("__to_{}", self.names),
        )
    }
}

pub(crate) fn not_empty(rows: Sequenced) -> Result<Sequenced> {
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

pub(crate) fn columns_of(schema: &DFSchema) -> Vec<Expr> {
    schema.columns().into_iter().map(Expr::Column).collect()
}
