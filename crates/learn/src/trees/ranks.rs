//! Values of features as ranks among the thresholds of trees: with these, any split of any tree compares one byte.
//!
//! A column of ranks belongs to up to 255 thresholds of one feature. The rank of a value is the number of thresholds below it, so
//! that `value <= threshold` is `rank <= place of the threshold`. Missing values rank 0 where they go left, and 255 where they go
//! right, in columns of their own. A set of categories has a column too, with rank 0 in the set and 1 outside of it.

use std::collections::BTreeMap;
use std::hint::select_unpredictable;

use super::tree::{Missing, Node, Rule, Tree};
use crate::encoding::EncodedColumn;

/// Rows of a block, whose ranks of one column lie side by side.
pub(crate) const LANES: usize = 32;

/// The ranks of a block of rows in one column.
pub(crate) type Ranks = [u8; LANES];

/// Most thresholds of a column, for ranks are bytes.
const MOST_THRESHOLDS: usize = 255;

/// A split: rows whose rank in a column is at most this go left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Test {
    /// The column of ranks.
    pub(crate) column: u32,
    /// The highest rank that goes left.
    pub(crate) rank: u8,
}

/// How values of features become ranks.
#[derive(Debug, Default)]
pub(crate) struct Ranking {
    numbers: Vec<Numbers>,
    sets: Vec<Set>,
    columns: u32,
}

/// Up to 255 thresholds of a feature.
#[derive(Debug)]
struct Numbers {
    feature: usize,
    missing: Missing,
    /// Ascending, and filled up with infinity to one less than a power of two.
    thresholds: Vec<f64>,
    /// The column in which missing values rank 0, if a split needs it.
    low: Option<u32>,
    /// The column in which missing values rank 255, if a split needs it.
    high: Option<u32>,
}

/// A set of categories of a feature.
#[derive(Debug)]
struct Set {
    feature: usize,
    /// A bit for each code, 32 a word.
    words: Vec<u32>,
    column: u32,
}

impl Ranking {
    /// The ranking that the splits of `trees` need, and for each tree the tests of its nodes.
    pub(crate) fn of(trees: &[Tree]) -> (Self, Vec<Vec<Test>>) {
        let mut builder = Builder::new(trees);
        let mut tests_of =
            |tree: &Tree| tree.nodes().iter().map(|node| builder.test(node)).collect();
        let tests = trees.iter().map(&mut tests_of).collect();
        (builder.ranking, tests)
    }

    /// Number of columns.
    pub(crate) fn columns(&self) -> usize {
        self.columns as usize
    }

    /// Whether the feature at each of these places is split by the right kind of rule: categories by sets, numbers by thresholds.
    pub(crate) fn fits(&self, is_categories: impl Fn(usize) -> bool) -> bool {
        let numbers = self
            .numbers
            .iter()
            .all(|numbers| !is_categories(numbers.feature));
        numbers && self.sets.iter().all(|set| is_categories(set.feature))
    }

    /// Makes the ranks of rows with these features, of which each is of the kind that its splits need.
    pub(crate) fn ranker<'a>(&'a self, features: &'a [EncodedColumn<'a>]) -> Ranker<'a> {
        let table = |set: &Set| match &features[set.feature] {
            EncodedColumn::Codes(_, codes) => codes.iter().map(|&code| set.rank(code)).collect(),
            EncodedColumn::Numbers(_) => Vec::new(),
        };
        Ranker {
            ranking: self,
            features,
            tables: self.sets.iter().map(table).collect(),
        }
    }
}

/// A ranking on its way: columns are made as splits ask for them.
struct Builder {
    ranking: Ranking,
    /// The thresholds of each feature and way of missing values, ascending, and the place of the first group of 255.
    thresholds: BTreeMap<(usize, Missing), (usize, Vec<f64>)>,
    sets: BTreeMap<(usize, Vec<u32>), u32>,
}

impl Builder {
    fn new(trees: &[Tree]) -> Self {
        let mut thresholds: BTreeMap<(usize, Missing), (usize, Vec<f64>)> = BTreeMap::new();
        for node in trees.iter().flat_map(Tree::nodes) {
            if let Rule::Number {
                threshold, missing, ..
            } = node.rule
            {
                let (_, values) = thresholds.entry((node.feature, missing)).or_default();
                values.push(threshold);
            }
        }
        let mut numbers = Vec::new();
        for (&(feature, missing), (first, values)) in &mut thresholds {
            values.sort_by(f64::total_cmp);
            values.dedup();
            *first = numbers.len();
            numbers.extend(values.chunks(MOST_THRESHOLDS).map(|group| Numbers {
                feature,
                missing,
                thresholds: filled_up(group),
                low: None,
                high: None,
            }));
        }
        Self {
            ranking: Ranking {
                numbers,
                ..Ranking::default()
            },
            thresholds,
            sets: BTreeMap::new(),
        }
    }

    fn test(&mut self, node: &Node) -> Test {
        let columns = &mut self.ranking.columns;
        let mut add_column = || {
            *columns += 1;
            *columns - 1
        };
        match &node.rule {
            Rule::Categories(words) => {
                let sets = &mut self.ranking.sets;
                let add_set = || {
                    let column = add_column();
                    sets.push(Set {
                        feature: node.feature,
                        words: words.clone(),
                        column,
                    });
                    column
                };
                let column = *self
                    .sets
                    .entry((node.feature, words.clone()))
                    .or_insert_with(add_set);
                Test { column, rank: 0 }
            }
            &Rule::Number {
                threshold,
                missing,
                missing_left,
            } => {
                let (first, values) = &self.thresholds[&(node.feature, missing)];
                let place = values.partition_point(|&value| value < threshold);
                let group = &mut self.ranking.numbers[first + place / MOST_THRESHOLDS];
                let column = match missing_left && missing != Missing::Never {
                    true => &mut group.low,
                    false => &mut group.high,
                };
                Test {
                    column: *column.get_or_insert_with(add_column),
                    rank: (place % MOST_THRESHOLDS) as u8,
                }
            }
        }
    }
}

/// Values and infinity, together one less than a power of two.
fn filled_up(values: &[f64]) -> Vec<f64> {
    let length = (values.len() + 1).next_power_of_two() - 1;
    let mut filled = values.to_vec();
    filled.resize(length, f64::INFINITY);
    filled
}

impl Numbers {
    /// Ranks the values of one block of rows.
    fn rank_block(&self, values: &[f64], rows: &[usize], block: &mut [Ranks]) {
        let mut compared = [f64::NAN; LANES];
        for (compared, &row) in compared.iter_mut().zip(rows) {
            *compared = self.missing.compared(values[row]);
        }
        let mut ranks = self.ranks(&compared);
        if let Some(column) = self.low {
            block[column as usize] = ranks;
        }
        if let Some(column) = self.high {
            for (rank, value) in ranks.iter_mut().zip(&compared) {
                *rank = select_unpredictable(value.is_nan(), u8::MAX, *rank);
            }
            block[column as usize] = ranks;
        }
    }

    /// The number of thresholds below each value, which is 0 for NaN: bisection without branches, of all values side by side.
    fn ranks(&self, values: &[f64; LANES]) -> Ranks {
        let mut ranks = [0_usize; LANES];
        let mut half = self.thresholds.len().div_ceil(2);
        while half > 0 {
            let thresholds = &self.thresholds[half - 1..];
            for (rank, value) in ranks.iter_mut().zip(values) {
                *rank += select_unpredictable(*value > thresholds[*rank], half, 0);
            }
            half /= 2;
        }
        ranks.map(|rank| rank as u8)
    }
}

impl Set {
    fn rank(&self, code: f64) -> u8 {
        let code = match code >= 0.0 {
            true => code as usize,
            false => return 1,
        };
        let word = self.words.get(code / 32).copied().unwrap_or_default();
        u8::from(word >> (code % 32) & 1 == 0)
    }
}

/// Makes the ranks of rows.
pub(crate) struct Ranker<'a> {
    ranking: &'a Ranking,
    features: &'a [EncodedColumn<'a>],
    /// For each set, the rank of each place in the dictionary of its feature.
    tables: Vec<Vec<u8>>,
}

impl Ranker<'_> {
    /// The ranks of `rows` in blocks of 32, of which the last is filled up with ranks of no meaning: for each block, one array a
    /// column.
    pub(crate) fn ranks(&self, rows: &[usize]) -> Vec<Ranks> {
        let columns = self.ranking.columns();
        let mut ranks = vec![[0; LANES]; rows.len().div_ceil(LANES) * columns];
        for numbers in &self.ranking.numbers {
            if let EncodedColumn::Numbers(values) = &self.features[numbers.feature] {
                for (place, rows) in rows.chunks(LANES).enumerate() {
                    numbers.rank_block(values, rows, &mut ranks[place * columns..][..columns]);
                }
            }
        }
        for (set, table) in self.ranking.sets.iter().zip(&self.tables) {
            if let EncodedColumn::Codes(categories, _) = &self.features[set.feature] {
                for (place, rows) in rows.chunks(LANES).enumerate() {
                    let column = &mut ranks[place * columns + set.column as usize];
                    for (rank, &row) in column.iter_mut().zip(rows) {
                        *rank = table[categories.place(row)];
                    }
                }
            }
        }
        ranks
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::tree::{Child, Leaf};
    use super::*;

    /// A tree of one split on the only feature.
    fn stump(threshold: f64, missing: Missing, missing_left: bool) -> Tree {
        let node = Node {
            feature: 0,
            rule: Rule::Number {
                threshold,
                missing,
                missing_left,
            },
            left: Child::Leaf(0),
            right: Child::Leaf(1),
            gain: 1.0,
        };
        let leaf = Leaf {
            value: 0.0,
            rows: 1.0,
        };
        Tree::new(vec![node], vec![leaf; 2]).unwrap()
    }

    /// More thresholds than a column can rank, each asked with missing values on either side.
    #[test]
    fn tests_of_ranks_say_what_comparisons_say() {
        for missing in [Missing::Never, Missing::Zero, Missing::Nan] {
            let thresholds = (0..700_u32).map(|number| f64::from(number * 389 % 700) / 7.0 - 50.0);
            let trees: Vec<Tree> = thresholds
                .flat_map(|threshold| [true, false].map(|left| stump(threshold, missing, left)))
                .collect();
            let mut values: Vec<f64> = (0..1_500).map(|row| f64::from(row) / 14.0 - 53.0).collect();
            values.extend([f64::NAN, 0.0, -0.0, 1e-36, -1e-36, 1e300, -1e300]);
            let features = [EncodedColumn::Numbers(&values)];
            let (ranking, tests) = Ranking::of(&trees);
            let rows: Vec<usize> = (0..values.len()).collect();
            let ranks = ranking.ranker(&features).ranks(&rows);
            for (tree, test) in trees.iter().zip(&tests) {
                let Rule::Number {
                    threshold,
                    missing_left,
                    ..
                } = tree.nodes()[0].rule
                else {
                    continue;
                };
                let columns = ranks.chunks_exact(ranking.columns());
                let ranks = columns.flat_map(|block| block[test[0].column as usize]);
                for (value, rank) in values.iter().zip(ranks) {
                    let compared = missing.compared(*value);
                    let left = match compared.is_nan() {
                        true => missing_left,
                        false => compared <= threshold,
                    };
                    assert_eq!(
                        rank <= test[0].rank,
                        left,
                        "{value} {threshold} {missing:?}"
                    );
                }
            }
        }
    }
}
