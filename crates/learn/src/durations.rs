//! Times to an outcome, and what of them was seen by a moment: what learners of durations look at.

use crate::{LearnError, Rows};

/// Times to an outcome, one a row, for learners of durations.
#[derive(Clone, Debug, PartialEq)]
pub struct Durations {
    /// When each row started, in days since 1970-01-01.
    pub started: Vec<f64>,
    /// How long it took to the outcome, in days; NaN where the outcome was never seen.
    pub days: Vec<f64>,
    /// When the outcome was seen, in days since 1970-01-01; NaN where it never was.
    pub known: Vec<f64>,
}

impl Durations {
    /// Refuses another number of rows than `rows`, a start that is no moment, and an outcome without a duration or a moment.
    pub(crate) fn check(&self, rows: usize) -> Result<(), LearnError> {
        let columns = [
            ("starts", &self.started),
            ("durations", &self.days),
            ("moments at which durations were seen", &self.known),
        ];
        if let Some((what, column)) = columns.iter().find(|(_, column)| column.len() != rows) {
            return Err(LearnError::LengthMismatch {
                what,
                found: column.len(),
                expected: rows,
            });
        }
        let refused = |row: usize| match (self.started[row], self.days[row], self.known[row]) {
            (started, _, _) if !started.is_finite() => Some("has no start"),
            (_, days, _) if days.is_infinite() => Some("has an infinite duration"),
            (_, days, known) if !days.is_nan() && !known.is_finite() => {
                Some("has a duration, but no moment at which it was seen")
            }
            _ => None,
        };
        let found = (0..rows).find_map(|row| Some((row, refused(row)?)));
        found.map_or(Ok(()), |(row, reason)| {
            Err(LearnError::Duration { row, reason })
        })
    }

    /// What was seen of row `row` strictly before `at`: its duration, or how long it has been going on. `None` if it had not started.
    fn seen(&self, row: usize, at: f64) -> Option<Observation> {
        let (started, days) = (self.started[row], self.days[row]);
        match (started < at, !days.is_nan() && self.known[row] < at) {
            (false, _) => None,
            (true, true) => Some(Observation { days, ended: true }),
            (true, false) => Some(Observation {
                days: at - started,
                ended: false,
            }),
        }
    }
}

/// How long a row took, or has been going on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Observation {
    /// Days to the outcome, or to the moment of looking.
    pub(crate) days: f64,
    /// Whether the outcome was seen; else the duration is longer (a censored observation).
    pub(crate) ended: bool,
}

/// Rows that had started by a moment, each with what was seen of its duration.
#[derive(Clone, Debug)]
pub(crate) struct Observed<'a> {
    /// The rows.
    pub(crate) rows: Rows<'a>,
    /// One a row.
    pub(crate) observations: Vec<Observation>,
}

impl<'a> Observed<'a> {
    /// What was seen of `rows` (which are at `indices`) strictly before `at`, in days since 1970-01-01.
    ///
    /// # Errors
    /// If a row had not started.
    pub(crate) fn new(
        rows: Rows<'a>,
        indices: &[usize],
        durations: &Durations,
        at: f64,
    ) -> Result<Self, LearnError> {
        let seen = |&row: &usize| {
            let reason = "starts on or after the date that it is to be learned from";
            let observation = durations.seen(row, at);
            observation.ok_or(LearnError::Duration { row, reason })
        };
        Ok(Self {
            observations: indices.iter().map(seen).collect::<Result<_, _>>()?,
            rows,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_seen_depends_on_the_moment_of_looking() {
        let durations = Durations {
            started: vec![10.0],
            days: vec![4.0],
            known: vec![14.0],
        };
        let seen = |at| durations.seen(0, at).map(|seen| (seen.days, seen.ended));
        assert_eq!(seen(10.0), None);
        assert_eq!(seen(12.5), Some((2.5, false)));
        assert_eq!(seen(14.0), Some((4.0, false)));
        assert_eq!(seen(14.1), Some((4.0, true)));
    }

    #[test]
    fn durations_that_cannot_be_are_refused() {
        let check = |started, days, known, rows| {
            let column = |value| vec![value];
            let durations = Durations {
                started: column(started),
                days: column(days),
                known: column(known),
            };
            durations.check(rows).map_err(|error| error.to_string())
        };
        let nan = f64::NAN;
        assert_eq!(check(1.0, 2.0, 3.0, 1), Ok(()));
        assert_eq!(check(1.0, nan, nan, 1), Ok(()));
        assert!(
            check(nan, nan, nan, 1)
                .unwrap_err()
                .contains("row 0 has no start")
        );
        assert!(
            check(1.0, f64::INFINITY, 3.0, 1)
                .unwrap_err()
                .contains("infinite")
        );
        assert!(check(1.0, 2.0, nan, 1).unwrap_err().contains("no moment"));
        assert!(
            check(1.0, 2.0, 3.0, 2)
                .unwrap_err()
                .contains("1 values for 2 rows")
        );
    }
}
