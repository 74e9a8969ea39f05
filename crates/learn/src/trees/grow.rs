//! Growing trees on training rows.

use std::collections::BTreeSet;

use super::ensemble::{Ensemble, Scale};
use super::library::{Booster, Dataset, LibraryParameters, Matrix};
use crate::encoding::Encoding;
use crate::{LearnError, Training};

/// How to grow trees: for whom, how many, on which scale, and LightGBM's parameters.
pub(crate) struct Growth {
    /// The learner.
    pub(crate) learner: &'static str,
    /// Most trees, at least 1.
    pub(crate) trees: u32,
    /// Whether the trees add up to log odds; else their mean is the difference of a probability from the base rate.
    pub(crate) log_odds: bool,
    /// LightGBM's parameters, without those that this module sets.
    pub(crate) parameters: LibraryParameters,
}

/// Grows trees on all training rows. The same rows and seed give the same trees.
///
/// # Errors
/// If there is no feature, or LightGBM refuses.
pub(crate) fn grow(
    growth: &Growth,
    training: &Training<'_>,
    seed: u64,
) -> Result<Ensemble, LearnError> {
    let encoding = Encoding::fit(training);
    if encoding.features().is_empty() {
        return Err(LearnError::NoFeatures {
            learner: growth.learner,
        });
    }
    let parameters = growth.all_parameters(&encoding, seed);
    let values = encoding.apply(training, growth.learner)?;
    let matrix = Matrix {
        values: &values,
        width: encoding.features().len(),
    };
    let mut dataset = Dataset::new(matrix, &growth.labels(training), &parameters, None)?;
    drop(values);
    dataset.name_features(&library_names(encoding.features()))?;
    let mut booster = Booster::new(&dataset, &parameters)?;
    let mut trees = 0;
    while trees < growth.trees && booster.grow()? {
        trees += 1;
    }
    let text = booster.to_text()?;
    let scale = growth.scale(training, trees.max(1));
    Ok(Ensemble::new(growth.learner, encoding, scale, text))
}

impl Growth {
    fn scale(&self, training: &Training<'_>, trees: u32) -> Scale {
        match self.log_odds {
            true => Scale::LogOdds,
            false => Scale::Probability {
                base_rate: training.base_rate(),
                trees,
            },
        }
    }

    fn labels(&self, training: &Training<'_>) -> Vec<f32> {
        let from = match self.log_odds {
            true => 0.0,
            false => training.base_rate(),
        };
        let number = |&positive: &bool| (f64::from(u8::from(positive)) - from) as f32;
        training.label().iter().map(number).collect()
    }

    /// The parameters as LightGBM takes them. One thread a fit: the fits themselves run side by side.
    fn all_parameters(&self, encoding: &Encoding, seed: u64) -> LibraryParameters {
        let mut parameters = self.parameters.clone();
        let fixed = [
            ("metric", "none".to_owned()),
            ("seed", (seed % (1 << 31)).to_string()),
            ("deterministic", "true".to_owned()),
            ("force_col_wise", "true".to_owned()),
            ("num_threads", "1".to_owned()),
            ("verbosity", "-1".to_owned()),
        ];
        parameters.extend(fixed.map(|(name, value)| (name.to_owned(), value)));
        let categorical: Vec<String> = encoding
            .categorical()
            .map(|place| place.to_string())
            .collect();
        if !categorical.is_empty() {
            parameters.insert("categorical_feature".to_owned(), categorical.join(","));
        }
        parameters
    }
}

/// Names LightGBM accepts: no white space, no JSON punctuation, and unique after that.
fn library_names(features: &[String]) -> Vec<String> {
    let allowed = |letter: char| {
        if letter.is_whitespace() || letter.is_control() || "\",:[]{}=".contains(letter) {
            '_'
        } else {
            letter
        }
    };
    let mut taken = BTreeSet::new();
    let mut names = Vec::with_capacity(features.len());
    for (position, feature) in features.iter().enumerate() {
        let mut name: String = feature.chars().map(allowed).collect();
        while !taken.insert(name.clone()) {
            name = format!("{name}_{position}");
        }
        names.push(name);
    }
    names
}
