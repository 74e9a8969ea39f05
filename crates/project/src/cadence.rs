//! On which dates a question is asked.

use chrono::{Datelike, Days, Months, NaiveDate, Weekday};
use serde::Deserialize;

/// On which dates a question is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cadence {
    /// Every day.
    Day,
    /// Every Monday.
    Week,
    /// The first day of every month.
    Month,
}

impl Cadence {
    /// The date of the cadence after one of its dates.
    ///
    /// ```
    /// # use safra_project::Cadence;
    /// # use chrono::NaiveDate;
    /// let day = |y, m, d| NaiveDate::from_ymd_opt(y, m, d).unwrap();
    /// assert_eq!(Cadence::Month.after(day(2018, 5, 1)), Some(day(2018, 6, 1)));
    /// ```
    pub fn after(self, date: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Day => date.checked_add_days(Days::new(1)),
            Self::Week => date.checked_add_days(Days::new(7)),
            Self::Month => date.checked_add_months(Months::new(1)),
        }
    }

    /// The last date of the cadence before a day.
    ///
    /// ```
    /// # use safra_project::Cadence;
    /// # use chrono::NaiveDate;
    /// let day = |y, m, d| NaiveDate::from_ymd_opt(y, m, d).unwrap();
    /// assert_eq!(Cadence::Month.before(day(2018, 6, 1)), Some(day(2018, 5, 1)));
    /// assert_eq!(Cadence::Week.before(day(2018, 1, 3)), Some(day(2018, 1, 1)));
    /// ```
    pub fn before(self, date: NaiveDate) -> Option<NaiveDate> {
        let last = date.pred_opt()?;
        match self {
            Self::Day => Some(last),
            Self::Week => last.checked_sub_days(Days::new(u64::from(
                last.weekday().days_since(Weekday::Mon),
            ))),
            Self::Month => last.with_day(1),
        }
    }

    /// All dates of the cadence from `from` to `to`, both inclusive, in order.
    ///
    /// ```
    /// # use safra_project::Cadence;
    /// # use chrono::NaiveDate;
    /// let day = |y, m, d| NaiveDate::from_ymd_opt(y, m, d).unwrap();
    /// let dates = Cadence::Month.dates(day(2017, 1, 15), day(2017, 3, 1));
    /// assert_eq!(dates, [day(2017, 2, 1), day(2017, 3, 1)]);
    /// ```
    pub fn dates(self, from: NaiveDate, to: NaiveDate) -> Vec<NaiveDate> {
        let mut dates = Vec::new();
        let mut next = Some(self.first_on_or_after(from));
        while let Some(date) = next.filter(|date| *date <= to) {
            dates.push(date);
            next = self.after(date);
        }
        dates
    }

    fn first_on_or_after(self, from: NaiveDate) -> NaiveDate {
        match self {
            Self::Day => from,
            Self::Week => {
                let ahead = (7 - from.weekday().days_since(Weekday::Mon)) % 7;
                from.checked_add_days(Days::new(u64::from(ahead)))
                    .unwrap_or(from)
            }
            Self::Month if from.day() == 1 => from,
            Self::Month => from
                .with_day(1)
                .and_then(|first| first.checked_add_months(Months::new(1)))
                .unwrap_or(from),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn weeks_start_on_mondays() {
        let dates = Cadence::Week.dates(day("2018-01-02"), day("2018-01-16"));
        assert_eq!(dates, [day("2018-01-08"), day("2018-01-15")]);
        assert_eq!(
            Cadence::Week
                .dates(day("2018-01-01"), day("2018-01-01"))
                .len(),
            1
        );
    }

    #[test]
    fn an_empty_range_has_no_dates() {
        assert!(
            Cadence::Day
                .dates(day("2018-01-02"), day("2018-01-01"))
                .is_empty()
        );
    }
}
