//! Whether rows count at all.

use crate::calendar::{Calendar, day_of};
use crate::{SweepError, Window};

/// The rows that some windows hold on some reference dates. All others may be left out of a sweep, which gives the same then.
#[derive(Debug)]
pub struct Reach {
    calendar: Calendar,
}

impl Reach {
    /// Of these windows on these dates, in days since 1970-01-01 and strictly increasing.
    ///
    /// # Errors
    /// If the dates are not strictly increasing or outside the calendar, or a window is empty.
    pub fn new(windows: &[Window], dates: &[i32]) -> Result<Self, SweepError> {
        let calendar = Calendar::new(dates, windows)?;
        Ok(Self { calendar })
    }

    /// Whether a window holds a row on one of the dates, by its time and the interval in which it is valid, as
    /// [`Rows`](crate::Rows) has them.
    pub fn holds(&self, time: i64, valid_from: i64, valid_to: i64) -> bool {
        let enter = self.calendar.first_after(time.max(valid_from));
        if self.calendar.first_after(valid_to) <= enter {
            return false;
        }
        let day = day_of(time);
        let mut windows = 0..self.calendar.windows().len();
        windows.any(|window| self.calendar.first_start_after(window, day) > enter)
    }
}
