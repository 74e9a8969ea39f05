//! Backtests of a problem's learners: past dates as they would have been scored, calibration included.

use safra_dataset::Split;
use safra_learn::{
    Backtest, Calibration, CalibrationMethod, Learner, backtest, calibrate, choose_calibration,
};
use safra_project::{CalibrationSpec, Problem};

use super::evaluation::Evaluation;
use super::prepared::Prepared;
use crate::context::Context;
use crate::error::SafraError;

/// Dates before the first reported one that are scored too, so that calibration has something to learn from.
const EARLIER_DATES: usize = 6;

/// A backtest with all that a final calibration needs.
pub struct Backtested<'a> {
    prepared: &'a Prepared,
    splits: Vec<safra_learn::Split>,
    /// Scores as the learners gave them, on earlier dates too.
    raw: Backtest,
    methods: &'static [CalibrationMethod],
    /// Scores and outcomes on the dates asked for.
    pub evaluation: Evaluation,
}

impl<'a> Backtested<'a> {
    /// Backtests learners on splits, with a progress bar.
    pub fn run(
        context: &Context,
        problem: &Problem,
        prepared: &'a Prepared,
        splits: &[Split],
        learners: &[Box<dyn Learner>],
    ) -> Result<Self, SafraError> {
        let methods = methods(problem.calibration);
        let mut all = match methods.is_empty() {
            true => Vec::new(),
            false => earlier(prepared, splits)?,
        };
        all.extend(splits.iter().cloned());
        let all: Vec<safra_learn::Split> = all.iter().map(as_rows).collect();
        let progress = context.progress(all.len() * learners.len(), "backtest");
        let seed = context.project.settings.seed;
        let examples = &prepared.examples;
        let raw = backtest(examples, &all, learners, seed, &|| progress.inc(1))?;
        progress.finish_and_clear();
        let calibrated = calibrate(&raw, examples, &all, methods)?;
        Ok(Self {
            evaluation: Evaluation::of(&calibrated, &raw, splits, &prepared.dataset),
            prepared,
            splits: all,
            raw,
            methods,
        })
    }

    /// The calibration of a model of `learner` that is fitted to the rows `known`.
    pub fn calibration(&self, learner: &str, known: &[usize]) -> Result<Calibration, SafraError> {
        Ok(choose_calibration(
            &self.raw,
            &self.prepared.examples,
            &self.splits,
            self.methods,
            learner,
            known,
        )?)
    }
}

/// The splits of the last dates before the first of `splits`.
fn earlier(prepared: &Prepared, splits: &[Split]) -> Result<Vec<Split>, SafraError> {
    let first = splits.iter().map(|split| split.date).min();
    let mut dates = prepared.dataset.settled_dates();
    dates.retain(|date| first.is_some_and(|first| *date < first));
    let skipped = dates.len().saturating_sub(EARLIER_DATES);
    let mut found = Vec::new();
    for date in dates.into_iter().skip(skipped) {
        found.extend(prepared.dataset.splits(date, date)?);
    }
    Ok(found)
}

/// A split as learners take it.
pub fn as_rows(split: &Split) -> safra_learn::Split {
    safra_learn::Split {
        date: split.date.to_string(),
        train: split.train.clone(),
        test: split.test.clone(),
        open: split.open.clone(),
        at: Some(f64::from(split.date.to_epoch_days())),
    }
}

fn methods(declared: CalibrationSpec) -> &'static [CalibrationMethod] {
    match declared {
        CalibrationSpec::None => &[],
        CalibrationSpec::Platt => &[CalibrationMethod::Platt],
        CalibrationSpec::Isotonic => &[CalibrationMethod::Isotonic],
        CalibrationSpec::Auto => &[CalibrationMethod::Platt, CalibrationMethod::Isotonic],
    }
}
