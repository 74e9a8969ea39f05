//! Fitting several learners to the same rows.

use std::sync::Arc;

use rayon::prelude::*;

use crate::backtest::combined_from;
use crate::{
    Calibration, Contributions, FeatureImportance, LearnError, Learner, Model, Rows, SavedModel,
    Training,
};

/// Fits each of `learners` to the rows, side by side, and gives their models in the same order.
///
/// A blend whose members are among the learners with the same parameters is made of their models; none is fitted twice. The models
/// are those that [`Learner::fit`] gives.
///
/// # Errors
/// As [`Learner::fit`]; of several errors, that of the first learner.
pub fn fit_all(
    learners: &[Box<dyn Learner>],
    training: &Training<'_>,
    seed: u64,
) -> Result<Vec<Box<dyn Model>>, LearnError> {
    let members: Vec<Option<Vec<usize>>> = learners
        .iter()
        .map(|learner| combined_from(learner.as_ref(), learners))
        .collect();
    let fit = |place: usize| match members[place] {
        Some(_) => Ok(None),
        None => Ok(Some(Arc::from(learners[place].fit(training, seed)?))),
    };
    let fitted: Vec<Result<Option<Arc<dyn Model>>, LearnError>> =
        (0..learners.len()).into_par_iter().map(fit).collect();
    let fitted = fitted.into_iter().collect::<Result<Vec<_>, _>>()?;
    let shared = |place: usize| -> Option<Box<dyn Model>> {
        let model = fitted[place].clone()?;
        Some(Box::new(Shared(model)))
    };
    let models = learners.iter().zip(&members).enumerate();
    models
        .map(|(place, (learner, members))| {
            let members = members.iter().flatten().copied().map(shared);
            match (shared(place), learner.as_blend(), members.collect()) {
                (Some(model), _, _) => Ok(model),
                (None, Some(blend), Some(members)) => Ok(blend.of(members)),
                (None, _, _) => learner.fit(training, seed),
            }
        })
        .collect()
}

/// A model of which a blend is made too.
struct Shared(Arc<dyn Model>);

impl Model for Shared {
    fn learner(&self) -> &'static str {
        self.0.learner()
    }

    fn features(&self) -> &[String] {
        self.0.features()
    }

    fn predict(&self, rows: &Rows<'_>) -> Result<Vec<f64>, LearnError> {
        self.0.predict(rows)
    }

    fn contributions(&self, rows: &Rows<'_>) -> Result<Contributions, LearnError> {
        self.0.contributions(rows)
    }

    fn importance(&self) -> Result<Vec<FeatureImportance>, LearnError> {
        self.0.importance()
    }

    fn calibration(&self) -> Calibration {
        self.0.calibration()
    }

    fn save(&self) -> Result<SavedModel, LearnError> {
        self.0.save()
    }
}
