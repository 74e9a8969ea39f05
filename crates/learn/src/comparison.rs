//! Two backtested learners against each other, on the rows both scored.

use crate::{
    BacktestPredictions, Comparison, EvaluationRows, Examples, LearnError, Resampling, compare,
};

/// Compares two learners by their predictions in backtests on the same examples, on the dates both have; see [`compare`].
///
/// The predictions may come from one backtest or from two; get them with
/// [`Backtest::predictions_of`](crate::Backtest::predictions_of). `groups` is, for each of the `examples`, a number for the
/// entity it is about. Rows without a label are left out.
///
/// # Errors
/// If the rows scored on a date differ, `groups` does not have one value an example, or the comparison is not possible.
pub fn compare_predictions(
    challenger: &[&BacktestPredictions],
    champion: &[&BacktestPredictions],
    examples: &Examples,
    groups: &[u64],
    resampling: &Resampling,
) -> Result<Comparison, LearnError> {
    if groups.len() != examples.len() {
        return Err(LearnError::LengthMismatch {
            what: "groups",
            found: groups.len(),
            expected: examples.len(),
        });
    }
    let mut paired = Paired::default();
    for (date, ours) in (0..).zip(challenger) {
        if let Some(theirs) = champion.iter().find(|theirs| theirs.date == ours.date) {
            paired.add(date, ours, theirs, examples, groups)?;
        }
    }
    let Paired {
        labels,
        dates,
        groups,
        challenger,
        champion,
    } = &paired;
    compare(
        &EvaluationRows {
            labels,
            dates,
            groups,
        },
        challenger,
        champion,
        resampling,
    )
}

/// Rows with both scores.
#[derive(Default)]
struct Paired {
    labels: Vec<bool>,
    dates: Vec<u64>,
    groups: Vec<u64>,
    challenger: Vec<f64>,
    champion: Vec<f64>,
}

impl Paired {
    fn add(
        &mut self,
        date: u64,
        challenger: &BacktestPredictions,
        champion: &BacktestPredictions,
        examples: &Examples,
        groups: &[u64],
    ) -> Result<(), LearnError> {
        if challenger.rows != champion.rows {
            return Err(LearnError::DifferentRows(challenger.date.clone()));
        }
        examples.rows(&challenger.rows)?;
        let scores = challenger.scores.iter().zip(&champion.scores);
        for (&row, (&ours, &theirs)) in challenger.rows.iter().zip(scores) {
            if let Some(label) = examples.label()[row] {
                self.labels.push(label);
                self.dates.push(date);
                self.groups.push(groups[row]);
                self.challenger.push(ours);
                self.champion.push(theirs);
            }
        }
        Ok(())
    }
}
