//! Curves of scored rows: receiver operating characteristic and calibration.

use serde::Serialize;

use crate::Scored;
use crate::scored::Tie;

/// A point of the ROC curve: what is found, and what is wrongly taken for it, from a threshold upwards.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RocPoint {
    /// Share of the negative rows with at least this score.
    pub false_positive_rate: f64,
    /// Share of the positive rows with at least this score.
    pub true_positive_rate: f64,
    /// The score, or `None` at the start of the curve, which no row reaches.
    pub threshold: Option<f64>,
}

/// Rows of similar scores: what was predicted for them, and what happened.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CalibrationBin {
    /// Lowest score of the bin.
    pub lowest: f64,
    /// Highest score of the bin.
    pub highest: f64,
    /// Mean score.
    pub mean_predicted: f64,
    /// Share of positive rows.
    pub observed_rate: f64,
    /// Number of rows.
    pub rows: usize,
}

/// The ROC curve from (0, 0) to (1, 1), a point for each threshold at which its direction changes.
///
/// Empty unless both classes occur.
pub fn roc_curve(scored: &Scored) -> Vec<RocPoint> {
    let positives = scored.positives() as f64;
    let negatives = scored.len() as f64 - positives;
    if positives == 0.0 || negatives == 0.0 {
        return Vec::new();
    }
    let mut points = vec![(0.0, 0.0, None)];
    for tie in scored.ties(|_| 1.0) {
        let (x, y, _) = points[points.len() - 1];
        if let [.., (x0, y0, _), (x1, y1, _)] = points[..]
            && (x1 - x0) * tie.positive == (y1 - y0) * tie.negative
        {
            points.pop();
        }
        points.push((x + tie.negative, y + tie.positive, Some(tie.score)));
    }
    let point = |(x, y, threshold)| RocPoint {
        false_positive_rate: x / negatives,
        true_positive_rate: y / positives,
        threshold,
    };
    points.into_iter().map(point).collect()
}

/// The rows in `bins` bins of equal frequency, lowest scores first.
///
/// Rows with one score stay in one bin, the one their middle falls in; bins that no row falls in are left out.
pub fn calibration_bins(scored: &Scored, bins: usize) -> Vec<CalibrationBin> {
    let highest_first = bin_ties(scored.ties(|_| 1.0), scored.len() as f64, bins);
    let finish = |bin: &Bin| CalibrationBin {
        lowest: bin.lowest,
        highest: bin.highest,
        mean_predicted: bin.predicted / bin.weight,
        observed_rate: bin.positive / bin.weight,
        rows: bin.weight as usize,
    };
    highest_first.iter().rev().map(finish).collect()
}

/// Sums over the rows of a bin.
pub(crate) struct Bin {
    lowest: f64,
    highest: f64,
    /// Sum of the scores.
    pub(crate) predicted: f64,
    /// Weight of the positive rows.
    pub(crate) positive: f64,
    weight: f64,
}

/// Groups of equal scores, highest first, in `bins` bins of equal weight, highest first; `total` is the weight of all.
pub(crate) fn bin_ties(ties: impl Iterator<Item = Tie>, total: f64, bins: usize) -> Vec<Bin> {
    let mut filled: Vec<(usize, Bin)> = Vec::new();
    let mut before = 0.0;
    for tie in ties {
        let middle = before + tie.weight() / 2.0;
        before += tie.weight();
        let index = (bins as f64 * middle / total) as usize;
        match filled.last_mut() {
            Some((last, bin)) if *last == index => bin.add(&tie),
            _ => filled.push((index, Bin::new(&tie))),
        }
    }
    filled.into_iter().map(|(_, bin)| bin).collect()
}

impl Bin {
    fn new(tie: &Tie) -> Self {
        Self {
            lowest: tie.score,
            highest: tie.score,
            predicted: tie.weight() * tie.score,
            positive: tie.positive,
            weight: tie.weight(),
        }
    }

    fn add(&mut self, tie: &Tie) {
        self.lowest = tie.score;
        self.predicted += tie.weight() * tie.score;
        self.positive += tie.positive;
        self.weight += tie.weight();
    }
}
