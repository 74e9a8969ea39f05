//! Calibration: an increasing map from a model's score to the probability that was observed for such scores.

use serde::{Deserialize, Serialize};

use crate::LearnError;
use crate::coefficients::Coefficients;
use crate::probability::{logit, sigmoid};

/// Scores are kept this far from 0 and 1, where log odds end.
const CLOSEST: f64 = 1e-15;

/// L2 penalty on the slope of Platt scaling, which keeps it finite where scores separate the classes.
const PLATT_L2: f64 = 1e-3;

const PLATT_ITERATIONS: u64 = 200;

/// How scores are mapped to probabilities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CalibrationMethod {
    /// Scores stay as they are.
    #[default]
    None,
    /// A straight line in log odds (Platt, "Probabilistic outputs for support vector machines", 1999).
    Platt,
    /// A broken line in log odds through the blocks of an isotonic regression, at their centres, so that different scores stay
    /// different (Oron and Flournoy, "Centered isotonic regression", 2017).
    Isotonic,
}

impl CalibrationMethod {
    /// All methods, the simplest first.
    pub const ALL: [Self; 3] = [Self::None, Self::Platt, Self::Isotonic];

    /// The name, as in files and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Platt => "platt",
            Self::Isotonic => "isotonic",
        }
    }
}

/// A fitted calibration: strictly increasing, so that it changes no ranking, and on the scale of log odds.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Calibration {
    /// Scores stay as they are.
    #[default]
    None,
    /// `slope · log odds + intercept`.
    Platt {
        /// Above 0.
        slope: f64,
        /// Log odds.
        intercept: f64,
    },
    /// Linear between the points; beyond the first and the last it goes on with a slope of 1.
    Isotonic {
        /// Log odds of scores, increasing.
        from: Vec<f64>,
        /// Log odds of what was observed, increasing.
        to: Vec<f64>,
    },
}

impl Calibration {
    /// The calibration of scores by what happened. Where the rows do not say how (one class only, or scores that fall while
    /// the rate rises), scores stay as they are.
    ///
    /// # Errors
    /// If there are not as many scores as labels, or the solver fails.
    pub fn fit(
        method: CalibrationMethod,
        labels: &[bool],
        scores: &[f64],
    ) -> Result<Self, LearnError> {
        if labels.len() != scores.len() {
            return Err(LearnError::LengthMismatch {
                what: "scores",
                found: scores.len(),
                expected: labels.len(),
            });
        }
        let log_odds: Vec<f64> = scores.iter().map(|&score| log_odds(score)).collect();
        match method {
            _ if labels.iter().all(|&label| label) || !labels.contains(&true) => Ok(Self::None),
            CalibrationMethod::None => Ok(Self::None),
            CalibrationMethod::Platt => platt(labels, log_odds),
            CalibrationMethod::Isotonic => Ok(isotonic(labels, &log_odds)),
        }
    }

    /// How it maps.
    pub fn method(&self) -> CalibrationMethod {
        match self {
            Self::None => CalibrationMethod::None,
            Self::Platt { .. } => CalibrationMethod::Platt,
            Self::Isotonic { .. } => CalibrationMethod::Isotonic,
        }
    }

    /// The probability for a score, which is a probability too.
    pub fn apply(&self, score: f64) -> f64 {
        match self {
            Self::None => score,
            _ => sigmoid(self.apply_to_log_odds(log_odds(score))),
        }
    }

    /// The same on the scale of log odds.
    pub(crate) fn apply_to_log_odds(&self, log_odds: f64) -> f64 {
        match self {
            Self::None => log_odds,
            Self::Platt { slope, intercept } => slope * log_odds + intercept,
            Self::Isotonic { from, to } => interpolate(from, to, log_odds),
        }
    }

    /// Whether a calibration that was read from a file is one.
    pub(crate) fn is_sound(&self) -> bool {
        let rising = |values: &[f64]| values.windows(2).all(|pair| pair[0] < pair[1]);
        match self {
            Self::None => true,
            Self::Platt { slope, intercept } => *slope > 0.0 && intercept.is_finite(),
            Self::Isotonic { from, to } => {
                !from.is_empty() && from.len() == to.len() && rising(from) && rising(to)
            }
        }
    }
}

fn log_odds(score: f64) -> f64 {
    logit(score.clamp(CLOSEST, 1.0 - CLOSEST))
}

fn platt(labels: &[bool], log_odds: Vec<f64>) -> Result<Calibration, LearnError> {
    let fitted = Coefficients::fit(log_odds, labels, PLATT_L2, PLATT_ITERATIONS)?;
    let calibration = Calibration::Platt {
        slope: fitted.slopes[0],
        intercept: fitted.intercept,
    };
    Ok(match calibration.is_sound() {
        true => calibration,
        false => Calibration::None,
    })
}

/// A block of an isotonic regression: rows next to each other in score that share one rate.
#[derive(Clone, Copy)]
struct Block {
    rows: f64,
    positives: f64,
    /// Sum of the log odds of the scores.
    log_odds: f64,
}

impl Block {
    fn rate(&self) -> f64 {
        self.positives / self.rows
    }

    fn add(&mut self, other: &Self) {
        self.rows += other.rows;
        self.positives += other.positives;
        self.log_odds += other.log_odds;
    }
}

fn isotonic(labels: &[bool], log_odds: &[f64]) -> Calibration {
    let mut blocks = pool_adjacent_violators(labels, log_odds);
    let count = blocks.len();
    // A block of one class only is as far from certain as half a row of the other class would make it, and stays beyond its neighbour.
    let half_a_row = |block: &Block| 0.5 / (block.rows + 1.0);
    let mut rates: Vec<f64> = blocks.iter().map(Block::rate).collect();
    if rates[0] == 0.0 {
        let neighbour = rates.get(1).map_or(1.0, |rate| rate / 2.0);
        rates[0] = half_a_row(&blocks[0]).min(neighbour);
    }
    if rates[count - 1] == 1.0 {
        let neighbour = count.checked_sub(2).map_or(0.0, |place| rates[place]);
        rates[count - 1] = (1.0 - half_a_row(&blocks[count - 1])).max((1.0 + neighbour) / 2.0);
    }
    let from = blocks.drain(..).map(|block| block.log_odds / block.rows);
    let calibration = Calibration::Isotonic {
        from: from.collect(),
        to: rates.into_iter().map(logit).collect(),
    };
    match calibration.is_sound() {
        true => calibration,
        false => Calibration::None,
    }
}

/// Blocks of strictly increasing rates, lowest scores first; equal scores share a block.
fn pool_adjacent_violators(labels: &[bool], log_odds: &[f64]) -> Vec<Block> {
    let mut order: Vec<usize> = (0..labels.len()).collect();
    order.sort_by(|&a, &b| log_odds[a].total_cmp(&log_odds[b]));
    let mut blocks: Vec<Block> = Vec::new();
    for ties in order.chunk_by(|&a, &b| log_odds[a] == log_odds[b]) {
        blocks.push(Block {
            rows: ties.len() as f64,
            positives: ties.iter().filter(|&&row| labels[row]).count() as f64,
            log_odds: ties.len() as f64 * log_odds[ties[0]],
        });
        while let [.., before, after] = &mut blocks[..]
            && before.rate() >= after.rate()
        {
            before.add(after);
            blocks.pop();
        }
    }
    blocks
}

fn interpolate(from: &[f64], to: &[f64], at: f64) -> f64 {
    let last = from.len() - 1;
    match from.partition_point(|&point| point <= at) {
        0 => to[0] + (at - from[0]),
        place if place > last => to[last] + (at - from[last]),
        place => {
            let share = (at - from[place - 1]) / (from[place] - from[place - 1]);
            to[place - 1] + share * (to[place] - to[place - 1])
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    /// Whether each row of `scores` is observed as often as `rate` of its score says, evenly spread.
    fn observed(scores: &[f64], rate: impl Fn(f64) -> f64) -> Vec<bool> {
        let mut debt = 0.0;
        let happens = |&score: &f64| {
            debt += rate(score);
            let happened = debt >= 1.0;
            debt -= f64::from(happened);
            happened
        };
        scores.iter().map(happens).collect()
    }

    #[test]
    fn scores_that_are_too_sure_of_themselves_come_back_to_the_rate() {
        let scores: Vec<f64> = (1..4_000).map(|row| f64::from(row) / 4_000.0).collect();
        let rate = |score: f64| sigmoid(0.5 * logit(score) - 0.7);
        let labels = observed(&scores, rate);
        for method in [CalibrationMethod::Platt, CalibrationMethod::Isotonic] {
            let calibration = Calibration::fit(method, &labels, &scores).unwrap();
            assert_eq!(calibration.method(), method);
            for score in [0.1, 0.3, 0.5, 0.7, 0.9] {
                let difference = calibration.apply(score) - rate(score);
                assert!(difference.abs() < 0.05, "{method:?} {score} {difference}");
            }
        }
    }

    #[test]
    fn one_class_or_a_falling_rate_leaves_scores_alone() {
        let scores = [0.1, 0.2, 0.7, 0.9];
        for method in CalibrationMethod::ALL {
            let one_class = Calibration::fit(method, &[true; 4], &scores).unwrap();
            assert_eq!(one_class, Calibration::None);
        }
        let falling = [true, true, false, false];
        let platt = Calibration::fit(CalibrationMethod::Platt, &falling, &scores).unwrap();
        assert_eq!(platt, Calibration::None);
    }

    proptest! {
        /// Any calibration keeps the order of scores, ties as ties.
        #[test]
        fn no_ranking_changes(rows in prop::collection::vec((any::<bool>(), 0..=40_u32), 2..80)) {
            let (labels, scores): (Vec<bool>, Vec<f64>) =
                rows.iter().map(|row| (row.0, f64::from(row.1) / 40.0)).unzip();
            for method in CalibrationMethod::ALL {
                let calibration = Calibration::fit(method, &labels, &scores).unwrap();
                prop_assert!(calibration.is_sound(), "{:?}", calibration);
                let mapped: Vec<f64> = scores.iter().map(|&score| calibration.apply(score)).collect();
                for (a, mapped_a) in scores.iter().zip(&mapped) {
                    for (b, mapped_b) in scores.iter().zip(&mapped) {
                        prop_assert!(a >= b || mapped_a <= mapped_b);
                        prop_assert!(a != b || mapped_a == mapped_b);
                    }
                }
            }
        }

        /// The blocks are those of a naive isotonic regression: the greatest lower mean over upper sets.
        #[test]
        fn blocks_are_the_least_squares_increasing_fit(
            rows in prop::collection::vec((any::<bool>(), -5..5_i32), 1..40)
        ) {
            let (labels, scores): (Vec<bool>, Vec<f64>) =
                rows.iter().map(|row| (row.0, f64::from(row.1))).unzip();
            let blocks = pool_adjacent_violators(&labels, &scores);
            let mut distinct = scores.clone();
            distinct.sort_by(f64::total_cmp);
            distinct.dedup();
            let mean = |low: f64, high: f64| {
                let within = |row: &&(bool, i32)| (low..=high).contains(&f64::from(row.1));
                let (count, positives) = rows.iter().filter(within).fold((0.0, 0.0), |sum, row| {
                    (sum.0 + 1.0, sum.1 + f64::from(u8::from(row.0)))
                });
                positives / count
            };
            let fitted = |at: f64| {
                let lows = distinct.iter().filter(|&&low| low <= at);
                lows.map(|&low| {
                    let highs = distinct.iter().filter(|&&high| high >= at);
                    highs.map(|&high| mean(low, high)).fold(f64::INFINITY, f64::min)
                })
                .fold(f64::NEG_INFINITY, f64::max)
            };
            let mut expected: Vec<f64> = distinct.iter().map(|&at| fitted(at)).collect();
            expected.dedup_by(|a, b| (*a - *b).abs() < 1e-12);
            let found: Vec<f64> = blocks.iter().map(Block::rate).collect();
            prop_assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(&expected) {
                prop_assert!((found - expected).abs() < 1e-12);
            }
        }
    }
}
