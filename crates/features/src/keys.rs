//! Rows by key.

use std::hash::BuildHasher;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use arrow::row::{RowConverter, Rows, SortField};
use datafusion::common::Result;
use hashbrown::{DefaultHashBuilder, HashTable};

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
        let kinds = columns.iter().map(|column| column.data_type().clone());
        let mut numbering = Numbering::new(kinds)?;
        let mut numbers = Vec::with_capacity(rows);
        numbering.number(columns, 0..rows, &mut numbers)?;
        Ok(Self {
            distinct: numbering.columns()?,
            numbers,
            count: numbering.distinct.num_rows(),
        })
    }
}

/// Keys of at least one column that come batch by batch, numbered in the order in which they come.
pub(crate) struct Numbering {
    converter: RowConverter,
    distinct: Rows,
    numbers: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl Numbering {
    pub(crate) fn new(kinds: impl IntoIterator<Item = DataType>) -> Result<Self> {
        let converter = RowConverter::new(kinds.into_iter().map(SortField::new).collect())?;
        Ok(Self {
            distinct: converter.empty_rows(0, 0),
            converter,
            numbers: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
        })
    }

    /// Appends the numbers of the keys of some rows of a batch.
    pub(crate) fn number(
        &mut self,
        columns: &[ArrayRef],
        rows: impl IntoIterator<Item = usize>,
        numbers: &mut Vec<u32>,
    ) -> Result<()> {
        let converted = self.converter.convert_columns(columns)?;
        let Self {
            distinct,
            numbers: known,
            hasher,
            ..
        } = self;
        for row in rows {
            let key = converted.row(row);
            let hash = hasher.hash_one(key.data());
            let same = |number: &u32| distinct.row(*number as usize) == key;
            numbers.push(match known.find(hash, same) {
                Some(number) => *number,
                None => {
                    let next = distinct.num_rows() as u32;
                    distinct.push(key);
                    let rehash =
                        |number: &u32| hasher.hash_one(distinct.row(*number as usize).data());
                    known.insert_unique(hash, next, rehash);
                    next
                }
            });
        }
        Ok(())
    }

    /// The columns of the distinct keys, by number.
    pub(crate) fn columns(&self) -> Result<Vec<ArrayRef>> {
        Ok(self.converter.convert_rows(&self.distinct)?)
    }
}
