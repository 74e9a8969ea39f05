//! A view, parsed, checked and split at its aggregates.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::empty::EmptyTable;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Aggregate, Expr, ExprSchemable, LogicalPlan, Projection};
use datafusion::optimizer::extract_equijoin_predicate::ExtractEquijoinPredicate;
use datafusion::optimizer::optimize_projections::OptimizeProjections;
use datafusion::optimizer::{Optimizer, OptimizerContext};
use datafusion::prelude::SessionContext;
use safra_history::{known_schema, session};
use safra_project::{Project, View};
use sha2::{Digest, Sha256};

use crate::aggregates::SweptAggregate;
use crate::{FeatureError, query};

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
        let never = register(&context, project).await?;
        let plan = plan(&context, view).await?;
        let reads = reads(&plan)?;
        for (table, columns) in &reads {
            if let Some(column) = columns
                .iter()
                .find(|c| never.contains(&(table.clone(), (*c).clone())))
            {
                return Err(FeatureError::NeverKnown {
                    file: view.file.clone(),
                    view: view.name.clone(),
                    table: table.clone(),
                    column: column.clone(),
                    reason: "sources.toml says `known_at = \"never\"`",
                });
            }
        }
        split(project, view, plan, reads)
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

/// Registers the sources without rows and returns the columns that are never known.
async fn register(
    context: &SessionContext,
    project: &Project,
) -> Result<BTreeSet<(String, String)>, FeatureError> {
    context.register_udf(query::reference_date_function());
    let mut never = BTreeSet::new();
    for source in project.sources.values() {
        let (schema, never_known): (SchemaRef, _) = known_schema(source).await?;
        context
            .register_table(source.name.as_str(), Arc::new(EmptyTable::new(schema)))
            .map_err(|error| FeatureError::datafusion("sources.toml", error))?;
        never.extend(
            never_known
                .into_iter()
                .map(|column| (source.name.clone(), column)),
        );
    }
    Ok(never)
}

/// The query of a view, typed, and reading no column that it does not need.
async fn plan(context: &SessionContext, view: &View) -> Result<LogicalPlan, FeatureError> {
    let failed = |error: DataFusionError| FeatureError::Sql {
        file: view.file.clone(),
        message: error.strip_backtrace(),
    };
    let state = context.state();
    let plan = state
        .statement_to_plan(query::statement(view)?)
        .await
        .map_err(failed)?;
    let options = state.config_options();
    let plan = state
        .analyzer()
        .execute_and_check(plan, options, |_, _| {})
        .map_err(failed)?;
    let prune = Optimizer::with_rules(vec![
        Arc::new(ExtractEquijoinPredicate::new()),
        Arc::new(OptimizeProjections::new()),
    ]);
    let config = OptimizerContext::new_with_config_options(Arc::clone(options))
        .with_skip_failing_rules(false);
    prune.optimize(plan, &config, |_, _| {}).map_err(failed)
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

fn split(
    project: &Project,
    view: &View,
    plan: LogicalPlan,
    reads: BTreeMap<String, BTreeSet<String>>,
) -> Result<CompiledView, FeatureError> {
    let (projection, aggregate) = match plan {
        LogicalPlan::Projection(Projection { expr, input, .. }) => match input.as_ref() {
            LogicalPlan::Aggregate(aggregate) => (expr, aggregate.clone()),
            _ => return Err(no_aggregates(view)),
        },
        _ => return Err(no_aggregates(view)),
    };
    let Aggregate {
        input,
        mut group_expr,
        aggr_expr,
        schema,
        ..
    } = aggregate;
    if aggr_expr.is_empty() || group_expr.len() != view.entity.len() + 1 {
        return Err(no_aggregates(view));
    }
    let time_expression = group_expr.pop().ok_or_else(|| no_aggregates(view))?;
    check_time(view, &time_expression, &input)?;
    let outputs: Vec<String> = schema.columns().iter().map(|c| c.flat_name()).collect();
    let aggregates = aggr_expr
        .into_iter()
        .zip(&outputs[group_expr.len() + 1..])
        .map(|(expr, output)| SweptAggregate::new(view, expr, output.clone(), input.schema()))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(CompiledView {
        entity: view
            .entity
            .iter()
            .map(|name| last_part(name).to_owned())
            .collect(),
        features: feature_names(view, &projection)?,
        fingerprint: fingerprint(project, view, &reads),
        view: view.clone(),
        reads,
        input: input.as_ref().clone(),
        entity_outputs: outputs[..group_expr.len()].to_vec(),
        entity_expressions: group_expr,
        time_expression,
        aggregates,
        projection,
    })
}

fn check_time(view: &View, time: &Expr, input: &LogicalPlan) -> Result<(), FeatureError> {
    match time.get_type(input.schema()) {
        Ok(DataType::Timestamp(_, None) | DataType::Date32) => Ok(()),
        Ok(other) => {
            let message = format!("time: {} is {other}, not a timestamp or a date", view.time);
            Err(FeatureError::shape(&view.file, message))
        }
        Err(error) => Err(FeatureError::datafusion(&view.file, error)),
    }
}

fn feature_names(view: &View, projection: &[Expr]) -> Result<Vec<String>, FeatureError> {
    let mut names = Vec::new();
    for expr in projection {
        let Expr::Alias(alias) = expr else {
            let message = format!("{expr}: name each feature with AS");
            return Err(FeatureError::shape(&view.file, message));
        };
        if names.contains(&alias.name) {
            return Err(FeatureError::shape(
                &view.file,
                format!("{}: named twice", alias.name),
            ));
        }
        names.push(alias.name.clone());
    }
    Ok(names)
}

fn no_aggregates(view: &View) -> FeatureError {
    FeatureError::shape(
        &view.file,
        "a feature view is a SELECT of aggregates, such as COUNT(*) or SUM(price)",
    )
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
