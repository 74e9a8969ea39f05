//! Aggregates of groups whose rows come and go: one result for each stretch of time.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch, UInt32Array, new_empty_array,
};
use arrow::compute::{concat, concat_batches, interleave, take};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use datafusion::common::Result;
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator, LogicalPlan, LogicalPlanBuilder, lit};
use datafusion::physical_expr::aggregate::{AggregateExprBuilder, AggregateFunctionExpr};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{GroupsAccumulatorAdapter, PhysicalExpr};
use safra_history::{OPEN, VALID_FROM, VALID_TO, session};

use crate::keys::Keys;
use crate::sequenced::{Rewriter, Versions};
use crate::stages::Group;
use crate::stretches::{Held, Stretches};

/// Computes the aggregates of a nested `GROUP BY` over versions: the versions of its result.
pub(crate) async fn collect(group: &Group, rewriter: &mut Rewriter<'_>) -> Result<Versions> {
    let plan = rows_plan(group, rewriter)?;
    let frame = session(1).execute_logical_plan(plan).await?;
    let schema = Arc::new(frame.schema().as_arrow().clone());
    let rows = concat_batches(&schema, &frame.collect().await?)?;
    let rows = aggregated(group, &rows)?;
    let last = rows.columns().last();
    let ends = last.map(|ends| ends.as_primitive::<Int64Type>().values());
    let grows = ends.is_some_and(|ends| ends.iter().all(|end| *end == OPEN));
    Ok(Versions { rows, grows })
}

/// As [`collect`] without rows, to see whether it can be done.
pub(crate) fn check(group: &Group, rewriter: &mut Rewriter) -> Result<Versions> {
    rows_plan(group, rewriter)?;
    let rows = RecordBatch::new_empty(result_schema(group));
    let grows = false;
    Ok(Versions { rows, grows })
}

/// The interval of each row, the keys, and the arguments and the filter of each call, TRUE without one.
fn rows_plan(group: &Group, rewriter: &mut Rewriter) -> Result<LogicalPlan> {
    let rows = rewriter.rewrite(&group.input)?;
    let mut columns = vec![rows.from, rows.to];
    columns.extend(group.keys.iter().cloned());
    for call in &group.calls {
        columns.extend(call.params.args.iter().cloned());
        columns.push(match &call.params.filter {
            Some(filter) => filter.as_ref().clone(),
            None => lit(true),
        });
    }
    let named = columns.into_iter().enumerate();
    LogicalPlanBuilder::from(rows.plan)
        .project(named.map(|(i, expr)| expr.alias(format!("__group_{i}"))))?
        .build()
}

fn result_schema(group: &Group) -> SchemaRef {
    let mut fields = group.fields.clone();
    for name in [VALID_FROM, VALID_TO] {
        fields.push(Arc::new(Field::new(name, DataType::Int64, false)));
    }
    Arc::new(Schema::new(fields))
}

fn aggregated(group: &Group, rows: &RecordBatch) -> Result<RecordBatch> {
    let bounds = |i: usize| rows.column(i).as_primitive::<Int64Type>().values();
    let keys = 2..2 + group.keys.len();
    let Keys {
        distinct,
        numbers,
        count,
    } = Keys::of(&rows.columns()[keys.clone()], rows.num_rows())?;
    let stretches = Stretches::of(&numbers, count, bounds(0), bounds(1));
    let of_stretch = UInt32Array::from(stretches.group.clone());
    let mut columns = Vec::new();
    for key in &distinct {
        columns.push(take(key, &of_stretch, None)?);
    }
    let mut next = keys.end;
    for call in &group.calls {
        let filter = next + call.params.args.len();
        let call = Call::new(call, rows, next..filter)?;
        let filter_column = rows.column(filter).as_boolean();
        columns.push(match call.function.groups_accumulator_supported() {
            true => call.by_levels(filter_column, &stretches)?,
            false => call.by_stretch(filter_column, &stretches)?,
        });
        next = filter + 1;
    }
    columns.push(Arc::new(Int64Array::from(stretches.from)));
    columns.push(Arc::new(Int64Array::from(stretches.to)));
    // Texts among the keys may be numbers.
    let declared = result_schema(group);
    let fields = declared.fields().iter().zip(&columns);
    let fields = fields.map(|(field, column)| {
        let field = field.as_ref().clone();
        field.with_data_type(column.data_type().clone())
    });
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    Ok(RecordBatch::try_new(schema, columns)?)
}

/// Rows that accumulators which keep them take in at once, give or take a stretch.
const ROWS_AT_ONCE: usize = 1 << 20;

/// An aggregate of columns.
struct Call<'a> {
    function: Arc<AggregateFunctionExpr>,
    arguments: &'a [ArrayRef],
}

impl<'a> Call<'a> {
    fn new(
        call: &AggregateFunction,
        rows: &'a RecordBatch,
        arguments: std::ops::Range<usize>,
    ) -> Result<Self> {
        let schema = rows.schema();
        let column = |i| Arc::new(Column::new(schema.field(i).name(), i)) as Arc<dyn PhysicalExpr>;
        let function = AggregateExprBuilder::new(
            Arc::clone(&call.func),
            arguments.clone().map(column).collect(),
        )
        .schema(Arc::clone(&schema))
        .alias("aggregate")
        .with_distinct(call.params.distinct)
        .build()?;
        Ok(Self {
            function: Arc::new(function),
            arguments: &rows.columns()[arguments],
        })
    }

    /// The result for each stretch. From the roots down, each node takes over what the one above it has,
    /// and adds the rows that stand at it.
    fn by_levels(&self, filter: &BooleanArray, stretches: &Stretches) -> Result<ArrayRef> {
        let mut levels: Vec<Vec<ArrayRef>> = Vec::new();
        for level in &stretches.levels {
            let nodes = level.parents.len();
            let mut states = self.accumulator()?;
            if let Some(above) = levels.last() {
                let all: Vec<usize> = (0..nodes).collect();
                states.merge_batch(&taken(above, &level.parents)?, &all, nodes)?;
            }
            let rows = &level.rows;
            // With a filter an accumulator keeps in mind which nodes have seen a row: not all have one.
            let filter = taken(&[Arc::new(filter.clone())], rows)?;
            let arguments = taken(self.arguments, rows)?;
            states.update_batch(
                &arguments,
                &level.nodes,
                Some(filter[0].as_boolean()),
                nodes,
            )?;
            levels.push(states.state(EmitTo::All)?);
        }
        let Some(fields) = levels.first().map(Vec::len) else {
            return Ok(new_empty_array(self.function.field().data_type()));
        };
        let part = |field: usize| {
            let parts: Vec<&dyn Array> = levels.iter().map(|level| &*level[field]).collect();
            Ok(interleave(&parts, &stretches.leaf)?)
        };
        let states = (0..fields).map(part).collect::<Result<Vec<_>>>()?;
        let all: Vec<usize> = (0..stretches.leaf.len()).collect();
        let mut results = self.accumulator()?;
        results.merge_batch(&states, &all, all.len())?;
        results.evaluate(EmitTo::All)
    }

    /// As [`Call::by_levels`], from all rows of each stretch anew. Where an accumulator keeps its rows, taking
    /// them over from node to node would be as long, and dearer.
    fn by_stretch(&self, filter: &BooleanArray, stretches: &Stretches) -> Result<ArrayRef> {
        let held = Held::of(stretches);
        let (mut rows, mut groups, mut first) = (Vec::new(), Vec::new(), 0);
        let mut results = vec![new_empty_array(self.function.field().data_type())];
        let count = stretches.leaf.len();
        for stretch in 0..count {
            held.append(stretch, &mut rows);
            groups.resize(rows.len(), stretch - first);
            if rows.len() < ROWS_AT_ONCE && stretch + 1 < count {
                continue;
            }
            let mut accumulator = self.accumulator()?;
            let filter = taken(&[Arc::new(filter.clone())], &rows)?;
            let arguments = taken(self.arguments, &rows)?;
            let filter = Some(filter[0].as_boolean());
            accumulator.update_batch(&arguments, &groups, filter, stretch + 1 - first)?;
            results.push(accumulator.evaluate(EmitTo::All)?);
            rows.clear();
            groups.clear();
            first = stretch + 1;
        }
        let results: Vec<&dyn Array> = results.iter().map(|result| &**result).collect();
        Ok(concat(&results)?)
    }

    fn accumulator(&self) -> Result<Box<dyn GroupsAccumulator>> {
        if self.function.groups_accumulator_supported() {
            return self.function.create_groups_accumulator();
        }
        let function = Arc::clone(&self.function);
        let one = move || function.create_accumulator();
        Ok(Box::new(GroupsAccumulatorAdapter::new(one)))
    }
}

fn taken(columns: &[ArrayRef], rows: &[u32]) -> Result<Vec<ArrayRef>> {
    let rows = UInt32Array::from(rows.to_vec());
    let taken = columns.iter().map(|column| take(column, &rows, None));
    Ok(taken.collect::<std::result::Result<_, _>>()?)
}
