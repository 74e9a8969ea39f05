//! How rows moved between segments from one date to a later one.

use std::collections::BTreeMap;

use serde::Serialize;

/// How many entities moved from each segment to each other, came and went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Movements {
    /// By segment before, then segment now: how many entities. On the diagonal those that stayed.
    pub moved: Vec<Vec<usize>>,
    /// By segment now: entities that were not there before.
    pub new: Vec<usize>,
    /// By segment before: entities that are not there now.
    pub gone: Vec<usize>,
}

impl Movements {
    /// Counts the movements among `segments` segments. `before` and `now` hold the segment of each entity.
    pub fn between(
        segments: usize,
        before: &BTreeMap<String, usize>,
        now: &BTreeMap<String, usize>,
    ) -> Self {
        let mut movements = Self {
            moved: vec![vec![0; segments]; segments],
            new: vec![0; segments],
            gone: vec![0; segments],
        };
        for (entity, &to) in now {
            match before.get(entity) {
                Some(&from) => movements.moved[from][to] += 1,
                None => movements.new[to] += 1,
            }
        }
        for (_, &from) in before
            .iter()
            .filter(|(entity, _)| !now.contains_key(*entity))
        {
            movements.gone[from] += 1;
        }
        movements
    }

    /// How many entities were there on both dates.
    pub fn in_both(&self) -> usize {
        self.moved.iter().flatten().sum()
    }

    /// How many of those stayed in their segment.
    pub fn stayed(&self) -> usize {
        self.moved
            .iter()
            .enumerate()
            .map(|(segment, to)| to[segment])
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entity_is_counted_once() {
        let of = |pairs: &[(&str, usize)]| {
            pairs
                .iter()
                .map(|&(entity, segment)| (entity.to_owned(), segment))
                .collect()
        };
        let before = of(&[("a", 0), ("b", 0), ("c", 1), ("d", 1)]);
        let now = of(&[("a", 0), ("b", 1), ("c", 1), ("e", 0), ("f", 0)]);
        let movements = Movements::between(2, &before, &now);
        assert_eq!(movements.moved, [[1, 1], [0, 1]]);
        assert_eq!(
            (movements.new.as_slice(), movements.gone.as_slice()),
            (&[2, 0][..], &[0, 1][..])
        );
        assert_eq!((movements.in_both(), movements.stayed()), (3, 2));
    }
}
