//! Aggregates that pick one of the values.

use std::cmp::Ordering;

use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::row::{RowConverter, SortField};
use datafusion::common::{Result, ScalarValue, plan_err};

use super::whole::Whole;

/// The most frequent value; of several, the smallest.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Mode;

impl Whole for Mode {
    fn name(&self) -> &str {
        "mode"
    }

    fn coerce(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        match arguments {
            [_] => Ok(arguments.to_vec()),
            _ => plan_err!("mode takes one argument"),
        }
    }

    fn result(&self, arguments: &[DataType]) -> DataType {
        arguments[0].clone()
    }

    fn of(&self, arguments: &[ArrayRef]) -> Result<ScalarValue> {
        let keys = rows(&arguments[0])?;
        let mut sorted: Vec<usize> = (0..keys.num_rows()).collect();
        sorted.sort_unstable_by_key(|&row| keys.row(row));
        let runs = sorted.chunk_by(|&a, &b| keys.row(a) == keys.row(b));
        let longest = runs.reduce(|best, run| if run.len() > best.len() { run } else { best });
        let row = longest.and_then(|run| run.first()).copied().unwrap_or(0);
        ScalarValue::try_from_array(&arguments[0], row)
    }
}

/// The value of the row in which another is the smallest, or the largest. Of several such rows, the one
/// with the smallest, or the largest, value; one with a value goes before one without.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct By {
    pub(super) largest: bool,
}

impl Whole for By {
    fn name(&self) -> &str {
        if self.largest { "max_by" } else { "min_by" }
    }

    fn coerce(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        match arguments {
            [_, _] => Ok(arguments.to_vec()),
            _ => plan_err!("{} takes a value and what it is ordered by", self.name()),
        }
    }

    fn result(&self, arguments: &[DataType]) -> DataType {
        arguments[0].clone()
    }

    fn skips_null(&self) -> bool {
        false
    }

    fn of(&self, arguments: &[ArrayRef]) -> Result<ScalarValue> {
        let (value, by) = (&arguments[0], &arguments[1]);
        let (values, orders) = (rows(value)?, rows(by)?);
        let compare = |&a: &usize, &b: &usize| {
            let ordered = (orders.row(a), values.row(a)).cmp(&(orders.row(b), values.row(b)));
            match (value.is_null(a), value.is_null(b)) {
                (true, false) if orders.row(a) == orders.row(b) => Ordering::Less,
                (false, true) if orders.row(a) == orders.row(b) => Ordering::Greater,
                _ if self.largest => ordered,
                _ => ordered.reverse(),
            }
        };
        let ordered = (0..value.len()).filter(|&row| by.is_valid(row));
        match ordered.max_by(compare) {
            Some(row) => ScalarValue::try_from_array(value, row),
            None => value.data_type().try_into(),
        }
    }
}

fn rows(column: &ArrayRef) -> Result<datafusion::arrow::row::Rows> {
    let field = SortField::new(column.data_type().clone());
    let converter = RowConverter::new(vec![field])?;
    Ok(converter.convert_columns(std::slice::from_ref(column))?)
}
