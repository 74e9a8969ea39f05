//! The values of rows, hashed and compared where they lie, without a copy.

use std::hash::{BuildHasher, Hash};

use arrow::array::{
    Array, ArrayAccessor, ArrayRef, AsArray, BooleanArray, Int32Array, Int64Array, RecordBatch,
    StringArray,
};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::{
    DataType, Date32Type, Float64Type, Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType,
};
use arrow::error::ArrowError;
use arrow::util::display::array_value_to_string;
use safra_project::Source;

use super::merge::arrow_error;
use crate::LakeError;

/// Some columns of the rows of a batch. Values are the same when their bits are, and NULL is the same as NULL.
pub(super) struct RowValues {
    columns: Vec<Values>,
    rows: usize,
}

/// The values of a column. What is not text is told apart by its bits, in the array of integers that has them.
enum Values {
    Text(StringArray),
    Long(Int64Array),
    Short(Int32Array),
    Boolean(BooleanArray),
}

impl RowValues {
    /// The key columns of a source.
    pub(super) fn of_key(source: &Source, batch: &RecordBatch) -> Result<Self, LakeError> {
        let columns = source.key.iter();
        let columns = columns.filter_map(|name| batch.column_by_name(name));
        Self::of(columns, batch.num_rows()).map_err(|error| arrow_error(&source.name, error))
    }

    /// All columns of a table.
    pub(super) fn of_all(table: &str, batch: &RecordBatch) -> Result<Self, LakeError> {
        Self::of(batch.columns(), batch.num_rows()).map_err(|error| arrow_error(table, error))
    }

    /// A column as text, so that it can be compared with one of another type.
    pub(super) fn of_texts(column: &ArrayRef) -> Self {
        Self {
            rows: column.len(),
            columns: vec![Values::Text(texts(column))],
        }
    }

    /// These columns, of so many rows.
    pub(super) fn of<'a>(
        columns: impl IntoIterator<Item = &'a ArrayRef>,
        rows: usize,
    ) -> Result<Self, ArrowError> {
        let columns = columns.into_iter().map(Values::of);
        Ok(Self {
            columns: columns.collect::<Result<_, _>>()?,
            rows,
        })
    }

    /// Number of the rows.
    pub(super) fn len(&self) -> usize {
        self.rows
    }

    /// A hash of each row.
    pub(super) fn hashes(&self, hasher: &impl BuildHasher) -> Vec<u64> {
        let mut hashes = vec![0; self.rows];
        for column in &self.columns {
            match column {
                Values::Text(values) => add_hashes(hasher, values, &mut hashes),
                Values::Long(values) => add_hashes(hasher, values, &mut hashes),
                Values::Short(values) => add_hashes(hasher, values, &mut hashes),
                Values::Boolean(values) => add_hashes(hasher, values, &mut hashes),
            }
        }
        hashes
    }

    /// Whether a row is the same as another one, of which the same columns are here.
    pub(super) fn is_same(&self, row: usize, other: &Self, other_row: usize) -> bool {
        let mut columns = self.columns.iter().zip(&other.columns);
        columns.all(|(column, other)| column.is_same(row, other, other_row))
    }
}

impl Values {
    /// Of the types that [`super::source_schema`] gives to columns.
    fn of(column: &ArrayRef) -> Result<Self, ArrowError> {
        Ok(match column.data_type() {
            DataType::Utf8 => Self::Text(column.as_string().clone()),
            DataType::Int64 => Self::Long(column.as_primitive::<Int64Type>().clone()),
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                let times = column.as_primitive::<TimestampMicrosecondType>();
                Self::Long(times.reinterpret_cast::<Int64Type>())
            }
            DataType::Float64 => {
                let numbers = column.as_primitive::<Float64Type>();
                let bits = ScalarBuffer::from(numbers.values().inner().clone());
                Self::Long(Int64Array::new(bits, numbers.nulls().cloned()))
            }
            DataType::Date32 => {
                let days = column.as_primitive::<Date32Type>();
                Self::Short(days.reinterpret_cast::<Int32Type>())
            }
            DataType::Boolean => Self::Boolean(column.as_boolean().clone()),
            other => {
                let message = format!("rows cannot be told apart by values of type {other}");
                return Err(ArrowError::NotYetImplemented(message));
            }
        })
    }

    fn is_same(&self, row: usize, other: &Self, other_row: usize) -> bool {
        match (self, other) {
            (Self::Text(own), Self::Text(other)) => at(own, row) == at(other, other_row),
            (Self::Long(own), Self::Long(other)) => at(own, row) == at(other, other_row),
            (Self::Short(own), Self::Short(other)) => at(own, row) == at(other, other_row),
            (Self::Boolean(own), Self::Boolean(other)) => at(own, row) == at(other, other_row),
            _ => false,
        }
    }
}

/// A value as text; `None` for NULL.
pub(super) fn text_at(column: &ArrayRef, row: usize) -> Option<String> {
    match column.is_valid(row) {
        true => array_value_to_string(column, row).ok(),
        false => None,
    }
}

fn texts(column: &ArrayRef) -> StringArray {
    match column.as_string_opt() {
        Some(texts) => texts.clone(),
        None => (0..column.len()).map(|row| text_at(column, row)).collect(),
    }
}

fn at<A: ArrayAccessor + Copy>(values: A, row: usize) -> Option<A::Item> {
    values.is_valid(row).then(|| values.value(row))
}

fn add_hashes<A: ArrayAccessor + Copy>(hasher: &impl BuildHasher, values: A, hashes: &mut [u64])
where
    A::Item: Hash,
{
    for (row, hash) in hashes.iter_mut().enumerate() {
        *hash = hasher.hash_one((*hash, at(values, row)));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Arc;

    use arrow::array::{
        BinaryArray, Date32Array, Float64Array, Int64Array, TimestampMicrosecondArray,
    };
    use hashbrown::DefaultHashBuilder;

    use super::*;

    /// Each column has three rows: a value, another one, and NULL.
    fn columns() -> Vec<ArrayRef> {
        vec![
            Arc::new(StringArray::from(vec![Some("a"), Some(""), None])),
            Arc::new(Int64Array::from(vec![Some(1), Some(0), None])),
            Arc::new(Float64Array::from(vec![Some(-0.0), Some(0.0), None])),
            Arc::new(BooleanArray::from(vec![Some(true), Some(false), None])),
            Arc::new(Date32Array::from(vec![Some(1), Some(0), None])),
            Arc::new(TimestampMicrosecondArray::from(vec![
                Some(1),
                Some(0),
                None,
            ])),
        ]
    }

    #[test]
    fn rows_are_told_apart_by_each_column_and_null_is_itself() {
        let hasher = DefaultHashBuilder::default();
        for column in columns() {
            let values = RowValues::of([&column], 3).unwrap();
            // Of the same values as the whole, from the second row.
            let part = RowValues::of([&column.slice(1, 2)], 2).unwrap();
            let (hashes, of_part) = (values.hashes(&hasher), part.hashes(&hasher));
            for (row, hash) in hashes.iter().enumerate() {
                for (other, of_other) in of_part.iter().enumerate() {
                    let is_same = row == other + 1;
                    assert_eq!(values.is_same(row, &part, other), is_same);
                    assert_eq!(hash == of_other, is_same);
                }
            }
        }
    }

    #[test]
    fn rows_are_the_same_when_all_columns_are() {
        let text: ArrayRef = Arc::new(StringArray::from(vec!["a", "a", "b"]));
        let number: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 2]));
        let values = RowValues::of([&text, &number], 3).unwrap();
        for row in 0..3 {
            for other in 0..3 {
                assert_eq!(values.is_same(row, &values, other), row == other);
            }
        }
    }

    #[test]
    fn values_of_other_types_are_the_same_as_texts() {
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(7), None]));
        let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("7"), None]));
        let (numbers, texts) = (RowValues::of_texts(&numbers), RowValues::of_texts(&texts));
        assert!(numbers.is_same(0, &texts, 0));
        assert!(numbers.is_same(1, &texts, 1));
        assert!(!numbers.is_same(0, &texts, 1));
    }

    #[test]
    fn a_type_that_no_source_has_is_an_error() {
        let bytes: ArrayRef = Arc::new(BinaryArray::from(vec![b"a".as_slice()]));
        let error = RowValues::of([&bytes], 1).err().unwrap();
        assert!(error.to_string().contains("of type Binary"), "{error}");
    }
}
