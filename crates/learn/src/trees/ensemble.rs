//! Fitted trees: scores, exact explanations, files.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::library::{Booster, Matrix, Prediction};
use crate::contributions::stretch;
use crate::encoding::Encoding;
use crate::probability::logit;
use crate::{Contributions, FeatureImportance, LearnError, Model, Rows, SavedModel};

/// LightGBM's own text format, which its other bindings read too.
const MODEL_FILE: &str = "model.txt";

/// The feature names as they were before LightGBM's restrictions on names, the texts of categories, and the scale.
const FEATURES_FILE: &str = "features.json";

/// Rows are scored and explained in parallel; a piece is worth reading the trees anew.
const ROWS_OF_A_PIECE: usize = 4_096;

/// TreeSHAP takes a fraction of a millisecond a row.
const EXPLAINED_ROWS_OF_A_PIECE: usize = 128;

/// A probability that is the mean of labels is kept this far from 0 and 1, where log odds end.
const CLOSEST: f64 = 1e-6;

/// What the trees add up to.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Scale {
    /// Log odds, the sum of the trees.
    LogOdds,
    /// What whoever holds the trees takes it for.
    Sum,
    /// A probability: the base rate and the mean of so many trees, which say how far rows are from it. LightGBM lets a tree that
    /// finds nothing to split say 0, so that it must be these differences that are averaged.
    Probability {
        /// Share of positive training rows.
        base_rate: f64,
        /// Number of trees.
        trees: u32,
    },
}

/// What a model knows of its features and its trees.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Description {
    #[serde(flatten)]
    encoding: Encoding,
    scale: Scale,
}

/// Trees as text. A booster cannot go from one thread to another, so each call reads its own; what is stored is thereby
/// exactly what predicts.
#[derive(Debug)]
pub(crate) struct Ensemble {
    learner: &'static str,
    description: Description,
    text: String,
}

impl Ensemble {
    /// The model of `learner` with the trees of `text`.
    pub(crate) fn new(
        learner: &'static str,
        encoding: Encoding,
        scale: Scale,
        text: String,
    ) -> Self {
        Self {
            learner,
            description: Description { encoding, scale },
            text,
        }
    }

    /// The model that was saved.
    pub(crate) fn load(learner: &'static str, saved: &SavedModel) -> Result<Self, LearnError> {
        let description: Description = saved.parse(FEATURES_FILE)?;
        let text = String::from_utf8(saved.file(MODEL_FILE)?.to_vec())
            .map_err(|error| saved.unreadable(MODEL_FILE, &format!("is not text: {error}")))?;
        // Text that is no model makes LightGBM write to stderr.
        if !text.starts_with("tree\n") || text.contains('\0') {
            return Err(saved.unreadable(MODEL_FILE, "is not a LightGBM model"));
        }
        let features = Booster::from_text(&text)?.features()?;
        if features != description.encoding.features().len() {
            return Err(saved.unreadable(FEATURES_FILE, "does not name the features of the model"));
        }
        Ok(Self {
            learner,
            description,
            text,
        })
    }

    /// What the trees say of all rows, in pieces of `size` rows that are worked on in parallel.
    fn values(
        &self,
        rows: &Rows<'_>,
        what: Prediction,
        size: usize,
    ) -> Result<Vec<f64>, LearnError> {
        let encoding = &self.description.encoding;
        let width = encoding.features().len();
        rows.positions(encoding.features(), self.learner)?;
        let pieces = rows.pieces(size);
        let values = pieces.par_iter().map(|piece| {
            let values = encoding.apply(piece, self.learner)?;
            let matrix = Matrix {
                values: &values,
                width,
            };
            Booster::from_text(&self.text)?.predict(matrix, what, 0, None)
        });
        let values: Vec<Vec<f64>> = values.collect::<Result<_, LearnError>>()?;
        Ok(values.concat())
    }
}

impl Model for Ensemble {
    fn learner(&self) -> &'static str {
        self.learner
    }

    fn features(&self) -> &[String] {
        self.description.encoding.features()
    }

    fn predict(&self, rows: &Rows<'_>) -> Result<Vec<f64>, LearnError> {
        let mut scores = self.values(rows, Prediction::Score, ROWS_OF_A_PIECE)?;
        if let Scale::Probability { base_rate, .. } = self.description.scale {
            scores
                .iter_mut()
                .for_each(|score| *score = (base_rate + *score).clamp(CLOSEST, 1.0 - CLOSEST));
        }
        Ok(scores)
    }

    /// Exact TreeSHAP values (Lundberg et al., "From local explanations to global understanding with explainable AI for trees", 2020).
    ///
    /// Trees that average labels are explained on the scale of probabilities; each row's values are then stretched by one factor
    /// so that they add up to the log odds of its score.
    fn contributions(&self, rows: &Rows<'_>) -> Result<Contributions, LearnError> {
        let what = Prediction::Contributions;
        let mut values = self.values(rows, what, EXPLAINED_ROWS_OF_A_PIECE)?;
        let features = self.features().to_vec();
        if let Scale::Probability { base_rate, trees } = self.description.scale {
            for row in values.chunks_exact_mut(features.len() + 1) {
                row.iter_mut().for_each(|value| *value /= f64::from(trees));
                row[features.len()] += base_rate;
                stretch(row, log_odds);
            }
        }
        Ok(Contributions::from_row_major(features, values))
    }

    /// The summed gain of the splits on each feature.
    fn importance(&self) -> Result<Vec<FeatureImportance>, LearnError> {
        let gains = Booster::from_text(&self.text)?.gains()?;
        let named = self.features().iter().cloned().zip(gains);
        Ok(named
            .map(|(feature, importance)| FeatureImportance {
                feature,
                importance,
            })
            .collect())
    }

    fn save(&self) -> Result<SavedModel, LearnError> {
        let mut saved = SavedModel::json(self.learner, FEATURES_FILE, &self.description)?;
        saved
            .files
            .insert(0, (MODEL_FILE.to_owned(), self.text.clone().into_bytes()));
        Ok(saved)
    }
}

/// The log odds of a probability that is a mean of labels.
fn log_odds(probability: f64) -> f64 {
    logit(probability.clamp(CLOSEST, 1.0 - CLOSEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contributions_keep_their_proportions_on_the_scale_of_log_odds() {
        let mut row = [0.2, -0.1, 0.3];
        stretch(&mut row, log_odds);
        assert!((row.iter().sum::<f64>() - logit(0.4)).abs() < 1e-12);
        assert!((row[0] / row[1] + 2.0).abs() < 1e-12 && row[0] > 0.0);
        assert!((row[2] - logit(0.3)).abs() < 1e-9);
    }
}
