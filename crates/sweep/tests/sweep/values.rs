//! From rows to columns, and from outputs back to values.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, StringArray};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use safra_sweep::{Aggregate, Rows, SweepError, Swept, Window};

use crate::cases::TYPES;
use crate::oracle::{Expected, Row, Value};

/// Row versions in columns.
pub struct Input {
    pub entity: Vec<u32>,
    pub time: Vec<i64>,
    pub valid_from: Vec<i64>,
    pub valid_to: Vec<i64>,
    pub columns: Vec<ArrayRef>,
}

impl Input {
    /// Columns of rows that are sorted by entity, of the types that [`crate::cases`] names.
    pub fn of(rows: &[Row]) -> Self {
        let column =
            |(index, data_type)| array(rows.iter().map(|row| &row.values[index]), data_type);
        Self {
            entity: rows.iter().map(|row| row.entity).collect(),
            time: rows.iter().map(|row| row.time).collect(),
            valid_from: rows.iter().map(|row| row.valid_from).collect(),
            valid_to: rows.iter().map(|row| row.valid_to).collect(),
            columns: TYPES.iter().enumerate().map(column).collect(),
        }
    }

    pub fn rows(&self) -> Rows<'_> {
        Rows {
            entity: &self.entity,
            time: &self.time,
            valid_from: &self.valid_from,
            valid_to: &self.valid_to,
            columns: &self.columns,
        }
    }

    pub fn sweep(
        &self,
        windows: &[Window],
        aggregates: &[Aggregate],
        dates: &[i32],
    ) -> Result<Swept, SweepError> {
        safra_sweep::sweep(&self.rows(), windows, aggregates, dates)
    }
}

fn array<'a>(values: impl Iterator<Item = &'a Value>, data_type: &DataType) -> ArrayRef {
    let float = |value: &Value| {
        if let Value::Float(value) = value {
            Some(*value)
        } else {
            None
        }
    };
    let integer = |value: &Value| {
        if let Value::Integer(value) = value {
            Some(*value)
        } else {
            None
        }
    };
    let boolean = |value: &Value| {
        if let Value::Boolean(value) = value {
            Some(*value)
        } else {
            None
        }
    };
    let text = |value: &'a Value| {
        if let Value::Text(value) = value {
            Some(value.as_str())
        } else {
            None
        }
    };
    match data_type {
        DataType::Int64 => Arc::new(values.map(integer).collect::<Int64Array>()),
        DataType::Boolean => Arc::new(values.map(boolean).collect::<BooleanArray>()),
        DataType::Utf8 => Arc::new(values.map(text).collect::<StringArray>()),
        _ => Arc::new(values.map(float).collect::<Float64Array>()),
    }
}

/// The value in one row of an output.
pub fn value(array: &ArrayRef, row: usize) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    match array.data_type() {
        DataType::Float64 => Value::Float(array.as_primitive::<Float64Type>().value(row)),
        DataType::Int64 => Value::Integer(array.as_primitive::<Int64Type>().value(row)),
        DataType::Boolean => Value::Boolean(array.as_boolean().value(row)),
        DataType::Utf8 => Value::Text(array.as_string::<i32>().value(row).to_owned()),
        data_type => panic!("no value of {data_type}"),
    }
}

/// All values of an output.
pub fn values(array: &ArrayRef) -> Vec<Value> {
    (0..array.len()).map(|row| value(array, row)).collect()
}

/// The floats of an output.
pub fn floats(array: &ArrayRef) -> Vec<Option<f64>> {
    array.as_primitive::<Float64Type>().iter().collect()
}

/// The integers of an output.
pub fn integers(array: &ArrayRef) -> Vec<Option<i64>> {
    array.as_primitive::<Int64Type>().iter().collect()
}

/// Whether a value is what is expected of it.
pub fn agrees(found: &Value, expected: &Expected) -> bool {
    match (found, expected) {
        (Value::Float(found), Expected::Exactly(Value::Float(expected))) => {
            found.to_bits() == expected.to_bits()
        }
        (found, Expected::Exactly(expected)) => found == expected,
        (Value::Float(found), Expected::Near { value, size }) => {
            let is_same = found == value || (found.is_nan() && value.is_nan());
            is_same || (found - value).abs() <= 1e-9 * size + 1e-290
        }
        _ => false,
    }
}

/// An output as text, in which floats show every bit.
pub fn bits(array: &ArrayRef) -> Vec<String> {
    let show = |value: Value| match value {
        Value::Float(value) => format!("{:016x}", value.to_bits()),
        value => format!("{value:?}"),
    };
    values(array).into_iter().map(show).collect()
}

/// All of a sweep by output row, in which floats show every bit.
pub fn table(swept: &Swept) -> Vec<(u32, i32, Vec<String>)> {
    let columns: Vec<_> = swept.values.iter().flatten().map(bits).collect();
    let row = |row: usize| {
        (
            swept.entity[row],
            swept.date[row],
            columns.iter().map(|column| column[row].clone()).collect(),
        )
    };
    (0..swept.entity.len()).map(row).collect()
}
