//! Aggregates that look at all values of a group at once.

use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, UInt32Array, new_empty_array,
};
use datafusion::arrow::compute::{concat, take};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Float64Type};
use datafusion::arrow::row::{RowConverter, SortField};
use datafusion::common::utils::SingleRowListArrayBuilder;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, ReversedUDAF, Signature, Volatility,
};

use super::extreme;

/// A function of all values of a group, whatever their order.
pub(super) trait Whole: Debug + Clone + Eq + Hash + Send + Sync + 'static {
    fn name(&self) -> &str;

    fn aliases(&self) -> &[String] {
        &[]
    }

    /// The types that arguments of some types are cast to.
    fn coerce(&self, arguments: &[DataType]) -> Result<Vec<DataType>>;

    /// The type of the result for arguments of some types.
    fn result(&self, arguments: &[DataType]) -> DataType;

    /// Whether rows whose first argument is NULL are left out.
    fn skips_null(&self) -> bool {
        true
    }

    /// The result where there are no rows, for arguments of some types.
    fn of_nothing(&self, arguments: &[DataType]) -> Result<ScalarValue> {
        ScalarValue::try_from(self.result(arguments))
    }

    /// The result for arguments of equal length, one row for each row of the group; at least one.
    fn of(&self, arguments: &[ArrayRef]) -> Result<ScalarValue>;
}

/// A [`Whole`] as a function of DataFusion.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct WholeFunction<W> {
    function: W,
    signature: Signature,
}

impl<W: Whole> WholeFunction<W> {
    pub(super) fn new(function: W) -> Self {
        let signature = Signature::user_defined(Volatility::Immutable);
        Self {
            function,
            signature,
        }
    }
}

impl<W: Whole> AggregateUDFImpl for WholeFunction<W> {
    fn name(&self) -> &str {
        self.function.name()
    }

    fn aliases(&self) -> &[String] {
        self.function.aliases()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        self.function.coerce(arguments)
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        Ok(self.function.result(arguments))
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Values::new(self.function.clone(), &args)))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(value_fields(&args))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }
}

/// What [`Values`] keeps between the stages of an aggregation: a list for each argument.
pub(super) fn value_fields(args: &StateFieldsArgs) -> Vec<FieldRef> {
    let field = |(i, field): (usize, &FieldRef)| {
        let name = format_state_name(args.name, &format!("values {i}"));
        let item = Field::new_list_field(field.data_type().clone(), true);
        Arc::new(Field::new(name, DataType::List(Arc::new(item)), true))
    };
    args.input_fields.iter().enumerate().map(field).collect()
}

/// The values of a group.
#[derive(Debug)]
pub(super) struct Values<W> {
    function: W,
    distinct: bool,
    types: Vec<DataType>,
    batches: Vec<Vec<ArrayRef>>,
}

impl<W: Whole> Values<W> {
    pub(super) fn new(function: W, args: &AccumulatorArgs) -> Self {
        let types = args
            .expr_fields
            .iter()
            .map(|field| field.data_type().clone());
        Self {
            function,
            distinct: args.is_distinct,
            types: types.collect(),
            batches: Vec::new(),
        }
    }

    /// Each argument as one array, without the rows that do not count.
    fn columns(&self) -> Result<Vec<ArrayRef>> {
        let mut columns = Vec::with_capacity(self.types.len());
        for (i, kind) in self.types.iter().enumerate() {
            let parts: Vec<&dyn Array> = self.batches.iter().map(|batch| &*batch[i]).collect();
            columns.push(match parts.is_empty() {
                true => new_empty_array(kind),
                false => canonical(concat(&parts)?),
            });
        }
        let nulls = columns[0].logical_nulls();
        let nulls = nulls.filter(|nulls| nulls.null_count() > 0 && self.function.skips_null());
        if nulls.is_none() && !self.distinct {
            return Ok(columns);
        }
        let counts = |row: &u32| match &nulls {
            Some(nulls) => nulls.is_valid(*row as usize),
            None => true,
        };
        let mut rows: Vec<u32> = (0..columns[0].len() as u32).filter(counts).collect();
        if self.distinct {
            rows = distinct(&columns, rows)?;
        }
        let rows = UInt32Array::from(rows);
        let taken = columns.iter().map(|column| take(column, &rows, None));
        Ok(taken.collect::<std::result::Result<_, _>>()?)
    }
}

/// Floats with one bit pattern for both zeros, and one for every NaN.
fn canonical(column: ArrayRef) -> ArrayRef {
    let Some(floats) = column.as_primitive_opt::<Float64Type>() else {
        return column;
    };
    let canonical: Float64Array = floats.unary(extreme::canonical);
    Arc::new(canonical)
}

/// One row of each that are equal in all columns.
fn distinct(columns: &[ArrayRef], mut rows: Vec<u32>) -> Result<Vec<u32>> {
    let fields = columns
        .iter()
        .map(|column| SortField::new(column.data_type().clone()));
    let keys = RowConverter::new(fields.collect())?.convert_columns(columns)?;
    rows.sort_unstable_by_key(|&row| keys.row(row as usize));
    rows.dedup_by_key(|row| keys.row(*row as usize));
    Ok(rows)
}

impl<W: Whole> Accumulator for Values<W> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        if !values[0].is_empty() {
            self.batches.push(values.to_vec());
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let columns = self.columns()?;
        match columns[0].is_empty() {
            true => self.function.of_nothing(&self.types),
            false => self.function.of(&columns),
        }
    }

    fn size(&self) -> usize {
        let arrays = self.batches.iter().flatten();
        size_of_val(self)
            + arrays
                .map(|array| array.get_array_memory_size())
                .sum::<usize>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let columns = self.columns()?.into_iter();
        let list = |column| SingleRowListArrayBuilder::new(column).build_list_scalar();
        Ok(columns.map(list).collect())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for row in 0..states[0].len() {
            if states[0].is_valid(row) {
                let lists = states.iter().map(|state| state.as_list::<i32>().value(row));
                self.update_batch(&lists.collect::<Vec<_>>())?;
            }
        }
        Ok(())
    }
}
