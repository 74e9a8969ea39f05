//! Functions of dates: those that move a date take a number of days of any integer type, since literals are 64-bit here, and
//! the difference of dates reads times without turning them into dates first.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Int32Array};
use datafusion::arrow::compute::binary;
use datafusion::arrow::datatypes::{
    DataType, Date32Type, FieldRef, Int32Type, TimeUnit, TimestampMicrosecondType,
};
use datafusion::common::utils::take_function_args;
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};
use datafusion_spark::function::datetime::{date_add, date_sub};

use crate::DAY;

/// Spark's functions of dates that are different here.
pub(super) fn functions() -> [ScalarUDF; 3] {
    let moved = |plain| {
        ScalarUDF::from(Moved {
            plain,
            signature: Signature::user_defined(Volatility::Immutable),
        })
    };
    [moved(date_add()), moved(date_sub()), difference()]
}

/// `date_diff`: days from the second argument to the first.
pub(super) fn difference() -> ScalarUDF {
    ScalarUDF::from(Difference {
        aliases: ["datediff".to_owned()],
        signature: Signature::user_defined(Volatility::Immutable),
    })
}

/// Days from the second argument to the first, each a date or a time, of which the day counts.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Difference {
    aliases: [String; 1],
    signature: Signature,
}

impl ScalarUDFImpl for Difference {
    fn name(&self) -> &str {
        "date_diff"
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        let read_as = |kind: &DataType| match kind {
            DataType::Timestamp(TimeUnit::Microsecond, None) => Some(kind.clone()),
            DataType::Date32 | DataType::Timestamp(_, None) | DataType::Utf8 | DataType::Null => {
                Some(DataType::Date32)
            }
            _ => None,
        };
        let kinds: Option<Vec<DataType>> = arguments.iter().map(read_as).collect();
        match kinds {
            Some(kinds) if kinds.len() == 2 => Ok(kinds),
            _ => {
                let given: Vec<String> = arguments.iter().map(ToString::to_string).collect();
                plan_err!("{} takes two dates: {}", self.name(), given.join(", "))
            }
        }
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int32)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let [later, earlier] = take_function_args(self.name(), &arrays)?;
        let days: Int32Array = binary(&days(later), &days(earlier), i32::wrapping_sub)?;
        Ok(ColumnarValue::Array(Arc::new(days)))
    }
}

/// The day of each date or time, since 1970-01-01.
fn days(values: &ArrayRef) -> Int32Array {
    match values.as_primitive_opt::<TimestampMicrosecondType>() {
        Some(times) => times.unary(|time| time.div_euclid(DAY) as i32),
        None => values
            .as_primitive::<Date32Type>()
            .reinterpret_cast::<Int32Type>(),
    }
}

/// A function of a date and a 32-bit integer, for a date or time and any integer.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Moved {
    plain: Arc<ScalarUDF>,
    signature: Signature,
}

impl ScalarUDFImpl for Moved {
    fn name(&self) -> &str {
        self.plain.name()
    }

    fn aliases(&self) -> &[String] {
        self.plain.aliases()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        match arguments {
            [
                DataType::Date32 | DataType::Timestamp(_, None) | DataType::Utf8 | DataType::Null,
                number,
            ] if number.is_integer() || number.is_null() => {
                Ok(vec![DataType::Date32, DataType::Int32])
            }
            _ => {
                let given: Vec<String> = arguments.iter().map(ToString::to_string).collect();
                plan_err!(
                    "{} takes a date and an integer: {}",
                    self.name(),
                    given.join(", ")
                )
            }
        }
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        self.plain.return_type(arguments)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        self.plain.return_field_from_args(args)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        self.plain.invoke_with_args(args)
    }
}
