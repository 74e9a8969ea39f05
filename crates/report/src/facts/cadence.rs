//! What kind of dates a problem is asked at.

use chrono::{Datelike, NaiveDate, Weekday};

use crate::locale::parse_date;

/// What kind of dates a problem is asked at, as far as the dates themselves tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cadence {
    /// First days of months.
    Month,
    /// Mondays.
    Week,
    /// Any days.
    Day,
}

impl Cadence {
    /// The cadence of some dates.
    pub(crate) fn of<'a>(dates: impl Iterator<Item = &'a str>) -> Self {
        let days: Vec<_> = dates.map(parse_date).collect();
        let all = |test: fn(NaiveDate) -> bool| days.iter().all(|day| day.is_some_and(test));
        if days.is_empty() {
            Self::Day
        } else if all(|day| day.day() == 1) {
            Self::Month
        } else if all(|day| day.weekday() == Weekday::Mon) {
            Self::Week
        } else {
            Self::Day
        }
    }

    /// Key of the message that counts such dates, or the periods that begin on them.
    pub(crate) fn key(self, are_periods: bool) -> &'static str {
        match (self, are_periods) {
            (Self::Month, false) => "dates_month",
            (Self::Week, false) => "dates_week",
            (Self::Day, false) => "dates_day",
            (Self::Month, true) => "periods_month",
            (Self::Week, true) => "periods_week",
            (Self::Day, true) => "periods_day",
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn the_cadence_is_read_from_the_dates() {
        let of = |dates: &[&str]| Cadence::of(dates.iter().copied());
        assert_eq!(of(&["2018-01-01", "2018-02-01"]), Cadence::Month);
        assert_eq!(of(&["2018-01-08", "2018-01-15"]), Cadence::Week);
        assert_eq!(of(&["2018-01-08", "2018-01-16"]), Cadence::Day);
        assert_eq!(of(&["2018-01-01", "someday"]), Cadence::Day);
        assert_eq!(of(&[]), Cadence::Day);
    }
}
