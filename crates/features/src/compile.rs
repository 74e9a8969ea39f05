//! A view, parsed, checked and split at its aggregates.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::empty::EmptyTable;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan};
use datafusion::prelude::SessionContext;
use safra_history::{known_schema, session};
use safra_project::{Project, View};
use sha2::{Digest, Sha256};

use crate::aggregates::SweptAggregate;
use crate::split::{Parts, split};
use crate::{FeatureError, query, rows};

/// A view that has been parsed, checked and split; see the [crate] for the parts.
#[derive(Debug, Clone)]
pub struct CompiledView {
    /// The declaration.
    pub view: View,
    /// The columns that it reads, by source.
    pub reads: BTreeMap<String, BTreeSet<String>>,
    /// The names of the entity's columns in the store.
    pub entity: Vec<String>,
    /// The names of the features, without window.
    pub features: Vec<String>,
    /// What comes before the aggregates.
    pub(crate) input: LogicalPlan,
    /// The entity and the time over `input`.
    pub(crate) entity_expressions: Vec<Expr>,
    pub(crate) time_expression: Expr,
    /// The aggregates over `input`, and the column of the grouped relation that each fills.
    pub(crate) aggregates: Vec<SweptAggregate>,
    /// The columns of the grouped relation that hold the entity.
    pub(crate) entity_outputs: Vec<String>,
    /// The features over the grouped relation.
    pub(crate) projection: Vec<Expr>,
    fingerprint: String,
}

impl CompiledView {
    /// Parses, checks and splits a view.
    ///
    /// # Errors
    /// [`FeatureError`] names the file, and the expression or column at fault.
    pub async fn new(project: &Project, view: &View) -> Result<Self, FeatureError> {
        let context = session(1);
        let sources = register(&context, project).await?;
        let parts = split(&context, view).await?;
        check_time(view, &parts)?;
        let reads = reads(&parts.input)?;
        check_reads(view, &reads, &sources)?;
        let names = view.entity.iter();
        let compiled = Self {
            entity: names.map(|name| last_part(name).to_owned()).collect(),
            features: feature_names(view, &parts.projection)?,
            fingerprint: fingerprint(project, view, &reads),
            view: view.clone(),
            reads,
            input: parts.input,
            entity_expressions: parts.entity,
            time_expression: parts.time,
            aggregates: parts.aggregates,
            entity_outputs: parts.entity_outputs,
            projection: parts.projection,
        };
        let schemas = sources
            .into_iter()
            .map(|(name, source)| (name, source.schema));
        rows::check(&compiled, &schemas.collect())?;
        Ok(compiled)
    }

    /// Changes when the declaration of the view or of what it reads changes, or the way in which features
    /// are computed.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The sources that it reads.
    pub fn sources(&self) -> BTreeSet<String> {
        self.reads.keys().cloned().collect()
    }

    /// The names of the features in the store, window by window.
    pub fn stored_features(&self) -> Vec<String> {
        let names = |window| {
            self.features
                .iter()
                .map(move |name| View::feature_name(name, window))
        };
        self.view
            .windows
            .iter()
            .flat_map(|&window| names(window))
            .collect()
    }
}

/// What SQL can know of a source without reading it.
struct Known {
    schema: SchemaRef,
    never: Vec<String>,
}

/// Registers the sources, without rows.
async fn register(
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

fn reads(plan: &LogicalPlan) -> Result<BTreeMap<String, BTreeSet<String>>, FeatureError> {
    let mut reads: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            let columns = scan
                .projected_schema
                .fields()
                .iter()
                .map(|field| field.name().clone());
            reads
                .entry(scan.table_name.table().to_owned())
                .or_default()
                .extend(columns);
        }
        Ok(TreeNodeRecursion::Continue)
    })
    .map_err(|error| FeatureError::datafusion("features", error))?;
    Ok(reads)
}

fn check_reads(
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
                view: view.name.clone(),
                table: table.clone(),
                column: column.clone(),
                reason: "sources.toml says `known_at = \"never\"`",
            });
        }
    }
    Ok(())
}

fn check_time(view: &View, parts: &Parts) -> Result<(), FeatureError> {
    match parts.time.get_type(parts.input.schema()) {
        Ok(DataType::Timestamp(_, None) | DataType::Date32) => Ok(()),
        Ok(other) => {
            let message = format!("time: {} is {other}, not a timestamp or a date", view.time);
            Err(FeatureError::shape(&view.file, message))
        }
        Err(error) => Err(FeatureError::datafusion(&view.file, error)),
    }
}

fn feature_names(view: &View, projection: &[Expr]) -> Result<Vec<String>, FeatureError> {
    let mut names: Vec<String> = Vec::new();
    for expr in projection {
        let name = match expr {
            Expr::Alias(alias) => alias.name.clone(),
            // The planner drops an alias that a column has as its name anyway.
            Expr::Column(column) => column.name.clone(),
            other => other.schema_name().to_string(),
        };
        if names.contains(&name) {
            let message = format!("{name}: named twice");
            return Err(FeatureError::shape(&view.file, message));
        }
        names.push(name);
    }
    Ok(names)
}

fn last_part(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

fn fingerprint(
    project: &Project,
    view: &View,
    reads: &BTreeMap<String, BTreeSet<String>>,
) -> String {
    let mut hash = Sha256::new();
    hash.update(env!("CARGO_PKG_VERSION"));
    hash.update(format!(
        "{:?}{:?}{:?}{}",
        view.entity, view.time, view.windows, view.sql
    ));
    for table in reads.keys() {
        hash.update(format!("{:?}", project.sources.get(table)));
    }
    hash.finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
