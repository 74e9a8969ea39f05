//! The windows that look back from a reference date.

use std::fmt;

use chrono::{Datelike, Months, NaiveDate};

/// How far a window looks back from a reference date `D`. A window holds the rows of
/// `start <= time < D 00:00`, all in naive local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Window {
    /// Starts that many days before `D`, at 00:00.
    Days(u32),
    /// Starts that many calendar months before `D`, at 00:00; a day that the month lacks becomes the
    /// last one of it: one month before 31 March is 28 or 29 February. No lower bound where that would
    /// be before the year -262143.
    Months(u32),
    /// Has no start: all that came before `D`.
    All,
}

impl Window {
    /// The first day that the window holds on a reference date, in days since 1970-01-01; `i64::MIN`
    /// without a lower bound, and where months reach back to before the calendar.
    pub(crate) fn first_day(self, date: NaiveDate) -> i64 {
        match self {
            Window::Days(days) => day_number(date) - i64::from(days),
            Window::Months(months) => date
                .checked_sub_months(Months::new(months))
                .map_or(i64::MIN, day_number),
            Window::All => i64::MIN,
        }
    }

    /// Whether the window can hold no row on any date.
    pub(crate) fn is_empty(self) -> bool {
        matches!(self, Window::Days(0) | Window::Months(0))
    }
}

/// As in feature names: `30d`, `6mo`, `all`.
impl fmt::Display for Window {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Window::Days(days) => write!(formatter, "{days}d"),
            Window::Months(months) => write!(formatter, "{months}mo"),
            Window::All => formatter.write_str("all"),
        }
    }
}

/// The day number of 1970-01-01 when 0001-01-01 is day 1, as chrono counts.
const EPOCH: i64 = 719_163;

fn day_number(date: NaiveDate) -> i64 {
    i64::from(date.num_days_from_ce()) - EPOCH
}

/// The calendar day of a day number since 1970-01-01, if chrono's calendar reaches that far.
pub(crate) fn calendar_day(date: i32) -> Option<NaiveDate> {
    let days = i32::try_from(i64::from(date) + EPOCH).ok()?;
    NaiveDate::from_num_days_from_ce_opt(days)
}
