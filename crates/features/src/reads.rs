//! What a view reads.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::empty::EmptyTable;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::prelude::SessionContext;
use safra_history::known_schema;
use safra_project::{Project, View};

use crate::{FeatureError, place, query};

/// What SQL can know of a source without reading it.
pub(crate) struct Known {
    pub schema: SchemaRef,
    /// Columns whose values have no date.
    pub never: Vec<String>,
}

/// Registers the sources, without rows.
pub(crate) async fn register(
    context: &SessionContext,
    project: &Project,
) -> Result<BTreeMap<String, Known>, FeatureError> {
    context.register_udf(query::reference_date_function());
    let mut sources = BTreeMap::new();
    for source in project.sources.values() {
        let (schema, never) = known_schema(source).await?;
        let table = Arc::new(EmptyTable::new(Arc::clone(&schema)));
        context
            .register_table(source.name.as_str(), table)
            .map_err(|error| FeatureError::datafusion("sources.toml", error))?;
        sources.insert(source.name.clone(), Known { schema, never });
    }
    Ok(sources)
}

/// The columns that a plan reads, by source.
pub(crate) fn reads(
    plan: &LogicalPlan,
) -> Result<BTreeMap<String, BTreeSet<String>>, FeatureError> {
    let mut reads: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            let columns = scan.projected_schema.fields().iter();
            let columns = columns.map(|field| field.name().clone());
            let filtered = scan.filters.iter().flat_map(Expr::column_refs);
            let read = reads.entry(scan.table_name.table().to_owned()).or_default();
            read.extend(filtered.map(|column| column.name.clone()).chain(columns));
        }
        Ok(TreeNodeRecursion::Continue)
    })
    .map_err(|error| FeatureError::datafusion("features", error))?;
    Ok(reads)
}

/// Refuses a view that reads a column whose values have no date.
///
/// # Errors
/// [`FeatureError::NeverKnown`] names the column.
pub(crate) fn check_reads(
    view: &View,
    reads: &BTreeMap<String, BTreeSet<String>>,
    sources: &BTreeMap<String, Known>,
) -> Result<(), FeatureError> {
    for (table, columns) in reads {
        let never = sources.get(table).map(|known| &known.never);
        let is_never = |column: &&String| never.is_some_and(|never| never.contains(column));
        if let Some(column) = columns.iter().find(is_never) {
            return Err(FeatureError::NeverKnown {
                file: view.file.clone(),
                place: place::of_name(view, column),
                view: view.name.clone(),
                table: table.clone(),
                column: column.clone(),
            });
        }
    }
    Ok(())
}
