//! Coefficients of a logistic regression, by linfa.

use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_logistic::LogisticRegression;
use ndarray::{Array1, Array2, ShapeBuilder};

use crate::LearnError;
use crate::probability::logit;

/// The gradient at which the solver stops, for each training row: the loss is a sum over rows.
const GRADIENT_TOLERANCE: f64 = 1e-5;

/// A fitted linear model of the log odds of the positive class: `intercept + Σ slope × value`.
pub(crate) struct Coefficients {
    pub(crate) intercept: f64,
    pub(crate) slopes: Vec<f64>,
}

impl Coefficients {
    /// Minimises the summed log loss plus `l2 / 2 · Σ slope²`; the intercept is not penalised.
    ///
    /// `columns` holds one value a label for each column, column after column. Both classes occur in `label`.
    ///
    /// # Errors
    /// If the solver fails or does not end at finite values.
    pub(crate) fn fit(
        columns: Vec<f64>,
        label: &[bool],
        l2: f64,
        max_iterations: u64,
    ) -> Result<Self, LearnError> {
        let width = columns.len() / label.len();
        if width == 0 {
            let positives = label.iter().filter(|&&positive| positive).count();
            let base_rate = positives as f64 / label.len() as f64;
            return Ok(Self {
                intercept: logit(base_rate),
                slopes: Vec::new(),
            });
        }
        let records = Array2::from_shape_vec((label.len(), width).f(), columns)
            .map_err(|error| LearnError::LogisticRegression(error.to_string()))?;
        let fitted = LogisticRegression::default()
            .alpha(l2)
            .max_iterations(max_iterations)
            .gradient_tolerance(GRADIENT_TOLERANCE * label.len() as f64)
            .fit(&DatasetBase::new(records, Array1::from(label.to_vec())))
            .map_err(|error| LearnError::LogisticRegression(error.to_string()))?;
        // The positive class of linfa is the more frequent one, whatever its label.
        let sign = if fitted.labels().pos.class { 1.0 } else { -1.0 };
        Self {
            intercept: sign * fitted.intercept(),
            slopes: fitted.params().iter().map(|slope| sign * slope).collect(),
        }
        .finite()
    }

    fn finite(self) -> Result<Self, LearnError> {
        if self.intercept.is_finite() && self.slopes.iter().all(|slope| slope.is_finite()) {
            return Ok(self);
        }
        Err(LearnError::LogisticRegression(
            "the coefficients are not finite".to_owned(),
        ))
    }
}
