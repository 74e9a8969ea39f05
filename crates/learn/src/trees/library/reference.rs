//! What LightGBM itself says of a model, for tests to hold the trees in memory against.

use std::ffi::c_int;

use lightgbm3_sys as sys;

use super::{Booster, Matrix, check, quiet, text};
use crate::LearnError;

/// What a model is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prediction {
    /// The score on the scale of the objective.
    Score,
    /// The sum of the trees.
    Sum,
    /// TreeSHAP values of each feature and the bias, one value more than features a row.
    Contributions,
}

impl Booster<'static> {
    /// The trees of a text that [`to_text`](Booster::to_text) wrote, of one class.
    pub(crate) fn from_text(model: &str) -> Result<Self, LearnError> {
        quiet();
        let model = text(model)?;
        let mut booster = Self::unborn();
        let mut trees: c_int = 0;
        // SAFETY: the text ends with a zero byte and is copied.
        check(unsafe {
            sys::LGBM_BoosterLoadModelFromString(
                model.as_ptr(),
                &raw mut trees,
                &raw mut booster.handle,
            )
        })?;
        Ok(booster)
    }

    /// What the first `trees` trees (all if negative) say of each row of a matrix of as many columns as the model has features.
    pub(crate) fn predict(
        &self,
        matrix: Matrix<'_>,
        what: Prediction,
        trees: i32,
    ) -> Result<Vec<f64>, LearnError> {
        quiet();
        let (rows, columns) = matrix.shape()?;
        let (kind, each) = match what {
            Prediction::Score => (sys::C_API_PREDICT_NORMAL, 1),
            Prediction::Sum => (sys::C_API_PREDICT_RAW_SCORE, 1),
            Prediction::Contributions => (sys::C_API_PREDICT_CONTRIB, matrix.width + 1),
        };
        let mut length = 0_i64;
        let mut values = vec![0.0; matrix.rows() * each];
        // SAFETY: the matrix holds rows × columns numbers; one class gives `each` values a row, for which there is room.
        check(unsafe {
            sys::LGBM_BoosterPredictForMat(
                self.handle,
                matrix.values.as_ptr().cast(),
                sys::C_API_DTYPE_FLOAT64 as c_int,
                rows,
                columns,
                0,
                kind as c_int,
                0,
                trees,
                c"num_threads=1 verbosity=-1".as_ptr(),
                &raw mut length,
                values.as_mut_ptr(),
            )
        })?;
        Ok(values)
    }

    /// The summed gain of the splits on each of `features` features.
    pub(crate) fn gains(&self, features: usize) -> Result<Vec<f64>, LearnError> {
        let mut gains = vec![0.0; features];
        // SAFETY: LightGBM writes one value a feature, for which there is room.
        check(unsafe {
            sys::LGBM_BoosterFeatureImportance(
                self.handle,
                0,
                sys::C_API_FEATURE_IMPORTANCE_GAIN as c_int,
                gains.as_mut_ptr(),
            )
        })?;
        Ok(gains)
    }
}
