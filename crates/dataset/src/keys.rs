//! Rows found by the values of some of their columns.

use arrow::array::{ArrayRef, RecordBatch, UInt32Array};
use arrow::error::ArrowError;
use arrow::row::{RowConverter, Rows, SortField};
use hashbrown::HashMap;

/// The key columns of a table, comparable with those of another table of the same types.
pub(crate) struct Keys {
    rows: Rows,
}

impl Keys {
    /// The named columns of several tables at once, so that their keys can be compared. Columns must be there.
    pub(crate) fn of<const N: usize>(
        tables: [&RecordBatch; N],
        names: &[String],
    ) -> Result<[Self; N], ArrowError> {
        let columns = |table: &RecordBatch| -> Result<Vec<ArrayRef>, ArrowError> {
            names
                .iter()
                .map(|name| Ok(table.column(table.schema_ref().index_of(name)?).clone()))
                .collect()
        };
        let fields = columns(tables[0])?
            .iter()
            .map(|column| SortField::new(column.data_type().clone()))
            .collect();
        let converter = RowConverter::new(fields)?;
        let mut keys = Vec::with_capacity(N);
        for table in tables {
            keys.push(Self {
                rows: converter.convert_columns(&columns(table)?)?,
            });
        }
        keys.try_into()
            .map_err(|_| ArrowError::ComputeError("a table without keys".into()))
    }

    /// For each row of `self`, the row of `other` with the same key, NULL where there is none.
    pub(crate) fn find_in(&self, other: &Self) -> UInt32Array {
        let places: HashMap<&[u8], u32> = (0..other.rows.num_rows())
            .map(|row| (other.rows.row(row).data(), row as u32))
            .collect();
        (0..self.rows.num_rows())
            .map(|row| places.get(self.rows.row(row).data()).copied())
            .collect()
    }

    /// The first row whose key an earlier row has already.
    pub(crate) fn first_repeated(&self) -> Option<usize> {
        let mut seen = std::collections::HashSet::new();
        (0..self.rows.num_rows()).find(|&row| !seen.insert(self.rows.row(row).data()))
    }

    /// The rows in ascending order of their keys.
    pub(crate) fn order(&self) -> UInt32Array {
        let mut order: Vec<u32> = (0..self.rows.num_rows() as u32).collect();
        order.sort_by_key(|&row| self.rows.row(row as usize));
        UInt32Array::from(order)
    }
}
