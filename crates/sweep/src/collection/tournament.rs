//! Counts of ranks that know the most frequent one.

/// A multiset of ranks as a tournament tree: every node holds the winner of its two children, the rank
/// with the larger count, of equals the smaller rank.
#[derive(Default)]
pub(crate) struct Tournament {
    leaves: usize,
    winners: Vec<u32>,
    counts: Vec<u32>,
}

impl Tournament {
    /// Becomes the empty multiset of ranks below `size`.
    pub(crate) fn begin(&mut self, size: usize) {
        self.leaves = size.next_power_of_two();
        self.counts.clear();
        self.counts.resize(self.leaves, 0);
        self.winners.clear();
        self.winners.resize(self.leaves, 0);
        for node in (1..self.leaves).rev() {
            self.winners[node] = self.winner(2 * node);
        }
    }

    pub(crate) fn insert(&mut self, rank: usize) {
        self.counts[rank] += 1;
        self.replay(rank);
    }

    pub(crate) fn remove(&mut self, rank: usize) {
        self.counts[rank] -= 1;
        self.replay(rank);
    }

    /// The most frequent rank; the smallest of several. Rank 0 of the empty multiset.
    pub(crate) fn mode(&self) -> usize {
        self.winner(1) as usize
    }

    /// Plays the matches of a rank again, up to the first that it neither won before nor wins now: those
    /// above do not see it.
    fn replay(&mut self, rank: usize) {
        let mut node = (self.leaves + rank) / 2;
        while node > 0 {
            let (left, right) = (self.winner(2 * node), self.winner(2 * node + 1));
            let right_wins = self.counts[right as usize] > self.counts[left as usize];
            let winner = if right_wins { right } else { left };
            let before = std::mem::replace(&mut self.winners[node], winner);
            if before as usize != rank && winner as usize != rank {
                break;
            }
            node /= 2;
        }
    }

    fn winner(&self, node: usize) -> u32 {
        if node < self.leaves {
            self.winners[node]
        } else {
            (node - self.leaves) as u32
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn finds_the_mode_of_a_list(
            size in 1..20_usize,
            changes in prop::collection::vec(any::<prop::sample::Index>(), 1..60),
        ) {
            let mut tournament = Tournament::default();
            tournament.begin(size);
            let mut counts = vec![0; size];
            for (step, index) in changes.iter().enumerate() {
                let rank = index.index(size);
                if step % 3 == 2 && counts[rank] > 0 {
                    tournament.remove(rank);
                    counts[rank] -= 1;
                } else {
                    tournament.insert(rank);
                    counts[rank] += 1;
                }
                let best = *counts.iter().max().unwrap_or(&0);
                let expected = counts.iter().position(|&count| count == best).unwrap_or(0);
                prop_assert_eq!(tournament.mode(), expected);
            }
        }
    }
}
