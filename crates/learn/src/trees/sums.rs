//! The sum of many trees for many rows.
//!
//! A row ends in the leftmost leaf that no split has excluded: a split at which it goes right excludes the leaves of its left side
//! (Lucchese et al., "QuickScorer: a fast algorithm to rank documents with additive ensembles of regression trees", 2015). So the
//! splits of a tree need no order, and each is asked of many rows at once. Trees of more leaves than a machine word has bits
//! are walked.

use std::ops::BitAndAssign;

use super::ranks::{LANES, Ranks, Test};
use super::tree::{Child, Span, Tree};
use super::vectors::vectorised;

/// Trees ready to be summed.
#[derive(Debug)]
pub(crate) struct Sums {
    trees: Vec<Shape>,
}

/// One tree, by its number of leaves.
#[derive(Debug)]
enum Shape {
    UpTo16(Exclusions<u16>),
    UpTo32(Exclusions<u32>),
    UpTo64(Exclusions<u64>),
    More(Walk),
}

impl Sums {
    /// The sum of `trees`, of whose nodes these are the tests.
    pub(crate) fn new(trees: &[Tree], tests: &[Vec<Test>]) -> Self {
        let shape = |(tree, tests): (&Tree, &Vec<Test>)| match tree.leaves().len() {
            ..=16 => Shape::UpTo16(Exclusions::new(tree, tests)),
            17..=32 => Shape::UpTo32(Exclusions::new(tree, tests)),
            33..=64 => Shape::UpTo64(Exclusions::new(tree, tests)),
            _ => Shape::More(Walk::new(tree, tests)),
        };
        Self {
            trees: trees.iter().zip(tests).map(shape).collect(),
        }
    }

    /// Adds trees `from..to` to the sums of a block of rows, one after the other, as LightGBM does: so the last bit is the same.
    pub(crate) fn add(&self, from: usize, to: usize, ranks: &[Ranks], sums: &mut [f64; LANES]) {
        vectorised(|| {
            for tree in &self.trees[from..to] {
                match tree {
                    Shape::UpTo16(tree) => tree.add(ranks, sums),
                    Shape::UpTo32(tree) => tree.add(ranks, sums),
                    Shape::UpTo64(tree) => tree.add(ranks, sums),
                    Shape::More(tree) => tree.add(ranks, sums),
                }
            }
        });
    }
}

/// A bit for each leaf, from left to right.
trait Leaves: Copy + BitAndAssign {
    /// All leaves.
    const ALL: Self;
    /// All leaves but those from `start` to before `end`.
    fn without(start: usize, end: usize) -> Self;
    /// The place of the leftmost.
    fn leftmost(self) -> usize;
}

macro_rules! leaves {
    ($word:ty) => {
        impl Leaves for $word {
            const ALL: Self = Self::MAX;

            fn without(start: usize, end: usize) -> Self {
                (start..end).fold(Self::MAX, |all, leaf| all & !(1 << leaf))
            }

            fn leftmost(self) -> usize {
                self.trailing_zeros() as usize
            }
        }
    };
}

leaves!(u16);
leaves!(u32);
leaves!(u64);

/// A tree as what each split excludes.
#[derive(Debug)]
struct Exclusions<L> {
    /// The tests, with the leaves that are left where a row goes right.
    splits: Vec<(Test, L)>,
    /// The leaves from left to right, and zeros up to the bits of `L`.
    values: Vec<f64>,
}

impl<L: Leaves> Exclusions<L> {
    fn new(tree: &Tree, tests: &[Test]) -> Self {
        let (spans, leaves) = tree.left_to_right();
        let split = |(span, test): (&Span, &Test)| (*test, L::without(span.start, span.middle));
        Self {
            splits: spans.iter().zip(tests).map(split).collect(),
            values: leaves.iter().map(|leaf| leaf.value).collect(),
        }
    }

    #[inline(always)]
    fn add(&self, ranks: &[Ranks], sums: &mut [f64; LANES]) {
        let mut left = [L::ALL; LANES];
        for &(test, without) in &self.splits {
            let ranks = &ranks[test.column as usize];
            for lane in 0..LANES {
                left[lane] &= if ranks[lane] <= test.rank {
                    L::ALL
                } else {
                    without
                };
            }
        }
        for (sum, left) in sums.iter_mut().zip(left) {
            *sum += self.values[left.leftmost()];
        }
    }
}

/// A tree to be walked from the root.
#[derive(Debug)]
struct Walk {
    /// Each test with the children on its left and on its right.
    splits: Vec<(Test, [Child; 2])>,
    values: Vec<f64>,
}

impl Walk {
    fn new(tree: &Tree, tests: &[Test]) -> Self {
        let nodes = tree.nodes().iter();
        let leaves = tree.leaves().iter();
        Self {
            splits: nodes
                .zip(tests)
                .map(|(node, test)| (*test, [node.left, node.right]))
                .collect(),
            values: leaves.map(|leaf| leaf.value).collect(),
        }
    }

    fn add(&self, ranks: &[Ranks], sums: &mut [f64; LANES]) {
        for (lane, sum) in sums.iter_mut().enumerate() {
            let mut child = Child::Node(0);
            *sum += loop {
                match child {
                    Child::Leaf(leaf) => break self.values[leaf],
                    Child::Node(node) => {
                        let (test, children) = &self.splits[node];
                        let right = ranks[test.column as usize][lane] > test.rank;
                        child = children[usize::from(right)];
                    }
                }
            };
        }
    }
}
