//! What the section of a segmentation is made from.

use serde::Serialize;

/// A cohort that was divided into segments.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct SegmentsPage {
    /// Name of the problem, such as `segments`.
    pub name: String,
    /// Heading for people.
    pub title: String,
    /// The question that the segments answer, as one sentence.
    pub question: String,
    /// What the rows are called in the plural, such as `sellers`.
    pub rows: String,
    /// Whether the word for a row is feminine, for languages in which articles follow it.
    pub feminine: bool,
    /// Who was divided, in words.
    pub cohort: String,
    /// Date of the cohort.
    pub reference_date: String,
    /// What found the segments: `k_means` or `gaussian_mixture`.
    pub algorithm: String,
    /// Version of the model in the registry.
    pub version: String,
    /// Date of the cohort that the model was fitted to.
    pub fitted_at: String,
    /// Whether the segments come again in resampled data.
    pub is_stable: bool,
    /// The features that the cohort was clustered on, in words.
    pub features: Vec<String>,
    /// Headings of the profile, beside name and size.
    pub columns: Vec<ProfileColumn>,
    /// The segments, in order.
    pub segments: Vec<Segment>,
    /// The profile of the whole cohort, one value a column.
    pub all: Vec<Option<f64>>,
    /// The rows on the map.
    pub points: Vec<MapPoint>,
    /// What the map shows from left to right, and from bottom to top.
    pub axes: [MapAxis; 2],
    /// Everything that was tried.
    pub candidates: Vec<SegmentsCandidate>,
    /// How rows moved since an earlier date, if that is known.
    pub movements: Option<SegmentMovements>,
}

/// A heading of the profile.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ProfileColumn {
    /// What is told.
    pub label: String,
    /// Its unit; may be empty. Values in `%` are fractions.
    pub unit: String,
    /// The date it is about, if that is another than the cohort's; may be empty.
    pub of_date: String,
}

/// One segment.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Segment {
    /// What stands out in it, such as `large` and `steady`, strongest first; nothing if it is like the whole.
    pub words: Vec<String>,
    /// Rows in it.
    pub rows: u64,
    /// One value for each of [`SegmentsPage::columns`].
    pub values: Vec<Option<f64>>,
    /// For each of [`SegmentsPage::features`], how far the segment lies from the mean, in robust standard deviations.
    pub z_scores: Vec<Option<f64>>,
}

/// A row on the map.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct MapPoint {
    /// From left to right.
    pub x: f64,
    /// From bottom to top.
    pub y: f64,
    /// Position of its segment.
    pub segment: usize,
}

/// What one direction of the map shows.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct MapAxis {
    /// Share of the variance along it.
    pub explained: f64,
    /// What rows at its start are, such as `small`; may be empty.
    pub low: String,
    /// What rows at its end are, such as `large`; may be empty.
    pub high: String,
}

/// An algorithm with a number of clusters, and how it did.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct SegmentsCandidate {
    /// The algorithm, as [`SegmentsPage::algorithm`].
    pub algorithm: String,
    /// The number of clusters.
    pub clusters: u64,
    /// Mean silhouette.
    pub silhouette: Option<f64>,
    /// Share of the rows in the smallest cluster.
    pub smallest_share: Option<f64>,
    /// Mean adjusted Rand index under resampling, where it was needed.
    pub stability: Option<f64>,
    /// Whether it was chosen.
    pub is_chosen: bool,
}

/// How rows moved between segments.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct SegmentMovements {
    /// The earlier date.
    pub since: String,
    /// By segment then, and segment now: rows.
    pub moved: Vec<Vec<u64>>,
    /// By segment now: rows that were not there.
    pub new: Vec<u64>,
    /// By segment then: rows that are not there any more.
    pub gone: Vec<u64>,
}

impl SegmentsPage {
    /// Rows of all segments.
    pub(crate) fn total(&self) -> u64 {
        self.segments.iter().map(|segment| segment.rows).sum()
    }
}

impl SegmentMovements {
    /// Rows that were there on both dates, and those of them that stayed in their segment.
    pub(crate) fn stayed(&self) -> (u64, u64) {
        let both = self.moved.iter().flatten().sum();
        let stayed = self
            .moved
            .iter()
            .enumerate()
            .filter_map(|(segment, to)| to.get(segment));
        (both, stayed.sum())
    }
}
