//! Counts of ranks that find the k-th smallest.

/// Children of a node. Few enough for a short search, many enough for a low tree.
const FANOUT: usize = 16;

/// A multiset of ranks: a count for each rank, and above it the sums of every [`FANOUT`] counts, up to a
/// single level of at most that many.
#[derive(Default)]
pub(crate) struct CountTree {
    levels: Vec<Vec<u32>>,
}

impl CountTree {
    /// Becomes the empty multiset of ranks below `size`.
    pub(crate) fn begin(&mut self, size: usize) {
        let mut length = size;
        let mut depth = 0;
        loop {
            if self.levels.len() == depth {
                self.levels.push(Vec::new());
            }
            self.levels[depth].clear();
            self.levels[depth].resize(length, 0);
            depth += 1;
            if length <= FANOUT {
                break;
            }
            length = length.div_ceil(FANOUT);
        }
        self.levels.truncate(depth);
    }

    pub(crate) fn insert(&mut self, rank: usize) {
        let mut index = rank;
        for level in &mut self.levels {
            level[index] += 1;
            index /= FANOUT;
        }
    }

    pub(crate) fn remove(&mut self, rank: usize) {
        let mut index = rank;
        for level in &mut self.levels {
            level[index] -= 1;
            index /= FANOUT;
        }
    }

    /// The rank of the member with `position` members before it, and how many of the same rank come after
    /// it. The position is below the number of members.
    pub(crate) fn select(&self, position: u32) -> (usize, u32) {
        let (mut index, mut position) = (0, position);
        let mut after = 0;
        for level in self.levels.iter().rev() {
            index *= FANOUT;
            while position >= level[index] {
                position -= level[index];
                index += 1;
            }
            after = level[index] - position - 1;
        }
        (index, after)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn selects_as_from_a_sorted_list(
            size in prop_oneof![1..40_usize, 200..70_000_usize],
            members in prop::collection::vec(any::<prop::sample::Index>(), 1..60),
            removed in 0..60_usize,
        ) {
            let mut members: Vec<_> = members.iter().map(|index| index.index(size)).collect();
            let mut tree = CountTree::default();
            tree.begin(size);
            members.iter().for_each(|&rank| tree.insert(rank));
            for rank in members.split_off(members.len() - removed.min(members.len() - 1)) {
                tree.remove(rank);
            }
            members.sort_unstable();
            for (position, &rank) in members.iter().enumerate() {
                let after = members[position + 1..].iter().filter(|&&other| other == rank).count();
                prop_assert_eq!(tree.select(position as u32), (rank, after as u32));
            }
        }
    }
}
