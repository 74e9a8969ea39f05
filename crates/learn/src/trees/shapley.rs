//! Exact Shapley values of trees: what each feature adds to the score of a row.
//!
//! They are those of TreeSHAP (Lundberg et al., "From local explanations to global understanding with explainable AI for trees",
//! 2020), and found leaf by leaf. On the way to a leaf there are `m` different features. A row meets the conditions of some of
//! them, and a share `z` of the training rows meets those of each. The weight `k! (m - k - 1)! / m!` of a set of `k` features is the
//! integral of `t^k (1 - t)^(m - k - 1)` over `t` from 0 to 1. The sum over all sets thereby becomes the integral of a product
//! over features: `t + (1 - t) z` for one whose conditions the row meets, `(1 - t) z` for another. It is a polynomial of degree
//! `m - 1`, for which Gauss-Legendre quadrature with `m / 2` points is exact; and since all factors are positive, nothing cancels.

use super::quadrature::{Point, gauss_legendre};
use super::ranks::{Ranks, Test};
use super::tree::{Child, Tree};
use super::vectors::vectorised;

/// Rows that are explained side by side.
const SIDE_BY_SIDE: usize = 8;

/// One number for each of the rows side by side.
type Values = [f64; SIDE_BY_SIDE];

/// Trees ready to be explained.
#[derive(Debug)]
pub(crate) struct Shapley {
    trees: Vec<Paths>,
    /// For each number of features on a path, the points at which the integral is taken.
    rules: Vec<Vec<Point>>,
    /// The mean of the sum over the training rows.
    mean: f64,
}

/// One tree as its paths from the root to the leaves.
#[derive(Debug)]
struct Paths {
    /// The test of each node.
    tests: Vec<Test>,
    paths: Vec<Path>,
    steps: Vec<Step>,
    turns: Vec<Turn>,
}

/// The way to a leaf: its steps end before `steps_end` and begin where those of the path before end.
#[derive(Debug)]
struct Path {
    value: f64,
    steps_end: usize,
}

/// All conditions on one feature along a path: its turns end before `turns_end` and begin where those of the step before end.
#[derive(Debug)]
struct Step {
    feature: usize,
    /// The share of the training rows that meet the conditions, among those that come that far.
    share: f64,
    turns_end: usize,
}

/// The side that a path takes at a node.
#[derive(Clone, Copy, Debug)]
struct Turn {
    node: usize,
    right: bool,
}

impl Shapley {
    /// The explanation of the sum of `trees`, of whose nodes these are the tests.
    pub(crate) fn new(trees: &[Tree], tests: &[Vec<Test>]) -> Self {
        let pairs = trees.iter().zip(tests);
        let paths: Vec<Paths> = pairs.map(|(tree, tests)| Paths::new(tree, tests)).collect();
        let most = paths.iter().map(Paths::most_features).max();
        let rule = |features: usize| gauss_legendre(features.div_ceil(2));
        Self {
            rules: (0..=most.unwrap_or_default()).map(rule).collect(),
            trees: paths,
            mean: trees.iter().map(Tree::mean).sum(),
        }
    }

    /// What each of `width` features adds to the sum of the trees for the first `rows` rows of a block, and at last the mean: one row
    /// after the other.
    pub(crate) fn explain(&self, width: usize, ranks: &[Ranks], rows: usize) -> Vec<f64> {
        let mut explained = Vec::with_capacity(rows * (width + 1));
        let (mut scratch, mut values) = (Scratch::default(), vec![Values::default(); width]);
        for group in 0..rows.div_ceil(SIDE_BY_SIDE) {
            values.fill(Values::default());
            vectorised(|| {
                for tree in &self.trees {
                    tree.explain(&self.rules, ranks, group, &mut scratch, &mut values);
                }
            });
            for row in 0..SIDE_BY_SIDE.min(rows - group * SIDE_BY_SIDE) {
                explained.extend(values.iter().map(|values| values[row]));
                explained.push(self.mean);
            }
        }
        explained
    }
}

/// Room that is used again for each tree.
#[derive(Default)]
struct Scratch {
    /// For each node, 1 for a row that goes left and 0 for another, and the other way round.
    sides: Vec<[Values; 2]>,
    /// For each step of a path, 1 for a row that meets its conditions and 0 for another.
    met: Vec<Values>,
}

impl Paths {
    fn new(tree: &Tree, tests: &[Test]) -> Self {
        let mut paths = Self {
            tests: tests.to_vec(),
            paths: Vec::with_capacity(tree.leaves().len()),
            steps: Vec::new(),
            turns: Vec::new(),
        };
        let rows = tree.node_rows();
        let (mut node_from, mut leaf_from) =
            (vec![None; tests.len()], vec![None; tree.leaves().len()]);
        for (node, split) in tree.nodes().iter().enumerate() {
            for (child, right) in [(split.left, false), (split.right, true)] {
                let turn = Some(Turn { node, right });
                match child {
                    Child::Node(below) => node_from[below] = turn,
                    Child::Leaf(leaf) => leaf_from[leaf] = turn,
                }
            }
        }
        for (leaf, from) in tree.leaves().iter().zip(leaf_from) {
            let mut by_feature: Vec<(usize, f64, Vec<Turn>)> = Vec::new();
            let mut next: Option<Turn> = from;
            while let Some(turn) = next {
                let split = &tree.nodes()[turn.node];
                let child = if turn.right { split.right } else { split.left };
                let share = tree.rows_of(child, &rows) / rows[turn.node];
                match by_feature
                    .iter_mut()
                    .find(|(feature, ..)| *feature == split.feature)
                {
                    Some((_, product, turns)) => {
                        *product *= share;
                        turns.push(turn);
                    }
                    None => by_feature.push((split.feature, share, vec![turn])),
                }
                next = node_from[turn.node];
            }
            paths.add(leaf.value, by_feature);
        }
        paths
    }

    fn add(&mut self, value: f64, by_feature: Vec<(usize, f64, Vec<Turn>)>) {
        for (feature, share, turns) in by_feature {
            self.turns.extend(turns);
            self.steps.push(Step {
                feature,
                share,
                turns_end: self.turns.len(),
            });
        }
        self.paths.push(Path {
            value,
            steps_end: self.steps.len(),
        });
    }

    /// The most features of a path.
    fn most_features(&self) -> usize {
        let mut start = 0;
        let lengths = self
            .paths
            .iter()
            .map(|path| path.steps_end - std::mem::replace(&mut start, path.steps_end));
        lengths.max().unwrap_or_default()
    }

    /// Adds what each feature adds to this tree, for one group of rows side by side.
    #[inline(always)]
    fn explain(
        &self,
        rules: &[Vec<Point>],
        ranks: &[Ranks],
        group: usize,
        scratch: &mut Scratch,
        values: &mut [Values],
    ) {
        scratch.sides.clear();
        for test in &self.tests {
            scratch.sides.push(sides(test, ranks, group));
        }
        let (mut step, mut turn) = (0, 0);
        for path in &self.paths {
            let steps = &self.steps[step..path.steps_end];
            scratch.met.clear();
            for step in steps {
                let mut met = [1.0; SIDE_BY_SIDE];
                for turn in &self.turns[turn..step.turns_end] {
                    let side = &scratch.sides[turn.node][usize::from(turn.right)];
                    met.iter_mut()
                        .zip(side)
                        .for_each(|(met, side)| *met *= side);
                }
                scratch.met.push(met);
                turn = step.turns_end;
            }
            add_path(path.value, steps, &scratch.met, &rules[steps.len()], values);
            step = path.steps_end;
        }
    }
}

/// For rows side by side, 1 and 0 where one goes left, 0 and 1 where it goes right.
#[inline(always)]
fn sides(test: &Test, ranks: &[Ranks], group: usize) -> [Values; 2] {
    let ranks = &ranks[test.column as usize].as_chunks::<SIDE_BY_SIDE>().0[group];
    let (mut left, mut right) = (Values::default(), Values::default());
    for row in 0..SIDE_BY_SIDE {
        right[row] = f64::from(u8::from(ranks[row] > test.rank));
        left[row] = 1.0 - right[row];
    }
    [left, right]
}

/// Adds what the features of a path add through its leaf.
#[inline(always)]
fn add_path(leaf: f64, steps: &[Step], met: &[Values], rule: &[Point], values: &mut [Values]) {
    for point in rule {
        let (t, rest) = (point.at, 1.0 - point.at);
        let mut product = [leaf * point.weight / rest; SIDE_BY_SIDE];
        for (step, met) in steps.iter().zip(met) {
            let unmet = rest * step.share;
            for (product, met) in product.iter_mut().zip(met) {
                *product *= unmet + t * met;
            }
        }
        for (step, met) in steps.iter().zip(met) {
            let inverse = 1.0 / (t + rest * step.share);
            let values = &mut values[step.feature];
            for row in 0..SIDE_BY_SIDE {
                values[row] += product[row] * (met[row] * inverse - 1.0);
            }
        }
    }
}
