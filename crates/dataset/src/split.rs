//! Which rows may train a model for a date, and which judge it.

use chrono::NaiveDate;

use crate::{Dataset, DatasetError};

/// A reference date `T` with the rows that train a model for it and those that judge it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// The reference date `T`.
    pub date: NaiveDate,
    /// Rows asked about before `T`, with a label, and `label_known_at < T` (the embargo), in order; no longer before it than
    /// the problem says.
    pub train: Vec<usize>,
    /// Rows asked about on `T`, or events in the period that begins on it, in order; all of them have a label.
    pub test: Vec<usize>,
    /// Events before `T` whose label is not settled by then, in order, where it is known how long outcomes take: what is known
    /// of them is that there was no outcome yet, or when it was seen.
    pub open: Vec<usize>,
}

/// A period of events judges once this share of its labels is settled. The last few may take very long, and which these are
/// depends on what was known at the event, and not on what came of it.
const SETTLED_EVENTS: f64 = 0.95;

impl Dataset {
    /// The rows that may train a model for `date`: asked about before it and settled before it, and no longer before it than the
    /// problem says.
    pub fn training_rows(&self, date: NaiveDate) -> Vec<usize> {
        let days = self.training_window(date);
        (0..self.len())
            .filter(|&row| {
                days.contains(&self.reference_days()[row]) && self.is_settled_before(row, date)
            })
            .collect()
    }

    /// The days, since 1970-01-01, whose rows may train a model for `date`.
    fn training_window(&self, date: NaiveDate) -> std::ops::Range<i32> {
        let day = date.to_epoch_days();
        let days = self.training_days.and_then(|days| i32::try_from(days).ok());
        days.map_or(i32::MIN, |days| day.saturating_sub(days))..day
    }

    fn is_settled_before(&self, row: usize, date: NaiveDate) -> bool {
        let day = date.to_epoch_days();
        self.label(row).is_some() && self.known_day(row).is_some_and(|known| known < day)
    }

    /// Events before `date` whose label is not settled by then; none where it is not known how long outcomes take.
    pub fn open_rows(&self, date: NaiveDate) -> Vec<usize> {
        if self.durations().is_none() {
            return Vec::new();
        }
        let days = self.training_window(date);
        (0..self.len())
            .filter(|&row| {
                days.contains(&self.reference_days()[row]) && !self.is_settled_before(row, date)
            })
            .collect()
    }

    /// The rows that train a model as of a date, and none that judge it.
    pub fn split_to_train(&self, date: NaiveDate) -> Split {
        Split {
            date,
            train: self.training_rows(date),
            test: Vec::new(),
            open: self.open_rows(date),
        }
    }

    /// The splits of the dates of the cadence from `from` to `to`, both inclusive. A date on which nobody is asked
    /// about judges nothing and is passed over.
    ///
    /// # Errors
    /// [`DatasetError::NotSettled`] when there is no such date, or none with rows, or a date has labels that are not
    /// settled yet, or nothing to train on.
    pub fn splits(&self, from: NaiveDate, to: NaiveDate) -> Result<Vec<Split>, DatasetError> {
        let dates: Vec<NaiveDate> = self
            .dates()
            .iter()
            .copied()
            .filter(|date| (from..=to).contains(date))
            .collect();
        if dates.is_empty() {
            return Err(
                self.not_settled(from, "the training set has no reference date from then on")
            );
        }
        let asked = dates.iter().filter(|&&date| !self.rows_at(date).is_empty());
        let splits: Vec<Split> = asked
            .map(|&date| self.split(date))
            .collect::<Result<_, _>>()?;
        match splits.is_empty() {
            true => Err(self.not_settled(dates[0], "nobody is asked about then")),
            false => Ok(splits),
        }
    }

    /// The splits of the last `count` dates that can judge, or of all if there are fewer.
    ///
    /// # Errors
    /// [`DatasetError::NothingSettled`] when there is none.
    pub fn last_splits(&self, count: usize) -> Result<Vec<Split>, DatasetError> {
        let dates = self.settled_dates();
        if dates.is_empty() {
            return Err(self.nothing_settled());
        }
        let last = &dates[dates.len().saturating_sub(count)..];
        last.iter().map(|&date| self.split(date)).collect()
    }

    /// The rows asked about on a reference date, or the events in the period that begins on it, in order.
    pub fn rows_at(&self, date: NaiveDate) -> Vec<usize> {
        let period = date.to_epoch_days()..self.end_of(date).to_epoch_days();
        (0..self.len())
            .filter(|&row| period.contains(&self.reference_days()[row]))
            .collect()
    }

    /// The day after the last one on which rows belong to a date.
    fn end_of(&self, date: NaiveDate) -> NaiveDate {
        let next = match self.cadence {
            Some(cadence) => cadence.after(date),
            None => date.succ_opt(),
        };
        next.unwrap_or(date)
    }

    /// Why rows that belong to a date cannot judge yet, if they cannot.
    fn unsettled(&self, date: NaiveDate, rows: &[usize]) -> Option<String> {
        let settled = rows
            .iter()
            .filter(|&&row| self.label(row).is_some())
            .count();
        let open = rows.len() - settled;
        if self.cadence.is_none() {
            let reason = || format!("{open} of {} labels are not settled yet", rows.len());
            return (open > 0).then(reason);
        }
        let end = self.end_of(date);
        if end > self.data_end() {
            return Some(format!("its events go on until {end}"));
        }
        let reason = || {
            format!(
                "{open} of {} labels are not settled yet, and at most {:.0} % may be",
                rows.len(),
                100.0 * (1.0 - SETTLED_EVENTS)
            )
        };
        ((settled as f64) < SETTLED_EVENTS * rows.len() as f64).then(reason)
    }

    fn split(&self, date: NaiveDate) -> Result<Split, DatasetError> {
        let mut test = self.rows_at(date);
        let train = self.training_rows(date);
        if let Some(reason) = self.unsettled(date, &test) {
            return Err(self.not_settled(date, &reason));
        }
        if train.is_empty() {
            return Err(self.not_settled(date, "no label was settled before it"));
        }
        test.retain(|&row| self.label(row).is_some());
        Ok(Split {
            date,
            train,
            test,
            open: self.open_rows(date),
        })
    }

    /// The dates with rows, of which enough labels are settled, and settled labels of earlier dates to learn from.
    pub fn settled_dates(&self) -> Vec<NaiveDate> {
        self.dates()
            .iter()
            .copied()
            .filter(|&date| self.can_judge(date))
            .collect()
    }

    fn can_judge(&self, date: NaiveDate) -> bool {
        let rows = self.rows_at(date);
        !rows.is_empty()
            && self.unsettled(date, &rows).is_none()
            && !self.training_rows(date).is_empty()
    }

    fn nothing_settled(&self) -> DatasetError {
        let first = (0..self.len()).filter_map(|row| self.known_day(row)).min();
        DatasetError::NothingSettled {
            problem: self.problem().to_owned(),
            settled: self.labels().iter().flatten().count(),
            rows: self.len(),
            first: first
                .and_then(NaiveDate::from_epoch_days)
                .map_or("no day".to_owned(), |day| day.to_string()),
            data_end: self.data_end(),
        }
    }

    fn not_settled(&self, date: NaiveDate, reason: &str) -> DatasetError {
        let settled = self.settled_dates();
        let text = |date: Option<&NaiveDate>| date.map_or("none".to_owned(), ToString::to_string);
        DatasetError::NotSettled {
            problem: self.problem().to_owned(),
            date,
            reason: reason.to_owned(),
            first: text(settled.first()),
            last: text(settled.last()),
        }
    }
}
