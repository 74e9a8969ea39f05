//! Rows to be resampled: by date and model in order of score, under any weights of the entities.

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::random::SplitMix64;
use crate::scored::Tie;
use crate::{EvaluationRows, LearnError, Metric, Resampling, Scored};

/// The metrics of one model by date, in the order of [`Metric::ALL`].
pub(crate) type AllMetrics = Vec<[Option<f64>; Metric::ALL.len()]>;

/// Rows by date and model, ready to be evaluated under any weights of the entities.
pub(crate) struct Sample {
    metric: Metric,
    /// For each date, the rows in each model's order of score.
    dates: Vec<Vec<Ranked>>,
    /// Number of entities; they are numbered from 0.
    pub(crate) groups: usize,
}

/// The rows of one date in one model's order of score, with the entity of each.
struct Ranked {
    scored: Scored,
    groups: Vec<u32>,
}

impl Sample {
    /// The rows of these models, one array of scores a model.
    ///
    /// # Errors
    /// If arrays differ in length, a score is not a probability, or `resampling` is impossible.
    pub(crate) fn new(
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
    pub(crate) fn estimates(&self, counts: &[u32]) -> Vec<f64> {
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

    /// Number of dates.
    pub(crate) fn dates(&self) -> usize {
        self.dates.len()
    }

    /// All metrics of the first model by date, if each entity is there `counts[entity]` times.
    pub(crate) fn all_metrics(&self, counts: &[u32]) -> AllMetrics {
        let of_date = |models: &Vec<Ranked>| {
            let ranked = &models[0];
            let weight = |position: usize| f64::from(counts[ranked.groups[position] as usize]);
            let ties: Vec<Tie> = ranked.scored.ties(weight).collect();
            Metric::ALL.map(|metric| metric.of_ties(ties.iter().copied()))
        };
        self.dates.iter().map(of_date).collect()
    }

    /// The metric of each model in each resample in which it is defined.
    pub(crate) fn resample(&self, resampling: &Resampling) -> Vec<Vec<f64>> {
        self.draws(resampling, |counts| {
            let values = self.estimates(counts);
            (!values.is_empty()).then_some(values)
        })
    }

    /// What `evaluate` makes of each resample, given how often each entity was drawn.
    pub(crate) fn draws<T, E>(&self, resampling: &Resampling, evaluate: E) -> Vec<T>
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
