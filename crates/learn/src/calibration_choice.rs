//! Which calibration, if any, would have helped: chosen by backtest, from scores that were made before what they are about.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::backtest::means_of;
use crate::calibration::{Calibration, CalibrationMethod};
use crate::metrics::row_log_loss;
use crate::{
    Backtest, BacktestPredictions, BacktestRow, Examples, LearnError, LearnerMeans, Metrics,
    Scored, Split,
};

/// Fewest rows, and fewest of each class, that a calibration is fitted on.
const FEWEST_ROWS: usize = 200;
const FEWEST_OF_A_CLASS: usize = 20;

/// Fewest dates on which a method must have been judged: rates swing from date to date, and what helped on one may harm on the next.
const FEWEST_DATES: usize = 3;

/// By so many standard errors, over dates, a method must have been better than none: less may be chance, and costs as much as it gains.
const STANDARD_ERRORS: f64 = 1.0;

/// A backtest whose scores are calibrated date by date, by scores of earlier dates whose labels were known by then.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CalibratedBacktest {
    /// The backtest with calibrated scores, and the metrics of these.
    pub backtest: Backtest,
    /// For each of its predictions, how they were calibrated.
    pub methods: Vec<CalibrationMethod>,
}

/// Calibrates the scores of a backtest as they would have been calibrated on each date.
///
/// On each date, every one of `methods` is fitted to the scores of earlier dates for rows that may be trained on by then: the
/// training rows of the date's split, so that the embargo of the splits is that of the calibration. Methods are judged by the
/// mean log loss they had on earlier dates in the same way; the best is used, and [`CalibrationMethod::None`] as long as no other was better
/// on the mean of at least three dates by more than one standard error of that mean.
/// `splits` are those of the backtest, in the order of time.
///
/// # Errors
/// If a prediction is of no split, or the solver fails.
pub fn calibrate(
    backtest: &Backtest,
    examples: &Examples,
    splits: &[Split],
    methods: &[CalibrationMethod],
) -> Result<CalibratedBacktest, LearnError> {
    let mut records: BTreeMap<&str, Record<'_>> = BTreeMap::new();
    let mut calibrated = backtest.clone();
    let mut chosen = Vec::new();
    for made in &mut calibrated.predictions {
        let (split, original) = original(backtest, splits, made)?;
        let record = records
            .entry(&original.learner)
            .or_insert_with(|| Record::new(examples, methods));
        let known: BTreeSet<usize> = split.train.iter().copied().collect();
        let calibration = record.choose(&known)?;
        chosen.push(calibration.method());
        made.scores = mapped(&calibration, &original.scores);
        record.add(original, &known)?;
    }
    let predictions = &calibrated.predictions;
    for row in &mut calibrated.rows {
        let of_row =
            |made: &&BacktestPredictions| made.date == row.date && made.learner == row.learner;
        if let (None, Some(made)) = (&row.reason, predictions.iter().find(of_row)) {
            row.metrics = metrics(examples, made)?;
        }
    }
    calibrated.means = means(&calibrated.means, &calibrated.rows);
    Ok(CalibratedBacktest {
        backtest: calibrated,
        methods: chosen,
    })
}

/// The calibration of a model of `learner` that is fitted to the rows `known`: chosen and fitted as [`calibrate`] does on a date
/// on which these are the training rows.
///
/// # Errors
/// As [`calibrate`].
pub fn choose_calibration(
    backtest: &Backtest,
    examples: &Examples,
    splits: &[Split],
    methods: &[CalibrationMethod],
    learner: &str,
    known: &[usize],
) -> Result<Calibration, LearnError> {
    let mut record = Record::new(examples, methods);
    for made in backtest
        .predictions
        .iter()
        .filter(|made| made.learner == learner)
    {
        let (split, made) = original(backtest, splits, made)?;
        record.add(made, &split.train.iter().copied().collect())?;
    }
    record.choose(&known.iter().copied().collect())
}

/// The split of a prediction, and the prediction as it was made.
fn original<'a>(
    backtest: &'a Backtest,
    splits: &'a [Split],
    made: &BacktestPredictions,
) -> Result<(&'a Split, &'a BacktestPredictions), LearnError> {
    let split = splits.iter().find(|split| split.date == made.date);
    let same =
        |other: &&BacktestPredictions| other.date == made.date && other.learner == made.learner;
    let prediction = backtest.predictions.iter().find(same);
    split
        .zip(prediction)
        .ok_or_else(|| LearnError::NoSplit(made.date.clone()))
}

/// What one learner scored on past dates, and how each method would have calibrated it then.
struct Record<'a> {
    examples: &'a Examples,
    methods: &'a [CalibrationMethod],
    dates: Vec<Date<'a>>,
}

struct Date<'a> {
    made: &'a BacktestPredictions,
    /// The calibration of each method as it would have been fitted on this date; none where there was too little to fit it to.
    calibrations: Option<Vec<Calibration>>,
}

impl<'a> Record<'a> {
    fn new(examples: &'a Examples, methods: &'a [CalibrationMethod]) -> Self {
        Self {
            examples,
            methods,
            dates: Vec::new(),
        }
    }

    /// Adds a date, on which the labels of the rows `known` were known.
    fn add(
        &mut self,
        made: &'a BacktestPredictions,
        known: &BTreeSet<usize>,
    ) -> Result<(), LearnError> {
        let calibrations = self.fitted(known)?;
        self.dates.push(Date { made, calibrations });
        Ok(())
    }

    /// The best method so far, fitted to all scores of rows `known`.
    fn choose(&self, known: &BTreeSet<usize>) -> Result<Calibration, LearnError> {
        let Some(fitted) = self.fitted(known)? else {
            return Ok(Calibration::None);
        };
        let mut best = (0.0, Calibration::None);
        for (place, calibration) in fitted.into_iter().enumerate() {
            let gains = self.gains(known, place);
            if gains.len() < FEWEST_DATES {
                continue;
            }
            let gain = mean(&gains);
            if gain > STANDARD_ERRORS * standard_error(&gains) && gain > best.0 {
                best = (gain, calibration);
            }
        }
        Ok(best.1)
    }

    /// Each method, fitted to all scores of rows `known`.
    fn fitted(&self, known: &BTreeSet<usize>) -> Result<Option<Vec<Calibration>>, LearnError> {
        let scores = |made: &'a BacktestPredictions| made.scores.iter().copied();
        let (labels, scores) =
            self.rows(self.dates.iter(), known, |date| scores(date.made).collect());
        let positives = labels.iter().filter(|&&positive| positive).count();
        let fewest = positives.min(labels.len() - positives);
        if labels.len() < FEWEST_ROWS || fewest < FEWEST_OF_A_CLASS {
            return Ok(None);
        }
        let fit = |&method: &CalibrationMethod| Calibration::fit(method, &labels, &scores);
        self.methods
            .iter()
            .map(fit)
            .collect::<Result<_, _>>()
            .map(Some)
    }

    /// By how much a method lowered the mean log loss of the rows `known` on each past date on which it could be fitted.
    fn gains(&self, known: &BTreeSet<usize>, method: usize) -> Vec<f64> {
        let gain = |date: &Date<'a>| {
            let calibration = &date.calibrations.as_ref()?[method];
            let scores = |date: &Date<'a>| date.made.scores.clone();
            let (labels, scores) = self.rows([date].into_iter(), known, scores);
            let loss = |scores: &[f64]| {
                let rows = scores.iter().zip(&labels);
                let losses: Vec<f64> = rows
                    .map(|(&score, &label)| row_log_loss(score, label))
                    .collect();
                mean(&losses)
            };
            (!labels.is_empty()).then(|| loss(&scores) - loss(&mapped(calibration, &scores)))
        };
        self.dates.iter().filter_map(gain).collect()
    }

    /// Labels and scores of the rows `known` on some dates.
    fn rows<'d>(
        &self,
        dates: impl Iterator<Item = &'d Date<'a>>,
        known: &BTreeSet<usize>,
        scores: impl Fn(&'d Date<'a>) -> Vec<f64>,
    ) -> (Vec<bool>, Vec<f64>)
    where
        'a: 'd,
    {
        let of_date = |date: &'d Date<'a>| date.made.rows.iter().copied().zip(scores(date));
        dates
            .flat_map(of_date)
            .filter(|(row, _)| known.contains(row))
            .filter_map(|(row, score)| Some((self.examples.label()[row]?, score)))
            .unzip()
    }
}

/// The mean of at least one value.
fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The standard error of the mean of at least two values.
fn standard_error(values: &[f64]) -> f64 {
    let (count, mean) = (values.len() as f64, mean(values));
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / (count - 1.0) / count).sqrt()
}

fn mapped(calibration: &Calibration, scores: &[f64]) -> Vec<f64> {
    scores
        .iter()
        .map(|&score| calibration.apply(score))
        .collect()
}

fn metrics(examples: &Examples, made: &BacktestPredictions) -> Result<Metrics, LearnError> {
    let labelled = made.rows.iter().zip(&made.scores);
    let (labels, scores): (Vec<bool>, Vec<f64>) = labelled
        .filter_map(|(&row, &score)| Some((examples.label()[row]?, score)))
        .unzip();
    Ok(Metrics::of(&Scored::new(&labels, &scores)?))
}

fn means(before: &[LearnerMeans], rows: &[BacktestRow]) -> Vec<LearnerMeans> {
    before
        .iter()
        .map(|means| means_of(&means.learner, rows))
        .collect()
}
