//! Which rows may train a model for a date, and which judge it.

use chrono::NaiveDate;

use crate::{Dataset, DatasetError};

/// A reference date `T` with the rows that train a model for it and those that judge it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// The reference date `T`.
    pub date: NaiveDate,
    /// Rows with `reference_date < T`, a label, and `label_known_at < T` (the embargo), in order.
    pub train: Vec<usize>,
    /// Rows with `reference_date = T`, in order; all of them have a label.
    pub test: Vec<usize>,
}

impl Dataset {
    /// The rows that may train a model for `date`: asked about before it and settled before it.
    pub fn training_rows(&self, date: NaiveDate) -> Vec<usize> {
        let day = date.to_epoch_days();
        (0..self.len())
            .filter(|&row| {
                self.reference_days()[row] < day
                    && self.label(row).is_some()
                    && self.known_day(row).is_some_and(|known| known < day)
            })
            .collect()
    }

    /// The splits of the dates of the cadence from `from` to `to`, both inclusive.
    ///
    /// # Errors
    /// [`DatasetError::NotSettled`] when there is no such date, or a date has no rows, labels that are not
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
        dates.into_iter().map(|date| self.split(date)).collect()
    }

    fn split(&self, date: NaiveDate) -> Result<Split, DatasetError> {
        let day = date.to_epoch_days();
        let test: Vec<usize> = (0..self.len())
            .filter(|&row| self.reference_days()[row] == day)
            .collect();
        let train = self.training_rows(date);
        let open = test
            .iter()
            .filter(|&&row| self.label(row).is_none())
            .count();
        match () {
            () if test.is_empty() => Err(self.not_settled(date, "nobody is asked about then")),
            () if open > 0 => {
                let reason = format!("{open} of {} labels are not settled yet", test.len());
                Err(self.not_settled(date, &reason))
            }
            () if train.is_empty() => Err(self.not_settled(date, "no label was settled before it")),
            () => Ok(Split { date, train, test }),
        }
    }

    /// The dates with rows, all labels settled, and settled labels of earlier dates to learn from.
    pub fn settled_dates(&self) -> Vec<NaiveDate> {
        self.dates()
            .iter()
            .copied()
            .filter(|&date| self.can_judge(date))
            .collect()
    }

    fn can_judge(&self, date: NaiveDate) -> bool {
        let day = date.to_epoch_days();
        let mut rows = (0..self.len())
            .filter(|&row| self.reference_days()[row] == day)
            .peekable();
        rows.peek().is_some()
            && rows.all(|row| self.label(row).is_some())
            && !self.training_rows(date).is_empty()
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
