//! The rows of a view, as the sweep wants them: versions sorted by entity, with the arguments and filters of the aggregates.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef, TimeUnit};
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast};
use safra_history::{History, VALID_FROM, VALID_TO};

use crate::CompiledView;
use crate::obstacle::Obstacle;
use crate::sequenced::{Rewriter, Sequenced, Versions};
use crate::stages::Stages;
use crate::swept::Swept;

/// The rows of a view, sorted by entity.
pub(crate) struct ViewRows {
    /// One row an entity, in ascending order; the index is the entity's number.
    pub entities: Vec<ArrayRef>,
    pub entity: Vec<u32>,
    pub time: Vec<i64>,
    pub valid_from: Vec<i64>,
    pub valid_to: Vec<i64>,
    /// Arguments and filters.
    pub columns: Vec<ArrayRef>,
    pub places: Places,
}

/// For each part of the aggregates, where its argument and its filter are among the columns of the rows.
pub(crate) type Places = Vec<(Option<usize>, Option<usize>)>;

impl ViewRows {
    /// Number of entities: the rows are sorted by theirs.
    pub(crate) fn entity_count(&self) -> usize {
        self.entity.last().map_or(1, |last| *last as usize + 1)
    }

    /// The versions of a source, as rows of nobody that are in every window.
    pub(crate) fn undated(versions: &RecordBatch) -> Self {
        let rows = versions.num_rows();
        let (content, interval) = versions.columns().split_at(versions.num_columns() - 2);
        let times = |column: &ArrayRef| column.as_primitive::<Int64Type>().values().to_vec();
        Self {
            entities: Vec::new(),
            entity: vec![0; rows],
            time: vec![i64::MIN; rows],
            valid_from: times(&interval[0]),
            valid_to: times(&interval[1]),
            columns: content.to_vec(),
            places: Vec::new(),
        }
    }
}

/// For each column of the entity, the texts that its numbers stand for; `None` where it has no numbers.
pub(crate) fn entity_texts(view: &CompiledView, history: &History) -> Vec<Option<ArrayRef>> {
    let texts = (0..view.entity.len()).map(|column| {
        let (source, column) = view.encodable.entity.get(column)?.as_ref()?;
        history.texts_of(source, column)
    });
    texts.collect()
}

/// What keeps the rows of a view from being computed over versions.
pub(crate) fn obstacle(
    view: &CompiledView,
    input: &LogicalPlan,
    schemas: &BTreeMap<String, SchemaRef>,
) -> Option<Obstacle> {
    let versions = schemas
        .iter()
        .map(|(table, schema)| (table.clone(), no_versions(schema)));
    let mut versions: BTreeMap<String, Versions> = versions.collect();
    let planned = Stages::of(input).and_then(|stages| {
        stages.check(&mut versions)?;
        let sequenced = Rewriter::new(&versions).rewrite(&stages.rest)?;
        plan(view, sequenced, Vec::new())
    });
    let reason = "has no form over row versions";
    match planned {
        Ok(_) => None,
        Err(DataFusionError::Plan(what)) => Some(Obstacle::new(what, reason)),
        Err(error) => Some(Obstacle::new(error.strip_backtrace(), reason)),
    }
}

fn no_versions(schema: &SchemaRef) -> Versions {
    let mut fields = schema.fields().to_vec();
    for name in [VALID_FROM, VALID_TO] {
        fields.push(Arc::new(Field::new(name, DataType::Int64, false)));
    }
    Versions {
        rows: RecordBatch::new_empty(Arc::new(Schema::new(fields))),
        grows: false,
    }
}

/// Time, interval and entity of each row, and `columns`.
pub(crate) fn plan(
    view: &CompiledView,
    sequenced: Sequenced,
    columns: Vec<Expr>,
) -> Result<LogicalPlan> {
    let mut expressions: Vec<Expr> = vec![
        cast(
            view.time_expression.clone(),
            DataType::Timestamp(TimeUnit::Microsecond, None),
        ),
        sequenced.from,
        sequenced.to,
    ];
    expressions.extend(view.entity_expressions.iter().cloned());
    expressions.extend(columns);
    let named = expressions
        .into_iter()
        .enumerate()
        .map(|(i, expr)| expr.alias(format!("__row_{i}")));
    LogicalPlanBuilder::from(sequenced.plan)
        .project(named)?
        .build()
}

/// The arguments and filters of the parts, each once.
pub(crate) struct Wanted {
    pub columns: Vec<Expr>,
    pub places: Places,
}

impl Wanted {
    pub(crate) fn of(swept: &Swept) -> Self {
        let mut columns: Vec<Expr> = Vec::new();
        let mut place = |expr: &Option<Expr>| {
            let expr = expr.as_ref()?;
            Some(
                columns
                    .iter()
                    .position(|held| held == expr)
                    .unwrap_or_else(|| {
                        columns.push(expr.clone());
                        columns.len() - 1
                    }),
            )
        };
        let parts = swept.parts.iter();
        let places = parts
            .map(|part| (place(&part.argument), place(&part.filter)))
            .collect();
        Self { columns, places }
    }
}
