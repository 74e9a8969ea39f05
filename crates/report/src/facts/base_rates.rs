//! Share of positive rows.

use crate::input::BaseRate;

impl BaseRate {
    /// Share of positive rows; `None` without rows, or with more positives than rows.
    pub(crate) fn share(&self) -> Option<f64> {
        let is_usable = self.rows > 0 && self.positives <= self.rows;
        is_usable.then(|| self.positives as f64 / self.rows as f64)
    }
}
