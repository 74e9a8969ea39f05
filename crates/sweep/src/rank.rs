//! Dense ranks of the values of one entity.

/// The distinct values of an entity's rows in order, each known by its rank from 0.
#[derive(Default)]
pub(crate) struct Ranking {
    ranks: Vec<u32>,
    representatives: Vec<u32>,
}

impl Ranking {
    /// Ranks one key a row; rows without a key get no rank of their own and must not be asked for.
    pub(crate) fn rank<K: Ord + Copy>(&mut self, keys: impl Iterator<Item = Option<K>>) {
        self.ranks.clear();
        self.representatives.clear();
        let mut sorted = Vec::with_capacity(keys.size_hint().0);
        for (row, key) in keys.enumerate() {
            self.ranks.push(0);
            sorted.extend(key.map(|key| (key, row as u32)));
        }
        sorted.sort_unstable();
        let mut previous = None;
        for (key, row) in sorted {
            if previous != Some(key) {
                self.representatives.push(row);
                previous = Some(key);
            }
            self.ranks[row as usize] = self.representatives.len() as u32 - 1;
        }
    }

    /// The number of distinct values.
    pub(crate) fn len(&self) -> usize {
        self.representatives.len()
    }

    /// The rank of a row's value.
    pub(crate) fn rank_of(&self, row: usize) -> usize {
        self.ranks[row] as usize
    }

    /// A row that has the value of a rank, counted inside the entity.
    pub(crate) fn representative(&self, rank: usize) -> usize {
        self.representatives[rank] as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_keys_share_a_rank_and_missing_keys_have_none() {
        let mut ranking = Ranking::default();
        ranking.rank([Some("b"), None, Some("a"), Some("b"), Some("c")].into_iter());
        assert_eq!(ranking.len(), 3);
        let ranks: Vec<_> = [0, 2, 3, 4].map(|row| ranking.rank_of(row)).into();
        assert_eq!(ranks, [1, 0, 1, 2]);
        assert_eq!(ranking.representative(1), 0);
    }
}
