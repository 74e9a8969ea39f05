//! Intervals.

use crate::input::Interval;

impl Interval {
    /// Whether both ends are numbers, in order.
    pub(crate) fn is_usable(&self) -> bool {
        self.low.is_finite() && self.high.is_finite() && self.low <= self.high
    }
}
