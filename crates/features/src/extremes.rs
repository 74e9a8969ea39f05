//! The later and the earlier of two times: where intervals begin and end together.
//!
//! DataFusion's `greatest` and `least` pick values one by one, of any type, and say that they may be NULL.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{ArrayRef, AsArray, Int64Array};
use datafusion::arrow::compute::binary;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::common::utils::take_function_args;
use datafusion::common::{Result, exec_err, internal_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};

static LATER: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| function(Which::Later));
static EARLIER: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| function(Which::Earlier));

/// The later of two times, 64-bit integers of which neither is NULL.
pub(crate) fn later(one: Expr, other: Expr) -> Expr {
    LATER.call(vec![one, other])
}

/// The earlier of two times, 64-bit integers of which neither is NULL.
pub(crate) fn earlier(one: Expr, other: Expr) -> Expr {
    EARLIER.call(vec![one, other])
}

/// The two times of [`later`].
pub(crate) fn both_of_later(expr: &Expr) -> Option<&[Expr]> {
    arguments(expr, &LATER)
}

/// The two times of [`earlier`].
pub(crate) fn both_of_earlier(expr: &Expr) -> Option<&[Expr]> {
    arguments(expr, &EARLIER)
}

fn arguments<'a>(expr: &'a Expr, function: &ScalarUDF) -> Option<&'a [Expr]> {
    match expr {
        Expr::ScalarFunction(call) if *call.func == *function => Some(&call.args),
        _ => None,
    }
}

fn function(which: Which) -> Arc<ScalarUDF> {
    let kinds = vec![DataType::Int64, DataType::Int64];
    Arc::new(ScalarUDF::from(Extreme {
        which,
        signature: Signature::exact(kinds, Volatility::Immutable),
    }))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Which {
    Later,
    Earlier,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Extreme {
    which: Which,
    signature: Signature,
}

impl ScalarUDFImpl for Extreme {
    fn name(&self) -> &str {
        match self.which {
            Which::Later => "later",
            Which::Earlier => "earlier",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        internal_err!("{} says more than its type", self.name())
    }

    fn return_field_from_args(&self, _: ReturnFieldArgs) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(self.name(), DataType::Int64, false)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let [one, other] = take_function_args(self.name(), &arrays)?;
        let (one, other) = (times(one)?, times(other)?);
        let extremes: Int64Array = match self.which {
            Which::Later => binary(one, other, i64::max)?,
            Which::Earlier => binary(one, other, i64::min)?,
        };
        Ok(ColumnarValue::Array(Arc::new(extremes)))
    }
}

fn times(values: &ArrayRef) -> Result<&Int64Array> {
    match values.null_count() {
        0 => Ok(values.as_primitive::<Int64Type>()),
        count => exec_err!("{count} times of {} are NULL", values.len()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use datafusion::arrow::array::RecordBatch;
    use datafusion::prelude::{col, lit};
    use safra_history::session;

    use super::*;

    fn of(one: &[Option<i64>], other: &[Option<i64>]) -> Result<Vec<[i64; 3]>> {
        let column = |values: &[Option<i64>]| -> ArrayRef {
            Arc::new(Int64Array::from_iter(values.iter().copied()))
        };
        let rows = RecordBatch::try_from_iter([("a", column(one)), ("b", column(other))])?;
        let frame = session(1).read_batch(rows)?.select(vec![
            later(col("a"), col("b")),
            earlier(col("a"), col("b")),
            later(col("a"), lit(3_i64)),
        ])?;
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let batches = runtime.unwrap().block_on(frame.collect())?;
        let value = |column: &ArrayRef, row| column.as_primitive::<Int64Type>().value(row);
        let rows = |batch: &RecordBatch| -> Vec<[i64; 3]> {
            let row = |row| [0, 1, 2].map(|i| value(batch.column(i), row));
            (0..batch.num_rows()).map(row).collect()
        };
        Ok(batches.iter().flat_map(rows).collect())
    }

    #[test]
    fn of_two_times_the_later_and_the_earlier() {
        let found = of(
            &[Some(i64::MIN), Some(5), Some(2)],
            &[Some(1), Some(5), Some(i64::MAX)],
        );
        let expected = vec![[1, i64::MIN, 3], [5, 5, 5], [i64::MAX, 2, 3]];
        assert_eq!(found.unwrap(), expected);
    }

    #[test]
    fn times_are_never_null() {
        let error = of(&[Some(1), None], &[Some(1), Some(2)]).unwrap_err();
        assert!(
            error.to_string().contains("1 times of 2 are NULL"),
            "{error}"
        );
    }
}
