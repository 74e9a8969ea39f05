//! Fitting: from rows to a model with named segments.

use std::cmp::Ordering;

use ndarray::{Array2, ArrayView2, Axis};
use serde::{Deserialize, Serialize};

use super::choice::choose;
use super::clusters::Clusters;
use super::components::Components;
use super::model::{SegmentModel, mean_differences};
use super::names::names;
use super::scale::RobustScaler;
use super::{Choice, NAME, SegmentsParameters};
use crate::{LearnError, Rows};

/// A feature to cluster on, with the words for its high and low values, of which the names of segments are made.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct SegmentFeature {
    /// The feature.
    pub name: String,
    /// What a segment with high values is, such as "large"; `None` keeps them out of names.
    pub high: Option<String>,
    /// What a segment with low values is, such as "small".
    pub low: Option<String>,
}

impl SegmentFeature {
    /// A feature with both words.
    pub fn new(name: &str, high: &str, low: &str) -> Self {
        Self {
            name: name.to_owned(),
            high: Some(high.to_owned()),
            low: Some(low.to_owned()),
        }
    }
}

/// Finds segments of `rows` by `features`. They are numbered by the sum of the feature `order_by` (by their rows if there is
/// none), largest first. Rows in another order give the same model, bit by bit.
///
/// Rows that cannot be told apart are one segment.
///
/// # Errors
/// If there are no rows or no features, a feature is not there, a parameter is out of its range, or no algorithm finds clusters.
pub fn fit_segments(
    rows: &Rows<'_>,
    features: &[SegmentFeature],
    order_by: Option<&str>,
    parameters: &SegmentsParameters,
    seed: u64,
) -> Result<SegmentModel, LearnError> {
    parameters.check()?;
    if features.is_empty() {
        return Err(LearnError::NoFeatures { learner: NAME });
    }
    if rows.is_empty() {
        return Err(LearnError::NoTrainingRows);
    }
    let names: Vec<String> = features
        .iter()
        .map(|feature| feature.name.clone())
        .collect();
    let positions = number_positions(rows, &names)?;
    let sizes = order_values(rows, order_by)?;
    let scaler = RobustScaler::fit(rows, &positions);
    let scaled = scaler.apply(rows, &positions);
    let order = canonical_order(&scaled);
    let points = scaled.select(Axis(0), &order);
    let (choice, clusters) = clusters(points.view(), parameters, seed)?;
    let labels = clusters.assign(scaled.view());
    let clusters = clusters.reordered(&largest_first(&clusters, &labels, &sizes));
    assemble(features, scaler, clusters, points.view(), choice)
}

/// The clusters of points in canonical order.
fn clusters(
    points: ArrayView2<'_, f64>,
    parameters: &SegmentsParameters,
    seed: u64,
) -> Result<(Choice, Clusters), LearnError> {
    // Rows that are equal lie next to each other.
    let neighbours = points
        .rows()
        .into_iter()
        .zip(points.rows().into_iter().skip(1));
    let distinct = 1 + neighbours.filter(|(one, other)| one != other).count();
    // With as many clusters as rows every cluster is one row, which says nothing.
    let most = parameters.most.min(distinct).min(points.nrows() - 1);
    if most < 2 {
        let choice = Choice {
            candidates: Vec::new(),
            chosen: None,
            is_stable: true,
            reason: "the rows cannot be told apart by the features, so they are one segment"
                .to_owned(),
        };
        return Ok((choice, Clusters::single(points)));
    }
    let (choice, clusters) = choose(points, parameters.fewest.min(most)..=most, parameters, seed);
    match clusters {
        Some(clusters) => Ok((choice, clusters)),
        None => {
            let failures = choice.candidates.iter().filter_map(|candidate| {
                let failure = candidate.failure.as_ref()?;
                Some(format!(
                    "{} with {} clusters: {failure}",
                    candidate.algorithm, candidate.clusters
                ))
            });
            Err(LearnError::Segments(
                failures.collect::<Vec<_>>().join("; "),
            ))
        }
    }
}

fn assemble(
    features: &[SegmentFeature],
    scaler: RobustScaler,
    clusters: Clusters,
    points: ArrayView2<'_, f64>,
    choice: Choice,
) -> Result<SegmentModel, LearnError> {
    let components = match scaler.width() {
        0 => None,
        _ => Some(Components::fit(points)?),
    };
    let labels = clusters.assign(points);
    let z_scores = mean_differences(&scaler, features.len(), points, &labels, clusters.len());
    Ok(SegmentModel {
        names: names(&z_scores, features),
        features: features.to_vec(),
        scaler,
        clusters,
        components,
        choice,
        rows: points.nrows(),
    })
}

/// Where `rows` has the features, which must be numbers.
pub(super) fn number_positions(
    rows: &Rows<'_>,
    names: &[String],
) -> Result<Vec<usize>, LearnError> {
    let positions = rows.positions(names, NAME)?;
    let mut named = names.iter().zip(&positions);
    match named.find(|(_, position)| rows.is_categories(**position)) {
        None => Ok(positions),
        Some((name, _)) => Err(LearnError::Segments(format!(
            "a feature is text, not a number: {name}\nhint: make numbers of it in the feature view"
        ))),
    }
}

/// By how much each row counts in the order of segments.
fn order_values(rows: &Rows<'_>, order_by: Option<&str>) -> Result<Vec<f64>, LearnError> {
    let Some(feature) = order_by else {
        return Ok(vec![1.0; rows.len()]);
    };
    let positions = number_positions(rows, &[feature.to_owned()])?;
    let values = positions.iter().flat_map(|&position| rows.values(position));
    Ok(values
        .map(|value| if value.is_nan() { 0.0 } else { value })
        .collect())
}

/// An order of rows that depends on their values only, so that the order in which they come does not matter.
fn canonical_order(points: &Array2<f64>) -> Vec<usize> {
    let mut order: Vec<usize> = (0..points.nrows()).collect();
    let by_values = |&a: &usize, &b: &usize| {
        let pairs = points.row(a).into_iter().zip(points.row(b));
        pairs
            .map(|(one, other)| one.total_cmp(other))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    };
    order.sort_by(by_values);
    order
}

/// The clusters by the sum of their rows' sizes, then by their number of rows, then by their centres.
fn largest_first(clusters: &Clusters, labels: &[usize], sizes: &[f64]) -> Vec<usize> {
    let mut held = vec![Vec::new(); clusters.len()];
    labels
        .iter()
        .zip(sizes)
        .for_each(|(&label, &size)| held[label].push(size));
    // Sums over sorted values depend on no order of rows.
    held.iter_mut()
        .for_each(|sizes| sizes.sort_by(f64::total_cmp));
    let sums: Vec<f64> = held.iter().map(|sizes| sizes.iter().sum()).collect();
    let mut order: Vec<usize> = (0..clusters.len()).collect();
    order.sort_by(|&a, &b| {
        let centres = clusters.centre(a).iter().zip(clusters.centre(b));
        let by_centre = centres
            .map(|(one, other)| one.total_cmp(other))
            .find(|order| order.is_ne());
        let by_size = sums[b]
            .total_cmp(&sums[a])
            .then(held[b].len().cmp(&held[a].len()));
        by_size.then(by_centre.unwrap_or(Ordering::Equal))
    });
    order
}
