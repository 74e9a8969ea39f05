//! How to look for segments.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Algorithm, NAME};
use crate::LearnError;
use crate::parameters::{parse, require};

/// How to look for segments. [`Default`] gives what suits some thousand rows.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct SegmentsParameters {
    /// The algorithms that compete, at least one. Default both.
    pub algorithms: Vec<Algorithm>,
    /// The fewest clusters to try, at least 2. Default 2.
    pub fewest: usize,
    /// The most clusters to try, at least `fewest`. Default 8.
    pub most: usize,
    /// Starts of each k-means, of which the best is kept, at least 1. Default 10. A Gaussian mixture starts from a k-means.
    pub restarts: usize,
    /// Pairs of bootstrap samples by which stability is judged, at least 2. Default 10.
    pub resampled_pairs: usize,
    /// The stability that a clustering needs, from 0 to 1. Default 0.8.
    pub stability: f64,
    /// The share of the best silhouette that a clustering needs, from 0 to 1. Default 0.9.
    pub silhouette_share: f64,
    /// The share of rows that the smallest cluster needs, from 0 to 1. Default 0.02.
    pub smallest_share: f64,
    /// Rows up to which silhouettes are exact, at least 2; beyond, as many are drawn. Default 4,000.
    pub silhouette_rows: usize,
}

impl Default for SegmentsParameters {
    fn default() -> Self {
        Self {
            algorithms: vec![Algorithm::KMeans, Algorithm::GaussianMixture],
            fewest: 2,
            most: 8,
            restarts: 10,
            resampled_pairs: 10,
            stability: 0.8,
            silhouette_share: 0.9,
            smallest_share: 0.02,
            silhouette_rows: 4_000,
        }
    }
}

impl SegmentsParameters {
    /// The default parameters with `overrides` in place of some, by name.
    ///
    /// # Errors
    /// If there is no such parameter, or one is out of its range.
    pub fn with(overrides: &BTreeMap<String, Value>) -> Result<Self, LearnError> {
        let parameters: Self = parse(NAME, overrides)?;
        parameters.check()?;
        Ok(parameters)
    }

    /// Checks that every parameter is in its range.
    ///
    /// # Errors
    /// [`LearnError::ParameterValue`] names the first that is not.
    pub fn check(&self) -> Result<(), LearnError> {
        let algorithms = self.algorithms.len();
        require(
            algorithms > 0,
            NAME,
            "algorithms",
            algorithms,
            "at least one",
        )?;
        require(self.fewest >= 2, NAME, "fewest", self.fewest, "at least 2")?;
        let at_least_fewest = format!("at least {}, the fewest", self.fewest);
        require(
            self.most >= self.fewest,
            NAME,
            "most",
            self.most,
            &at_least_fewest,
        )?;
        require(
            self.restarts >= 1,
            NAME,
            "restarts",
            self.restarts,
            "at least 1",
        )?;
        let pairs = self.resampled_pairs;
        require(pairs >= 2, NAME, "resampled_pairs", pairs, "at least 2")?;
        let rows = self.silhouette_rows;
        require(rows >= 2, NAME, "silhouette_rows", rows, "at least 2")?;
        for (name, share) in [
            ("stability", self.stability),
            ("silhouette_share", self.silhouette_share),
            ("smallest_share", self.smallest_share),
        ] {
            require(
                (0.0..=1.0).contains(&share),
                NAME,
                name,
                share,
                "from 0 to 1",
            )?;
        }
        Ok(())
    }
}
