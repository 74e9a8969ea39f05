//! `problems/*.toml` with `kind = "segments"`: whom to cluster, on which features, and what to tell about each segment.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use indexmap::IndexMap;
use serde::Deserialize;

use crate::files::parse_toml;
use crate::{
    Cadence, Cohort, FeatureSelection, Population, ProjectError, ProjectFiles, RowTime,
    SegmentationTranslation,
};

/// A cohort to be divided into segments of similar entities. There is no label.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Segmentation {
    /// Name on the command line and of the tables; the file's name without `.toml`.
    #[serde(skip)]
    pub name: String,
    /// Path of the file inside the project.
    #[serde(skip)]
    pub file: String,
    /// Always `segments`: it tells this kind of problem from one with a label.
    pub kind: String,
    /// Heading for people.
    pub title: String,
    /// The question that the segments answer, as one sentence.
    pub question: String,
    /// What one row is called, such as "seller".
    pub row: String,
    /// What several rows are called, such as "sellers".
    pub rows: String,
    /// Whether the word for a row is feminine, for languages in which articles follow it.
    #[serde(default)]
    pub feminine: bool,
    /// Columns that identify one row, together with the reference date.
    pub entity: Vec<String>,
    /// On which dates the cohort is divided.
    pub cadence: Cadence,
    /// First reference date, if later than the project's `first_date`.
    pub first_date: Option<NaiveDate>,
    /// Who is to be divided.
    pub cohort: Cohort,
    /// The feature views that hold the features named below.
    pub features: FeatureSelection,
    /// How to find segments.
    pub clustering: Clustering,
    /// What to tell about each segment, beside its size.
    #[serde(default)]
    pub profile: Vec<ProfileColumn>,
    /// The words for people in other languages, by language tag such as `pt-BR`.
    #[serde(default)]
    pub translations: BTreeMap<String, SegmentationTranslation>,
}

/// How to find segments.
#[derive(Debug, Clone, Deserialize)]
pub struct Clustering {
    /// The features to cluster on.
    pub features: Vec<ClusteringFeature>,
    /// The feature by whose sum segments are numbered, largest first; by their rows, if there is none.
    pub order_by: Option<String>,
    /// Parameters of the search, as far as they differ from its defaults.
    #[serde(flatten)]
    pub parameters: BTreeMap<String, toml::Value>,
}

/// A feature to cluster on, and the words of which names of segments are made.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusteringFeature {
    /// Name of the feature in the store.
    pub name: String,
    /// What it is, in a few words, for charts and tables.
    pub label: Option<String>,
    /// What a segment with high values is, such as "large".
    pub high: Option<String>,
    /// What a segment with low values is, such as "small".
    pub low: Option<String>,
}

/// A number to tell about each segment: a statistic of a feature, or how often the label of another problem was positive.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileColumn {
    /// Heading.
    pub label: String,
    /// Name of the feature in the store.
    pub feature: Option<String>,
    /// Name of a problem with a label, about the same entity.
    pub outcome: Option<String>,
    /// The statistic of the feature over the segment.
    #[serde(default)]
    pub statistic: Statistic,
    /// Unit of the number; `%` for fractions that read as percentages.
    pub unit: Option<String>,
}

/// A statistic of a feature over the rows of a segment; missing values are left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Statistic {
    /// The median.
    #[default]
    Median,
    /// The mean.
    Mean,
    /// The sum.
    Sum,
    /// The sum as a share of the sum over all segments.
    Share,
}

/// What a file of this kind says of its kind.
pub(crate) const KIND: &str = "segments";

impl Segmentation {
    /// Who is to be divided, and what is known of them.
    pub fn population(&self) -> Population<'_> {
        Population {
            name: &self.name,
            file: &self.file,
            entity: &self.entity,
            time: RowTime::ReferenceDate,
            cohort: &self.cohort,
            features: &self.features,
        }
    }
}

impl ClusteringFeature {
    /// What it is in words: its label, or its name.
    pub fn label(&self) -> &str {
        self.label.as_deref().unwrap_or(&self.name)
    }
}

pub(crate) fn read_all(
    files: &ProjectFiles,
) -> Result<IndexMap<String, Segmentation>, ProjectError> {
    let mut segmentations = IndexMap::new();
    for (file, name, text) in files.in_folder("problems") {
        if kind(file, text)?.as_deref() != Some(KIND) {
            continue;
        }
        let segmentation: Segmentation = parse_toml(file, text)?;
        let segmentation = Segmentation {
            name: name.to_owned(),
            file: file.to_owned(),
            ..segmentation
        };
        segmentations.insert(name.to_owned(), segmentation);
    }
    Ok(segmentations)
}

/// The kind of problem that a file declares; `None` for one with a label.
pub(crate) fn kind(file: &str, text: &str) -> Result<Option<String>, ProjectError> {
    #[derive(Deserialize)]
    struct Kind {
        kind: Option<String>,
    }
    let Kind { kind } = parse_toml(file, text)?;
    match kind.as_deref() {
        None | Some(KIND) => Ok(kind),
        Some(other) => {
            let message = format!(
                "no such kind of problem: {other}\nhint: the kind is {KIND}, or left out when there is a label"
            );
            Err(ProjectError::invalid(file, "kind", message))
        }
    }
}
