//! Growing trees on training rows.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::ensemble::{Ensemble, Scale};
use super::forest::Forest;
use super::library::{Booster, Dataset, LibraryParameters, Matrix};
use crate::encoding::Encoding;
use crate::{LearnError, Rows, Stage, Training};

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
    let encoding = growth.encoding(training)?;
    let parameters = growth.all_parameters(&encoding, seed);
    let mut dataset = growth.dataset(&encoding, training, &parameters, None)?;
    dataset.name_features(&library_names(encoding.features()))?;
    let mut booster = Booster::new(&dataset, &parameters)?;
    let mut trees = 0;
    while trees < growth.trees && booster.grow()? {
        trees += 1;
    }
    let scale = growth.scale(training);
    Ensemble::new(growth.learner, encoding, scale, booster.to_text()?)
}

/// Trees of a stage.
pub(super) const STAGE: u32 = 25;

/// Stages without a lower log loss after which growth ends.
const PATIENCE: usize = 4;

/// Grows trees that add up to log odds, and scores `validation` every 25 trees. Growth ends early when the log loss of `validation` has not fallen for four stages.
///
/// # Errors
/// As [`grow`].
pub(crate) fn grow_in_stages(
    growth: &Growth,
    training: &Training<'_>,
    validation: &Training<'_>,
    seed: u64,
) -> Result<Vec<Stage>, LearnError> {
    let encoding = growth.encoding(training)?;
    let mut parameters = growth.all_parameters(&encoding, seed);
    parameters.insert("metric".to_owned(), "binary_logloss".to_owned());
    let dataset = growth.dataset(&encoding, training, &parameters, None)?;
    let judge = growth.dataset(&encoding, validation, &parameters, Some(&dataset))?;
    let mut booster = Booster::new(&dataset, &parameters)?;
    booster.validate_on(&judge)?;
    let (mut trees, mut growing) = (0, true);
    let (mut ends, mut losses) = (Vec::new(), Vec::new());
    while growing && trees < growth.trees && !is_exhausted(&losses) {
        let end = growth.trees.min(trees + STAGE);
        while growing && trees < end {
            growing = booster.grow()?;
            trees += u32::from(growing);
        }
        losses.push(booster.validation()?);
        ends.push(trees.max(1));
    }
    ends.dedup();
    let forest = Forest::parse(&booster.to_text()?).map_err(LearnError::Lightgbm)?;
    let columns = encoding.columns(validation, growth.learner)?;
    let counts: Vec<usize> = ends.iter().map(|&end| end as usize).collect();
    let sums = forest.sums(&columns, validation.indices(), &counts);
    let scale = growth.scale(training);
    let scores = sums.into_iter().zip(&counts).map(|(sums, &trees)| {
        let scores = sums.into_iter().map(|sum| scale.score(sum, trees));
        scores.collect()
    });
    Ok(ends.iter().copied().zip(scores).map(stage).collect())
}

/// A model of so many trees on its way, with its scores.
pub(super) fn stage((trees, scores): (u32, Vec<f64>)) -> Stage {
    Stage {
        parameters: BTreeMap::from([("num_iterations".to_owned(), json!(trees))]),
        scores,
    }
}

/// Whether the last stages all lost more than one before them.
pub(super) fn is_exhausted(losses: &[f64]) -> bool {
    let Some(earlier) = losses.len().checked_sub(PATIENCE) else {
        return false;
    };
    let lowest = losses[..earlier]
        .iter()
        .copied()
        .fold(f64::INFINITY, f64::min);
    losses[earlier..].iter().all(|&loss| loss >= lowest)
}

impl Growth {
    pub(super) fn encoding(&self, training: &Rows<'_>) -> Result<Encoding, LearnError> {
        let encoding = Encoding::fit(training);
        match encoding.features().is_empty() {
            true => Err(LearnError::NoFeatures {
                learner: self.learner,
            }),
            false => Ok(encoding),
        }
    }

    fn dataset(
        &self,
        encoding: &Encoding,
        rows: &Training<'_>,
        parameters: &LibraryParameters,
        reference: Option<&Dataset>,
    ) -> Result<Dataset, LearnError> {
        self.dataset_with(encoding, rows, &self.labels(rows), parameters, reference)
    }

    pub(super) fn dataset_with(
        &self,
        encoding: &Encoding,
        rows: &Rows<'_>,
        labels: &[f32],
        parameters: &LibraryParameters,
        reference: Option<&Dataset>,
    ) -> Result<Dataset, LearnError> {
        let values = encoding.apply(rows, self.learner)?;
        let matrix = Matrix {
            values: &values,
            width: encoding.features().len(),
        };
        Dataset::new(matrix, labels, parameters, reference)
    }

    fn scale(&self, training: &Training<'_>) -> Scale {
        match self.log_odds {
            true => Scale::LogOdds,
            false => Scale::Probability {
                base_rate: training.base_rate(),
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
    pub(super) fn all_parameters(&self, encoding: &Encoding, seed: u64) -> LibraryParameters {
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
pub(super) fn library_names(features: &[String]) -> Vec<String> {
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
