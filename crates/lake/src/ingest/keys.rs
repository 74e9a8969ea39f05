//! Rows found by their key.

use std::hash::BuildHasher;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::error::ArrowError;
use arrow::row::{RowConverter, Rows, SortField};
use hashbrown::{DefaultHashBuilder, HashTable};
use safra_project::Source;

use super::merge::arrow_error;
use crate::LakeError;

/// Where a row is: the number of its batch, and of the row in it.
pub(super) type Place = (usize, usize);

/// Some columns of some rows, as bytes that are equal when the values are.
pub(super) struct RowKeys {
    rows: Rows,
}

impl RowKeys {
    /// The key columns of a source.
    pub(super) fn of_key(source: &Source, batch: &RecordBatch) -> Result<Self, LakeError> {
        let columns = source
            .key
            .iter()
            .filter_map(|name| batch.column_by_name(name).cloned())
            .collect();
        Self::of(columns).map_err(|error| arrow_error(&source.name, error))
    }

    pub(super) fn of_all(table: &str, batch: &RecordBatch) -> Result<Self, LakeError> {
        Self::of(batch.columns().to_vec()).map_err(|error| arrow_error(table, error))
    }

    fn of(columns: Vec<ArrayRef>) -> Result<Self, ArrowError> {
        let fields = columns
            .iter()
            .map(|column| SortField::new(column.data_type().clone()))
            .collect();
        Ok(Self {
            rows: RowConverter::new(fields)?.convert_columns(&columns)?,
        })
    }

    pub(super) fn bytes(&self, row: usize) -> &[u8] {
        self.rows.row(row).data()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.rows.num_rows()).map(|row| self.bytes(row))
    }
}

/// Rows of many batches by their key. It holds places, and the keys only once.
#[derive(Default)]
pub(super) struct KeyIndex {
    keys: Vec<RowKeys>,
    places: HashTable<Place>,
    hasher: DefaultHashBuilder,
}

impl KeyIndex {
    /// The rows of these batches; of rows with the same key, the first.
    pub(super) fn of(source: &Source, batches: &[RecordBatch]) -> Result<Self, LakeError> {
        let mut index = Self::default();
        for batch in batches {
            index.insert_all(RowKeys::of_key(source, batch)?, |_| true, |_, _| ());
        }
        Ok(index)
    }

    /// Adds the rows of the next batch that are `wanted`. A row whose key is there already is not added; `duplicate` is told
    /// its number and the place of the one that is there.
    pub(super) fn insert_all(
        &mut self,
        keys: RowKeys,
        wanted: impl Fn(usize) -> bool,
        mut duplicate: impl FnMut(usize, Place),
    ) {
        let batch = self.keys.len();
        let rows = keys.rows.num_rows();
        self.keys.push(keys);
        let Self {
            keys,
            places,
            hasher,
        } = self;
        let bytes = |&(batch, row): &Place| keys[batch].bytes(row);
        for row in (0..rows).filter(|&row| wanted(row)) {
            let key = keys[batch].bytes(row);
            let hash = hasher.hash_one(key);
            match places.find(hash, |place| bytes(place) == key) {
                Some(&earlier) => duplicate(row, earlier),
                None => {
                    places.insert_unique(hash, (batch, row), |place| hasher.hash_one(bytes(place)));
                }
            }
        }
    }

    /// The row with this key.
    pub(super) fn find(&self, key: &[u8]) -> Option<Place> {
        let same = |&(batch, row): &Place| self.keys[batch].bytes(row) == key;
        self.places.find(self.hasher.hash_one(key), same).copied()
    }
}
