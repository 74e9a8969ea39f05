//! Input columns read once into the few forms the accumulators work on.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, Float32Array, LargeStringArray, StringArray,
    StringViewArray,
};
use arrow::buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};

use crate::aggregate::timestamp_unit;
use crate::rank::Ranking;
use crate::{Aggregate, SweepError};

/// A column whose values can be compared, and are numbers where its type is one.
pub(crate) struct Column {
    array: ArrayRef,
    values: Values,
    numbers: Option<Numbers>,
    nulls: Option<NullBuffer>,
}

/// The values of a column, by how they compare. Slots of NULL rows hold anything.
enum Values {
    /// With -0.0 as 0.0 and every NaN as the same one.
    Float(ScalarBuffer<f64>),
    /// Integers, dates and timestamps.
    Integer(ScalarBuffer<i64>),
    /// Compared as they are, computed with as 64-bit floats.
    Decimal(ScalarBuffer<i128>, ScalarBuffer<f64>),
    Boolean(BooleanBuffer),
    Text(StringArray),
    LargeText(LargeStringArray),
    TextView(StringViewArray),
}

/// The values of a column of numbers.
pub(crate) enum Numbers {
    Float(ScalarBuffer<f64>),
    Integer(ScalarBuffer<i64>),
}

impl Numbers {
    /// The value of a row as a 64-bit float.
    pub(crate) fn float(&self, row: usize) -> f64 {
        match self {
            Numbers::Float(values) => values[row],
            Numbers::Integer(values) => values[row] as f64,
        }
    }
}

impl Column {
    /// Reads an array for an aggregate, whose [`Aggregate::output_type`] has accepted its type.
    pub(crate) fn new(array: &ArrayRef, aggregate: Aggregate) -> Result<Self, SweepError> {
        let mut array = Arc::clone(array);
        let values = match array.data_type() {
            DataType::Float64 => {
                let floats = array.as_primitive::<Float64Type>();
                // Mostly they are canonical as they come, and need not be copied.
                if !floats.values().iter().all(|&value| is_canonical(value)) {
                    array = Arc::new(floats.unary::<_, Float64Type>(canonical));
                }
                Values::Float(array.as_primitive::<Float64Type>().values().clone())
            }
            DataType::Float32 => {
                let canonical: Float32Array = array
                    .as_primitive::<Float32Type>()
                    .unary(|value| canonical(f64::from(value)) as f32);
                let values = canonical
                    .values()
                    .iter()
                    .map(|&value| f64::from(value))
                    .collect();
                array = Arc::new(canonical);
                Values::Float(values)
            }
            DataType::Boolean => Values::Boolean(array.as_boolean().values().clone()),
            DataType::Utf8 => Values::Text(array.as_string::<i32>().clone()),
            DataType::LargeUtf8 => Values::LargeText(array.as_string::<i64>().clone()),
            DataType::Utf8View => Values::TextView(array.as_string_view().clone()),
            DataType::Decimal128(_, scale) => decimals(&array, *scale),
            _ => Values::Integer(integers(&array, aggregate)?),
        };
        let numbers = numbers(&values, array.data_type());
        let nulls = array.logical_nulls();
        Ok(Self {
            array,
            values,
            numbers,
            nulls,
        })
    }

    /// The array, with its floats made canonical.
    pub(crate) fn array(&self) -> &ArrayRef {
        &self.array
    }

    /// The values as numbers; none of a column of another type.
    pub(crate) fn numbers(&self) -> Option<&Numbers> {
        self.numbers.as_ref()
    }

    /// Whether a row is not NULL.
    pub(crate) fn is_valid(&self, row: usize) -> bool {
        self.nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row))
    }

    /// The values of a 64-bit float column, as they are put out.
    pub(crate) fn floats(&self) -> Option<&[f64]> {
        match &self.values {
            Values::Float(values) if self.array.data_type() == &DataType::Float64 => Some(values),
            _ => None,
        }
    }

    /// The values of a 64-bit integer or timestamp column, as they are put out.
    pub(crate) fn integers(&self) -> Option<&[i64]> {
        match &self.values {
            Values::Integer(values) => {
                let data_type = self.array.data_type();
                let is_native =
                    data_type == &DataType::Int64 || timestamp_unit(data_type).is_some();
                is_native.then_some(&values[..])
            }
            _ => None,
        }
    }

    /// Ranks the values of some rows; rows of one rank are equal in both `prefix` and value.
    pub(crate) fn rank<P: Ord + Copy>(
        &self,
        rows: Range<usize>,
        prefix: impl Fn(usize) -> P,
        into: &mut Ranking,
    ) {
        match &self.values {
            Values::Float(values) => {
                self.rank_by(rows, |row| (prefix(row), order_key(values[row])), into)
            }
            Values::Integer(values) => self.rank_by(rows, |row| (prefix(row), values[row]), into),
            Values::Decimal(values, _) => {
                self.rank_by(rows, |row| (prefix(row), values[row]), into)
            }
            Values::Boolean(values) => {
                self.rank_by(rows, |row| (prefix(row), values.value(row)), into)
            }
            Values::Text(values) => {
                self.rank_by(rows, |row| (prefix(row), values.value(row)), into)
            }
            Values::LargeText(values) => {
                self.rank_by(rows, |row| (prefix(row), values.value(row)), into)
            }
            Values::TextView(values) => {
                self.rank_by(rows, |row| (prefix(row), values.value(row)), into)
            }
        }
    }

    fn rank_by<K: Ord + Copy>(
        &self,
        rows: Range<usize>,
        key: impl Fn(usize) -> K,
        into: &mut Ranking,
    ) {
        into.rank(rows.map(|row| self.is_valid(row).then(|| key(row))));
    }
}

fn numbers(values: &Values, data_type: &DataType) -> Option<Numbers> {
    let is_number = !matches!(data_type, DataType::Date32 | DataType::Timestamp(_, _));
    match values {
        Values::Float(values) | Values::Decimal(_, values) => Some(Numbers::Float(values.clone())),
        Values::Integer(values) if is_number => Some(Numbers::Integer(values.clone())),
        _ => None,
    }
}

/// One bit pattern for both zeros, and one for every NaN.
pub(crate) fn canonical(value: f64) -> f64 {
    if value.is_nan() {
        f64::NAN
    } else if value == 0.0 {
        0.0
    } else {
        value
    }
}

fn is_canonical(value: f64) -> bool {
    value.to_bits() == canonical(value).to_bits()
}

/// An integer that orders as the canonical float does, with NaN above all numbers.
fn order_key(value: f64) -> i64 {
    let bits = value.to_bits() as i64;
    bits ^ (((bits >> 63) as u64) >> 1) as i64
}

fn decimals(array: &ArrayRef, scale: i8) -> Values {
    let values = array.as_primitive::<Decimal128Type>().values();
    let divisor = 10_f64.powi(i32::from(scale));
    let floats = values
        .iter()
        .map(|&value| canonical(value as f64 / divisor))
        .collect();
    Values::Decimal(values.clone(), floats)
}

fn integers(array: &ArrayRef, aggregate: Aggregate) -> Result<ScalarBuffer<i64>, SweepError> {
    let values = match array.data_type() {
        DataType::Int8 => widened::<Int8Type>(array),
        DataType::Int16 => widened::<Int16Type>(array),
        DataType::Int32 => widened::<Int32Type>(array),
        DataType::Int64 => array.as_primitive::<Int64Type>().values().clone(),
        DataType::UInt8 => widened::<UInt8Type>(array),
        DataType::UInt16 => widened::<UInt16Type>(array),
        DataType::UInt32 => widened::<UInt32Type>(array),
        DataType::UInt64 => return unsigned(array, aggregate),
        DataType::Date32 => widened::<Date32Type>(array),
        data_type => match timestamp_unit(data_type) {
            Some(TimeUnit::Second) => array.as_primitive::<TimestampSecondType>().values().clone(),
            Some(TimeUnit::Millisecond) => array
                .as_primitive::<TimestampMillisecondType>()
                .values()
                .clone(),
            Some(TimeUnit::Microsecond) => array
                .as_primitive::<TimestampMicrosecondType>()
                .values()
                .clone(),
            Some(TimeUnit::Nanosecond) => array
                .as_primitive::<TimestampNanosecondType>()
                .values()
                .clone(),
            None => {
                let expected = "a type that can be ordered";
                return Err(SweepError::UnsupportedType {
                    aggregate,
                    data_type: data_type.clone(),
                    expected,
                });
            }
        },
    };
    Ok(values)
}

fn widened<T: ArrowPrimitiveType>(array: &ArrayRef) -> ScalarBuffer<i64>
where
    i64: From<T::Native>,
{
    array
        .as_primitive::<T>()
        .values()
        .iter()
        .map(|&value| i64::from(value))
        .collect()
}

fn unsigned(array: &ArrayRef, aggregate: Aggregate) -> Result<ScalarBuffer<i64>, SweepError> {
    let array = array.as_primitive::<UInt64Type>();
    let read = |(row, value): (usize, Option<u64>)| {
        let value = value.unwrap_or(0);
        i64::try_from(value).map_err(|_| SweepError::ValueOutOfRange {
            aggregate,
            row,
            value,
        })
    };
    array.iter().enumerate().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_order_as_floats_do_with_nan_last() {
        let sorted = [
            f64::NEG_INFINITY,
            -1.5,
            -f64::MIN_POSITIVE,
            0.0,
            5e-324,
            2.0,
            f64::INFINITY,
            f64::NAN,
        ];
        let keys = sorted.map(|value| order_key(canonical(value)));
        assert!(keys.windows(2).all(|pair| pair[0] < pair[1]), "{keys:?}");
    }

    #[test]
    fn zeros_and_nans_become_one() {
        assert_eq!(canonical(-0.0).to_bits(), 0.0_f64.to_bits());
        assert_eq!(canonical(-f64::NAN).to_bits(), f64::NAN.to_bits());
    }
}
