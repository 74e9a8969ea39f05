//! The plane on which rows are shown: the first two principal components.

use linfa_linalg::eigh::{EigSort, Eigh};
use ndarray::{Array1, ArrayView1, ArrayView2, Axis};
use serde::{Deserialize, Serialize};

use crate::LearnError;

/// The first two principal components of the scaled features.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Components {
    mean: Vec<f64>,
    axes: [Vec<f64>; 2],
    explained: [f64; 2],
}

impl Components {
    /// The components of points, of which there is at least one, in a space of at least one dimension. The largest loading of
    /// an axis, by absolute value, is positive.
    ///
    /// # Errors
    /// If the covariance has no eigenvectors.
    pub(crate) fn fit(points: ArrayView2<'_, f64>) -> Result<Self, LearnError> {
        let width = points.ncols();
        let mean = points
            .mean_axis(Axis(0))
            .unwrap_or_else(|| Array1::zeros(width));
        let centred = &points - &mean;
        let covariance = centred.t().dot(&centred) / points.nrows() as f64;
        let total: f64 = covariance.diag().sum();
        let failed = |error: linfa_linalg::LinalgError| {
            LearnError::Segments(format!("principal components: {error}"))
        };
        let (variances, vectors) = covariance.eigh().map_err(failed)?.sort_eig_desc();
        let axis = |index: usize| match index < width {
            true => positive(vectors.column(index)),
            false => vec![0.0; width],
        };
        let share = |index: usize| match variances.get(index) {
            Some(variance) if total > 0.0 => (variance / total).clamp(0.0, 1.0),
            _ => 0.0,
        };
        Ok(Self {
            mean: mean.to_vec(),
            axes: [axis(0), axis(1)],
            explained: [share(0), share(1)],
        })
    }

    /// The share of the variance of the scaled features along each axis, from 0 to 1.
    pub fn explained(&self) -> [f64; 2] {
        self.explained
    }

    /// The loadings of both axes, one for each scaled feature.
    pub(crate) fn axes(&self) -> &[Vec<f64>; 2] {
        &self.axes
    }

    /// Where a point lies on both axes.
    pub(crate) fn project(&self, point: ArrayView1<'_, f64>) -> [f64; 2] {
        let along = |axis: &Vec<f64>| {
            let parts = point.iter().zip(&self.mean).zip(axis);
            parts
                .map(|((value, mean), loading)| (value - mean) * loading)
                .sum()
        };
        [along(&self.axes[0]), along(&self.axes[1])]
    }

    /// Whether it belongs to a space of `width` dimensions.
    pub(crate) fn fits(&self, width: usize) -> bool {
        self.mean.len() == width && self.axes.iter().all(|axis| axis.len() == width)
    }
}

/// The vector or its opposite, whichever has its largest value positive.
fn positive(vector: ArrayView1<'_, f64>) -> Vec<f64> {
    // Rounding must not decide between two loadings of the same size.
    let size = |value: f64| (value.abs() * 1e9).round();
    let largest = vector.iter().fold(0.0_f64, |largest, &value| {
        if size(value) > size(largest) {
            value
        } else {
            largest
        }
    });
    let sign = if largest < 0.0 { -1.0 } else { 1.0 };
    vector.iter().map(|value| value * sign + 0.0).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ndarray::{Array2, array};

    /// The values of `numpy.linalg.eigh(numpy.cov(points.T, bias=True))`.
    #[test]
    fn equals_the_reference() {
        let points = array![
            [1.0, 2.0, 0.5],
            [2.0, 1.0, -1.0],
            [4.0, 6.0, 0.0],
            [3.0, 5.0, 2.0],
            [0.0, 0.0, 1.0]
        ];
        let components = Components::fit(points.view()).unwrap();
        for (axis, expected) in components.axes.iter().zip(AXES) {
            for (loading, expected) in axis.iter().zip(expected) {
                assert!((loading - expected).abs() < 1e-9, "{axis:?}");
            }
        }
        for (share, expected) in components.explained.iter().zip(EXPLAINED) {
            assert!((share - expected).abs() < 1e-9, "{share}");
        }
    }

    const AXES: [[f64; 3]; 2] = [
        [0.500507257372, 0.862394481152, 0.075948957844],
        [-0.380521414059, 0.140343857223, 0.914060750269],
    ];
    const EXPLAINED: [f64; 2] = [0.855735447221, 0.135616399103];

    #[test]
    fn one_dimension_and_no_variance_have_a_map_too() {
        let line = Components::fit(array![[1.0], [3.0]].view()).unwrap();
        assert_eq!(
            (line.project(array![3.0].view()), line.explained),
            ([1.0, 0.0], [1.0, 0.0])
        );
        let equal = Components::fit(Array2::ones((4, 3)).view()).unwrap();
        assert_eq!(
            (equal.project(array![1.0, 1.0, 1.0].view()), equal.explained),
            ([0.0, 0.0], [0.0, 0.0])
        );
    }
}
