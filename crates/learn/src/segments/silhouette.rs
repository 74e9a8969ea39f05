//! How well clusters are separated: the silhouette (Rousseeuw, 1987).

use ndarray::{ArrayView1, ArrayView2, Axis};
use rayon::prelude::*;

use crate::random::SplitMix64;

/// The mean silhouette of several clusterings of the same points, one label a point in each; `None` where a clustering has
/// fewer than two clusters. Distances are Euclidean, a point alone in its cluster counts 0.
///
/// Of more than `most` points, as many are drawn by `seed`, without replacement, and stand for all.
pub(crate) fn silhouettes(
    points: ArrayView2<'_, f64>,
    clusterings: &[&[usize]],
    most: usize,
    seed: u64,
) -> Vec<Option<f64>> {
    let drawn = draw(points.nrows(), most, seed);
    let points = points.select(Axis(0), &drawn);
    let clusterings: Vec<Sampled> = clusterings
        .iter()
        .map(|labels| Sampled::of(labels, &drawn))
        .collect();
    let by_point: Vec<Vec<f64>> = (0..drawn.len())
        .into_par_iter()
        .map(|point| {
            let distances: Vec<f64> = points
                .rows()
                .into_iter()
                .map(|other| distance(points.row(point), other))
                .collect();
            clusterings
                .iter()
                .map(|clustering| clustering.silhouette(point, &distances))
                .collect()
        })
        .collect();
    let mean = |index: usize| {
        by_point.iter().map(|values| values[index]).sum::<f64>() / drawn.len() as f64
    };
    let clusterings = clusterings.iter().enumerate();
    clusterings
        .map(|(index, clustering)| clustering.has_two().then(|| mean(index)))
        .collect()
}

/// The labels of the points that were drawn, and how many points each cluster has among them.
struct Sampled {
    labels: Vec<usize>,
    counts: Vec<usize>,
}

impl Sampled {
    fn of(labels: &[usize], drawn: &[usize]) -> Self {
        let labels: Vec<usize> = drawn.iter().map(|&point| labels[point]).collect();
        let mut counts = vec![0; labels.iter().max().map_or(0, |most| most + 1)];
        labels.iter().for_each(|&label| counts[label] += 1);
        Self { labels, counts }
    }

    fn has_two(&self) -> bool {
        self.counts.iter().filter(|&&count| count > 0).count() > 1
    }

    /// The silhouette of a point from its distances to all points.
    fn silhouette(&self, point: usize, distances: &[f64]) -> f64 {
        let own = self.labels[point];
        if self.counts[own] == 1 || !self.has_two() {
            return 0.0;
        }
        let mut sums = vec![0.0; self.counts.len()];
        for (&label, distance) in self.labels.iter().zip(distances) {
            sums[label] += distance;
        }
        let within = sums[own] / (self.counts[own] - 1) as f64;
        let others = sums.iter().zip(&self.counts).enumerate();
        let between = others
            .filter(|&(label, (_, &count))| label != own && count > 0)
            .map(|(_, (sum, &count))| sum / count as f64)
            .fold(f64::INFINITY, f64::min);
        match within.max(between) {
            0.0 => 0.0,
            larger => (between - within) / larger,
        }
    }
}

fn distance(a: ArrayView1<'_, f64>, b: ArrayView1<'_, f64>) -> f64 {
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).powi(2))
        .sum::<f64>()
        .sqrt()
}

/// At most `most` of `count` positions, in rising order.
fn draw(count: usize, most: usize, seed: u64) -> Vec<usize> {
    let mut positions: Vec<usize> = (0..count).collect();
    if count > most {
        let mut generator = SplitMix64::stream(seed, u64::MAX);
        for place in 0..most {
            let other = place + generator.below((count - place) as u64) as usize;
            positions.swap(place, other);
        }
        positions.truncate(most);
        positions.sort_unstable();
    }
    positions
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    /// The values of `sklearn.metrics.silhouette_score` for the same points.
    #[test]
    fn equals_the_reference() {
        let points = array![
            [0.0, 0.0],
            [0.0, 1.0],
            [1.0, 0.0],
            [5.0, 5.0],
            [5.0, 6.0],
            [9.0, 0.0]
        ];
        let two = [0, 0, 0, 1, 1, 1];
        let three = [0, 0, 0, 2, 2, 1];
        let found = silhouettes(points.view(), &[&two, &three], 100, 0);
        for (found, expected) in found
            .iter()
            .zip([0.607_694_240_760_759_3, 0.702_375_187_780_43])
        {
            assert!(
                found.is_some_and(|value| (value - expected).abs() < 1e-12),
                "{found:?}"
            );
        }
    }

    #[test]
    fn one_cluster_has_none_and_equal_points_have_zero() {
        let points = array![[1.0], [1.0], [1.0]];
        assert_eq!(
            silhouettes(points.view(), &[&[0, 0, 0], &[0, 1, 0]], 10, 0),
            [None, Some(0.0)]
        );
    }

    #[test]
    fn a_sample_stands_for_all() {
        let points = ndarray::Array2::from_shape_fn((600, 1), |(row, _)| {
            if row % 2 == 0 {
                row as f64 / 1e4
            } else {
                5.0 + row as f64 / 1e4
            }
        });
        let labels: Vec<usize> = (0..600).map(|row| row % 2).collect();
        let exact = silhouettes(points.view(), &[&labels], 600, 0)[0];
        let sampled = silhouettes(points.view(), &[&labels], 100, 0)[0];
        let difference = exact.zip(sampled).map(|(a, b)| (a - b).abs());
        assert!(
            difference.is_some_and(|difference| difference > 0.0 && difference < 1e-3),
            "{difference:?}"
        );
        assert_eq!(draw(10, 10, 1), (0..10).collect::<Vec<_>>());
        assert_ne!(draw(1000, 10, 1), draw(1000, 10, 2));
    }
}
