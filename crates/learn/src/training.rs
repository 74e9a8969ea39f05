//! Rows to train on.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Deref;

use crate::durations::Observed;
use crate::{LearnError, Rows};

/// Rows to train on, checked once: there are some, each has a label, and both classes occur.
///
/// Learners of durations look at [more](Training::observed_at): at rows whose label is not settled, and at how long each row took.
#[derive(Clone, Debug)]
pub struct Training<'a> {
    rows: Rows<'a>,
    label: Vec<bool>,
    positives: usize,
    observed: Option<Observed<'a>>,
}

impl<'a> Training<'a> {
    /// Trains on `rows`, with their labels.
    ///
    /// # Errors
    /// If there are no rows, a row has no label, or all rows have the same label.
    pub fn new(rows: Rows<'a>) -> Result<Self, LearnError> {
        let label = rows
            .indices
            .iter()
            .map(|&row| rows.examples.label()[row].ok_or(LearnError::UnknownLabel { row }))
            .collect::<Result<Vec<bool>, _>>()?;
        let positives = label.iter().filter(|&&positive| positive).count();
        match label.first() {
            None => Err(LearnError::NoTrainingRows),
            Some(&first) if positives == 0 || positives == label.len() => {
                Err(LearnError::OneClass {
                    label: first,
                    rows: label.len(),
                })
            }
            Some(_) => Ok(Self {
                rows,
                label,
                positives,
                observed: None,
            }),
        }
    }

    /// The same, with what was seen of the durations of these rows and of the rows `open` strictly before `at`, in days since
    /// 1970-01-01. The rows `open` are those that had started by then without a settled label; other learners do not look at them.
    ///
    /// # Errors
    /// If the examples have no durations, a row of `open` is trained on anyway or lies beyond the last row, or a row had not started.
    pub fn observed_at(mut self, open: &[usize], at: f64) -> Result<Self, LearnError> {
        let examples = self.rows.examples;
        let Some(durations) = examples.durations() else {
            return Err(LearnError::NoDurations);
        };
        let settled: BTreeSet<usize> = self.rows.indices.iter().copied().collect();
        if let Some(&row) = open.iter().find(|row| settled.contains(row)) {
            let reason = "is open, and trained on with a settled label";
            return Err(LearnError::Duration { row, reason });
        }
        examples.rows(open)?;
        let all: Vec<usize> = self.rows.indices.iter().chain(open).copied().collect();
        let rows = Rows {
            examples,
            indices: Cow::Owned(all.clone()),
        };
        self.observed = Some(Observed::new(rows, &all, durations, at)?);
        Ok(self)
    }

    /// The label of each training row.
    pub fn label(&self) -> &[bool] {
        &self.label
    }

    /// Share of positive rows, strictly between 0 and 1.
    pub fn base_rate(&self) -> f64 {
        self.positives as f64 / self.label.len() as f64
    }

    /// The rows with their durations as far as they were seen.
    ///
    /// # Errors
    /// If it was not said as of which moment they are seen.
    pub(crate) fn observed(&self) -> Result<&Observed<'a>, LearnError> {
        self.observed.as_ref().ok_or(LearnError::NoDurations)
    }
}

impl<'a> Deref for Training<'a> {
    type Target = Rows<'a>;

    fn deref(&self) -> &Rows<'a> {
        &self.rows
    }
}
