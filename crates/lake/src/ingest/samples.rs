//! Rows, and hashes that collide, for the tests of what tells rows apart.

#![allow(clippy::unwrap_used)]

use std::hash::{BuildHasher, DefaultHasher, Hasher};
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, StringArray};
use proptest::prelude::*;

use super::row_values::RowValues;

/// A row: a text and a number, of few values.
pub(super) type Row = (Option<u8>, Option<i8>);

/// Batches of rows, some of them without any.
pub(super) fn batches() -> impl Strategy<Value = Vec<Vec<Row>>> {
    let row = (prop::option::of(0..6_u8), prop::option::of(-1..2_i8));
    prop::collection::vec(prop::collection::vec(row, 0..30), 0..6)
}

/// The values of the rows of a batch.
pub(super) fn values(rows: &[Row]) -> RowValues {
    let texts: StringArray = rows
        .iter()
        .map(|(text, _)| text.map(|text| "x".repeat(usize::from(text))))
        .collect();
    let numbers: Float64Array = rows
        .iter()
        .map(|(_, number)| number.map(f64::from))
        .collect();
    let columns: [ArrayRef; 2] = [Arc::new(texts), Arc::new(numbers)];
    RowValues::of(&columns, rows.len()).unwrap()
}

/// Hashes of which there are only a few, so that rows with other values have the same one.
#[derive(Default)]
pub(super) struct Colliding;

pub(super) struct FewHashes(DefaultHasher);

impl BuildHasher for Colliding {
    type Hasher = FewHashes;

    fn build_hasher(&self) -> FewHashes {
        FewHashes(DefaultHasher::new())
    }
}

impl Hasher for FewHashes {
    fn finish(&self) -> u64 {
        (self.0.finish() % 3) << 50
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }
}
