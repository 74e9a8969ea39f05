//! Draws from the distributions that the marketplace is made of.

use rand::{Rng, RngExt};
use rand_distr::{Distribution, Poisson, StandardNormal};
use statrs::function::erf::{erfc, erfc_inv};

/// True with this probability.
pub(crate) fn chance(rng: &mut impl Rng, probability: f64) -> bool {
    rng.random::<f64>() < probability
}

/// A draw from the standard normal distribution.
pub(crate) fn normal(rng: &mut impl Rng) -> f64 {
    StandardNormal.sample(rng)
}

/// A draw from the log-normal distribution with this median and standard deviation of the
/// logarithm.
pub(crate) fn log_normal(rng: &mut impl Rng, median: f64, sigma: f64) -> f64 {
    median * (sigma * normal(rng)).exp()
}

/// A draw from the Poisson distribution; 0 where the mean is 0.
pub(crate) fn poisson(rng: &mut impl Rng, mean: f64) -> u32 {
    Poisson::new(mean).map_or(0, |distribution| {
        let count: f64 = distribution.sample(rng);
        count as u32
    })
}

/// One of the values, each with the same probability; `otherwise` where there are none.
pub(crate) fn pick<'a, T: ?Sized>(rng: &mut impl Rng, values: &[&'a T], otherwise: &'a T) -> &'a T {
    let place = (rng.random::<f64>() * values.len() as f64) as usize;
    values.get(place).copied().unwrap_or(otherwise)
}

/// Distribution function of the standard normal distribution.
pub(crate) fn normal_cdf(z: f64) -> f64 {
    0.5 * erfc(-z / std::f64::consts::SQRT_2)
}

/// Quantile function of the standard normal distribution, inverse of [`normal_cdf`].
pub(crate) fn normal_quantile(probability: f64) -> f64 {
    -std::f64::consts::SQRT_2 * erfc_inv(2.0 * probability)
}

/// Places 0, 1, … with given weights.
#[derive(Debug, Clone)]
pub(crate) struct Shares {
    cumulative: Vec<f64>,
}

impl Shares {
    /// Weights need not sum to 1.
    pub(crate) fn new(weights: impl IntoIterator<Item = f64>) -> Self {
        let cumulative = weights
            .into_iter()
            .scan(0.0, |sum, weight| {
                *sum += weight;
                Some(*sum)
            })
            .collect();
        Self { cumulative }
    }

    /// A place, drawn by weight.
    pub(crate) fn draw(&self, rng: &mut impl Rng) -> usize {
        self.quantile(rng.random())
    }

    /// The place at which this share of the total weight is reached.
    pub(crate) fn quantile(&self, share: f64) -> usize {
        let total = self.cumulative.last().copied().unwrap_or(0.0);
        let place = self.cumulative.partition_point(|&sum| sum <= share * total);
        place.min(self.cumulative.len().saturating_sub(1))
    }
}
