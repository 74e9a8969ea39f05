//! Metrics of a binary classifier's scores.
//!
//! Every metric is one walk over the groups of equal scores, in which a row may count any number of times: that is how the
//! bootstrap resamples rows without copying them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::curves::bin_ties;
use crate::scored::Tie;
use crate::{LearnError, Scored};

/// Probabilities are kept this far from 0 and 1 in the log loss.
const LOG_LOSS_CLIP: f64 = 1e-15;

/// Number of bins of the expected calibration error.
const ECE_BINS: usize = 10;

/// Lift is measured at the top one in so many rows.
const LIFT_ONE_IN: f64 = 10.0;

/// A metric, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// See [`roc_auc`].
    RocAuc,
    /// See [`average_precision`].
    AveragePrecision,
    /// See [`log_loss`].
    LogLoss,
    /// See [`brier`].
    Brier,
    /// See [`ece`].
    Ece,
    /// See [`lift_at_10`].
    #[serde(rename = "lift_at_10")]
    LiftAt10,
}

impl Metric {
    /// All metrics, in the order of [`Metrics`].
    pub const ALL: [Metric; 6] = [
        Metric::RocAuc,
        Metric::AveragePrecision,
        Metric::LogLoss,
        Metric::Brier,
        Metric::Ece,
        Metric::LiftAt10,
    ];

    /// The name, as in files and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Metric::RocAuc => "roc_auc",
            Metric::AveragePrecision => "average_precision",
            Metric::LogLoss => "log_loss",
            Metric::Brier => "brier",
            Metric::Ece => "ece",
            Metric::LiftAt10 => "lift_at_10",
        }
    }

    /// Whether a larger value is a better one.
    pub const fn higher_is_better(self) -> bool {
        match self {
            Metric::RocAuc | Metric::AveragePrecision | Metric::LiftAt10 => true,
            Metric::LogLoss | Metric::Brier | Metric::Ece => false,
        }
    }

    /// The value for these rows, or `None` where the metric is undefined.
    pub fn of(self, scored: &Scored) -> Option<f64> {
        self.weighted(scored, |_| 1.0)
    }

    /// The value if the row at position `p` of the order by score were there `weight(p)` times.
    pub(crate) fn weighted<W>(self, scored: &Scored, weight: W) -> Option<f64>
    where
        W: Fn(usize) -> f64 + Copy,
    {
        self.of_ties(scored.ties(weight))
    }

    /// The value for groups of equal scores, highest first.
    pub(crate) fn of_ties<T>(self, ties: T) -> Option<f64>
    where
        T: Iterator<Item = Tie> + Clone,
    {
        match self {
            Metric::RocAuc => area_under_curve(ties),
            Metric::AveragePrecision => precision_at_positives(ties),
            Metric::LogLoss => mean_loss(ties, row_log_loss),
            Metric::Brier => mean_loss(ties, |p, happened| (p - f64::from(happened)).powi(2)),
            Metric::Ece => calibration_error(ties.clone(), Totals::of(ties)),
            Metric::LiftAt10 => lift(ties.clone(), Totals::of(ties)),
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for Metric {
    type Err = LearnError;

    fn from_str(name: &str) -> Result<Self, LearnError> {
        Metric::ALL
            .into_iter()
            .find(|metric| metric.name() == name)
            .ok_or_else(|| LearnError::UnknownMetric {
                name: name.to_owned(),
                known: Metric::ALL.map(Metric::name).to_vec(),
            })
    }
}

/// All metrics of some scored rows; `None` where undefined, which is `null` in JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Metrics {
    /// See [`roc_auc`].
    pub roc_auc: Option<f64>,
    /// See [`average_precision`].
    pub average_precision: Option<f64>,
    /// See [`log_loss`].
    pub log_loss: Option<f64>,
    /// See [`brier`].
    pub brier: Option<f64>,
    /// See [`ece`].
    pub ece: Option<f64>,
    /// See [`lift_at_10`].
    pub lift_at_10: Option<f64>,
}

impl Metrics {
    /// All metrics of these rows.
    pub fn of(scored: &Scored) -> Self {
        Self::from_fn(|metric| metric.of(scored))
    }

    /// The metrics that `value` gives one by one.
    pub fn from_fn(value: impl Fn(Metric) -> Option<f64>) -> Self {
        Self {
            roc_auc: value(Metric::RocAuc),
            average_precision: value(Metric::AveragePrecision),
            log_loss: value(Metric::LogLoss),
            brier: value(Metric::Brier),
            ece: value(Metric::Ece),
            lift_at_10: value(Metric::LiftAt10),
        }
    }

    /// One metric by name.
    pub fn get(&self, metric: Metric) -> Option<f64> {
        match metric {
            Metric::RocAuc => self.roc_auc,
            Metric::AveragePrecision => self.average_precision,
            Metric::LogLoss => self.log_loss,
            Metric::Brier => self.brier,
            Metric::Ece => self.ece,
            Metric::LiftAt10 => self.lift_at_10,
        }
    }
}

/// Area under the ROC curve: the probability that a random positive row scores higher than a random negative one, ties
/// counting one half. Undefined unless both classes occur.
pub fn roc_auc(scored: &Scored) -> Option<f64> {
    Metric::RocAuc.of(scored)
}

/// Average precision: the sum over thresholds of precision times the recall gained, equal scores being one threshold, as in
/// scikit-learn's `average_precision_score`. Undefined without a positive row.
pub fn average_precision(scored: &Scored) -> Option<f64> {
    Metric::AveragePrecision.of(scored)
}

/// Mean of `-ln` of the probability given to what happened, probabilities clipped to [1e-15, 1 - 1e-15]. Undefined without rows.
pub fn log_loss(scored: &Scored) -> Option<f64> {
    Metric::LogLoss.of(scored)
}

/// Brier score: mean squared difference of the probability and what happened (0 or 1). Undefined without rows.
pub fn brier(scored: &Scored) -> Option<f64> {
    Metric::Brier.of(scored)
}

/// Expected calibration error: over 10 bins of equal frequency, the mean absolute difference of the mean score and the share of
/// positive rows, weighted by rows. Rows with one score stay in one bin, see [`calibration_bins`](crate::calibration_bins).
/// Undefined without rows.
pub fn ece(scored: &Scored) -> Option<f64> {
    Metric::Ece.of(scored)
}

/// Lift at 10 %: the share of positive rows among the `ceil(rows / 10)` with the highest scores, divided by their share among all.
/// Rows tied at the cut count in equal fractions. Undefined without a positive row.
pub fn lift_at_10(scored: &Scored) -> Option<f64> {
    Metric::LiftAt10.of(scored)
}

/// `-ln` of the probability given to what happened.
pub(crate) fn row_log_loss(score: f64, happened: bool) -> f64 {
    let probability = score.clamp(LOG_LOSS_CLIP, 1.0 - LOG_LOSS_CLIP);
    match happened {
        true => -probability.ln(),
        false => -(-probability).ln_1p(),
    }
}

/// Weight of each class.
struct Totals {
    positive: f64,
    negative: f64,
}

impl Totals {
    fn of(ties: impl Iterator<Item = Tie>) -> Self {
        ties.fold(
            Self {
                positive: 0.0,
                negative: 0.0,
            },
            |sum, tie| Self {
                positive: sum.positive + tie.positive,
                negative: sum.negative + tie.negative,
            },
        )
    }

    fn weight(&self) -> f64 {
        self.positive + self.negative
    }
}

fn area_under_curve(ties: impl Iterator<Item = Tie>) -> Option<f64> {
    let (mut positive, mut negative, mut pairs_in_order) = (0.0, 0.0, 0.0);
    for tie in ties {
        pairs_in_order += tie.negative * (positive + tie.positive / 2.0);
        positive += tie.positive;
        negative += tie.negative;
    }
    (positive > 0.0 && negative > 0.0).then(|| pairs_in_order / (positive * negative))
}

fn precision_at_positives(ties: impl Iterator<Item = Tie>) -> Option<f64> {
    let (mut positive, mut weight, mut sum) = (0.0, 0.0, 0.0);
    for tie in ties {
        positive += tie.positive;
        weight += tie.weight();
        sum += tie.positive * positive / weight;
    }
    (positive > 0.0).then(|| sum / positive)
}

fn mean_loss(ties: impl Iterator<Item = Tie>, loss: impl Fn(f64, bool) -> f64) -> Option<f64> {
    let (mut weight, mut sum) = (0.0, 0.0);
    for tie in ties {
        weight += tie.weight();
        sum += tie.positive * loss(tie.score, true) + tie.negative * loss(tie.score, false);
    }
    (weight > 0.0).then(|| sum / weight)
}

fn calibration_error(ties: impl Iterator<Item = Tie>, totals: Totals) -> Option<f64> {
    let total = totals.weight();
    let bins = bin_ties(ties, total, ECE_BINS);
    let gaps = bins.iter().map(|bin| (bin.predicted - bin.positive).abs());
    (total > 0.0).then(|| gaps.sum::<f64>() / total)
}

fn lift(ties: impl Iterator<Item = Tie>, totals: Totals) -> Option<f64> {
    if totals.positive == 0.0 {
        return None;
    }
    let weight = totals.weight();
    let cut = (weight / LIFT_ONE_IN).ceil();
    let (mut left, mut found) = (cut, 0.0);
    for tie in ties {
        let taken = tie.weight().min(left);
        found += tie.positive * taken / tie.weight();
        left -= taken;
        if left <= 0.0 {
            break;
        }
    }
    Some((found / cut) / (totals.positive / weight))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// A row with a weight is worth that many rows without one.
        #[test]
        fn weights_are_repetitions(
            rows in prop::collection::vec((any::<bool>(), 0..6_u32, 0..4_u32), 1..40)
        ) {
            let labels: Vec<bool> = rows.iter().map(|row| row.0).collect();
            let scores: Vec<f64> = rows.iter().map(|row| f64::from(row.1) / 6.0).collect();
            let repeated = rows.iter().flat_map(|row| std::iter::repeat_n(row, row.2 as usize));
            let (more_labels, more_scores): (Vec<bool>, Vec<f64>) =
                repeated.map(|row| (row.0, f64::from(row.1) / 6.0)).unzip();
            let weighted = Scored::new(&labels, &scores).unwrap();
            let repeated = Scored::new(&more_labels, &more_scores).unwrap();
            for metric in Metric::ALL {
                let weight = |position: usize| f64::from(rows[weighted.rows()[position]].2);
                let value = metric.weighted(&weighted, weight);
                prop_assert_eq!(value, metric.of(&repeated), "{}", metric);
            }
        }
    }
}
