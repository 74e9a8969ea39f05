//! Bootstrap over entities: confidence intervals of metrics, and the paired comparison of two models on the same rows.
//!
//! The rows of one entity are alike, and one entity occurs on many dates. So entities are drawn, with replacement, and each
//! brings all its rows: the cluster bootstrap (Davison and Hinkley, "Bootstrap methods and their application", 1997, section 3.8).

use serde::Serialize;

use crate::sample::Sample;
use crate::{LearnError, Metric};

/// The rows that models are evaluated on: one value a row in each array.
#[derive(Clone, Copy, Debug)]
pub struct EvaluationRows<'a> {
    /// What happened.
    pub labels: &'a [bool],
    /// A number for the date of the row. The metric is taken by date, and averaged over the dates on which it is defined.
    pub dates: &'a [u64],
    /// A number for the entity the row is about.
    pub groups: &'a [u64],
}

/// How to resample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resampling {
    /// The metric. Default ROC AUC.
    pub metric: Metric,
    /// Number of resamples, at least 1. Default 1,000.
    pub resamples: usize,
    /// Confidence of intervals, strictly between 0 and 1. Default 0.95.
    pub confidence: f64,
    /// The seed. Default 0.
    pub seed: u64,
}

impl Default for Resampling {
    fn default() -> Self {
        Self {
            metric: Metric::RocAuc,
            resamples: 1_000,
            confidence: 0.95,
            seed: 0,
        }
    }
}

/// An estimate with its confidence interval: the percentiles of the resampled values.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// The value for the rows themselves.
    pub estimate: f64,
    /// Lower end of the interval.
    pub lower: f64,
    /// Upper end of the interval.
    pub upper: f64,
}

/// A challenger against a champion, on the same rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The metric, averaged over dates.
    pub metric: Metric,
    /// The challenger's.
    pub challenger: f64,
    /// The champion's.
    pub champion: f64,
    /// Challenger minus champion. Where a lower metric is better, a negative difference speaks for the challenger.
    pub difference: Interval,
    /// Share of the resamples in which the challenger is better; a draw counts one half.
    pub probability_better: f64,
    /// Number of resamples in which the metric was defined.
    pub resamples: usize,
}

/// Compares two models by their scores for the same rows.
///
/// # Errors
/// If arrays differ in length, a score is not a probability, the metric is defined on no date, or `resampling` is impossible.
pub fn compare(
    rows: &EvaluationRows<'_>,
    challenger: &[f64],
    champion: &[f64],
    resampling: &Resampling,
) -> Result<Comparison, LearnError> {
    let sample = Sample::new(rows, &[challenger, champion], resampling)?;
    let [challenger, champion] = sample.estimates(&vec![1; sample.groups])[..] else {
        return Err(undefined(resampling.metric));
    };
    let differences: Vec<f64> = sample
        .resample(resampling)
        .iter()
        .map(|values| values[0] - values[1])
        .collect();
    let better = |difference: f64| match difference {
        0.0 => 0.5,
        _ if (difference > 0.0) == resampling.metric.higher_is_better() => 1.0,
        _ => 0.0,
    };
    let wins: f64 = differences.iter().copied().map(better).sum();
    Ok(Comparison {
        metric: resampling.metric,
        challenger,
        champion,
        probability_better: wins / differences.len() as f64,
        resamples: differences.len(),
        difference: interval(challenger - champion, differences, resampling)?,
    })
}

/// The metric of one model, averaged over dates, with its confidence interval.
///
/// # Errors
/// As [`compare`].
pub fn confidence_interval(
    rows: &EvaluationRows<'_>,
    scores: &[f64],
    resampling: &Resampling,
) -> Result<Interval, LearnError> {
    let sample = Sample::new(rows, &[scores], resampling)?;
    let [estimate] = sample.estimates(&vec![1; sample.groups])[..] else {
        return Err(undefined(resampling.metric));
    };
    let values = sample
        .resample(resampling)
        .iter()
        .map(|values| values[0])
        .collect();
    interval(estimate, values, resampling)
}

pub(crate) fn undefined(metric: Metric) -> LearnError {
    LearnError::UndefinedMetric {
        metric: metric.name(),
    }
}

/// The percentile interval of resampled values.
pub(crate) fn interval(
    estimate: f64,
    mut values: Vec<f64>,
    resampling: &Resampling,
) -> Result<Interval, LearnError> {
    if values.is_empty() {
        return Err(undefined(resampling.metric));
    }
    values.sort_by(f64::total_cmp);
    let tail = (1.0 - resampling.confidence) / 2.0;
    let (lower, upper) = (quantile(&values, tail), quantile(&values, 1.0 - tail));
    Ok(Interval {
        estimate,
        lower,
        upper,
    })
}

/// The quantile of sorted values, linear between them (type 7 of Hyndman and Fan, 1996).
fn quantile(sorted: &[f64], probability: f64) -> f64 {
    let position = probability * (sorted.len() - 1) as f64;
    let below = sorted[position.floor() as usize];
    let above = sorted[position.ceil() as usize];
    below + (above - below) * position.fract()
}
