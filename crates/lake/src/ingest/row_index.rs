//! Rows found by their values: by a key, by a column that others refer to, or as a whole.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};
use rayon::prelude::*;

use super::partitions::{Entry, Partitions, Place, partition_count, partition_of};
use super::row_values::RowValues;

/// Rows of many batches by their values; of rows with the same values, the first. It holds places, and no copy of the values.
pub(super) struct RowIndex<S = DefaultHashBuilder> {
    batches: Vec<RowValues>,
    partitions: Vec<HashTable<Entry>>,
    hasher: S,
}

/// A row that is not in an index, since it has the same values as an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Repeated {
    pub place: Place,
    pub first: Place,
}

impl<S: BuildHasher + Default + Sync> RowIndex<S> {
    /// The rows of these batches.
    pub(super) fn of(batches: Vec<RowValues>) -> Self {
        Self::of_wanted(batches, |_| |_| true).0
    }

    /// The rows of these batches that are wanted, and those of them that have the same values as an earlier one, in their order.
    /// `wanted` is asked for each batch, and what it returns for each row of it.
    pub(super) fn of_wanted<W: Fn(usize) -> bool>(
        batches: Vec<RowValues>,
        wanted: impl Fn(usize) -> W + Sync,
    ) -> (Self, Vec<Repeated>) {
        let count = partition_count(batches.iter().map(RowValues::len).sum());
        Self::divided(batches, count, wanted)
    }

    fn divided<W: Fn(usize) -> bool>(
        batches: Vec<RowValues>,
        count: usize,
        wanted: impl Fn(usize) -> W + Sync,
    ) -> (Self, Vec<Repeated>) {
        let hasher = S::default();
        let divided = Partitions::of(&batches, count, &hasher, wanted);
        let tables = (0..count).into_par_iter();
        let (partitions, repeated): (Vec<_>, Vec<_>) = tables
            .map(|partition| table_of(&batches, &divided, partition))
            .unzip();
        let mut repeated = repeated.concat();
        repeated.par_sort_unstable();
        let index = Self {
            batches,
            partitions,
            hasher,
        };
        (index, repeated)
    }

    /// For each of these rows the one here that has the same values.
    pub(super) fn find(&self, rows: &RowValues) -> Vec<Option<Place>> {
        let hashes = rows.hashes(&self.hasher);
        // Hashes first and values afterwards, so that a processor can wait for the memory of many rows at once.
        let likely: Vec<Option<Entry>> = hashes
            .iter()
            .map(|&hash| {
                let held = self.table(hash).find(hash, |entry| entry.hash == hash);
                held.copied()
            })
            .collect();
        let found = likely.into_iter().zip(hashes).enumerate();
        let found = found.map(|(row, (likely, hash))| {
            let same = |entry: &Entry| is_same(&self.batches, entry, hash, rows, row);
            let entry = match likely? {
                likely if same(&likely) => likely,
                _ => *self.table(hash).find(hash, same)?,
            };
            Some(entry.place())
        });
        found.collect()
    }

    fn table(&self, hash: u64) -> &HashTable<Entry> {
        &self.partitions[partition_of(hash, self.partitions.len())]
    }
}

/// The table of a partition, and its rows that have no place there.
fn table_of(
    batches: &[RowValues],
    divided: &Partitions,
    partition: usize,
) -> (HashTable<Entry>, Vec<Repeated>) {
    let mut table = HashTable::with_capacity(divided.rows_in(partition));
    let mut repeated = Vec::new();
    for entry in divided.rows(partition) {
        let (batch, row) = entry.place();
        let same = |other: &Entry| is_same(batches, other, entry.hash, &batches[batch], row);
        match table.find(entry.hash, same) {
            Some(first) => repeated.push(Repeated {
                place: entry.place(),
                first: first.place(),
            }),
            None => drop(table.insert_unique(entry.hash, entry, |entry| entry.hash)),
        }
    }
    table.shrink_to_fit(|entry| entry.hash);
    (table, repeated)
}

/// Whether an entry is of a row with the same values. Values are looked at only where the hash is the same.
fn is_same(batches: &[RowValues], entry: &Entry, hash: u64, rows: &RowValues, row: usize) -> bool {
    let (batch, held) = entry.place();
    entry.hash == hash && batches[batch].is_same(held, rows, row)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::super::samples::{Colliding, Row, batches, values};
    use super::*;

    /// What is not wanted of the rows below: every `of`-th, counted over all batches.
    #[derive(Debug, Clone, Copy)]
    struct LeftOut {
        of: usize,
    }

    /// Compares an index with what a map says of the same rows.
    fn agrees_with_a_map<S: BuildHasher + Default + Sync>(
        rows: &[Vec<Row>],
        asked: &[Row],
        partitions: usize,
        left_out: LeftOut,
    ) {
        let starts: Vec<usize> = rows
            .iter()
            .scan(0, |next, batch| {
                Some(std::mem::replace(next, *next + batch.len()))
            })
            .collect();
        let is_wanted = |(batch, row): Place| !(starts[batch] + row).is_multiple_of(left_out.of);
        let (mut first, mut repeated) = (HashMap::new(), Vec::new());
        for (batch, rows) in rows.iter().enumerate() {
            for (number, row) in rows.iter().enumerate() {
                let place = (batch, number);
                match first.get(row) {
                    _ if !is_wanted(place) => {}
                    Some(&first) => repeated.push(Repeated { place, first }),
                    None => drop(first.insert(*row, place)),
                }
            }
        }
        let held = rows.iter().map(|rows| values(rows)).collect();
        let is_wanted = &is_wanted;
        let wanted = |batch| move |row| is_wanted((batch, row));
        let (index, found) = RowIndex::<S>::divided(held, partitions, wanted);
        assert_eq!(found, repeated);
        let expected: Vec<Option<Place>> =
            asked.iter().map(|row| first.get(row).copied()).collect();
        assert_eq!(index.find(&values(asked)), expected);
    }

    proptest! {
        #[test]
        fn it_finds_what_a_map_finds(
            rows in batches(),
            asked in batches(),
            partitions in 1..9_usize,
            of in 1..9_usize,
        ) {
            let (asked, left_out) = (asked.concat(), LeftOut { of });
            agrees_with_a_map::<DefaultHashBuilder>(&rows, &asked, partitions, left_out);
            agrees_with_a_map::<Colliding>(&rows, &asked, partitions, left_out);
        }
    }

    #[test]
    fn keys_of_many_partitions_are_found_across_batches() {
        const ROWS: i64 = 100_000;
        let batch = |start: i64| {
            let numbers = (start..start + ROWS).collect::<arrow::array::Int64Array>();
            RowValues::of_texts(&(std::sync::Arc::new(numbers) as arrow::array::ArrayRef))
        };
        // The second half of the first batch comes again in the second one.
        let half = ROWS as usize / 2;
        let (index, repeated) =
            RowIndex::<DefaultHashBuilder>::of_wanted(vec![batch(0), batch(ROWS / 2)], |_| {
                |_| true
            });
        assert!(index.partitions.len() > 4);
        let expected = (0..half).map(|row| Repeated {
            place: (1, row),
            first: (0, half + row),
        });
        assert!(repeated.into_iter().eq(expected));
        let found = index.find(&batch(ROWS));
        let expected = (0..2 * half).map(|row| (row < half).then_some((1, half + row)));
        assert!(found.into_iter().eq(expected));
    }
}
