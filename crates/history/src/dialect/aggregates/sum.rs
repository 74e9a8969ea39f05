//! Sums, means and extremes that do not depend on the order of rows.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::Result;
use datafusion::functions_aggregate::average::avg_udaf;
use datafusion::functions_aggregate::min_max::{max_udaf, min_udaf};
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, GroupsAccumulator, ReversedUDAF, Signature,
};

use super::extreme::{Largest, Smallest};
use super::numbers::OfDistinct;
use super::total::{FloatTotal, IntegerTotal, Total};
use super::totals::{OneTotal, Totals};
use super::whole::{Values, value_fields};

/// DataFusion's function, but floats are summed exactly and rounded once, a sum of integers that does not fit
/// 64 bits is an error, and infinities and NaN are extremes as any number. Other types are left to DataFusion.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct ExactTotal {
    plain: Arc<AggregateUDF>,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Sum,
    Mean,
    Smallest,
    Largest,
}

/// How a type is summed.
enum Way {
    Floats,
    Integers,
    /// Once each.
    DistinctFloats,
    Smallest,
    Largest,
    Plain,
}

impl ExactTotal {
    /// All of them.
    pub(super) fn all() -> [Self; 4] {
        [
            (sum_udaf(), Kind::Sum),
            (avg_udaf(), Kind::Mean),
            (min_udaf(), Kind::Smallest),
            (max_udaf(), Kind::Largest),
        ]
        .map(|(plain, kind)| Self { plain, kind })
    }

    fn way(&self, result: &DataType, is_distinct: bool) -> Way {
        match (result, self.kind, is_distinct) {
            (DataType::Float64, Kind::Smallest, _) => Way::Smallest,
            (DataType::Float64, Kind::Largest, _) => Way::Largest,
            (DataType::Float64, _, false) => Way::Floats,
            (DataType::Float64, _, true) => Way::DistinctFloats,
            (DataType::Int64, Kind::Sum, false) => Way::Integers,
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

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        self.plain.coerce_types(arguments)
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        self.plain.return_type(arguments)
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let mean = self.kind == Kind::Mean;
        Ok(match self.way_of(&args) {
            Way::Floats => Box::new(OneTotal::<FloatTotal>::new(mean)),
            Way::Integers => Box::new(OneTotal::<IntegerTotal>::new(mean)),
            Way::Smallest => Box::new(OneTotal::<Smallest>::new(false)),
            Way::Largest => Box::new(OneTotal::<Largest>::new(false)),
            Way::DistinctFloats => Box::new(Values::new(OfDistinct { mean }, &args)),
            Way::Plain => self.plain.accumulator(args)?,
        })
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        match self.way_of(&args) {
            Way::Floats | Way::Integers | Way::DistinctFloats => self.accumulator(args),
            _ => self.plain.create_sliding_accumulator(args),
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
            Way::Smallest => Ok(of(Smallest::state_type())),
            Way::Largest => Ok(of(Largest::state_type())),
            Way::DistinctFloats => Ok(value_fields(&args)),
            Way::Plain => self.plain.state_fields(args),
        }
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        match self.way_of(&args) {
            Way::Floats | Way::Integers | Way::Smallest | Way::Largest => true,
            Way::DistinctFloats => false,
            Way::Plain => self.plain.groups_accumulator_supported(args),
        }
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        let mean = self.kind == Kind::Mean;
        match self.way_of(&args) {
            Way::Floats => Ok(Box::new(Totals::<FloatTotal>::new(mean))),
            Way::Integers => Ok(Box::new(Totals::<IntegerTotal>::new(mean))),
            Way::Smallest => Ok(Box::new(Totals::<Smallest>::new(false))),
            Way::Largest => Ok(Box::new(Totals::<Largest>::new(false))),
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
