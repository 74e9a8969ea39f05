//! Backtest: for each of a run of past dates, train on what was known, score, and compare with what happened.

use std::collections::BTreeSet;

use rayon::prelude::*;
use serde::Serialize;

use crate::{Blend, Examples, LearnError, Learner, Metric, Metrics, Scored, Training};

/// One past date: the rows that could be trained on by then, and the rows to score on it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Split {
    /// The date, as it is to be read in results and messages.
    pub date: String,
    /// Rows to train on, each with a label.
    pub train: Vec<usize>,
    /// Rows to score. Rows without a label are scored but not evaluated.
    pub test: Vec<usize>,
    /// Rows that started before the date and whose label is not settled by then: only learners of durations look at them, as at
    /// outcomes that are still to come.
    pub open: Vec<usize>,
    /// The moment as of which durations are seen, in days since 1970-01-01; needed by learners of durations only.
    pub at: Option<f64>,
}

impl Split {
    /// The rows to train on, with durations as they were seen at the moment of the split if it has one and `examples` have durations.
    ///
    /// # Errors
    /// As [`Training::new`] and [`Training::observed_at`].
    pub fn training<'a>(&'a self, examples: &'a Examples) -> Result<Training<'a>, LearnError> {
        let training = Training::new(examples.rows(&self.train)?)?;
        match (self.at, examples.durations()) {
            (Some(at), Some(_)) => training.observed_at(&self.open, at),
            _ => Ok(training),
        }
    }
}

/// The outcome of a backtest: by date in the order given, and within a date by learner in the order given.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Backtest {
    /// One row of metrics for each date and learner.
    pub rows: Vec<BacktestRow>,
    /// The scores behind the metrics, for each date and learner for which a model could be fitted.
    pub predictions: Vec<BacktestPredictions>,
    /// Mean metrics of each learner.
    pub means: Vec<LearnerMeans>,
}

/// What one learner achieved on one date.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BacktestRow {
    /// The date.
    pub date: String,
    /// The learner.
    pub learner: String,
    /// Number of rows trained on.
    pub train_rows: usize,
    /// Number of rows evaluated: scored, and with a label.
    pub rows: usize,
    /// Number of positive rows among these.
    pub positives: usize,
    /// The metrics, each `None` where undefined.
    pub metrics: Metrics,
    /// Why there are no metrics, if so.
    pub reason: Option<String>,
}

/// The scores of one learner on one date.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BacktestPredictions {
    /// The date.
    pub date: String,
    /// The learner.
    pub learner: String,
    /// The test rows, as indices into the examples, in the order of the split.
    pub rows: Vec<usize>,
    /// The score of each of these rows: the probability of the positive class.
    pub scores: Vec<f64>,
}

/// Mean metrics of one learner.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LearnerMeans {
    /// The learner.
    pub learner: String,
    /// Number of dates with metrics.
    pub dates: usize,
    /// The mean of each metric over the dates on which it is defined; `None` if there is none.
    pub metrics: Metrics,
}

/// Fits every learner on the training rows of every split, and evaluates it on the test rows.
///
/// All fits run in parallel, each with the same `seed`, so that a fit on a date's training rows gives the backtest's model. A blend
/// whose members are among the learners is combined from their scores, and not fitted again.
/// `progress` is called `splits.len() * learners.len()` times, from any thread. A date that cannot be learned
/// from (no training rows, or one class only) or not be evaluated (no test row with a label) gives a row with a reason.
///
/// # Errors
/// If two learners have the same name or two splits the same date, a row of a split is both to be scored and to be learned from, lies beyond
/// the examples or is to be trained on without a label, or a learner fails; the error names date and learner.
pub fn backtest(
    examples: &Examples,
    splits: &[Split],
    learners: &[Box<dyn Learner>],
    seed: u64,
    progress: &(dyn Fn() + Sync),
) -> Result<Backtest, LearnError> {
    check_names(splits, learners)?;
    splits.iter().try_for_each(check_overlap)?;
    let plan: Vec<(&Split, &dyn Learner)> = splits
        .iter()
        .flat_map(|split| {
            learners
                .iter()
                .map(move |learner| (split, learner.as_ref()))
        })
        .collect();
    let run = |&(split, learner): &(&Split, &dyn Learner)| {
        let outcome = match combined_from(learner, learners) {
            Some(_) => None,
            None => Some(evaluate(examples, split, learner, seed)),
        };
        progress();
        let outcome = outcome.transpose();
        outcome.map_err(|source| LearnError::Backtest {
            learner: learner.name().to_owned(),
            date: split.date.clone(),
            source: Box::new(source),
        })
    };
    // Results are gathered before they are looked at, so that of several errors the first in order is the one reported.
    let outcomes: Vec<Result<_, LearnError>> = plan.par_iter().with_max_len(1).map(run).collect();
    let fitted: Vec<_> = outcomes.into_iter().collect::<Result<_, LearnError>>()?;
    let outcomes = with_blends(examples, &plan, learners, fitted)?;
    let (rows, predictions): (Vec<BacktestRow>, Vec<_>) = outcomes.into_iter().unzip();
    Ok(Backtest {
        means: learners
            .iter()
            .map(|learner| means_of(learner.name(), &rows))
            .collect(),
        rows,
        predictions: predictions.into_iter().flatten().collect(),
    })
}

/// The places among `learners` of the members of a blend, if it is one and all are there with the same parameters.
pub(crate) fn combined_from(
    learner: &dyn Learner,
    learners: &[Box<dyn Learner>],
) -> Option<Vec<usize>> {
    let same = |member: &dyn Learner, other: &dyn Learner| {
        other.name() == member.name() && other.parameters() == member.parameters()
    };
    let place = |member: &dyn Learner| {
        let mut others = learners.iter();
        others.position(|other| same(member, other.as_ref()))
    };
    let members = learner.as_blend()?.members().iter();
    members.map(|member| place(member.as_ref())).collect()
}

/// The outcomes of all learners; those of blends are combined from the scores of their members on the same date.
fn with_blends(
    examples: &Examples,
    plan: &[(&Split, &dyn Learner)],
    learners: &[Box<dyn Learner>],
    fitted: Vec<Option<Outcome>>,
) -> Result<Vec<Outcome>, LearnError> {
    let mut outcomes = Vec::with_capacity(plan.len());
    let width = learners.len().max(1);
    for (of_date, plan) in fitted.chunks(width).zip(plan.chunks(width)) {
        for (outcome, &(split, learner)) in of_date.iter().zip(plan) {
            let outcome = match (outcome, learner.as_blend()) {
                (None, Some(blend)) => {
                    let places = combined_from(learner, learners).unwrap_or_default();
                    let members = places.iter().map(|&place| of_date[place].as_ref());
                    combined(examples, split, blend, members.flatten().collect())?
                }
                _ => outcome.clone(),
            };
            outcomes.extend(outcome);
        }
    }
    Ok(outcomes)
}

/// The outcome of a blend from those of its members; if these have no scores, for the same reason.
fn combined(
    examples: &Examples,
    split: &Split,
    blend: &Blend,
    members: Vec<&Outcome>,
) -> Result<Option<Outcome>, LearnError> {
    if members.is_empty() {
        return Ok(None);
    }
    let without = members
        .iter()
        .find(|(_, predictions)| predictions.is_none());
    if let Some((row, _)) = without {
        let row = BacktestRow {
            learner: blend.name().to_owned(),
            ..row.clone()
        };
        return Ok(Some((row, None)));
    }
    let scores = members
        .iter()
        .filter_map(|(_, predictions)| predictions.as_ref());
    let scores: Vec<&[f64]> = scores.map(|made| made.scores.as_slice()).collect();
    Ok(Some(judge(examples, split, blend, blend.combine(&scores))?))
}

fn check_names(splits: &[Split], learners: &[Box<dyn Learner>]) -> Result<(), LearnError> {
    let mut names = BTreeSet::new();
    if let Some(learner) = learners
        .iter()
        .find(|learner| !names.insert(learner.name()))
    {
        return Err(LearnError::DuplicateLearner(learner.name().to_owned()));
    }
    let mut dates = BTreeSet::new();
    match splits.iter().find(|split| !dates.insert(&split.date)) {
        Some(split) => Err(LearnError::DuplicateDate(split.date.clone())),
        None => Ok(()),
    }
}

fn check_overlap(split: &Split) -> Result<(), LearnError> {
    let train: BTreeSet<usize> = split.train.iter().chain(&split.open).copied().collect();
    match split.test.iter().find(|row| train.contains(row)) {
        Some(&row) => Err(LearnError::TrainTestOverlap {
            date: split.date.clone(),
            row,
        }),
        None => Ok(()),
    }
}

type Outcome = (BacktestRow, Option<BacktestPredictions>);

fn evaluate(
    examples: &Examples,
    split: &Split,
    learner: &dyn Learner,
    seed: u64,
) -> Result<Outcome, LearnError> {
    let test = examples.rows(&split.test)?;
    let fitted = split
        .training(examples)
        .and_then(|training| learner.fit(&training, seed));
    let model = match fitted {
        Err(error) if error.is_unlearnable() => {
            let labels = labels_of(examples, split);
            let row = row_of(split, learner, &labels, Err(error.to_string()));
            return Ok((row, None));
        }
        fitted => fitted?,
    };
    judge(examples, split, learner, model.predict(&test)?)
}

/// The scores of the test rows beside what happened.
fn judge(
    examples: &Examples,
    split: &Split,
    learner: &dyn Learner,
    scores: Vec<f64>,
) -> Result<Outcome, LearnError> {
    let labels = labels_of(examples, split);
    let metrics = match labelled(&labels, &scores)? {
        scored if !scored.is_empty() => Ok(Metrics::of(&scored)),
        _ if split.test.is_empty() => Err("no test rows".to_owned()),
        _ => Err("no test row has a label yet".to_owned()),
    };
    let row = row_of(split, learner, &labels, metrics);
    let predictions = BacktestPredictions {
        date: row.date.clone(),
        learner: row.learner.clone(),
        rows: split.test.clone(),
        scores,
    };
    Ok((row, Some(predictions)))
}

fn labels_of(examples: &Examples, split: &Split) -> Vec<Option<bool>> {
    let label = |&row: &usize| examples.label()[row];
    split.test.iter().map(label).collect()
}

fn row_of(
    split: &Split,
    learner: &dyn Learner,
    labels: &[Option<bool>],
    metrics: Result<Metrics, String>,
) -> BacktestRow {
    let known = || labels.iter().copied().flatten();
    BacktestRow {
        date: split.date.clone(),
        learner: learner.name().to_owned(),
        train_rows: split.train.len(),
        rows: known().count(),
        positives: known().filter(|&positive| positive).count(),
        metrics: metrics.clone().unwrap_or_default(),
        reason: metrics.err(),
    }
}

fn labelled(labels: &[Option<bool>], scores: &[f64]) -> Result<Scored, LearnError> {
    let known = labels
        .iter()
        .zip(scores)
        .filter_map(|(label, &score)| Some(((*label)?, score)));
    let (labels, scores): (Vec<bool>, Vec<f64>) = known.unzip();
    Scored::new(&labels, &scores)
}

/// The means of one learner.
pub(crate) fn means_of(learner: &str, rows: &[BacktestRow]) -> LearnerMeans {
    let rows: Vec<&BacktestRow> = rows
        .iter()
        .filter(|row| row.learner == learner && row.reason.is_none())
        .collect();
    let mean = |metric: Metric| {
        let values: Vec<f64> = rows
            .iter()
            .filter_map(|row| row.metrics.get(metric))
            .collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    };
    LearnerMeans {
        learner: learner.to_owned(),
        dates: rows.len(),
        metrics: Metrics::from_fn(mean),
    }
}

impl Backtest {
    /// The predictions of one learner, in the order of dates.
    ///
    /// # Errors
    /// If there are none.
    pub fn predictions_of(&self, learner: &str) -> Result<Vec<&BacktestPredictions>, LearnError> {
        let found: Vec<_> = self
            .predictions
            .iter()
            .filter(|p| p.learner == learner)
            .collect();
        if found.is_empty() {
            return Err(LearnError::NoPredictions(learner.to_owned()));
        }
        Ok(found)
    }
}
