//! How far rows have moved from the rows that a model was trained on.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{FeatureValue, LearnError, Rows};

/// Bins of a feature of numbers: as many as a credit scorecard has by custom.
const BINS: usize = 10;

/// What each bin counts beside its rows, so that an empty one has a logarithm.
const PRIOR: f64 = 0.5;

/// The normal distribution's quantile at 95 %.
const NORMAL_95: f64 = 1.644_853_626_951_472_2;

/// How far the values of one feature, or scores, have moved.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Drift {
    /// The feature.
    pub feature: String,
    /// Population stability index: the sum over bins of `(now - then) * ln(now / then)`, where `then` and `now` are shares of
    /// rows (Siddiqi, "Credit Risk Scorecards", 2006). Bins are tenths of the reference, or its categories; missing values
    /// and unseen categories are bins of their own.
    pub psi: f64,
    /// What the index stays below by chance alone in 95 of 100 cases: `(1/m + 1/n)` times the quantile of the chi-square
    /// distribution with one degree of freedom less than bins (Yurdakul, "Statistical Properties of Population Stability
    /// Index", 2018), the quantile by Wilson and Hilferty (1931).
    pub chance: f64,
    /// What is typical of the reference: the median, or the most frequent category.
    pub reference: Option<String>,
    /// What is typical now.
    pub current: Option<String>,
    /// Share of the reference's rows without a value.
    pub reference_missing: f64,
    /// Share of today's rows without a value.
    pub current_missing: f64,
}

/// How far each of `features` has moved, in their order.
///
/// # Errors
/// If a feature is not there on one of the sides, or a side has no rows.
pub fn drift(
    reference: &Rows<'_>,
    current: &Rows<'_>,
    features: &[String],
) -> Result<Vec<Drift>, LearnError> {
    let then = reference.positions(features, SPEAKER)?;
    let now = current.positions(features, SPEAKER)?;
    let places = then.into_iter().zip(now);
    features
        .iter()
        .zip(places)
        .map(|(feature, (then, now))| {
            let then: Vec<FeatureValue<'_>> = reference.feature_values(then).collect();
            let now: Vec<FeatureValue<'_>> = current.feature_values(now).collect();
            of_values(feature, &then, &now)
        })
        .collect()
}

/// How far scores have moved from those that were seen when the model was judged.
///
/// # Errors
/// If a side has no scores.
pub fn score_drift(reference: &[f64], current: &[f64]) -> Result<Drift, LearnError> {
    let numbers = |scores: &[f64]| {
        scores
            .iter()
            .map(|&score| number(score))
            .collect::<Vec<_>>()
    };
    of_values("score", &numbers(reference), &numbers(current))
}

/// In whose name a missing feature is reported.
const SPEAKER: &str = "drift";

fn number(value: f64) -> FeatureValue<'static> {
    match value.is_nan() {
        true => FeatureValue::Missing,
        false => FeatureValue::Number(value),
    }
}

fn of_values(
    feature: &str,
    then: &[FeatureValue<'_>],
    now: &[FeatureValue<'_>],
) -> Result<Drift, LearnError> {
    if then.is_empty() || now.is_empty() {
        return Err(LearnError::NoRows {
            what: if then.is_empty() {
                "reference"
            } else {
                "current"
            },
        });
    }
    let bins = Bins::of(then);
    let (then_counts, now_counts) = (bins.count(then), bins.count(now));
    let degrees = then_counts
        .iter()
        .zip(&now_counts)
        .filter(|(then, now)| **then + **now > 0.0)
        .count()
        .saturating_sub(1);
    let sizes = 1.0 / then.len() as f64 + 1.0 / now.len() as f64;
    Ok(Drift {
        feature: feature.to_owned(),
        psi: population_stability_index(&then_counts, &now_counts),
        chance: sizes * chi_square_95(degrees),
        reference: typical(then),
        current: typical(now),
        reference_missing: missing(then),
        current_missing: missing(now),
    })
}

/// The index of two histograms over the same bins; bins that are empty on both sides say nothing.
fn population_stability_index(then: &[f64], now: &[f64]) -> f64 {
    let held: Vec<(f64, f64)> = then
        .iter()
        .zip(now)
        .map(|(&then, &now)| (then, now))
        .filter(|(then, now)| then + now > 0.0)
        .collect();
    let prior = PRIOR * held.len() as f64;
    let total_then = held.iter().map(|(then, _)| then).sum::<f64>() + prior;
    let total_now = held.iter().map(|(_, now)| now).sum::<f64>() + prior;
    held.iter()
        .map(|(then, now)| {
            let then = (then + PRIOR) / total_then;
            let now = (now + PRIOR) / total_now;
            (now - then) * (now / then).ln()
        })
        .sum()
}

fn chi_square_95(degrees: usize) -> f64 {
    if degrees == 0 {
        return 0.0;
    }
    let k = degrees as f64;
    let spread = 2.0 / (9.0 * k);
    k * (1.0 - spread + NORMAL_95 * spread.sqrt()).powi(3)
}

/// Where values are counted: missing first, then one bin a category and one for unseen ones, or between edges.
struct Bins<'a> {
    categories: BTreeMap<&'a str, usize>,
    edges: Vec<f64>,
}

impl<'a> Bins<'a> {
    fn of(reference: &[FeatureValue<'a>]) -> Self {
        let mut categories = BTreeMap::new();
        for value in reference {
            if let FeatureValue::Category(text) = value {
                categories.insert(*text, 0);
            }
        }
        for (place, held) in categories.values_mut().enumerate() {
            *held = place;
        }
        let sorted = sorted_numbers(reference);
        let mut edges: Vec<f64> = (1..BINS)
            .filter_map(|tenth| sorted.get(tenth * sorted.len() / BINS).copied())
            .collect();
        edges.dedup();
        Self { categories, edges }
    }

    fn count(&self, values: &[FeatureValue<'_>]) -> Vec<f64> {
        let mut counts = vec![0.0; 2 + self.categories.len() + self.edges.len()];
        for value in values {
            let bin = match value {
                FeatureValue::Missing => 0,
                FeatureValue::Number(number) => {
                    1 + self.edges.partition_point(|edge| edge <= number)
                }
                FeatureValue::Category(text) => {
                    1 + self
                        .categories
                        .get(text)
                        .copied()
                        .unwrap_or(self.categories.len())
                }
            };
            counts[bin] += 1.0;
        }
        counts
    }
}

fn sorted_numbers(values: &[FeatureValue<'_>]) -> Vec<f64> {
    let mut numbers: Vec<f64> = values
        .iter()
        .filter_map(|value| match value {
            FeatureValue::Number(number) => Some(*number),
            _ => None,
        })
        .collect();
    numbers.sort_by(f64::total_cmp);
    numbers
}

fn missing(values: &[FeatureValue<'_>]) -> f64 {
    let missing = values
        .iter()
        .filter(|value| **value == FeatureValue::Missing);
    missing.count() as f64 / values.len() as f64
}

/// The lower median, or the most frequent category, the first in order among equals.
fn typical(values: &[FeatureValue<'_>]) -> Option<String> {
    let numbers = sorted_numbers(values);
    if let Some(median) = numbers.get(numbers.len().saturating_sub(1) / 2) {
        return Some(format!("{}", (median * 1_000.0).round() / 1_000.0));
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for value in values {
        if let FeatureValue::Category(text) = value {
            *counts.entry(text).or_default() += 1;
        }
    }
    let mut best: Option<(&str, usize)> = None;
    for (text, count) in counts {
        if best.is_none_or(|(_, most)| count > most) {
            best = Some((text, count));
        }
    }
    best.map(|(text, _)| text.to_owned())
}
