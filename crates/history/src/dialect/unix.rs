//! Functions that count from 1970-01-01. Times here have no zone, so that they are numbers already: Spark's functions would
//! turn each into a time of a zone, or into a calendar date, first.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, FieldRef, TimeUnit};
use datafusion::common::utils::take_function_args;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::expr::Cast;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature,
};
use datafusion::prelude::lit;
use datafusion_spark::function::datetime::{unix_date, unix_micros, unix_millis, unix_seconds};

use super::dates;

/// Spark's functions of this kind, faster.
pub(super) fn functions() -> [ScalarUDF; 4] {
    let counted = |plain, unit| ScalarUDF::from(Counted { plain, unit });
    [
        counted(unix_date(), Unit::Day),
        counted(unix_micros(), Unit::Time(TimeUnit::Microsecond)),
        counted(unix_millis(), Unit::Time(TimeUnit::Millisecond)),
        counted(unix_seconds(), Unit::Time(TimeUnit::Second)),
    ]
}

/// What is counted.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Unit {
    Day,
    Time(TimeUnit),
}

/// What `plain` gives, without the way by zones and calendar dates where there is a shorter one.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Counted {
    plain: Arc<ScalarUDF>,
    unit: Unit,
}

impl Counted {
    /// The shorter way from an argument, if there is one.
    fn of(&self, argument: &Expr, info: &SimplifyContext) -> Result<Option<Expr>> {
        let schema = info.schema();
        match (&self.unit, argument) {
            (Unit::Day, Expr::Cast(Cast { expr: time, field })) => {
                let is_day = *field.data_type() == DataType::Date32;
                let is_time =
                    time.get_type(schema)? == DataType::Timestamp(TimeUnit::Microsecond, None);
                let start = lit(ScalarValue::Date32(Some(0)));
                let days = || dates::difference().call(vec![time.as_ref().clone(), start]);
                Ok((is_day && is_time).then(days))
            }
            (Unit::Time(unit), time) => match time.get_type(schema)? {
                DataType::Timestamp(_, None) => {
                    let in_unit = time
                        .clone()
                        .cast_to(&DataType::Timestamp(*unit, None), schema)?;
                    Ok(Some(in_unit.cast_to(&DataType::Int64, schema)?))
                }
                _ => Ok(None),
            },
            _ => Ok(None),
        }
    }
}

impl ScalarUDFImpl for Counted {
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

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        self.plain.return_field_from_args(args)
    }

    fn simplify(&self, args: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        let [argument] = take_function_args(self.name(), &args)?;
        match self.of(argument, info)? {
            Some(shorter) => Ok(ExprSimplifyResult::Simplified(shorter)),
            None => self.plain.simplify(args, info),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        self.plain.invoke_with_args(args)
    }
}
