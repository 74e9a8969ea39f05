//! Rows by key.

use arrow::array::{ArrayRef, UInt32Array};
use arrow::compute::take;
use arrow::row::{RowConverter, SortField};
use datafusion::common::Result;
use hashbrown::HashMap;

/// The distinct keys of some rows.
pub(crate) struct Keys {
    /// The columns of the keys: one row a key, in the order in which they came; the index is the key's number.
    pub distinct: Vec<ArrayRef>,
    /// For each row the number of its key.
    pub numbers: Vec<u32>,
    /// How many there are.
    pub count: usize,
}

impl Keys {
    /// Numbers the keys of so many rows. NULLs are equal; without columns all rows have
    /// the same key.
    pub(crate) fn of(columns: &[ArrayRef], rows: usize) -> Result<Self> {
        if columns.is_empty() {
            return Ok(Self {
                distinct: Vec::new(),
                numbers: vec![0; rows],
                count: rows.min(1),
            });
        }
        let fields = columns
            .iter()
            .map(|column| SortField::new(column.data_type().clone()))
            .collect();
        let converted = RowConverter::new(fields)?.convert_columns(columns)?;
        let mut seen: HashMap<&[u8], u32> = HashMap::new();
        let mut first_rows: Vec<u32> = Vec::new();
        let mut numbers: Vec<u32> = Vec::with_capacity(rows);
        for row in 0..rows {
            let next = first_rows.len() as u32;
            let number = *seen.entry(converted.row(row).data()).or_insert(next);
            if number == next {
                first_rows.push(row as u32);
            }
            numbers.push(number);
        }
        let count = first_rows.len();
        let firsts = UInt32Array::from(first_rows);
        let distinct = columns.iter().map(|column| take(column, &firsts, None));
        Ok(Self {
            distinct: distinct.collect::<std::result::Result<_, _>>()?,
            numbers,
            count,
        })
    }
}
