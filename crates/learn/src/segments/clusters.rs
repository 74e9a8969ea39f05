//! The two ways to find clusters, and how a row is assigned to one.

use std::fmt;

use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_clustering::{GaussianMixtureModel, KMeans};
use linfa_linalg::cholesky::Cholesky;
use ndarray::{Array2, ArrayView1, ArrayView2};
use rand_xoshiro::Xoshiro256Plus;
use rand_xoshiro::rand_core::SeedableRng;
use serde::{Deserialize, Serialize};

use crate::{LearnError, SavedModel};

/// Added to the variances of a mixture: a tenth of a standard deviation, squared, so that no component collapses.
const LEAST_VARIANCE: f64 = 0.01;
const MOST_ITERATIONS: u64 = 300;

/// A way to find clusters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// Clusters around means, each row to the nearest (Lloyd's algorithm from k-means++ starts).
    KMeans,
    /// A mixture of normal distributions with full covariances (expectation maximisation from a k-means start), each row to the
    /// most probable.
    GaussianMixture,
}

impl fmt::Display for Algorithm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::KMeans => "k-means",
            Self::GaussianMixture => "Gaussian mixture",
        })
    }
}

/// Clusters in the space of scaled features.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(crate) struct Clusters {
    centres: Vec<Vec<f64>>,
    /// What a mixture knows beyond the centres, one a cluster.
    shapes: Option<Vec<Shape>>,
}

/// A component of a mixture.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
struct Shape {
    weight: f64,
    /// Inverse of the covariance, row by row.
    precision: Vec<Vec<f64>>,
    /// Natural logarithm of the determinant of the precision.
    log_determinant: f64,
}

impl Clusters {
    /// Finds `count` clusters of `points`, one point a row.
    ///
    /// # Errors
    /// In words, when the algorithm finds none.
    pub(crate) fn fit(
        algorithm: Algorithm,
        count: usize,
        points: ArrayView2<'_, f64>,
        restarts: usize,
        seed: u64,
    ) -> Result<Self, String> {
        let points = DatasetBase::from(points);
        let generator = Xoshiro256Plus::seed_from_u64(seed);
        match algorithm {
            Algorithm::KMeans => {
                let parameters = KMeans::params_with_rng(count, generator)
                    .n_runs(restarts)
                    .max_n_iterations(MOST_ITERATIONS);
                let model = parameters.fit(&points).map_err(|error| error.to_string())?;
                Ok(Self {
                    centres: rows(model.centroids()),
                    shapes: None,
                })
            }
            Algorithm::GaussianMixture => {
                let parameters = GaussianMixtureModel::params_with_rng(count, generator)
                    .reg_covariance(LEAST_VARIANCE)
                    .max_n_iterations(MOST_ITERATIONS);
                Self::of_mixture(&parameters.fit(&points).map_err(|error| error.to_string())?)
            }
        }
    }

    /// The one cluster of points that cannot be told apart.
    pub(crate) fn single(points: ArrayView2<'_, f64>) -> Self {
        let centre = points
            .columns()
            .into_iter()
            .map(|column| column.sum() / points.nrows() as f64);
        Self {
            centres: vec![centre.collect()],
            shapes: None,
        }
    }

    fn of_mixture(model: &GaussianMixtureModel<f64>) -> Result<Self, String> {
        let parts = model
            .covariances()
            .outer_iter()
            .zip(model.precisions().outer_iter());
        let shapes = parts
            .zip(model.weights())
            .map(|((covariance, precision), &weight)| {
                let triangle = covariance.cholesky().map_err(|error| error.to_string())?;
                let log_determinant =
                    -2.0 * triangle.diag().iter().map(|value| value.ln()).sum::<f64>();
                Ok(Shape {
                    weight,
                    precision: rows(&precision.to_owned()),
                    log_determinant,
                })
            });
        Ok(Self {
            centres: rows(model.means()),
            shapes: Some(shapes.collect::<Result<_, String>>()?),
        })
    }

    /// Number of clusters.
    pub(crate) fn len(&self) -> usize {
        self.centres.len()
    }

    /// The algorithm that found them.
    pub(crate) fn algorithm(&self) -> Algorithm {
        match self.shapes {
            None => Algorithm::KMeans,
            Some(_) => Algorithm::GaussianMixture,
        }
    }

    /// The centre of a cluster.
    pub(crate) fn centre(&self, cluster: usize) -> &[f64] {
        &self.centres[cluster]
    }

    /// The cluster of each point.
    pub(crate) fn assign(&self, points: ArrayView2<'_, f64>) -> Vec<usize> {
        points
            .rows()
            .into_iter()
            .map(|point| self.nearest(point).0)
            .collect()
    }

    /// The cluster of a point, and its probability where the clusters have one.
    pub(crate) fn nearest(&self, point: ArrayView1<'_, f64>) -> (usize, Option<f64>) {
        match &self.shapes {
            None => {
                let nearness =
                    (0..self.len()).map(|cluster| -self.squared_distance(point, cluster));
                (highest(nearness).0, None)
            }
            Some(shapes) => {
                let densities: Vec<f64> = shapes
                    .iter()
                    .zip(&self.centres)
                    .map(|(shape, centre)| shape.log_density(point, centre))
                    .collect();
                let (cluster, most) = highest(densities.iter().copied());
                let total: f64 = densities.iter().map(|density| (density - most).exp()).sum();
                (cluster, Some(1.0 / total))
            }
        }
    }

    /// Squared Euclidean distance of a point from the centre of a cluster.
    pub(crate) fn squared_distance(&self, point: ArrayView1<'_, f64>, cluster: usize) -> f64 {
        let pairs = point.iter().zip(&self.centres[cluster]);
        pairs.map(|(value, centre)| (value - centre).powi(2)).sum()
    }

    /// The same clusters, in another order: first that at `order[0]`.
    pub(crate) fn reordered(&self, order: &[usize]) -> Self {
        let pick = |shapes: &Vec<Shape>| {
            order
                .iter()
                .map(|&cluster| shapes[cluster].clone())
                .collect()
        };
        Self {
            centres: order
                .iter()
                .map(|&cluster| self.centres[cluster].clone())
                .collect(),
            shapes: self.shapes.as_ref().map(pick),
        }
    }

    /// Checks that clusters read from `file` of `saved` lie in a space of `width` dimensions.
    pub(crate) fn check(
        &self,
        width: usize,
        saved: &SavedModel,
        file: &str,
    ) -> Result<(), LearnError> {
        let is_square = |shape: &Shape| {
            shape.precision.len() == width && shape.precision.iter().all(|row| row.len() == width)
        };
        let fits = !self.centres.is_empty()
            && self.centres.iter().all(|centre| centre.len() == width)
            && self
                .shapes
                .as_ref()
                .is_none_or(|shapes| shapes.len() == self.len() && shapes.iter().all(is_square));
        match fits {
            true => Ok(()),
            false => {
                Err(saved.unreadable(file, "has clusters of other dimensions than its features"))
            }
        }
    }
}

impl Shape {
    /// Logarithm of the weighted density at a point, without the constant that all components share.
    fn log_density(&self, point: ArrayView1<'_, f64>, centre: &[f64]) -> f64 {
        let difference: Vec<f64> = point
            .iter()
            .zip(centre)
            .map(|(value, centre)| value - centre)
            .collect();
        let product = |row: &Vec<f64>| row.iter().zip(&difference).map(|(a, b)| a * b).sum::<f64>();
        let squared: f64 = self
            .precision
            .iter()
            .zip(&difference)
            .map(|(row, value)| value * product(row))
            .sum();
        self.weight.ln() + 0.5 * (self.log_determinant - squared)
    }
}

/// The first of the highest values, with its position.
fn highest(values: impl Iterator<Item = f64>) -> (usize, f64) {
    let start = (0, f64::NEG_INFINITY);
    values.enumerate().fold(
        start,
        |best, (index, value)| if value > best.1 { (index, value) } else { best },
    )
}

fn rows(matrix: &Array2<f64>) -> Vec<Vec<f64>> {
    matrix.rows().into_iter().map(|row| row.to_vec()).collect()
}
