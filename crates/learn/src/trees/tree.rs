//! One tree, independent of how it was written down.

/// Values this close to 0 are 0 to LightGBM.
const ZERO: f64 = 1e-35_f32 as f64;

/// Which values of a number go the way of missing ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Missing {
    /// None: NaN is taken for 0.
    Never,
    /// NaN and 0.
    Zero,
    /// NaN.
    Nan,
}

impl Missing {
    /// The value that a split compares, or NaN for one that goes the way of missing ones.
    pub(crate) fn compared(self, value: f64) -> f64 {
        let value = match value.abs() <= ZERO {
            true => 0.0,
            false => value,
        };
        match self {
            Self::Never if value.is_nan() => 0.0,
            Self::Zero if value == 0.0 => f64::NAN,
            _ => value,
        }
    }
}

/// Which rows go left at a node.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Rule {
    /// Those whose number is at most a threshold.
    Number {
        /// The threshold, not NaN.
        threshold: f64,
        /// Which values are missing.
        missing: Missing,
        /// Whether missing ones go left.
        missing_left: bool,
    },
    /// Those whose category is in a set, a bit for each code, 32 a word.
    Categories(Vec<u32>),
}

/// What is below a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Child {
    /// The node at this place, which is higher than the place of its parent.
    Node(usize),
    /// The leaf at this place.
    Leaf(usize),
}

/// A split.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    /// The place of the feature.
    pub(crate) feature: usize,
    /// Which rows go left.
    pub(crate) rule: Rule,
    /// Where these go.
    pub(crate) left: Child,
    /// Where the others go.
    pub(crate) right: Child,
    /// How much the split lowered the loss.
    pub(crate) gain: f64,
}

/// Where rows end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Leaf {
    /// What the leaf adds to the score.
    pub(crate) value: f64,
    /// Number of training rows.
    pub(crate) rows: f64,
}

/// A tree: the root is the first node, and there is one leaf more than nodes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
    leaves: Vec<Leaf>,
}

/// The leaves below a node, in the order from left to right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    /// The leftmost of all.
    pub(crate) start: usize,
    /// The leftmost on the right side.
    pub(crate) middle: usize,
    /// One after the rightmost.
    pub(crate) end: usize,
}

impl Tree {
    /// Takes nodes and leaves that are a tree.
    ///
    /// # Errors
    /// If they are not: the reason.
    pub(crate) fn new(nodes: Vec<Node>, leaves: Vec<Leaf>) -> Result<Self, &'static str> {
        if leaves.len() != nodes.len() + 1 {
            return Err("does not have one leaf more than splits");
        }
        let (mut node_seen, mut leaf_seen) = (vec![false; nodes.len()], vec![false; leaves.len()]);
        for (place, node) in nodes.iter().enumerate() {
            for child in [node.left, node.right] {
                let seen = match child {
                    Child::Node(below) if below > place => node_seen.get_mut(below),
                    Child::Node(_) => None,
                    Child::Leaf(leaf) => leaf_seen.get_mut(leaf),
                };
                match seen {
                    Some(seen) if !*seen => *seen = true,
                    _ => return Err("has a split whose sides are no part of it"),
                }
            }
        }
        Ok(Self { nodes, leaves })
    }

    /// The splits, each before those below it.
    pub(crate) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The leaves.
    pub(crate) fn leaves(&self) -> &[Leaf] {
        &self.leaves
    }

    /// For each node the leaves below it, and the leaves themselves from left to right.
    pub(crate) fn left_to_right(&self) -> (Vec<Span>, Vec<Leaf>) {
        let mut sizes = vec![0; self.nodes.len()];
        for (place, node) in self.nodes.iter().enumerate().rev() {
            let size = |child| match child {
                Child::Node(below) => sizes[below],
                Child::Leaf(_) => 1,
            };
            sizes[place] = size(node.left) + size(node.right);
        }
        let mut spans = vec![Span::default(); self.nodes.len()];
        let mut ordered = self.leaves.clone();
        for (place, node) in self.nodes.iter().enumerate() {
            let start = spans[place].start;
            let left = match node.left {
                Child::Node(below) => sizes[below],
                Child::Leaf(_) => 1,
            };
            let (middle, end) = (start + left, start + sizes[place]);
            spans[place] = Span { start, middle, end };
            for (child, from) in [(node.left, start), (node.right, middle)] {
                match child {
                    Child::Node(below) => spans[below].start = from,
                    Child::Leaf(leaf) => ordered[from] = self.leaves[leaf],
                }
            }
        }
        (spans, ordered)
    }

    /// The number of training rows below each node.
    pub(crate) fn node_rows(&self) -> Vec<f64> {
        let mut rows = vec![0.0; self.nodes.len()];
        for (place, node) in self.nodes.iter().enumerate().rev() {
            rows[place] = [node.left, node.right]
                .iter()
                .map(|&child| self.rows_of(child, &rows))
                .sum();
        }
        rows
    }

    /// The number of training rows of a child, given those of the nodes.
    pub(crate) fn rows_of(&self, child: Child, node_rows: &[f64]) -> f64 {
        match child {
            Child::Node(node) => node_rows[node],
            Child::Leaf(leaf) => self.leaves[leaf].rows,
        }
    }

    /// The mean of the leaves over the training rows.
    pub(crate) fn mean(&self) -> f64 {
        let rows: f64 = self.leaves.iter().map(|leaf| leaf.rows).sum();
        let parts = self.leaves.iter().map(|leaf| leaf.rows / rows * leaf.value);
        parts.sum()
    }
}
