//! A table of the lake, of which a query reads no more columns and dates than it needs.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Column, Result, ScalarValue};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::{
    BinaryExpr, Expr, Operator, TableProviderFilterPushDown, TableType,
};
use datafusion::physical_plan::ExecutionPlan;
use safra_lake::{Snapshot, Values};

/// A version of a table, for queries.
pub struct LakeTable(pub Snapshot);

impl fmt::Debug for LakeTable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(snapshot) = self;
        write!(
            formatter,
            "{} version {}",
            snapshot.name(),
            snapshot.version()
        )
    }
}

#[async_trait::async_trait]
impl TableProvider for LakeTable {
    fn schema(&self) -> SchemaRef {
        self.0.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    /// Rows that do not meet the filters may come with those that do.
    async fn scan(
        &self,
        _session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = self.0.schema();
        let schema = match projection {
            Some(columns) => Arc::new(schema.project(columns)?),
            None => schema,
        };
        let conditions: Vec<(String, Values)> = filters.iter().filter_map(on_dates).collect();
        let rows = self.0.read_where(Some(&names(&schema)), &conditions);
        let rows = rows.map_err(|error| DataFusionError::External(Box::new(error)))?;
        let schema = rows.first().map_or(schema, |batch| batch.schema());
        Ok(MemorySourceConfig::try_new_exec(&[rows], schema, None)?)
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        let helps = |filter: &&Expr| match on_dates(filter) {
            Some(_) => TableProviderFilterPushDown::Inexact,
            None => TableProviderFilterPushDown::Unsupported,
        };
        Ok(filters.iter().map(helps).collect())
    }
}

fn names(schema: &Schema) -> Vec<&str> {
    let fields = schema.fields().iter();
    fields.map(|field| field.name().as_str()).collect()
}

/// The column and the dates that a filter asks for.
fn on_dates(filter: &Expr) -> Option<(String, Values)> {
    let (column, dates) = match filter {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if *op == Operator::Eq => {
            match (left.as_ref(), right.as_ref()) {
                (Expr::Column(column), date) | (date, Expr::Column(column)) => (column, vec![date]),
                _ => return None,
            }
        }
        Expr::InList(InList {
            expr,
            list,
            negated: false,
        }) => (expr.try_as_col()?, list.iter().collect()),
        _ => return None,
    };
    let Column { name, .. } = column;
    let days = dates.into_iter().map(day).collect::<Option<_>>()?;
    Some((name.clone(), Values::Dates(days)))
}

fn day(date: &Expr) -> Option<i32> {
    match date {
        Expr::Literal(ScalarValue::Date32(day), _) => *day,
        _ => None,
    }
}
