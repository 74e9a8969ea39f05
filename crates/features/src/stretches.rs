//! The stretches of time in which the rows of a group stay the same, and which rows hold in each.
//!
//! A row may hold in very many stretches, so that a list of all pairs would be quadratic in the rows of a
//! group. Instead the stretches of each group are the leaves of a segment tree (Bentley, "Solutions to
//! Klee's rectangle problems", 1977): a row stands at the few nodes that together cover its stretches, at
//! most two a level, and holds in every leaf below them. What holds in a leaf is what stands at it and at
//! the nodes above it.

use safra_history::counting_sort::{sorted, starts_of};

/// The stretches of all groups, and the trees above them.
#[derive(Debug, Default)]
pub(crate) struct Stretches {
    /// The group of each stretch, in ascending order.
    pub group: Vec<u32>,
    /// The time after which each stretch begins.
    pub from: Vec<i64>,
    /// The last time of each stretch.
    pub to: Vec<i64>,
    /// For each stretch its level and its node there.
    pub leaf: Vec<(usize, usize)>,
    /// The levels of the trees, roots first. Every group is in the first.
    pub levels: Vec<Level>,
}

/// The nodes of all trees at the same distance from the root.
#[derive(Debug, Default)]
pub(crate) struct Level {
    /// For each node the one above it, in the level before; 0 for roots.
    pub parents: Vec<u32>,
    /// The rows that stand at this level.
    pub rows: Vec<u32>,
    /// The node of each of them.
    pub nodes: Vec<usize>,
}

/// A row, and the time in which it holds.
#[derive(Debug, Clone, Copy, Default)]
struct Interval {
    row: u32,
    from: i64,
    to: i64,
}

impl Stretches {
    /// The stretches of rows that hold in `(from, to]`. Rows of an empty interval hold never.
    pub(crate) fn of(groups: &[u32], count: usize, from: &[i64], to: &[i64]) -> Self {
        let mut stretches = Self::default();
        let mut moments = Vec::new();
        let (intervals, starts) = by_group(groups, count, from, to);
        for (group, bounds) in starts.windows(2).enumerate() {
            let intervals = &intervals[bounds[0]..bounds[1]];
            moments.clear();
            moments.extend(intervals.iter().flat_map(|held| [held.from, held.to]));
            moments.sort_unstable();
            moments.dedup();
            if !moments.is_empty() {
                stretches.add(group as u32, intervals, &moments);
            }
        }
        stretches
    }

    /// Adds the tree of a group, numbered as usual: the root is 1, below `n` stand `2 n` and `2 n + 1`, and
    /// the leaves are the last ones.
    fn add(&mut self, group: u32, intervals: &[Interval], moments: &[i64]) {
        let leaves = moments.len() - 1;
        let starts = self.add_nodes(2 * leaves);
        let mut covered = vec![0_i32; moments.len()];
        for held in intervals {
            let position = |moment: i64| moments.partition_point(|&other| other < moment);
            let (first, end) = (position(held.from), position(held.to));
            covered[first] += 1;
            covered[end] -= 1;
            self.place(held.row, first + leaves, end + leaves, &starts);
        }
        let mut held = 0;
        for leaf in 0..leaves {
            held += covered[leaf];
            if held > 0 {
                self.group.push(group);
                self.from.push(moments[leaf]);
                self.to.push(moments[leaf + 1]);
                self.leaf.push(place_of(leaf + leaves, &starts));
            }
        }
    }

    /// Adds the nodes from 1 to `end`, and tells where each level of theirs starts among all trees.
    fn add_nodes(&mut self, end: usize) -> Vec<usize> {
        let mut starts: Vec<usize> = Vec::new();
        for depth in 0..=(end - 1).ilog2() as usize {
            if self.levels.len() == depth {
                self.levels.push(Level::default());
            }
            let level = &mut self.levels[depth];
            let first = 1_usize << depth;
            let above = starts.last().copied().unwrap_or(0);
            starts.push(level.parents.len());
            let nodes = first..end.min(2 * first);
            let parent = |node: usize| (above + node / 2).saturating_sub(first / 2) as u32;
            level.parents.extend(nodes.map(parent));
        }
        starts
    }

    /// Puts a row at the nodes that cover the leaves from `first` to `end`.
    fn place(&mut self, row: u32, mut first: usize, mut end: usize, starts: &[usize]) {
        let mut stand = |node: usize| {
            let (depth, node) = place_of(node, starts);
            self.levels[depth].rows.push(row);
            self.levels[depth].nodes.push(node);
        };
        while first < end {
            if first % 2 == 1 {
                stand(first);
                first += 1;
            }
            if end % 2 == 1 {
                end -= 1;
                stand(end);
            }
            first /= 2;
            end /= 2;
        }
    }
}

/// The rows that hold in each stretch, one stretch at a time.
pub(crate) struct Held<'a> {
    stretches: &'a Stretches,
    /// For each level where the rows of each node begin, and the rows, node after node.
    levels: Vec<(Vec<usize>, Vec<u32>)>,
}

impl<'a> Held<'a> {
    pub(crate) fn of(stretches: &'a Stretches) -> Self {
        let levels = stretches.levels.iter().map(|level| {
            let nodes = level.nodes.iter().map(|&node| Some(node as u32));
            let starts = starts_of(nodes.clone(), level.parents.len());
            let rows = sorted(nodes.zip(level.rows.iter().copied()), &starts);
            (starts, rows)
        });
        Self {
            levels: levels.collect(),
            stretches,
        }
    }

    /// Appends the rows of a stretch: those at its leaf and at the nodes above it.
    pub(crate) fn append(&self, stretch: usize, into: &mut Vec<u32>) {
        let (depth, mut node) = self.stretches.leaf[stretch];
        for level in (0..=depth).rev() {
            let (starts, rows) = &self.levels[level];
            into.extend_from_slice(&rows[starts[node]..starts[node + 1]]);
            node = self.stretches.levels[level].parents[node] as usize;
        }
    }
}

/// The level of a node of a tree, and its number among all trees.
fn place_of(node: usize, starts: &[usize]) -> (usize, usize) {
    let depth = node.ilog2() as usize;
    (depth, starts[depth] + node - (1 << depth))
}

/// The intervals of all groups, one group after the other, and where each begins.
fn by_group(groups: &[u32], count: usize, from: &[i64], to: &[i64]) -> (Vec<Interval>, Vec<usize>) {
    let holding = groups.iter().enumerate().map(|(row, &group)| {
        let (from, to) = (from[row], to[row]);
        let row = row as u32;
        let interval = Interval { row, from, to };
        ((from < to).then_some(group), interval)
    });
    let starts = starts_of(holding.clone().map(|(group, _)| group), count);
    (sorted(holding, &starts), starts)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rows_of(stretches: &Stretches, stretch: usize) -> Vec<u32> {
        let mut rows = Vec::new();
        Held::of(stretches).append(stretch, &mut rows);
        rows.sort_unstable();
        rows
    }

    proptest! {
        #[test]
        fn each_stretch_holds_the_rows_that_hold_throughout(
            rows in prop::collection::vec((0..3_u32, 0..12_i64, 0..12_i64), 0..40),
        ) {
            let groups: Vec<u32> = rows.iter().map(|row| row.0).collect();
            let (from, to): (Vec<i64>, Vec<i64>) = rows.iter().map(|row| (row.1, row.2)).unzip();
            let stretches = Stretches::of(&groups, 3, &from, &to);
            let holding = |group: u32, time: i64| -> Vec<u32> {
                let holds = |row: &u32| {
                    let (of, from, to) = rows[*row as usize];
                    of == group && from < time && time <= to
                };
                (0..rows.len() as u32).filter(holds).collect()
            };
            for group in 0..3 {
                for time in 0..13 {
                    let found: Vec<usize> = (0..stretches.group.len())
                        .filter(|&s| stretches.group[s] == group && stretches.from[s] < time && time <= stretches.to[s])
                        .collect();
                    let expected = holding(group, time);
                    prop_assert_eq!(found.len(), usize::from(!expected.is_empty()));
                    for stretch in found {
                        prop_assert_eq!(rows_of(&stretches, stretch), expected.clone());
                    }
                }
            }
            let most = rows.len().next_power_of_two().ilog2() as usize + 2;
            for row in 0..rows.len() as u32 {
                let places = stretches.levels.iter().flat_map(|level| &level.rows);
                prop_assert!(places.filter(|at| **at == row).count() <= 2 * most);
            }
        }
    }
}
