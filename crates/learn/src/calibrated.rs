//! A model with a calibration on top, which is one model.

use crate::calibration::Calibration;
use crate::{Contributions, FeatureImportance, LearnError, Model, Rows, SavedModel};

/// Name of the file of the calibration beside the files of the model.
pub(crate) const FILE: &str = "calibration.json";

/// The model whose scores are those of `model`, calibrated. It is stored and loaded as one.
pub fn calibrated(model: Box<dyn Model>, calibration: Calibration) -> Box<dyn Model> {
    match calibration {
        Calibration::None => model,
        calibration => Box::new(CalibratedModel { model, calibration }),
    }
}

/// The calibration in `saved`, if there is one.
pub(crate) fn calibration_of(saved: &SavedModel) -> Result<Calibration, LearnError> {
    if saved.files.iter().all(|(name, _)| name != FILE) {
        return Ok(Calibration::None);
    }
    let calibration: Calibration = saved.parse(FILE)?;
    match calibration.is_sound() && calibration != Calibration::None {
        true => Ok(calibration),
        false => Err(saved.unreadable(FILE, "does not increase")),
    }
}

struct CalibratedModel {
    model: Box<dyn Model>,
    /// Not [`Calibration::None`].
    calibration: Calibration,
}

impl Model for CalibratedModel {
    fn learner(&self) -> &'static str {
        self.model.learner()
    }

    fn features(&self) -> &[String] {
        self.model.features()
    }

    fn predict(&self, rows: &Rows<'_>) -> Result<Vec<f64>, LearnError> {
        let scores = self.model.predict(rows)?.into_iter();
        Ok(scores.map(|score| self.calibration.apply(score)).collect())
    }

    /// Those of the model, stretched by one factor a row: that by which the calibration stretches the way from the bias to
    /// the score.
    fn contributions(&self, rows: &Rows<'_>) -> Result<Contributions, LearnError> {
        let contributions = self.model.contributions(rows)?;
        Ok(contributions.stretched(|log_odds| self.calibration.apply_to_log_odds(log_odds)))
    }

    fn importance(&self) -> Result<Vec<FeatureImportance>, LearnError> {
        self.model.importance()
    }

    fn calibration(&self) -> Calibration {
        self.calibration.clone()
    }

    fn save(&self) -> Result<SavedModel, LearnError> {
        let mut saved = self.model.save()?;
        let learner = self.model.learner();
        let mut own = SavedModel::json(learner, FILE, &self.calibration)?;
        saved.files.append(&mut own.files);
        Ok(saved)
    }
}
