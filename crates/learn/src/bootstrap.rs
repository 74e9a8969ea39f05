//! Bootstrap over entities: confidence intervals of metrics, and the paired comparison of two models on the same rows.
//!
//! The rows of one entity are alike, and one entity occurs on many dates. So entities are drawn, with replacement, and each
//! brings all its rows: the cluster bootstrap (Davison and Hinkley, "Bootstrap methods and their application", 1997, section 3.8).

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::Serialize;

use crate::random::SplitMix64;
use crate::scored::Tie;
use crate::{LearnError, Metric, Scored};

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

/// The intervals of all metrics of one model. A metric that is not defined has none.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Intervals {
    /// For each date, in the order of their numbers.
    pub by_date: Vec<BTreeMap<Metric, Interval>>,
    /// For the means over the dates on which each metric is defined.
    pub mean: BTreeMap<Metric, Interval>,
}

/// All metrics of one model, by date and averaged over dates, with their confidence intervals; `resampling.metric` is not looked at.
/// By date and on the mean the same entities are drawn.
///
/// # Errors
/// If arrays differ in length, a score is not a probability, or `resampling` is impossible.
pub fn intervals(
    rows: &EvaluationRows<'_>,
    scores: &[f64],
    resampling: &Resampling,
) -> Result<Intervals, LearnError> {
    let sample = Sample::new(rows, &[scores], resampling)?;
    let dates = sample.dates.len();
    let estimate = sample.all_metrics(&vec![1; sample.groups]);
    let drawn: Vec<AllMetrics> =
        sample.draws(resampling, |counts| Some(sample.all_metrics(counts)));
    let interval_of = |metric: Metric, value: &dyn Fn(&AllMetrics) -> Option<f64>| {
        let estimate = value(&estimate)?;
        let values = drawn.iter().filter_map(value).collect();
        let interval = interval(estimate, values, resampling).ok()?;
        Some((metric, interval))
    };
    let of_date = |date: usize| {
        let metrics = (0..).zip(Metric::ALL);
        metrics
            .filter_map(|(place, metric)| interval_of(metric, &|all| all[date][place]))
            .collect()
    };
    let metrics = (0..).zip(Metric::ALL);
    let mean = metrics.filter_map(|(place, metric)| {
        interval_of(metric, &|all| {
            let (count, sum) = all
                .iter()
                .filter_map(|of_date| of_date[place])
                .fold((0.0, 0.0), |(count, sum), value| (count + 1.0, sum + value));
            (count > 0.0).then(|| sum / count)
        })
    });
    Ok(Intervals {
        mean: mean.collect(),
        by_date: (0..dates).map(of_date).collect(),
    })
}

/// The metrics of one model by date, in the order of [`Metric::ALL`].
type AllMetrics = Vec<[Option<f64>; Metric::ALL.len()]>;

fn undefined(metric: Metric) -> LearnError {
    LearnError::UndefinedMetric {
        metric: metric.name(),
    }
}

/// The percentile interval of resampled values.
fn interval(
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

/// Rows by date and model, ready to be evaluated under any weights of the entities.
struct Sample {
    metric: Metric,
    /// For each date, the rows in each model's order of score.
    dates: Vec<Vec<Ranked>>,
    /// Number of entities; they are numbered from 0.
    groups: usize,
}

/// The rows of one date in one model's order of score, with the entity of each.
struct Ranked {
    scored: Scored,
    groups: Vec<u32>,
}

impl Sample {
    fn new(
        rows: &EvaluationRows<'_>,
        models: &[&[f64]],
        resampling: &Resampling,
    ) -> Result<Self, LearnError> {
        check(rows, models, resampling)?;
        let numbers = numbered(rows.groups);
        let mut by_date: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        for (row, &date) in rows.dates.iter().enumerate() {
            by_date.entry(date).or_default().push(row);
        }
        let ranked = |of_date: &Vec<usize>, scores: &&[f64]| {
            let labels: Vec<bool> = of_date.iter().map(|&row| rows.labels[row]).collect();
            let scores: Vec<f64> = of_date.iter().map(|&row| scores[row]).collect();
            let scored = Scored::new(&labels, &scores)?;
            let group = |&position: &usize| numbers[&rows.groups[of_date[position]]];
            let groups = scored.rows().iter().map(group).collect();
            Ok(Ranked { scored, groups })
        };
        let dates = by_date
            .values()
            .map(|of_date| {
                models
                    .iter()
                    .map(|scores| ranked(of_date, scores))
                    .collect()
            })
            .collect::<Result<_, LearnError>>()?;
        Ok(Self {
            metric: resampling.metric,
            dates,
            groups: numbers.len(),
        })
    }

    /// The metric of each model, averaged over the dates on which it is defined, if each entity is there `counts[entity]` times;
    /// empty if it is defined on none.
    fn estimates(&self, counts: &[u32]) -> Vec<f64> {
        let by_date = self.dates.iter().filter_map(|models| {
            let value = |ranked: &Ranked| {
                let weight = |position: usize| f64::from(counts[ranked.groups[position] as usize]);
                self.metric.weighted(&ranked.scored, weight)
            };
            models.iter().map(value).collect::<Option<Vec<f64>>>()
        });
        let by_date: Vec<Vec<f64>> = by_date.collect();
        let Some(first) = by_date.first() else {
            return Vec::new();
        };
        let mean =
            |model| by_date.iter().map(|values| values[model]).sum::<f64>() / by_date.len() as f64;
        (0..first.len()).map(mean).collect()
    }

    /// All metrics of the first model by date, if each entity is there `counts[entity]` times.
    fn all_metrics(&self, counts: &[u32]) -> AllMetrics {
        let of_date = |models: &Vec<Ranked>| {
            let ranked = &models[0];
            let weight = |position: usize| f64::from(counts[ranked.groups[position] as usize]);
            let ties: Vec<Tie> = ranked.scored.ties(weight).collect();
            Metric::ALL.map(|metric| metric.of_ties(ties.iter().copied()))
        };
        self.dates.iter().map(of_date).collect()
    }

    /// The metric of each model in each resample in which it is defined.
    fn resample(&self, resampling: &Resampling) -> Vec<Vec<f64>> {
        self.draws(resampling, |counts| {
            let values = self.estimates(counts);
            (!values.is_empty()).then_some(values)
        })
    }

    /// What `evaluate` makes of each resample, given how often each entity was drawn.
    fn draws<T, E>(&self, resampling: &Resampling, evaluate: E) -> Vec<T>
    where
        T: Send,
        E: Fn(&[u32]) -> Option<T> + Sync,
    {
        let draw = |counts: &mut Vec<u32>, index: usize| {
            let mut random = SplitMix64::stream(resampling.seed, index as u64);
            counts.fill(0);
            for _ in 0..self.groups {
                counts[random.below(self.groups as u64) as usize] += 1;
            }
            evaluate(counts)
        };
        (0..resampling.resamples)
            .into_par_iter()
            .map_init(|| vec![0; self.groups], draw)
            .flatten_iter()
            .collect()
    }
}

/// Numbers from 0 for the values that occur.
fn numbered(values: &[u64]) -> BTreeMap<u64, u32> {
    let mut numbers: BTreeMap<u64, u32> = values.iter().map(|&value| (value, 0)).collect();
    for (number, slot) in (0..).zip(numbers.values_mut()) {
        *slot = number;
    }
    numbers
}

fn check(
    rows: &EvaluationRows<'_>,
    models: &[&[f64]],
    resampling: &Resampling,
) -> Result<(), LearnError> {
    let Resampling {
        resamples,
        confidence,
        ..
    } = *resampling;
    if resamples == 0 || !(confidence > 0.0 && confidence < 1.0) {
        return Err(LearnError::Resampling {
            resamples,
            confidence,
        });
    }
    let expected = rows.labels.len();
    let lengths = [("dates", rows.dates.len()), ("groups", rows.groups.len())];
    let scores = models.iter().map(|scores| ("scores", scores.len()));
    match lengths
        .into_iter()
        .chain(scores)
        .find(|&(_, found)| found != expected)
    {
        Some((what, found)) => Err(LearnError::LengthMismatch {
            what,
            found,
            expected,
        }),
        None => Ok(()),
    }
}
