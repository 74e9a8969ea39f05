//! Functions of dates that take a number of days of any integer type: literals are 64-bit here.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};
use datafusion_spark::function::datetime::{date_add, date_sub};

/// Spark's functions that move a date.
pub(super) fn functions() -> [ScalarUDF; 2] {
    [date_add(), date_sub()].map(|plain| {
        ScalarUDF::from(Moved {
            plain,
            signature: Signature::user_defined(Volatility::Immutable),
        })
    })
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
