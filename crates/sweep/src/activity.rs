//! On which reference dates each row is active, in each window.

use rayon::prelude::*;

use crate::Rows;
use crate::calendar::{Calendar, day_of};

/// For every row the index of the first date it is active on, and for every window the index of the
/// first date on which it no longer is. Equal indexes mean that the window never holds the row.
pub(crate) struct Activity {
    windows: usize,
    enter: Vec<u32>,
    leave: Vec<u32>,
}

/// Rows that one thread looks up together.
const BLOCK: usize = 4096;

impl Activity {
    /// Looks up every row.
    pub(crate) fn new(rows: &Rows, calendar: &Calendar) -> Self {
        let windows = calendar.windows().len();
        let mut enter = vec![0; rows.entity.len()];
        let mut leave = vec![0; rows.entity.len() * windows];
        let blocks = enter
            .par_chunks_mut(BLOCK)
            .zip(leave.par_chunks_mut(BLOCK * windows.max(1)));
        blocks.enumerate().for_each(|(block, (enter, leave))| {
            let rows_and_leave = (block * BLOCK..).zip(leave.chunks_mut(windows));
            for (enter, (row, leave)) in enter.iter_mut().zip(rows_and_leave) {
                let valid = (rows.valid_from[row], rows.valid_to[row]);
                *enter = look_up(rows.time[row], valid, calendar, leave);
            }
        });
        Self {
            windows,
            enter,
            leave,
        }
    }

    /// Index of the first date on which a row is active.
    pub(crate) fn enter(&self, row: usize) -> u32 {
        self.enter[row]
    }

    /// Index of the first date, at or after [`Activity::enter`], on which a window does not hold a row.
    pub(crate) fn leave(&self, row: usize, window: usize) -> u32 {
        self.leave[row * self.windows + window]
    }

    /// The date indexes on which at least one window holds a row, if any: first, and past the last.
    pub(crate) fn span(&self, row: usize) -> Option<(u32, u32)> {
        let enter = self.enter[row];
        let leave = self.leave[row * self.windows..][..self.windows]
            .iter()
            .copied()
            .max()?;
        (leave > enter).then_some((enter, leave))
    }
}

/// Index of the first date on which a row is active, by its time and the interval in which it is valid, and into `leave`, for each
/// window, that of the first date on which it no longer is. Windows differ only in when a row leaves them: all end at the
/// reference date.
pub(crate) fn look_up(
    time: i64,
    (valid_from, valid_to): (i64, i64),
    calendar: &Calendar,
    leave: &mut [u32],
) -> u32 {
    let enter = calendar.first_after(time.max(valid_from));
    let invalid = calendar.first_after(valid_to);
    let day = day_of(time);
    for (window, leave) in leave.iter_mut().enumerate() {
        *leave = calendar
            .first_start_after(window, day)
            .min(invalid)
            .max(enter);
    }
    enter
}
