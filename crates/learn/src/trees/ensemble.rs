//! Fitted trees: scores, exact explanations, files.

use serde::{Deserialize, Serialize};

use super::forest::Forest;
use super::model_text::Objective;
use crate::contributions::stretch;
use crate::encoding::Encoding;
use crate::probability::logit;
use crate::{Contributions, FeatureImportance, LearnError, Model, Rows, SavedModel};

/// LightGBM's own text format, which its other bindings read too.
const MODEL_FILE: &str = "model.txt";

/// The feature names as they were before LightGBM's restrictions on names, the texts of categories, and the scale.
const FEATURES_FILE: &str = "features.json";

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
    /// A probability: the base rate and the mean of the trees, which say how far rows are from it. LightGBM lets a tree that finds
    /// nothing to split say 0, so that it must be these differences that are averaged.
    Probability {
        /// Share of positive training rows.
        base_rate: f64,
    },
}

impl Scale {
    /// The score of a sum of `trees` trees.
    pub(crate) fn score(self, sum: f64, trees: usize) -> f64 {
        match self {
            // As LightGBM writes it, so that the last bit is the same too.
            Self::LogOdds => 1.0 / (1.0 + (-sum).exp()),
            Self::Sum => sum,
            Self::Probability { base_rate } => {
                (base_rate + sum / trees as f64).clamp(CLOSEST, 1.0 - CLOSEST)
            }
        }
    }

    /// What trees of this scale are grown for.
    fn objective(self) -> Objective {
        match self {
            Self::LogOdds => Objective::Binary,
            Self::Sum => Objective::Custom,
            Self::Probability { .. } => Objective::Regression,
        }
    }
}

/// What a model knows of its features and its trees.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Description {
    #[serde(flatten)]
    encoding: Encoding,
    scale: Scale,
}

/// A model of trees. What is stored is exactly what predicts.
#[derive(Debug)]
pub(crate) struct Ensemble {
    learner: &'static str,
    description: Description,
    text: String,
    forest: Forest,
}

impl Ensemble {
    /// The model of `learner` with the trees of `text`, which LightGBM has just grown.
    ///
    /// # Errors
    /// If the text is not what LightGBM should have written.
    pub(crate) fn new(
        learner: &'static str,
        encoding: Encoding,
        scale: Scale,
        text: String,
    ) -> Result<Self, LearnError> {
        Self::of(learner, Description { encoding, scale }, text)
            .map_err(|(_, reason)| LearnError::Lightgbm(format!("its model {reason}")))
    }

    /// The model that was saved.
    pub(crate) fn load(learner: &'static str, saved: &SavedModel) -> Result<Self, LearnError> {
        let description: Description = saved.parse(FEATURES_FILE)?;
        let text = String::from_utf8(saved.file(MODEL_FILE)?.to_vec())
            .map_err(|error| saved.unreadable(MODEL_FILE, &format!("is not text: {error}")))?;
        Self::of(learner, description, text)
            .map_err(|(file, reason)| saved.unreadable(file, &reason))
    }

    /// A model of files that agree, or the file that does not, and why.
    fn of(
        learner: &'static str,
        description: Description,
        text: String,
    ) -> Result<Self, (&'static str, String)> {
        let forest = Forest::parse(&text).map_err(|reason| (MODEL_FILE, reason))?;
        let Description { encoding, scale } = &description;
        let refused = |reason: &str| Err((FEATURES_FILE, reason.to_owned()));
        if forest.features() != encoding.features().len() {
            return refused("does not name the features of the model");
        }
        if !forest.fits(|place| encoding.is_categories(place)) {
            return refused("takes categories for numbers, or numbers for categories");
        }
        let is_mean = matches!(scale, Scale::Probability { .. });
        if forest.objective() != scale.objective() || is_mean && !forest.is_mean() {
            return refused("has another scale than the trees");
        }
        Ok(Self {
            learner,
            description,
            text,
            forest,
        })
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
        let Description { encoding, scale } = &self.description;
        let columns = encoding.columns(rows, self.learner)?;
        let trees = self.forest.len();
        let sums = self.forest.sums(&columns, rows.indices(), &[trees]);
        let sums = sums.into_iter().flatten();
        Ok(sums.map(|sum| scale.score(sum, trees)).collect())
    }

    /// Trees that average labels are explained on the scale of probabilities; each row's values are then stretched by one factor
    /// so that they add up to the log odds of its score.
    fn contributions(&self, rows: &Rows<'_>) -> Result<Contributions, LearnError> {
        let Description { encoding, scale } = &self.description;
        let columns = encoding.columns(rows, self.learner)?;
        let mut values = self.forest.contributions(&columns, rows.indices());
        let features = self.features().to_vec();
        if let Scale::Probability { base_rate } = scale {
            for row in values.chunks_exact_mut(features.len() + 1) {
                row.iter_mut()
                    .for_each(|value| *value /= self.forest.len() as f64);
                row[features.len()] += base_rate;
                stretch(row, log_odds);
            }
        }
        Ok(Contributions::from_row_major(features, values))
    }

    /// The summed gain of the splits on each feature.
    fn importance(&self) -> Result<Vec<FeatureImportance>, LearnError> {
        let named = self.features().iter().cloned().zip(self.forest.gains());
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
