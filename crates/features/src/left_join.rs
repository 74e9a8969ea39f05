//! Left joins over row versions: a left row stands alone while it has no match.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{
    Column, DFSchema, ExprSchema, JoinConstraint, JoinType, NullEquality, Result, ScalarValue,
};
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::logical_expr::logical_plan::Join;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, lit};
use safra_history::{ALWAYS, OPEN};

use crate::extremes::{earlier, later};
use crate::sequenced::{Rewriter, Sequenced, columns_of, not_empty};
use crate::timeline::{Timeline, column};

impl Rewriter<'_> {
    /// The matches, and each left row alone in the gaps that they leave.
    pub(crate) fn left_join(
        &mut self,
        join: &Join,
        left: Sequenced,
        right: Sequenced,
    ) -> Result<Sequenced> {
        let (join, right) = filter_right_first(join, right)?;
        let columns = columns_of(&join.schema);
        let width = join.left.schema().fields().len();
        let kinds = right_kinds(&join, &right, width)?;
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
            from: later(left.from, gap_from),
            to: earlier(left.to, gap_to),
            grows: false,
        };
        let alone = self.project(alone, with_nulls(&join.schema, &kinds)?)?;
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

/// The types that the columns of a join's right side have over versions, in which texts may be numbers.
fn right_kinds(join: &Join, right: &Sequenced, width: usize) -> Result<Vec<Option<DataType>>> {
    let columns = join.schema.columns().into_iter().enumerate();
    let kind = |(i, column): (usize, Column)| match i < width {
        true => Ok(None),
        false => Ok(Some(right.plan.schema().data_type(&column)?.clone())),
    };
    columns.map(kind).collect()
}

/// The columns of a join, those of its right side, which have a type here, as NULLs.
fn with_nulls(joined: &DFSchema, kinds: &[Option<DataType>]) -> Result<Vec<Expr>> {
    let columns = joined.iter().zip(kinds);
    let of_column = columns.map(|((relation, field), kind)| match kind {
        None => Ok(Expr::Column(Column::new(relation.cloned(), field.name()))),
        Some(kind) => {
            let null = ScalarValue::try_from(kind)?;
            Ok(lit(null).alias_qualified(relation.cloned(), field.name()))
        }
    });
    of_column.collect()
}
