//! Sums and means that do not depend on the order of rows.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::Result;
use datafusion::functions_aggregate::average::avg_udaf;
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, GroupsAccumulator, ReversedUDAF, Signature,
};

use super::numbers::OfDistinct;
use super::total::{FloatTotal, IntegerTotal, Total};
use super::totals::{OneTotal, Totals};
use super::whole::{Values, value_fields};

/// DataFusion's `sum` or `avg`, where floats are summed exactly and rounded once, and a sum of integers that
/// does not fit 64 bits is an error. Other types are left to DataFusion.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct ExactTotal {
    plain: Arc<AggregateUDF>,
    mean: bool,
}

/// How a type is summed.
enum Way {
    Floats,
    Integers,
    /// Once each.
    DistinctFloats,
    Plain,
}

impl ExactTotal {
    pub(super) fn sum() -> Self {
        let (plain, mean) = (sum_udaf(), false);
        Self { plain, mean }
    }

    pub(super) fn average() -> Self {
        let (plain, mean) = (avg_udaf(), true);
        Self { plain, mean }
    }

    fn way(&self, result: &DataType, is_distinct: bool) -> Way {
        match (result, is_distinct) {
            (DataType::Float64, false) => Way::Floats,
            (DataType::Float64, true) => Way::DistinctFloats,
            (DataType::Int64, false) => Way::Integers,
            _ => Way::Plain,
        }
    }

    fn way_of(&self, args: &AccumulatorArgs) -> Way {
        self.way(args.return_field.data_type(), args.is_distinct)
    }
}

impl AggregateUDFImpl for ExactTotal {
    fn name(&self) -> &str {
        self.plain.name()
    }

    fn aliases(&self) -> &[String] {
        self.plain.aliases()
    }

    fn signature(&self) -> &Signature {
        self.plain.signature()
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        self.plain.return_type(arguments)
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let mean = self.mean;
        Ok(match self.way_of(&args) {
            Way::Floats => Box::new(OneTotal::<FloatTotal>::new(mean)),
            Way::Integers => Box::new(OneTotal::<IntegerTotal>::new(mean)),
            Way::DistinctFloats => Box::new(Values::new(OfDistinct { mean }, &args)),
            Way::Plain => self.plain.accumulator(args)?,
        })
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        match self.way_of(&args) {
            Way::Plain => self.plain.create_sliding_accumulator(args),
            _ => self.accumulator(args),
        }
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let of = |kind: DataType| {
            let field =
                |name, kind| Arc::new(Field::new(format_state_name(args.name, name), kind, true));
            vec![field("count", DataType::Int64), field("total", kind)]
        };
        match self.way(args.return_field.data_type(), args.is_distinct) {
            Way::Floats => Ok(of(FloatTotal::state_type())),
            Way::Integers => Ok(of(IntegerTotal::state_type())),
            Way::DistinctFloats => Ok(value_fields(&args)),
            Way::Plain => self.plain.state_fields(args),
        }
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        match self.way_of(&args) {
            Way::Floats | Way::Integers => true,
            Way::DistinctFloats => false,
            Way::Plain => self.plain.groups_accumulator_supported(args),
        }
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        let mean = self.mean;
        match self.way_of(&args) {
            Way::Floats => Ok(Box::new(Totals::<FloatTotal>::new(mean))),
            Way::Integers => Ok(Box::new(Totals::<IntegerTotal>::new(mean))),
            _ => self.plain.create_groups_accumulator(args),
        }
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }
}
