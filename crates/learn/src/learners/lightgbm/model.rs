//! A fitted LightGBM model.

use lightgbm3::{Booster, ImportanceType};
use rayon::prelude::*;

use super::NAME;
use super::library::{silence, width};
use crate::{Contributions, FeatureImportance, LearnError, Model, Rows, SavedModel};

/// LightGBM's own text format, which its other bindings read too.
const MODEL_FILE: &str = "model.txt";

/// The feature names as they were before LightGBM's restrictions on names, a JSON list.
const FEATURES_FILE: &str = "features.json";

/// TreeSHAP takes a fraction of a millisecond a row, so rows are explained in parallel; a piece is worth reading the trees anew.
const ROWS_OF_A_PIECE: usize = 128;

/// Trees as text. A booster cannot go from one thread to another, so each call reads its own; what is stored is thereby
/// exactly what predicts.
#[derive(Debug)]
pub(crate) struct LightgbmModel {
    pub(super) features: Vec<String>,
    pub(super) text: String,
}

impl LightgbmModel {
    /// The model that was saved.
    pub(crate) fn load(saved: &SavedModel) -> Result<Self, LearnError> {
        let features: Vec<String> = saved.parse(FEATURES_FILE)?;
        let text = String::from_utf8(saved.file(MODEL_FILE)?.to_vec())
            .map_err(|error| saved.unreadable(MODEL_FILE, &format!("is not text: {error}")))?;
        // Text with a zero byte makes the binding panic, and text that is no model makes LightGBM write to stderr.
        if !text.starts_with("tree\n") || text.contains('\0') {
            return Err(saved.unreadable(MODEL_FILE, "is not a LightGBM model"));
        }
        let model = Self { features, text };
        if model.booster()?.num_features() != width(&model.features)? {
            return Err(saved.unreadable(FEATURES_FILE, "does not name the features of the model"));
        }
        Ok(model)
    }

    fn booster(&self) -> Result<Booster, LearnError> {
        silence()?;
        Ok(Booster::from_string(&self.text)?)
    }
}

impl Model for LightgbmModel {
    fn learner(&self) -> &'static str {
        NAME
    }

    fn features(&self) -> &[String] {
        &self.features
    }

    fn predict(&self, rows: &Rows<'_>) -> Result<Vec<f64>, LearnError> {
        let columns = rows.column_major(&rows.positions(&self.features, NAME)?);
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        Ok(self
            .booster()?
            .predict(&columns, width(&self.features)?, false)?)
    }

    /// Exact TreeSHAP values (Lundberg et al., "From local explanations to global understanding with explainable AI for trees", 2020).
    fn contributions(&self, rows: &Rows<'_>) -> Result<Contributions, LearnError> {
        let positions = rows.positions(&self.features, NAME)?;
        let pieces = rows.pieces(ROWS_OF_A_PIECE);
        let values = pieces.par_iter().map(|piece| {
            let columns = piece.column_major(&positions);
            Ok(self
                .booster()?
                .predict_contrib(&columns, width(&self.features)?, false)?)
        });
        let values: Vec<Vec<f64>> = values.collect::<Result<_, LearnError>>()?;
        Ok(Contributions::from_row_major(
            self.features.clone(),
            values.concat(),
        ))
    }

    /// The summed gain of the splits on each feature.
    fn importance(&self) -> Result<Vec<FeatureImportance>, LearnError> {
        let gains = self.booster()?.feature_importance(ImportanceType::Gain)?;
        let named = self.features.iter().cloned().zip(gains);
        Ok(named
            .map(|(feature, importance)| FeatureImportance {
                feature,
                importance,
            })
            .collect())
    }

    fn save(&self) -> Result<SavedModel, LearnError> {
        let mut saved = SavedModel::json(NAME, FEATURES_FILE, &self.features)?;
        saved
            .files
            .insert(0, (MODEL_FILE.to_owned(), self.text.clone().into_bytes()));
        Ok(saved)
    }
}
