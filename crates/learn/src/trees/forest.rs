//! The trees of a model, ready to score and to explain many rows.

use std::sync::OnceLock;

use rayon::prelude::*;

use super::model_text::{ModelText, Objective};
use super::ranks::{LANES, Ranking, Ranks, Test};
use super::shapley::Shapley;
use super::sums::Sums;
use crate::encoding::EncodedColumn;

/// Rows whose ranks are made together; pieces are worked on in parallel.
const ROWS_OF_A_PIECE: usize = 512;

/// Trees in memory. They say to the last bit what LightGBM's own prediction says.
#[derive(Debug)]
pub(crate) struct Forest {
    model: ModelText,
    ranking: Ranking,
    tests: Vec<Vec<Test>>,
    sums: Sums,
    /// Made when an explanation is asked for.
    shapley: OnceLock<Shapley>,
}

impl Forest {
    /// The trees of a text of LightGBM.
    ///
    /// # Errors
    /// If it is none: the reason, to follow "the file …".
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let model = ModelText::parse(text)?;
        let (ranking, tests) = Ranking::of(&model.trees);
        Ok(Self {
            sums: Sums::new(&model.trees, &tests),
            model,
            ranking,
            tests,
            shapley: OnceLock::new(),
        })
    }

    /// Number of features.
    pub(crate) fn features(&self) -> usize {
        self.model.features
    }

    /// What the sum of the trees is.
    pub(crate) fn objective(&self) -> Objective {
        self.model.objective
    }

    /// Whether LightGBM's own score is the mean of the trees, and not their sum.
    pub(crate) fn is_mean(&self) -> bool {
        self.model.averaged || self.len() == 1
    }

    /// Number of trees.
    pub(crate) fn len(&self) -> usize {
        self.model.trees.len()
    }

    /// Whether the features that are split by sets are those that are categories.
    pub(crate) fn fits(&self, is_categories: impl Fn(usize) -> bool) -> bool {
        self.ranking.fits(is_categories)
    }

    /// The sums of the first `ends` trees, each end at least as large as the one before, for the rows at `rows` of these features.
    pub(crate) fn sums(
        &self,
        features: &[EncodedColumn<'_>],
        rows: &[usize],
        ends: &[usize],
    ) -> Vec<Vec<f64>> {
        let mut sums = vec![vec![0.0; rows.len()]; ends.len()];
        let by_block = self.by_block(features, rows, |ranks, rows| {
            let (mut sums, mut from) = ([0.0; LANES], 0);
            let prefix = |&end: &usize| {
                self.sums.add(from, end, ranks, &mut sums);
                from = end;
                sums[..rows].to_vec()
            };
            ends.iter().map(prefix).collect()
        });
        for (place, block) in by_block.into_iter().enumerate() {
            let start = place * LANES;
            for (sums, prefix) in sums.iter_mut().zip::<Vec<Vec<f64>>>(block) {
                sums[start..start + prefix.len()].copy_from_slice(&prefix);
            }
        }
        sums
    }

    /// What each feature adds to the sum of the trees, and at last the mean over the training rows: one row after the other.
    pub(crate) fn contributions(&self, features: &[EncodedColumn<'_>], rows: &[usize]) -> Vec<f64> {
        let shapley = self
            .shapley
            .get_or_init(|| Shapley::new(&self.model.trees, &self.tests));
        let explain = |ranks: &[Ranks], rows| shapley.explain(self.features(), ranks, rows);
        self.by_block(features, rows, explain).concat()
    }

    /// The summed gain of the splits on each feature.
    pub(crate) fn gains(&self) -> Vec<f64> {
        let mut gains = vec![0.0; self.features()];
        for node in self.model.trees.iter().flat_map(|tree| tree.nodes()) {
            gains[node.feature] += node.gain;
        }
        gains
    }

    /// What `work` makes of the ranks and the number of rows of each block of 32.
    fn by_block<T: Send>(
        &self,
        features: &[EncodedColumn<'_>],
        rows: &[usize],
        work: impl Fn(&[Ranks], usize) -> T + Sync,
    ) -> Vec<T> {
        let (ranker, columns) = (self.ranking.ranker(features), self.ranking.columns());
        let pieces = rows.par_chunks(ROWS_OF_A_PIECE).flat_map_iter(|piece| {
            let ranks = ranker.ranks(piece);
            let blocks = piece.chunks(LANES).enumerate();
            let block = |(place, rows): (usize, &[usize])| {
                work(&ranks[place * columns..][..columns], rows.len())
            };
            blocks.map(block).collect::<Vec<T>>()
        });
        pieces.collect()
    }
}
