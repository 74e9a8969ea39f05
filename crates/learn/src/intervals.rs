//! Intervals of all metrics at once, by bootstrap over entities.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::bootstrap::interval;
use crate::sample::{AllMetrics, Sample};
use crate::{EvaluationRows, Interval, LearnError, Metric, Resampling};

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
    let dates = sample.dates();
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
