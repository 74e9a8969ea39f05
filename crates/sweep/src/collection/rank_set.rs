//! A set of ranks that finds its first, last and neighbouring members.

const BITS: usize = u64::BITS as usize;

/// A bit for each rank, and above it a bit for each word that has one set, up to a single word.
#[derive(Default)]
pub(crate) struct RankSet {
    levels: Vec<Vec<u64>>,
}

impl RankSet {
    /// Becomes the empty set of ranks below `size`.
    pub(crate) fn begin(&mut self, size: usize) {
        let mut words = size.div_ceil(BITS).max(1);
        let mut depth = 0;
        loop {
            if self.levels.len() == depth {
                self.levels.push(Vec::new());
            }
            self.levels[depth].clear();
            self.levels[depth].resize(words, 0);
            depth += 1;
            if words == 1 {
                break;
            }
            words = words.div_ceil(BITS);
        }
        self.levels.truncate(depth);
    }

    pub(crate) fn insert(&mut self, rank: usize) {
        let mut index = rank;
        for level in &mut self.levels {
            let word = &mut level[index / BITS];
            let was_empty = *word == 0;
            *word |= 1 << (index % BITS);
            if !was_empty {
                break;
            }
            index /= BITS;
        }
    }

    pub(crate) fn remove(&mut self, rank: usize) {
        let mut index = rank;
        for level in &mut self.levels {
            let word = &mut level[index / BITS];
            *word &= !(1 << (index % BITS));
            if *word != 0 {
                break;
            }
            index /= BITS;
        }
    }

    /// The smallest member.
    pub(crate) fn first(&self) -> Option<usize> {
        let top = self.levels.last()?[0];
        (top != 0).then(|| self.lowest_under(self.levels.len() - 1, top.trailing_zeros() as usize))
    }

    /// The largest member.
    pub(crate) fn last(&self) -> Option<usize> {
        let top = self.levels.last()?[0];
        (top != 0).then(|| self.highest_under(self.levels.len() - 1, top.ilog2() as usize))
    }

    /// The smallest member above a rank.
    pub(crate) fn after(&self, rank: usize) -> Option<usize> {
        let mut index = rank;
        for (height, level) in self.levels.iter().enumerate() {
            let above = level[index / BITS] & (u64::MAX << (index % BITS) << 1);
            if above != 0 {
                return Some(self.lowest_under(
                    height,
                    index / BITS * BITS + above.trailing_zeros() as usize,
                ));
            }
            index /= BITS;
        }
        None
    }

    /// The largest member below a rank.
    pub(crate) fn before(&self, rank: usize) -> Option<usize> {
        let mut index = rank;
        for (height, level) in self.levels.iter().enumerate() {
            let below = level[index / BITS] & !(u64::MAX << (index % BITS));
            if below != 0 {
                return Some(
                    self.highest_under(height, index / BITS * BITS + below.ilog2() as usize),
                );
            }
            index /= BITS;
        }
        None
    }

    fn lowest_under(&self, height: usize, index: usize) -> usize {
        let levels = self.levels[..height].iter().rev();
        levels.fold(index, |index, level| {
            index * BITS + level[index].trailing_zeros() as usize
        })
    }

    fn highest_under(&self, height: usize, index: usize) -> usize {
        let levels = self.levels[..height].iter().rev();
        levels.fold(index, |index, level| {
            index * BITS + level[index].ilog2() as usize
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn finds_what_a_tree_set_finds(
            size in prop_oneof![1..70_usize, 4_000..300_000_usize],
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 1..60),
        ) {
            let (mut set, mut expected) = (RankSet::default(), BTreeSet::new());
            set.begin(size);
            for (index, inserts) in changes {
                let rank = index.index(size);
                if inserts {
                    set.insert(rank);
                    expected.insert(rank);
                } else if expected.remove(&rank) {
                    set.remove(rank);
                }
                prop_assert_eq!(set.first(), expected.first().copied());
                prop_assert_eq!(set.last(), expected.last().copied());
                prop_assert_eq!(set.after(rank), expected.range(rank + 1..).next().copied());
                prop_assert_eq!(set.before(rank), expected.range(..rank).next_back().copied());
            }
        }
    }
}
