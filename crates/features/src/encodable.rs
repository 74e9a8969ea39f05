//! Which texts of a view are only ever compared with one another: their numbers in a dictionary do as well.
//!
//! A text is compared where it is a side of an equality, a key of a join or of a group, counted, or asked whether it is NULL; it may
//! pass through projections as it is. Where anything else becomes of it, or of one that it is compared with, it stays a text.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema};
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::logical_plan::{Distinct, Join, Union};
use datafusion::logical_expr::{BinaryExpr, Expr, LogicalPlan, Operator};
use safra_history::{Columns, Identity};
use safra_sweep::Function;

use crate::aggregates::ViewAggregate;
use crate::swept::Swept;

/// The texts of a view that may be numbers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Encodable {
    /// Columns of the sources, those together that are compared with one another.
    pub identities: Vec<Identity>,
    /// For each column of the entity, the column of a source that it is, if its values may be numbers.
    pub entity: Vec<Option<(String, String)>>,
}

impl Encodable {
    /// Of a view whose rows are those of `plan`, and of which the sweep computes these parts.
    pub(crate) fn of_parts(
        plan: &LogicalPlan,
        entity: &[Expr],
        time: &Expr,
        swept: &Swept,
    ) -> Self {
        let (mut walk, columns, keys) = Walk::of(plan, entity, time);
        let schema = plan.schema();
        for part in &swept.parts {
            let is_compared = matches!(part.function, Function::Count | Function::CountDistinct);
            match &part.argument {
                Some(argument) if is_compared => {
                    walk.passed(argument, schema, &columns);
                }
                Some(argument) => walk.expression(argument, schema, &columns),
                None => {}
            }
            if let Some(filter) = &part.filter {
                walk.expression(filter, schema, &columns);
            }
        }
        walk.found(&keys)
    }

    /// Of a view about events whose rows are those of `plan`. These features over the grouped relation, in which the entity has
    /// these names, are computed before numbers become texts again.
    pub(crate) fn of_events(
        plan: &LogicalPlan,
        entity: &[Expr],
        time: &Expr,
        aggregates: &[ViewAggregate],
        (features, names): (&[Expr], &[String]),
    ) -> Self {
        let (mut walk, columns, keys) = Walk::of(plan, entity, time);
        let schema = plan.schema();
        for aggregate in aggregates {
            walk.expression(&aggregate.filtered(None), schema, &columns);
        }
        let read = features.iter().flat_map(Expr::column_refs);
        let read: BTreeSet<String> = read.map(Column::flat_name).collect();
        for (key, name) in entity.iter().zip(names) {
            if read.contains(name) {
                walk.expression(key, schema, &columns);
            }
        }
        walk.found(&keys)
    }

    /// Those of the columns that a view reads whose texts it needs.
    pub(crate) fn texts(&self, reads: &Columns) -> Columns {
        let entity = self.entity.iter().flatten();
        let entity: BTreeSet<&(String, String)> = entity.collect();
        let mut texts = Columns::new();
        for (source, columns) in reads {
            let encoded = self.of_source(source);
            let is_needed = |column: &&String| {
                let place = (source.clone(), (*column).clone());
                !encoded.contains(column.as_str()) || entity.contains(&place)
            };
            let needed = columns.iter().filter(is_needed).cloned();
            texts.insert(source.clone(), needed.collect());
        }
        texts
    }

    /// The columns of a source whose texts may be numbers.
    pub(crate) fn of_source<'a>(&'a self, source: &str) -> BTreeSet<&'a str> {
        let columns = self.identities.iter().flatten();
        let of_source = columns.filter(|(name, _)| name == source);
        of_source.map(|(_, column)| column.as_str()).collect()
    }
}

/// The column of a source, by number, whose values a column has; `None` of one that is computed or not a text.
type Origin = Option<usize>;

/// What is known of the text columns of the sources on the way through a plan.
#[derive(Default)]
struct Walk {
    columns: Vec<(String, String)>,
    numbers: BTreeMap<(String, String), usize>,
    /// For each column, another with which it is compared; itself at the end of the chain.
    with: Vec<usize>,
    /// Whether a column is needed as a text.
    is_text: Vec<bool>,
    /// Whether a part of the plan may do anything.
    is_lost: bool,
}

impl Walk {
    /// Over the rows of a view, with where the columns of these come from, and those of the entity.
    fn of(plan: &LogicalPlan, entity: &[Expr], time: &Expr) -> (Self, Vec<Origin>, Vec<Origin>) {
        let mut walk = Self::default();
        let columns = walk.plan(plan);
        let keys = walk.all_passed(entity, plan.schema(), &columns);
        walk.expression(time, plan.schema(), &columns);
        (walk, columns, keys)
    }

    fn found(mut self, keys: &[Origin]) -> Encodable {
        if self.is_lost {
            return Encodable::default();
        }
        let mut identities: BTreeMap<usize, Identity> = BTreeMap::new();
        let mut texts: BTreeSet<usize> = BTreeSet::new();
        for column in 0..self.columns.len() {
            let root = self.root(column);
            let identity = identities.entry(root).or_default();
            identity.insert(self.columns[column].clone());
            if self.is_text[column] {
                texts.insert(root);
            }
        }
        identities.retain(|root, _| !texts.contains(root));
        let entity = keys.iter().map(|key| {
            let root = self.root((*key)?);
            identities.get(&root)?.first().cloned()
        });
        Encodable {
            entity: entity.collect(),
            identities: identities.into_values().collect(),
        }
    }

    fn root(&mut self, mut column: usize) -> usize {
        while self.with[column] != column {
            self.with[column] = self.with[self.with[column]];
            column = self.with[column];
        }
        column
    }

    fn number(&mut self, source: &str, column: &str) -> usize {
        let name = (source.to_owned(), column.to_owned());
        let next = self.columns.len();
        let number = *self.numbers.entry(name.clone()).or_insert(next);
        if number == next {
            self.columns.push(name);
            self.with.push(next);
            self.is_text.push(false);
        }
        number
    }

    /// Two values are compared: what is a text for one is a text for the other.
    fn compared(&mut self, one: Origin, other: Origin) {
        match (one, other) {
            (Some(one), Some(other)) => {
                let (one, other) = (self.root(one), self.root(other));
                self.with[one.max(other)] = one.min(other);
            }
            (Some(column), None) | (None, Some(column)) => self.is_text[column] = true,
            (None, None) => {}
        }
    }

    /// Where the values of each column of a plan come from.
    fn plan(&mut self, plan: &LogicalPlan) -> Vec<Origin> {
        match plan {
            LogicalPlan::TableScan(scan) => {
                let source = scan.table_name.table();
                self.is_lost |= !scan.filters.is_empty();
                let fields = scan.projected_schema.fields().iter();
                let of_field = fields.map(|field| {
                    let is_text = *field.data_type() == DataType::Utf8;
                    is_text.then(|| self.number(source, field.name()))
                });
                of_field.collect()
            }
            LogicalPlan::Projection(projection) => {
                let input = self.plan(&projection.input);
                self.all_passed(&projection.expr, projection.input.schema(), &input)
            }
            LogicalPlan::Filter(filter) => {
                let input = self.plan(&filter.input);
                self.expression(&filter.predicate, filter.input.schema(), &input);
                input
            }
            LogicalPlan::SubqueryAlias(alias) => self.plan(&alias.input),
            LogicalPlan::Distinct(Distinct::All(input)) => self.plan(input),
            LogicalPlan::Aggregate(aggregate) => {
                let (schema, input) = (aggregate.input.schema(), self.plan(&aggregate.input));
                let mut columns = self.all_passed(&aggregate.group_expr, schema, &input);
                for call in &aggregate.aggr_expr {
                    self.expression(call, schema, &input);
                    columns.push(None);
                }
                columns
            }
            LogicalPlan::Join(join) => self.join(join),
            LogicalPlan::Union(union) => self.union(union),
            other => {
                self.is_lost = true;
                vec![None; other.schema().fields().len()]
            }
        }
    }

    fn join(&mut self, join: &Join) -> Vec<Origin> {
        let (left, right) = (self.plan(&join.left), self.plan(&join.right));
        for (one, other) in &join.on {
            let one = self.passed(one, join.left.schema(), &left);
            let other = self.passed(other, join.right.schema(), &right);
            self.compared(one, other);
        }
        let both = [left, right].concat();
        self.is_lost |= both.len() != join.schema.fields().len();
        if let Some(filter) = &join.filter
            && !self.is_lost
        {
            self.expression(filter, &join.schema, &both);
        }
        both
    }

    fn union(&mut self, union: &Union) -> Vec<Origin> {
        let inputs = union.inputs.iter().map(|input| self.plan(input));
        let inputs: Vec<Vec<Origin>> = inputs.collect();
        let Some((first, others)) = inputs.split_first() else {
            return Vec::new();
        };
        for other in others {
            for (one, other) in first.iter().zip(other) {
                self.compared(*one, *other);
            }
        }
        first.clone()
    }

    fn all_passed(
        &mut self,
        expressions: &[Expr],
        schema: &DFSchema,
        of: &[Origin],
    ) -> Vec<Origin> {
        let expressions = expressions.iter();
        expressions
            .map(|expr| self.passed(expr, schema, of))
            .collect()
    }

    /// Where the values of an expression come from that is used as a column: those of a column as it is.
    fn passed(&mut self, expr: &Expr, schema: &DFSchema, of: &[Origin]) -> Origin {
        match expr {
            Expr::Alias(alias) => self.passed(&alias.expr, schema, of),
            Expr::Column(column) => self.origin(column, schema, of),
            other => {
                self.expression(other, schema, of);
                None
            }
        }
    }

    fn origin(&mut self, column: &Column, schema: &DFSchema, of: &[Origin]) -> Origin {
        match schema.index_of_column(column) {
            Ok(place) => of.get(place).copied().flatten(),
            Err(_) => {
                self.is_lost = true;
                None
            }
        }
    }

    /// Takes note of the texts that an expression makes something of.
    fn expression(&mut self, expr: &Expr, schema: &DFSchema, of: &[Origin]) {
        let walked = expr.apply(|part| {
            match part {
                Expr::IsNull(inner) | Expr::IsNotNull(inner) if is_column(inner) => {
                    return Ok(TreeNodeRecursion::Jump);
                }
                Expr::BinaryExpr(BinaryExpr { left, op, right })
                    if matches!(op, Operator::Eq | Operator::NotEq)
                        && is_column(left)
                        && is_column(right) =>
                {
                    let left = self.passed(left, schema, of);
                    let right = self.passed(right, schema, of);
                    self.compared(left, right);
                    return Ok(TreeNodeRecursion::Jump);
                }
                Expr::AggregateFunction(call) if is_count(call) => {
                    if let Some(filter) = &call.params.filter {
                        self.expression(filter, schema, of);
                    }
                    return Ok(TreeNodeRecursion::Jump);
                }
                Expr::Column(column) => {
                    if let Some(column) = self.origin(column, schema, of) {
                        self.is_text[column] = true;
                    }
                }
                Expr::Exists(_)
                | Expr::InSubquery(_)
                | Expr::ScalarSubquery(_)
                | Expr::SetComparison(_)
                | Expr::OuterReferenceColumn(..) => self.is_lost = true,
                _ => {}
            }
            Ok(TreeNodeRecursion::Continue)
        });
        self.is_lost |= walked.is_err();
    }
}

fn is_column(expr: &Expr) -> bool {
    matches!(expr, Expr::Column(_))
}

/// Whether an aggregate counts a column, which it may do by numbers.
fn is_count(call: &AggregateFunction) -> bool {
    call.func.name() == "count"
        && call.params.order_by.is_empty()
        && call.params.args.iter().all(is_column)
}
