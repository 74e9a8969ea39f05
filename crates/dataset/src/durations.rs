//! How long it took until the outcome of an event.

use arrow::array::{Array, Float64Array, TimestampMicrosecondArray};
use chrono::NaiveDate;
use safra_history::DAY;

/// How long it took until the outcome of each event, as far as it was seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Durations {
    /// When each event happened, in microseconds since 1970-01-01.
    pub(crate) started: TimestampMicrosecondArray,
    /// Days from the event to the outcome; NULL while there is none.
    pub(crate) days: Float64Array,
    /// When the outcome was seen; NULL while it was not.
    pub(crate) known_at: TimestampMicrosecondArray,
}

impl Durations {
    /// When each event happened, in days since 1970-01-01.
    pub fn started(&self) -> Vec<f64> {
        as_days(&self.started)
    }

    /// Days from the event to the outcome; NaN while there is none.
    pub fn days(&self) -> Vec<f64> {
        let days = self.days.iter();
        days.map(|days| days.unwrap_or(f64::NAN)).collect()
    }

    /// When the outcome was seen, in days since 1970-01-01; NaN while it was not.
    pub fn known(&self) -> Vec<f64> {
        as_days(&self.known_at)
    }

    /// The same durations as far as they were seen before a date.
    pub(crate) fn known_before(self, date: NaiveDate) -> Self {
        let end = i64::from(date.to_epoch_days()) * DAY;
        let seen = |time: &i64| *time < end;
        let days = self.days.iter().zip(&self.known_at);
        Self {
            days: days
                .map(|(days, known)| days.filter(|_| known.as_ref().is_some_and(seen)))
                .collect(),
            known_at: self.known_at.iter().map(|time| time.filter(seen)).collect(),
            started: self.started,
        }
    }

    /// Whether the outcome of an event was seen before a moment, in microseconds since 1970-01-01.
    pub(crate) fn is_seen_before(&self, row: usize, moment: i64) -> bool {
        self.known_at.is_valid(row) && self.known_at.value(row) < moment
    }
}

fn as_days(times: &TimestampMicrosecondArray) -> Vec<f64> {
    let days = |time: Option<i64>| time.map_or(f64::NAN, |time| time as f64 / DAY as f64);
    times.iter().map(days).collect()
}
