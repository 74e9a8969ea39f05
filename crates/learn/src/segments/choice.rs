//! Which algorithm and how many clusters: candidates, and the rule that chooses among them.

use std::ops::RangeInclusive;

use ndarray::ArrayView2;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::clusters::Clusters;
use super::silhouette::silhouettes;
pub use super::stability::Stability;
use super::stability::stability;
use super::{Algorithm, SegmentsParameters};

/// An algorithm with a number of clusters, and how it did.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Candidate {
    /// The algorithm.
    pub algorithm: Algorithm,
    /// The number of clusters.
    pub clusters: usize,
    /// Mean silhouette, from -1 to 1: how well the clusters are separated.
    pub silhouette: Option<f64>,
    /// Share of the rows in the smallest cluster.
    pub smallest_share: Option<f64>,
    /// Agreement under resampling, of those candidates on whose stability the choice depends.
    pub stability: Option<Stability>,
    /// Why the algorithm found no such clusters, if it did not.
    pub failure: Option<String>,
}

/// What was tried, what was chosen, and why.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Choice {
    /// All candidates, by algorithm and number of clusters.
    pub candidates: Vec<Candidate>,
    /// Position of the one that was chosen; `None` when the rows cannot be told apart and are one segment.
    pub chosen: Option<usize>,
    /// Whether it is stable enough.
    pub is_stable: bool,
    /// The reason in words.
    pub reason: String,
}

/// Tries every algorithm with every number of clusters in `range` and chooses: of the candidates
///
/// - whose smallest cluster has enough of the rows,
/// - whose stability, less its standard error, is high enough, and
/// - whose silhouette is close enough to the best of those,
///
/// the one with the most clusters, and of two the one with the better silhouette. Where none is stable enough, the most stable
/// of those without a cluster that is too small.
pub(crate) fn choose(
    points: ArrayView2<'_, f64>,
    range: RangeInclusive<usize>,
    parameters: &SegmentsParameters,
    seed: u64,
) -> (Choice, Option<Clusters>) {
    let mut field = Field::fit(points, range, parameters, seed);
    let stable = field.stable(points, parameters, seed);
    let (chosen, reason) = field.choose(&stable, parameters);
    let choice = Choice {
        candidates: field.candidates,
        chosen,
        is_stable: !stable.is_empty(),
        reason,
    };
    (
        choice,
        chosen.and_then(|index| field.clusters[index].take()),
    )
}

/// The candidates, with the clusters of those that have some.
struct Field {
    candidates: Vec<Candidate>,
    clusters: Vec<Option<Clusters>>,
}

impl Field {
    fn fit(
        points: ArrayView2<'_, f64>,
        range: RangeInclusive<usize>,
        parameters: &SegmentsParameters,
        seed: u64,
    ) -> Self {
        let algorithms = parameters.algorithms.iter();
        let tried: Vec<(Algorithm, usize)> = algorithms
            .flat_map(|&algorithm| range.clone().map(move |count| (algorithm, count)))
            .collect();
        let fitted: Vec<Result<(Clusters, Vec<usize>), String>> = tried
            .par_iter()
            .map(|&(algorithm, count)| {
                let clusters = Clusters::fit(algorithm, count, points, parameters.restarts, seed)?;
                let labels = clusters.assign(points);
                Ok((clusters, labels))
            })
            .collect();
        let labels: Vec<&[usize]> = fitted
            .iter()
            .flatten()
            .map(|(_, labels)| labels.as_slice())
            .collect();
        let mut silhouettes =
            silhouettes(points, &labels, parameters.silhouette_rows, seed).into_iter();
        let candidates = tried
            .iter()
            .zip(&fitted)
            .map(|(&(algorithm, clusters), fitted)| Candidate {
                algorithm,
                clusters,
                silhouette: fitted
                    .as_ref()
                    .ok()
                    .and_then(|_| silhouettes.next().flatten()),
                smallest_share: fitted
                    .as_ref()
                    .ok()
                    .map(|(_, labels)| smallest_share(labels, clusters)),
                stability: None,
                failure: fitted.as_ref().err().cloned(),
            });
        Self {
            candidates: candidates.collect(),
            clusters: fitted
                .into_iter()
                .map(|fitted| fitted.ok().map(|(clusters, _)| clusters))
                .collect(),
        }
    }

    /// The stable candidates whose silhouette is close to the best of them, the best first. Stability takes long, so it is
    /// judged only as far as the rule needs it.
    fn stable(
        &mut self,
        points: ArrayView2<'_, f64>,
        parameters: &SegmentsParameters,
        seed: u64,
    ) -> Vec<usize> {
        let mut stable: Vec<usize> = Vec::new();
        for index in self.large_enough(parameters) {
            let needed = stable
                .first()
                .map(|&best| close_to(self.silhouette(best), parameters));
            if needed.is_some_and(|needed| self.silhouette(index) < needed) {
                break;
            }
            let Candidate {
                algorithm,
                clusters,
                ..
            } = self.candidates[index];
            let judged = stability(algorithm, clusters, points, parameters, seed);
            self.candidates[index].stability = Some(judged);
            if judged.lower() >= parameters.stability {
                stable.push(index);
            }
        }
        stable
    }

    /// The candidates without a cluster that is too small, from the best silhouette to the worst. Where all have such a cluster,
    /// that is forgiven as long as none is empty.
    fn large_enough(&self, parameters: &SegmentsParameters) -> Vec<usize> {
        let with_at_least = |share: f64| -> Vec<usize> {
            let is_large = |candidate: &Candidate| {
                candidate
                    .smallest_share
                    .is_some_and(|smallest| smallest > 0.0 && smallest >= share)
            };
            let separated = (0..self.candidates.len())
                .filter(|&index| self.candidates[index].silhouette.is_some());
            separated
                .filter(|&index| is_large(&self.candidates[index]))
                .collect()
        };
        let mut large = with_at_least(parameters.smallest_share);
        if large.is_empty() {
            large = with_at_least(0.0);
        }
        // A stable sort: of equals, the first that was tried.
        large.sort_by(|&a, &b| self.silhouette(b).total_cmp(&self.silhouette(a)));
        large
    }

    fn silhouette(&self, index: usize) -> f64 {
        self.candidates[index]
            .silhouette
            .unwrap_or(f64::NEG_INFINITY)
    }

    /// `stable` has the best silhouette first.
    fn choose(&self, stable: &[usize], parameters: &SegmentsParameters) -> (Option<usize>, String) {
        let clusters = |&index: &usize| self.candidates[index].clusters;
        // Of equals, the last is the maximum: the one with the best silhouette, in reverse.
        if let Some(&index) = stable.iter().rev().max_by_key(|&index| clusters(index)) {
            return (
                Some(index),
                self.reason_of_stable(index, stable[0], parameters),
            );
        }
        let judged = self
            .candidates
            .iter()
            .enumerate()
            .filter_map(|(index, candidate)| Some((index, candidate.stability?)));
        let most_stable =
            judged.max_by(|(a, one), (b, other)| one.mean.total_cmp(&other.mean).then(b.cmp(a)));
        match most_stable {
            Some((index, stability)) => (
                Some(index),
                self.reason_of_unstable(index, stability, parameters),
            ),
            None => (None, "no clusters were found".to_owned()),
        }
    }

    fn reason_of_stable(
        &self,
        index: usize,
        best: usize,
        parameters: &SegmentsParameters,
    ) -> String {
        let chosen = &self.candidates[index];
        let (mean, error) = chosen.stability.map_or((f64::NAN, f64::NAN), |stability| {
            (stability.mean, stability.standard_error)
        });
        format!(
            "{} with {} clusters has the most clusters of those that hold at least {} % of the rows each, come again in resampled data (adjusted Rand index {mean:.3} ± {error:.3}; at least {} is needed) and are separated well (silhouette {:.3}; at least {} of the best, {:.3}, is needed)",
            chosen.algorithm,
            chosen.clusters,
            100.0 * parameters.smallest_share,
            parameters.stability,
            self.silhouette(index),
            parameters.silhouette_share,
            self.silhouette(best),
        )
    }

    fn reason_of_unstable(
        &self,
        index: usize,
        stability: Stability,
        parameters: &SegmentsParameters,
    ) -> String {
        let chosen = &self.candidates[index];
        format!(
            "{} with {} clusters is the most stable in resampled data (adjusted Rand index {:.3} ± {:.3}), but none reaches {}: read the segments with care",
            chosen.algorithm,
            chosen.clusters,
            stability.mean,
            stability.standard_error,
            parameters.stability,
        )
    }
}

/// The least silhouette that is close enough to the best.
fn close_to(best: f64, parameters: &SegmentsParameters) -> f64 {
    best - (1.0 - parameters.silhouette_share) * best.abs()
}

fn smallest_share(labels: &[usize], clusters: usize) -> f64 {
    let mut counts = vec![0_usize; clusters];
    labels.iter().for_each(|&label| counts[label] += 1);
    counts
        .iter()
        .min()
        .map_or(0.0, |&least| least as f64 / labels.len() as f64)
}
