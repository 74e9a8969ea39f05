//! Who ranked how well on which date.

use std::collections::{BTreeMap, BTreeSet};

use super::metrics::rate;
use crate::input::{Interval, ProblemReport};

/// Which learner ranked best most often.
#[derive(Debug, PartialEq)]
pub(crate) struct Winner<'a> {
    /// Name of the learner.
    pub(crate) learner: &'a str,
    /// On how many dates it had the highest ROC AUC, alone or with others.
    pub(crate) dates: usize,
    /// On how many dates there was a choice.
    pub(crate) of: usize,
}

impl ProblemReport {
    /// Name of the champion's learner, or an empty string.
    pub(crate) fn champion_learner(&self) -> &str {
        self.champion.as_ref().map_or("", |c| c.learner.as_str())
    }

    /// Every learner that the inputs name, in alphabetical order.
    pub(crate) fn learners(&self) -> BTreeSet<&str> {
        let rows = self.metrics.iter().map(|row| row.learner.as_str());
        let means = self.means.iter().map(|mean| mean.learner.as_str());
        let curves = self.roc_curves.iter().map(|curve| curve.learner.as_str());
        rows.chain(means).chain(curves).collect()
    }

    /// Mean ROC AUC of a learner over the backtest.
    pub(crate) fn mean_roc_auc(&self, learner: &str) -> Option<f64> {
        let mean = self.means.iter().find(|mean| mean.learner == learner)?;
        rate(mean.metrics.roc_auc)
    }

    /// The dates of the backtest, in order.
    pub(crate) fn backtest_dates(&self) -> Vec<&str> {
        let dates: BTreeSet<&str> = self
            .metrics
            .iter()
            .map(|row| row.reference_date.as_str())
            .collect();
        dates.into_iter().collect()
    }

    /// ROC AUC by date and learner, where it is defined.
    pub(crate) fn roc_auc_by_date(&self) -> BTreeMap<&str, BTreeMap<&str, f64>> {
        let mut dates: BTreeMap<&str, BTreeMap<&str, f64>> = BTreeMap::new();
        for row in &self.metrics {
            if let Some(value) = rate(row.metrics.roc_auc) {
                dates
                    .entry(&row.reference_date)
                    .or_default()
                    .insert(&row.learner, value);
            }
        }
        dates
    }

    /// Intervals of the ROC AUC of a learner by date, where they are known.
    pub(crate) fn roc_auc_intervals(&self, learner: &str) -> BTreeMap<&str, Interval> {
        let rows = self.metrics.iter().filter(|row| row.learner == learner);
        rows.filter(|row| rate(row.metrics.roc_auc).is_some())
            .filter_map(|row| Some((row.reference_date.as_str(), row.intervals.roc_auc?)))
            .filter(|(_, interval)| interval.is_usable())
            .collect()
    }

    /// The learner with the highest ROC AUC on most dates; ties go to the higher mean, then to the
    /// champion, then to the first in the alphabet. `None` unless some date has two learners.
    pub(crate) fn winner(&self) -> Option<Winner<'_>> {
        let mut wins: BTreeMap<&str, usize> = BTreeMap::new();
        let mut of = 0;
        for learners in self.roc_auc_by_date().values().filter(|l| l.len() > 1) {
            of += 1;
            let best = learners.values().copied().fold(f64::MIN, f64::max);
            for (learner, _) in learners.iter().filter(|&(_, &value)| value == best) {
                *wins.entry(learner).or_default() += 1;
            }
        }
        let champion = self.champion_learner();
        let mean = |learner: &str| self.mean_roc_auc(learner).unwrap_or(f64::MIN);
        wins.into_iter()
            .max_by(|a, b| {
                a.1.cmp(&b.1)
                    .then(mean(a.0).total_cmp(&mean(b.0)))
                    .then((a.0 == champion).cmp(&(b.0 == champion)))
                    .then(b.0.cmp(a.0))
            })
            .map(|(learner, dates)| Winner { learner, dates, of })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::input::{Champion, LearnerMean, MetricRow, Metrics};

    fn row(date: &str, learner: &str, roc_auc: f64) -> MetricRow {
        MetricRow {
            reference_date: date.to_owned(),
            learner: learner.to_owned(),
            metrics: Metrics {
                roc_auc: Some(roc_auc),
                ..Default::default()
            },
            ..Default::default()
        }
    }

    #[test]
    fn the_winner_is_counted_only_where_there_was_a_choice() {
        let problem = ProblemReport {
            metrics: vec![
                row("2018-01-01", "a", 0.8),
                row("2018-01-01", "b", 0.7),
                row("2018-02-01", "a", 0.6),
                row("2018-02-01", "b", 0.9),
                row("2018-03-01", "a", 0.6),
                row("2018-03-01", "b", 0.9),
                row("2018-04-01", "a", 0.99),
                row("2018-05-01", "a", f64::NAN),
                row("2018-05-01", "b", 0.9),
            ],
            ..Default::default()
        };
        let winner = problem.winner().unwrap();
        assert_eq!((winner.learner, winner.dates, winner.of), ("b", 2, 3));
    }

    #[test]
    fn equal_wins_go_to_the_higher_mean_and_then_to_the_champion() {
        let mut problem = ProblemReport {
            metrics: vec![
                row("2018-01-01", "a", 0.8),
                row("2018-01-01", "b", 0.8),
                row("2018-01-01", "c", 0.1),
            ],
            ..Default::default()
        };
        assert_eq!(problem.winner().unwrap().learner, "a");
        problem.champion = Some(Champion {
            learner: "b".to_owned(),
            ..Default::default()
        });
        assert_eq!(problem.winner().unwrap().learner, "b");
        problem.means = vec![LearnerMean {
            learner: "a".to_owned(),
            metrics: Metrics {
                roc_auc: Some(0.8),
                ..Default::default()
            },
            ..Default::default()
        }];
        assert_eq!(problem.winner().unwrap().learner, "a");
    }
}
