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

    /// The rows asked about on a reference date, in order.
    pub fn rows_at(&self, date: NaiveDate) -> Vec<usize> {
        let day = date.to_epoch_days();
        (0..self.len())
            .filter(|&row| self.reference_days()[row] == day)
            .collect()
    }

    fn split(&self, date: NaiveDate) -> Result<Split, DatasetError> {
        let test = self.rows_at(date);
        let train = self.training_rows(date);
        let open = test
            .iter()
            .filter(|&&row| self.label(row).is_none())
            .count();
        match () {
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
