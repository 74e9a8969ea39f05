//! A model of segments: assigns rows, places them on a map, and can be stored.

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use super::clusters::Clusters;
use super::fit::number_positions;
use super::names::SegmentName;
use super::scale::RobustScaler;
use super::{Algorithm, Choice, Components, NAME, SegmentFeature};
use crate::{LearnError, Rows, SavedModel};

const FILE: &str = "model.json";

/// Segments that were found, to which any row with the same features can be assigned. Segments are numbered from 0, largest
/// first.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct SegmentModel {
    pub(super) features: Vec<SegmentFeature>,
    pub(super) scaler: RobustScaler,
    pub(super) clusters: Clusters,
    /// `None` when no feature tells rows apart.
    pub(super) components: Option<Components>,
    pub(super) names: Vec<SegmentName>,
    pub(super) choice: Choice,
    pub(super) rows: usize,
}

/// The segment of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Assignment {
    /// The segment, from 0.
    pub segment: usize,
    /// Distance from the centre of the segment: Euclidean, over the scaled features, in robust standard deviations.
    pub distance: f64,
    /// The probability of the segment, where the algorithm gives one.
    pub probability: Option<f64>,
}

impl SegmentModel {
    /// The names of the segments, in order.
    pub fn segments(&self) -> impl ExactSizeIterator<Item = &str> {
        self.names.iter().map(|name| name.name.as_str())
    }

    /// For each segment, the words of which its name is made, strongest first; none for one in which nothing stands out.
    pub fn words(&self) -> impl ExactSizeIterator<Item = &[String]> {
        self.names.iter().map(|name| name.words.as_slice())
    }

    /// The features it looks at, in the order in which they were declared.
    pub fn features(&self) -> &[SegmentFeature] {
        &self.features
    }

    /// How the number of clusters was chosen.
    pub fn choice(&self) -> &Choice {
        &self.choice
    }

    /// The algorithm that found the segments.
    pub fn algorithm(&self) -> Algorithm {
        self.clusters.algorithm()
    }

    /// Number of rows it was fitted to.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The segment of each row.
    ///
    /// # Errors
    /// If a feature the model needs is not there.
    pub fn assign(&self, rows: &Rows<'_>) -> Result<Vec<Assignment>, LearnError> {
        let points = self.points(rows)?;
        let assign = |point| {
            let (segment, probability) = self.clusters.nearest(point);
            Assignment {
                segment,
                distance: self.clusters.squared_distance(point, segment).sqrt(),
                probability,
            }
        };
        Ok(points.rows().into_iter().map(assign).collect())
    }

    /// Where each row lies on the map of the first two principal components.
    ///
    /// # Errors
    /// If a feature the model needs is not there.
    pub fn coordinates(&self, rows: &Rows<'_>) -> Result<Vec<[f64; 2]>, LearnError> {
        let points = self.points(rows)?;
        let place = |point| {
            self.components
                .as_ref()
                .map_or([0.0; 2], |components| components.project(point))
        };
        Ok(points.rows().into_iter().map(place).collect())
    }

    /// The share of the variance of the scaled features along each axis of the map, from 0 to 1.
    pub fn explained(&self) -> [f64; 2] {
        self.components
            .as_ref()
            .map_or([0.0; 2], Components::explained)
    }

    /// The loadings of each axis of the map, in the order of [`features`](Self::features); 0 for a feature that was left out.
    pub fn loadings(&self) -> [Vec<f64>; 2] {
        let spread = |axis: Option<&Vec<f64>>| {
            let mut loadings = vec![0.0; self.features.len()];
            for (feature, loading) in self.scaler.features().zip(axis.into_iter().flatten()) {
                loadings[feature] = *loading;
            }
            loadings
        };
        let axes = self.components.as_ref().map(Components::axes);
        [
            spread(axes.map(|axes| &axes[0])),
            spread(axes.map(|axes| &axes[1])),
        ]
    }

    /// By segment, then feature: how far the mean of the segment's rows lies from the mean of the rows that the model was fitted
    /// to, in robust standard deviations of the scaled feature. `None` for a segment without rows, and for a feature that was
    /// left out because it does not vary.
    ///
    /// # Errors
    /// If a feature the model needs is not there, or there are not as many assignments as rows.
    pub fn z_scores(
        &self,
        rows: &Rows<'_>,
        assignments: &[Assignment],
    ) -> Result<Vec<Vec<Option<f64>>>, LearnError> {
        if assignments.len() != rows.len() {
            return Err(LearnError::LengthMismatch {
                what: "assignments",
                found: assignments.len(),
                expected: rows.len(),
            });
        }
        let points = self.points(rows)?;
        let labels: Vec<usize> = assignments
            .iter()
            .map(|assignment| assignment.segment)
            .collect();
        let (features, segments) = (self.features.len(), self.names.len());
        Ok(mean_differences(
            &self.scaler,
            features,
            points.view(),
            &labels,
            segments,
        ))
    }

    /// The model as files, of which [`load`](Self::load) makes the same model.
    ///
    /// # Errors
    /// If the model cannot be written out.
    pub fn save(&self) -> Result<SavedModel, LearnError> {
        SavedModel::json(NAME, FILE, self)
    }

    /// The model that was saved.
    ///
    /// # Errors
    /// If the file is missing, cannot be read, or contradicts itself.
    pub fn load(saved: &SavedModel) -> Result<Self, LearnError> {
        let model: Self = saved.parse(FILE)?;
        model.scaler.check(model.features.len(), saved, FILE)?;
        let width = model.scaler.width();
        model.clusters.check(width, saved, FILE)?;
        let has_names = model.names.len() == model.clusters.len();
        let has_map = model
            .components
            .as_ref()
            .map_or(width == 0, |components| components.fits(width));
        match has_names && has_map {
            true => Ok(model),
            false => Err(saved.unreadable(
                FILE,
                "does not have one name a segment and one loading a feature",
            )),
        }
    }

    fn points(&self, rows: &Rows<'_>) -> Result<Array2<f64>, LearnError> {
        let names: Vec<String> = self
            .features
            .iter()
            .map(|feature| feature.name.clone())
            .collect();
        Ok(self.scaler.apply(rows, &number_positions(rows, &names)?))
    }
}

/// By segment, then feature: the mean of the scaled points less that of the rows the scaling was learned from.
pub(super) fn mean_differences(
    scaler: &RobustScaler,
    features: usize,
    points: ArrayView2<'_, f64>,
    labels: &[usize],
    segments: usize,
) -> Vec<Vec<Option<f64>>> {
    let mut differences = vec![vec![None; features]; segments];
    for (segment, differences) in differences.iter_mut().enumerate() {
        let own: Vec<usize> = (0..labels.len())
            .filter(|&row| labels[row] == segment)
            .collect();
        if own.is_empty() {
            continue;
        }
        for ((feature, mean), column) in scaler.features().zip(scaler.means()).zip(points.columns())
        {
            let sum: f64 = own.iter().map(|&row| column[row]).sum();
            differences[feature] = Some(sum / own.len() as f64 - mean);
        }
    }
    differences
}
