//! How many rows two tables share, where rows have no key and may repeat.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};
use rayon::prelude::*;

use super::partitions::{Entry, Partitions, partition_count};
use super::row_values::RowValues;

/// Number of the old rows that are among the new ones: of rows that repeat, as many as there are on both sides.
pub(super) fn count_shared(old: &[RowValues], new: &[RowValues]) -> usize {
    let count = partition_count(old.iter().map(RowValues::len).sum());
    count_divided(old, new, count, &DefaultHashBuilder::default())
}

fn count_divided(
    old: &[RowValues],
    new: &[RowValues],
    count: usize,
    hasher: &(impl BuildHasher + Sync),
) -> usize {
    let [old_rows, new_rows] =
        [old, new].map(|batches| Partitions::of(batches, count, hasher, |_| |_| true));
    let count_in = |partition| {
        let mut unmatched = counted(old, &old_rows, partition);
        let new_rows = new_rows.rows(partition);
        let matched = new_rows.filter(|entry| {
            let same = |held: &Counted| held.is_same(old, entry, new);
            let held = unmatched.find_mut(entry.hash, same);
            held.is_some_and(Counted::take_one)
        });
        matched.count()
    };
    (0..count).into_par_iter().map(count_in).sum()
}

/// The first of rows that repeat, and how many of them are left.
struct Counted {
    first: Entry,
    left: usize,
}

impl Counted {
    fn is_same(&self, own: &[RowValues], other: &Entry, others: &[RowValues]) -> bool {
        let (batch, row) = self.first.place();
        let (other_batch, other_row) = other.place();
        self.first.hash == other.hash && own[batch].is_same(row, &others[other_batch], other_row)
    }

    fn take_one(&mut self) -> bool {
        let is_left = self.left > 0;
        self.left -= usize::from(is_left);
        is_left
    }
}

fn counted(batches: &[RowValues], rows: &Partitions, partition: usize) -> HashTable<Counted> {
    let mut table: HashTable<Counted> = HashTable::with_capacity(rows.rows_in(partition));
    for entry in rows.rows(partition) {
        let same = |held: &Counted| held.is_same(batches, &entry, batches);
        match table.find_mut(entry.hash, same) {
            Some(held) => held.left += 1,
            None => {
                let counted = Counted {
                    first: entry,
                    left: 1,
                };
                table.insert_unique(entry.hash, counted, |counted| counted.first.hash);
            }
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::super::samples::{Colliding, batches, values};
    use super::*;

    proptest! {
        #[test]
        fn rows_that_repeat_are_shared_as_often_as_both_have_them(
            old in batches(),
            new in batches(),
            partitions in 1..9_usize,
        ) {
            let mut left = HashMap::new();
            for row in old.concat() {
                *left.entry(row).or_insert(0) += 1;
            }
            let mut expected = 0;
            for row in new.concat() {
                if let Some(left) = left.get_mut(&row).filter(|left| **left > 0) {
                    *left -= 1;
                    expected += 1;
                }
            }
            let [old, new] = [&old, &new]
                .map(|batches| batches.iter().map(|rows| values(rows)).collect::<Vec<_>>());
            prop_assert_eq!(count_shared(&old, &new), expected);
            let hasher = DefaultHashBuilder::default();
            prop_assert_eq!(count_divided(&old, &new, partitions, &hasher), expected);
            prop_assert_eq!(count_divided(&old, &new, partitions, &Colliding), expected);
        }
    }
}
