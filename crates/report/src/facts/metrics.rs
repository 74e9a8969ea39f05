//! The metrics that the report shows.

use crate::input::{Interval, Intervals, Metrics};

/// A metric of the report's tables.
pub(crate) struct Metric {
    /// Name of the field in [`Metrics`].
    pub(crate) name: &'static str,
    /// Whether a higher value is better.
    pub(crate) higher_is_better: bool,
    /// Decimals in a table.
    pub(crate) places: usize,
    /// Its value.
    pub(crate) of: fn(&Metrics) -> Option<f64>,
    interval_of: fn(&Intervals) -> Option<Interval>,
}

macro_rules! metric {
    ($field:ident, $higher_is_better:literal, $places:literal) => {
        Metric {
            name: stringify!($field),
            higher_is_better: $higher_is_better,
            places: $places,
            of: |metrics| metrics.$field,
            interval_of: |intervals| intervals.$field,
        }
    };
}

/// The metrics, in the order of the tables.
pub(crate) const METRICS: [Metric; 6] = [
    metric!(roc_auc, true, 3),
    metric!(average_precision, true, 3),
    metric!(lift_at_10, true, 2),
    metric!(log_loss, false, 3),
    metric!(brier, false, 3),
    metric!(ece, false, 3),
];

impl Metric {
    /// Its interval, if there is one.
    pub(crate) fn interval(&self, intervals: &Intervals) -> Option<Interval> {
        (self.interval_of)(intervals).filter(Interval::is_usable)
    }

    /// The best value among several learners; `None` if fewer than two have one.
    pub(crate) fn best<'a>(&self, learners: impl Iterator<Item = &'a Metrics>) -> Option<f64> {
        let values: Vec<f64> = learners.filter_map(|m| finite((self.of)(m))).collect();
        let order = |a: &&f64, b: &&f64| a.total_cmp(b);
        match (values.len(), self.higher_is_better) {
            (0 | 1, _) => None,
            (_, true) => values.iter().max_by(order).copied(),
            (_, false) => values.iter().min_by(order).copied(),
        }
    }
}

/// A value between 0 and 1; anything else counts as missing.
pub(crate) fn rate(value: Option<f64>) -> Option<f64> {
    value.filter(|&value| is_rate(value))
}

/// Whether a value is a rate, a share or a probability.
pub(crate) fn is_rate(value: f64) -> bool {
    (0.0..=1.0).contains(&value)
}

/// A value, unless it is missing or not finite.
pub(crate) fn finite(value: Option<f64>) -> Option<f64> {
    value.filter(|value| value.is_finite())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn the_best_value_follows_the_direction_of_the_metric() {
        let with = |roc_auc, log_loss| Metrics {
            roc_auc,
            log_loss,
            ..Default::default()
        };
        let both = [with(Some(0.8), Some(0.4)), with(Some(0.9), Some(0.5))];
        let best = |name: &str, metrics: &[Metrics]| {
            let metric = METRICS.iter().find(|m| m.name == name).unwrap();
            metric.best(metrics.iter())
        };
        assert_eq!(best("roc_auc", &both), Some(0.9));
        assert_eq!(best("log_loss", &both), Some(0.4));
        assert_eq!(best("brier", &both), None);
        assert_eq!(best("roc_auc", &both[..1]), None);
    }
}
