//! The order of rows by entity and time, in two steps that keep to what fits into the caches of a processor, however many rows there
//! are: the rows of each block go to buckets of neighbouring entities, and then the rows of each bucket are sorted.

use std::ops::Range;

use rayon::prelude::*;
use safra_history::counting_sort::{by_number, starts_of};

/// Rows of a bucket, about, but for those of one entity.
const BUCKET_ROWS: usize = 1 << 16;

/// Of how many rows of an entity it takes several threads to sort them.
const LARGE_ENTITY: usize = 1 << 17;

/// The rows of some blocks, divided into buckets of neighbouring entities.
pub(crate) struct Buckets {
    count: usize,
    blocks: Vec<Block>,
}

/// A block.
struct Block {
    /// Its rows, those of a bucket side by side and in their order.
    order: Vec<u32>,
    /// Where each bucket begins.
    starts: Vec<usize>,
}

impl Buckets {
    /// From the rank of the entity of each row of each block.
    pub(crate) fn of(ranks: &[Vec<u32>]) -> Self {
        let buckets = buckets_of(ranks);
        let count = buckets.last().map_or(0, |last| *last as usize + 1);
        let blocks = ranks.par_iter().map(|ranks| {
            let numbers = ranks.iter().map(|&rank| Some(buckets[rank as usize]));
            let starts = starts_of(numbers.clone(), count);
            let order = by_number(numbers, &starts);
            Block { order, starts }
        });
        let blocks = blocks.collect();
        Self { count, blocks }
    }

    /// The rows of a block, bucket by bucket.
    pub(crate) fn order(&self, block: usize) -> &[u32] {
        &self.blocks[block].order
    }

    /// Where the rows of a bucket are in each block, once blocks are in that order.
    pub(crate) fn places(&self, bucket: usize) -> impl Iterator<Item = Range<usize>> {
        let blocks = self.blocks.iter();
        blocks.map(move |block| block.starts[bucket]..block.starts[bucket + 1])
    }

    /// The values of the rows of a bucket, one block after the other, from blocks in that order, in place of what is there.
    pub(crate) fn gather<T: Copy>(&self, bucket: usize, blocks: &[&[T]], into: &mut Vec<T>) {
        into.clear();
        for (values, place) in blocks.iter().zip(self.places(bucket)) {
            into.extend_from_slice(&values[place]);
        }
    }

    /// For each bucket its rows as [`Buckets::gather`] has them, by the rank of their entity, then time, then as they came. Blocks
    /// are in their order.
    pub(crate) fn sorted(&self, ranks: &[&[u32]], time: &[&[i64]]) -> Vec<Vec<u32>> {
        let buckets = (0..self.count).into_par_iter();
        let sorted = buckets.map_init(
            || (Vec::new(), Vec::new()),
            |(of_bucket, times), bucket| {
                self.gather(bucket, ranks, of_bucket);
                self.gather(bucket, time, times);
                by_entity_and_time(of_bucket, times)
            },
        );
        sorted.collect()
    }
}

/// The bucket of each rank.
fn buckets_of(ranks: &[Vec<u32>]) -> Vec<u32> {
    let all = || ranks.iter().flatten();
    let mut sizes = vec![0_usize; all().max().map_or(0, |last| *last as usize + 1)];
    for &rank in all() {
        sizes[rank as usize] += 1;
    }
    let (mut bucket, mut rows) = (0, 0);
    let of_rank = |size: usize| {
        if rows >= BUCKET_ROWS {
            (bucket, rows) = (bucket + 1, 0);
        }
        rows += size;
        bucket
    };
    sizes.into_iter().map(of_rank).collect()
}

/// The rows by the rank of their entity, which takes no comparisons, then time, then as they came.
fn by_entity_and_time(ranks: &[u32], time: &[i64]) -> Vec<u32> {
    let (first, last) = match (ranks.iter().min(), ranks.iter().max()) {
        (Some(first), Some(last)) => (*first, *last),
        _ => return Vec::new(),
    };
    let numbers = ranks.iter().map(|rank| Some(rank - first));
    let starts = starts_of(numbers.clone(), (last - first) as usize + 1);
    let mut order = by_number(numbers, &starts);
    for bounds in starts.windows(2) {
        let rows = &mut order[bounds[0]..bounds[1]];
        let time = |&row: &u32| time[row as usize];
        match rows.len() < LARGE_ENTITY {
            true => rows.sort_by_key(time),
            false => rows.par_sort_by_key(time),
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_in_the_order_of_entity_time_and_coming() {
        let (ranks, time) = ([2, 0, 2, 2, 0], [5, 9, 3, 5, 1]);
        assert_eq!(by_entity_and_time(&ranks, &time), [4, 1, 2, 0, 3]);
        assert!(by_entity_and_time(&[], &[]).is_empty());
    }

    #[test]
    fn a_bucket_has_whole_entities() {
        let rows = BUCKET_ROWS as u32;
        let small = (0..rows).map(|row| row / 1_000).collect();
        let ranks = [small, vec![80; 10], vec![81; 2 * BUCKET_ROWS], vec![82]];
        let found = buckets_of(&ranks);
        assert_eq!(found.len(), 83);
        assert_eq!(found[..66], [0; 66]);
        assert_eq!(found[80..], [1, 1, 2]);
    }
}
