//! Rows of many batches, divided by their hash into partitions that are small enough for the caches of a processor. Rows with the
//! same values are in the same partition, so that what is to be known of each row can be found partition by partition, by all
//! threads, and takes as long a row for many rows as for few.

use std::hash::BuildHasher;

use rayon::prelude::*;

use super::row_values::RowValues;

/// Rows of a partition, on average. With them a table of entries is three quarters full, and half a MiB large.
const PARTITION_ROWS: usize = 24_000;

/// Where a row is: the number of its batch, and of the row in it.
pub(super) type Place = (usize, usize);

/// A row and its hash.
#[derive(Clone, Copy, Default)]
pub(super) struct Entry {
    pub hash: u64,
    /// The place, in half its size: so many batches, or rows of a batch, do not fit into memory.
    batch: u32,
    row: u32,
}

impl Entry {
    fn new(hash: u64, (batch, row): Place) -> Self {
        Self {
            hash,
            batch: batch as u32,
            row: row as u32,
        }
    }

    pub(super) fn place(&self) -> Place {
        (self.batch as usize, self.row as usize)
    }
}

/// How many partitions there are for so many rows.
pub(super) fn partition_count(rows: usize) -> usize {
    rows.div_ceil(PARTITION_ROWS).max(1)
}

/// The partition of a hash. It is chosen by the middle of the hash: hash tables look at both ends.
pub(super) fn partition_of(hash: u64, partitions: usize) -> usize {
    let middle = (hash >> 20) & u64::from(u32::MAX);
    ((middle * partitions as u64) >> 32) as usize
}

/// Rows by partition, and in a partition in their order.
pub(super) struct Partitions {
    /// Of each batch the rows, those of a partition side by side.
    batches: Vec<Sorted>,
}

/// Rows of a batch by partition.
struct Sorted {
    entries: Vec<Entry>,
    /// Where each partition ends.
    ends: Vec<u32>,
}

impl Partitions {
    /// Divides the rows that are wanted; `wanted` is asked for each batch, and what it returns for each row of it.
    pub(super) fn of<W: Fn(usize) -> bool>(
        batches: &[RowValues],
        count: usize,
        hasher: &(impl BuildHasher + Sync),
        wanted: impl Fn(usize) -> W + Sync,
    ) -> Self {
        let sorted = |(batch, values): (usize, &RowValues)| {
            let (hashes, wanted) = (values.hashes(hasher), wanted(batch));
            let rows = hashes.into_iter().enumerate();
            let rows = rows.filter(|(row, _)| wanted(*row));
            let entries = rows.map(|(row, hash)| Entry::new(hash, (batch, row)));
            Sorted::new(&entries.collect::<Vec<_>>(), count)
        };
        Self {
            batches: batches.par_iter().enumerate().map(sorted).collect(),
        }
    }

    /// Number of rows in a partition.
    pub(super) fn rows_in(&self, partition: usize) -> usize {
        let batches = self.batches.iter();
        batches.map(|batch| batch.of(partition).len()).sum()
    }

    /// The rows of a partition, in their order.
    pub(super) fn rows(&self, partition: usize) -> impl Iterator<Item = Entry> {
        let batches = self.batches.iter();
        batches.flat_map(move |batch| batch.of(partition).iter().copied())
    }
}

impl Sorted {
    fn new(entries: &[Entry], partitions: usize) -> Self {
        let mut ends = vec![0; partitions];
        for entry in entries {
            ends[partition_of(entry.hash, partitions)] += 1;
        }
        let mut before = 0;
        for end in &mut ends {
            // Where the partition starts, until its entries are counted up to its end.
            before += std::mem::replace(end, before);
        }
        let mut sorted = vec![Entry::default(); entries.len()];
        for entry in entries {
            let end = &mut ends[partition_of(entry.hash, partitions)];
            sorted[*end as usize] = *entry;
            *end += 1;
        }
        Self {
            entries: sorted,
            ends,
        }
    }

    fn of(&self, partition: usize) -> &[Entry] {
        let start = match partition {
            0 => 0,
            _ => self.ends[partition - 1],
        };
        &self.entries[start as usize..self.ends[partition] as usize]
    }
}
