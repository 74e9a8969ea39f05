//! Whether a clustering comes again in other data of the same kind: agreement under resampling.

use std::collections::BTreeMap;

use ndarray::{ArrayView2, Axis};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Algorithm, SegmentsParameters};
use crate::LearnError;
use crate::random::SplitMix64;
use crate::segments::clusters::Clusters;

/// How much the clusterings of pairs of bootstrap samples agree, as adjusted Rand indices: 1 is the same clustering, 0 is chance.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
pub struct Stability {
    /// Mean over the pairs.
    pub mean: f64,
    /// Standard error of the mean.
    pub standard_error: f64,
}

impl Stability {
    /// The mean less its standard error: what can be relied on.
    pub fn lower(&self) -> f64 {
        self.mean - self.standard_error
    }
}

/// The stability of an algorithm with a number of clusters: both samples of a pair are clustered, all points are assigned to
/// the clusters of either, and the two assignments are compared (Hennig, "Cluster-wise assessment of cluster stability",
/// 2007; Tibshirani and Walther, "Cluster validation by prediction strength", 2005). A pair on which the algorithm fails
/// agrees on nothing.
pub(crate) fn stability(
    algorithm: Algorithm,
    count: usize,
    points: ArrayView2<'_, f64>,
    parameters: &SegmentsParameters,
    seed: u64,
) -> Stability {
    let assignment = |sample: u64| {
        let rows = resample(points.nrows(), seed, sample);
        let drawn = points.select(Axis(0), &rows);
        let clusters = Clusters::fit(algorithm, count, drawn.view(), parameters.restarts, seed);
        clusters.ok().map(|clusters| clusters.assign(points))
    };
    let samples = 0..2 * parameters.resampled_pairs as u64;
    let assignments: Vec<Option<Vec<usize>>> = samples.into_par_iter().map(assignment).collect();
    let agreement = |pair: &[Option<Vec<usize>>]| match pair {
        [Some(one), Some(other)] => agreement(one, other),
        _ => 0.0,
    };
    let indices: Vec<f64> = assignments.chunks_exact(2).map(agreement).collect();
    let count = indices.len() as f64;
    let mean = indices.iter().sum::<f64>() / count;
    let squares: f64 = indices.iter().map(|index| (index - mean).powi(2)).sum();
    Stability {
        mean,
        standard_error: (squares / (count - 1.0) / count).sqrt(),
    }
}

/// The adjusted Rand index of two clusterings of the same rows, one label a row in each (Hubert and Arabie, 1985): 1 when they
/// are the same but for the labels, 0 on average when they are independent.
///
/// # Errors
/// If they are not of the same number of rows.
pub fn adjusted_rand_index(one: &[usize], other: &[usize]) -> Result<f64, LearnError> {
    match one.len() == other.len() {
        true => Ok(agreement(one, other)),
        false => Err(LearnError::LengthMismatch {
            what: "labels",
            found: other.len(),
            expected: one.len(),
        }),
    }
}

fn agreement(one: &[usize], other: &[usize]) -> f64 {
    let mut cells: BTreeMap<(usize, usize), u64> = BTreeMap::new();
    let mut sizes: [BTreeMap<usize, u64>; 2] = Default::default();
    for (&a, &b) in one.iter().zip(other) {
        *cells.entry((a, b)).or_default() += 1;
        *sizes[0].entry(a).or_default() += 1;
        *sizes[1].entry(b).or_default() += 1;
    }
    let pairs = |count: &u64| (*count as f64) * (*count as f64 - 1.0) / 2.0;
    let together: f64 = cells.values().map(pairs).sum();
    let [first, second] = sizes.map(|sizes| sizes.values().map(pairs).sum::<f64>());
    let all = pairs(&(one.len() as u64));
    let expected = if all > 0.0 { first * second / all } else { 0.0 };
    let most = (first + second) / 2.0;
    // Both put all rows into one cluster, or each row into its own: the same clustering.
    if most == expected {
        1.0
    } else {
        (together - expected) / (most - expected)
    }
}

/// As many positions as there are, drawn with replacement, in rising order.
fn resample(count: usize, seed: u64, sample: u64) -> Vec<usize> {
    let mut generator = SplitMix64::stream(seed, sample);
    let mut drawn: Vec<usize> = (0..count)
        .map(|_| generator.below(count as u64) as usize)
        .collect();
    drawn.sort_unstable();
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values of `sklearn.metrics.adjusted_rand_score`.
    #[test]
    fn equals_the_reference() {
        assert!((agreement(&[0, 0, 1, 1, 2, 2], &[0, 0, 1, 2, 2, 2]) - 4.0 / 9.0).abs() < 1e-12);
        assert!((agreement(&[0, 0, 1, 1], &[0, 1, 0, 1]) + 0.5).abs() < 1e-12);
    }

    #[test]
    fn labels_do_not_matter_and_trivial_clusterings_agree_with_themselves() {
        assert_eq!(agreement(&[0, 0, 1, 2], &[7, 7, 3, 1]), 1.0);
        assert_eq!(agreement(&[0, 0, 0], &[4, 4, 4]), 1.0);
        assert_eq!(agreement(&[0, 1, 2], &[2, 1, 0]), 1.0);
        assert_eq!(agreement(&[], &[]), 1.0);
        assert!(adjusted_rand_index(&[0], &[]).is_err());
    }
}
