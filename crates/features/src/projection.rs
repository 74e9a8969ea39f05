//! What stands around the aggregates, evaluated where it changes: ratios once for each step of a window, differences to the
//! reference date for each row.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, Date32Array, Int32Array, RecordBatch, RecordBatchOptions, RunArray,
    UInt32Array,
};
use arrow::buffer::ScalarBuffer;
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, Int32Type, Schema, SchemaRef};
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::physical_plan::PhysicalExpr;
use datafusion::prelude::SessionContext;
use rayon::prelude::*;
use safra_history::session;
use safra_project::View;
use safra_sweep::{Steps, Values, WindowSteps};

use crate::CompiledView;
use crate::project_features::{aggregate_column, column, entity_column, placed};
use crate::store::REFERENCE_DATE;
use crate::swept::Swept;

/// Computes the features of a view from the parts of its aggregates: the entity's columns, `reference_date`, and each
/// feature for each window, sorted by entity, then reference date. What does not change from row to row is run-end encoded.
///
/// `entities` has one row for each number of an entity.
pub(crate) fn project(
    view: &CompiledView,
    swept: &Swept,
    entities: &[ArrayRef],
    steps: &Steps,
) -> Result<RecordBatch> {
    let rows = steps.date.len();
    let numbers = Runs::of_entities(&steps.entity);
    let mut columns: Vec<(String, ArrayRef)> = Vec::new();
    for (name, keys) in view.entity.iter().zip(entities) {
        let keys = take(keys, &UInt32Array::from(numbers.values.clone()), None)?;
        columns.push((name.clone(), run_end_encoded(&numbers.ends, &keys)?));
    }
    let dates: ArrayRef = Arc::new(Date32Array::from(steps.date.clone()));
    columns.push((REFERENCE_DATE.to_owned(), dates.clone()));
    let around = Around {
        entities,
        entity: &steps.entity,
        dates: &dates,
    };
    let features = Features::of(view, swept, entities, steps)?;
    let of_windows: Vec<Vec<ArrayRef>> = steps
        .windows
        .par_iter()
        .map(|window| features.evaluate(&around, window))
        .collect::<Result<_>>()?;
    for (&window, values) in view.view.windows.iter().zip(of_windows) {
        let names = view.features.iter();
        let names = names.map(|name| View::feature_name(name, window));
        columns.extend(names.zip(values));
    }
    let fields = columns.iter();
    let fields = fields.map(|(name, values)| Field::new(name, values.data_type().clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let columns = columns.into_iter().map(|(_, values)| values).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(
        schema, columns, &options,
    )?)
}

/// What features may read beside the aggregates.
struct Around<'a> {
    entities: &'a [ArrayRef],
    /// The entity of each row.
    entity: &'a [u32],
    dates: &'a ArrayRef,
}

/// The features of any window, compiled.
struct Features {
    /// Those that stay the same while nothing enters or leaves the window.
    of_steps: Level,
    /// Those that may differ from row to row.
    of_rows: Level,
}

/// Features that are evaluated together.
struct Level {
    schema: SchemaRef,
    /// What each column of the schema holds.
    sources: Vec<Source>,
    /// The number of each feature among those of the view, and how it is computed.
    features: Vec<(usize, Arc<dyn PhysicalExpr>)>,
}

#[derive(Clone, Copy)]
enum Source {
    Entity(usize),
    ReferenceDate,
    Part(usize),
}

impl Features {
    fn of(
        view: &CompiledView,
        swept: &Swept,
        entities: &[ArrayRef],
        steps: &Steps,
    ) -> Result<Self> {
        let mut inputs = Vec::new();
        for (i, keys) in entities.iter().enumerate() {
            inputs.push((
                entity_column(i),
                Source::Entity(i),
                keys.data_type().clone(),
            ));
        }
        let date = (
            REFERENCE_DATE.to_owned(),
            Source::ReferenceDate,
            DataType::Date32,
        );
        inputs.push(date);
        // Of rows is what reads one of these.
        let mut changing = BTreeSet::from([REFERENCE_DATE.to_owned()]);
        let parts = steps
            .windows
            .iter()
            .take(1)
            .flat_map(|window| &window.values);
        for (part, values) in parts.enumerate() {
            let name = aggregate_column(0, part);
            let kind = match values {
                Values::Steps(values) => values.data_type(),
                Values::Rows(values) => {
                    changing.insert(name.clone());
                    values.data_type()
                }
            };
            inputs.push((name, Source::Part(part), kind.clone()));
        }
        let values = swept.values.iter();
        let values = values.map(|value| value.over(|part| column(&aggregate_column(0, part))));
        let values = values.collect::<Result<Vec<_>>>()?;
        let (mut of_rows, mut of_steps) = (Vec::new(), Vec::new());
        for (number, feature) in view.projection.iter().enumerate() {
            let feature = placed(view, &values, feature)?;
            let reads = feature.column_refs();
            match reads.iter().any(|read| changing.contains(&read.name)) {
                true => of_rows.push((number, feature)),
                false => of_steps.push((number, feature)),
            }
        }
        let session = session(1);
        Ok(Self {
            of_steps: Level::new(&session, &inputs, of_steps)?,
            of_rows: Level::new(&session, &inputs, of_rows)?,
        })
    }

    /// The features of a window, in the order of the view.
    fn evaluate(&self, around: &Around, window: &WindowSteps) -> Result<Vec<ArrayRef>> {
        let step_of_row = UInt32Array::from(window.step_of_row());
        let of_rows = self.of_rows.evaluate(around.entity.len(), &|source| {
            Ok(match source {
                Source::Entity(i) => take(
                    &around.entities[i],
                    &UInt32Array::from_iter_values(around.entity.iter().copied()),
                    None,
                )?,
                Source::ReferenceDate => around.dates.clone(),
                Source::Part(part) => match &window.values[part] {
                    Values::Steps(values) => take(values, &step_of_row, None)?,
                    Values::Rows(values) => values.clone(),
                },
            })
        })?;
        let of_steps = self.of_steps.evaluate(window.ends.len(), &|source| {
            Ok(match source {
                Source::Entity(i) => {
                    let last_rows = window.ends.iter().map(|&end| end as usize - 1);
                    let entity = last_rows.map(|row| around.entity[row]);
                    take(
                        &around.entities[i],
                        &UInt32Array::from_iter_values(entity),
                        None,
                    )?
                }
                // These change from row to row, and nothing that reads them is of steps.
                Source::ReferenceDate => around.dates.clone(),
                Source::Part(part) => match &window.values[part] {
                    Values::Steps(values) | Values::Rows(values) => values.clone(),
                },
            })
        })?;
        let encoded = |(number, values)| Ok((number, run_end_encoded(&window.ends, &values)?));
        let mut features = of_steps
            .into_iter()
            .map(encoded)
            .collect::<Result<Vec<_>>>()?;
        features.extend(of_rows);
        features.sort_by_key(|(number, _)| *number);
        Ok(features.into_iter().map(|(_, values)| values).collect())
    }
}

impl Level {
    /// Features over those of the inputs that they read.
    fn new(
        session: &SessionContext,
        inputs: &[(String, Source, DataType)],
        features: Vec<(usize, Expr)>,
    ) -> Result<Self> {
        let read = |name: &str| {
            let mut features = features.iter();
            features.any(|(_, feature)| feature.column_refs().iter().any(|read| read.name == name))
        };
        let (mut fields, mut sources) = (Vec::new(), Vec::new());
        for (name, source, kind) in inputs {
            if read(name) {
                fields.push(Field::new(name, kind.clone(), true));
                sources.push(*source);
            }
        }
        let schema = Arc::new(Schema::new(fields));
        let named = DFSchema::try_from(schema.as_ref().clone())?;
        let context = SimplifyContext::builder()
            .with_schema(Arc::new(named.clone()))
            .with_config_options(Arc::clone(session.state().config_options()))
            .build();
        let simplifier = ExprSimplifier::new(context);
        // Some functions exist only until an expression is simplified.
        let compiled = |(number, feature)| {
            let feature = simplifier.simplify(simplifier.coerce(feature, &named)?)?;
            Ok((number, session.create_physical_expr(feature, &named)?))
        };
        Ok(Self {
            features: features.into_iter().map(compiled).collect::<Result<_>>()?,
            schema,
            sources,
        })
    }

    /// The values of each feature, from what its sources hold.
    fn evaluate(
        &self,
        rows: usize,
        held: &(dyn Fn(Source) -> Result<ArrayRef> + Sync),
    ) -> Result<Vec<(usize, ArrayRef)>> {
        let columns = self.sources.par_iter().map(|&source| held(source));
        let columns = columns.collect::<Result<_>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)?;
        let features = self.features.par_iter();
        features
            .map(|(number, feature)| Ok((*number, feature.evaluate(&batch)?.into_array(rows)?)))
            .collect()
    }
}

/// Consecutive rows of one value.
struct Runs {
    ends: ScalarBuffer<i32>,
    values: Vec<u32>,
}

impl Runs {
    fn of_entities(entity: &[u32]) -> Self {
        let (mut ends, mut values) = (Vec::new(), Vec::new());
        let mut end = 0;
        for run in entity.chunk_by(|left, right| left == right) {
            end += run.len() as i32;
            ends.push(end);
            values.push(run[0]);
        }
        Self {
            ends: ends.into(),
            values,
        }
    }
}

fn run_end_encoded(ends: &ScalarBuffer<i32>, values: &ArrayRef) -> Result<ArrayRef> {
    let ends = Int32Array::new(ends.clone(), None);
    Ok(Arc::new(RunArray::<Int32Type>::try_new(&ends, values)?))
}
