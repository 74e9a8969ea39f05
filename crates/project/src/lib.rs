//! Reads and checks the declarations of a Safra project. No data is touched here.
//!
//! A project is a folder of plain text:
//!
//! | file | declares |
//! |---|---|
//! | `safra.toml` | the name of the project and its defaults ([`Settings`]) |
//! | `sources.toml` | the tables, and when each row and column becomes known ([`Source`]) |
//! | `features/*.sql` | feature views ([`View`]) |
//! | `features/parts/*.sql` | what several views include or import |
//! | `problems/*.toml` | what is to be predicted ([`Problem`]), or whom to divide into segments ([`Segmentation`]) |
//!
//! [`Project::from_files`] takes the texts, wherever they come from (a folder, or the copy inside the
//! binary), and returns a project in which every name has been checked against every other.

mod cadence;
mod check;
mod error;
mod feature_text;
mod files;
mod meaning;
mod nearest;
mod problem;
mod problem_texts;
mod segmentation;
mod segmentation_texts;
mod settings;
mod source;
mod template;
mod view;

pub use cadence::Cadence;
pub use error::ProjectError;
pub use feature_text::FeatureText;
pub use files::ProjectFiles;
pub use meaning::{Meaning, Meanings};
pub use nearest::nearest;
pub use problem::{
    ActOn, BacktestSpec, CalibrationSpec, Cohort, FeatureSelection, Label, LearnerSpec,
    MonitorSpec, Population, Problem, RowTime,
};
pub use problem_texts::{ProblemTexts, ProblemTranslation};
pub use segmentation::{Clustering, ClusteringFeature, ProfileColumn, Segmentation, Statistic};
pub use segmentation_texts::{SegmentationTexts, SegmentationTranslation};
pub use settings::{Download, Figure, FigureTranslation, Settings, SettingsTranslation};
pub use source::{Column, ColumnKnownAt, ColumnType, Derived, KnownAt, Reference, Source};
pub use view::{SqlLine, View, ViewKind, Window};

use std::collections::BTreeSet;

use indexmap::IndexMap;

/// A project whose declarations have been read and checked against one another.
#[derive(Debug, Clone)]
pub struct Project {
    /// Name and defaults, from `safra.toml`.
    pub settings: Settings,
    /// The tables by name, in the order of `sources.toml`, parents before the tables that refer to them.
    pub sources: IndexMap<String, Source>,
    /// The feature views by name, in alphabetical order.
    pub views: IndexMap<String, View>,
    /// The problems by name, in alphabetical order.
    pub problems: IndexMap<String, Problem>,
    /// The problems of the kind `segments` by name, in alphabetical order.
    pub segmentations: IndexMap<String, Segmentation>,
}

impl Project {
    /// Reads a project from the texts of its files.
    ///
    /// # Errors
    /// [`ProjectError`] names the file, and the table, column, view or problem at fault.
    pub fn from_files(files: &ProjectFiles) -> Result<Self, ProjectError> {
        let project = Self {
            settings: settings::read(files)?,
            sources: source::read_all(files)?,
            views: view::read_all(files)?,
            problems: problem::read_all(files)?,
            segmentations: segmentation::read_all(files)?,
        };
        check::check(&project)?;
        Ok(project)
    }

    /// The source of that name.
    ///
    /// # Errors
    /// [`ProjectError::UnknownName`] when the project declares no such source.
    pub fn source(&self, name: &str) -> Result<&Source, ProjectError> {
        find(&self.sources, "source", name)
    }

    /// These sources, and all those from which they take their times.
    ///
    /// # Errors
    /// [`ProjectError::UnknownName`] when the project declares no such source.
    pub fn with_parents<'a>(
        &self,
        names: impl IntoIterator<Item = &'a String>,
    ) -> Result<BTreeSet<String>, ProjectError> {
        let mut wanted = BTreeSet::new();
        let mut open: Vec<&str> = names.into_iter().map(String::as_str).collect();
        while let Some(name) = open.pop() {
            let source = self.source(name)?;
            let new = wanted.insert(source.name.clone());
            if let (true, KnownAt::From { from, .. }) = (new, &source.known_at) {
                open.push(from);
            }
        }
        Ok(wanted)
    }

    /// The feature view of that name.
    ///
    /// # Errors
    /// [`ProjectError::UnknownName`] when the project declares no such view.
    pub fn view(&self, name: &str) -> Result<&View, ProjectError> {
        find(&self.views, "feature view", name)
    }

    /// The problem of that name.
    ///
    /// # Errors
    /// [`ProjectError::UnknownName`] when the project declares no such problem.
    pub fn problem(&self, name: &str) -> Result<&Problem, ProjectError> {
        find(&self.problems, "problem", name)
    }

    /// The problem of the kind `segments` of that name.
    ///
    /// # Errors
    /// [`ProjectError::UnknownName`] when the project declares no such problem.
    pub fn segmentation(&self, name: &str) -> Result<&Segmentation, ProjectError> {
        find(&self.segmentations, "problem of the kind segments", name)
    }
}

fn find<'a, T>(
    items: &'a IndexMap<String, T>,
    kind: &'static str,
    name: &str,
) -> Result<&'a T, ProjectError> {
    items.get(name).ok_or_else(|| {
        let meant = nearest(name, items.keys().map(String::as_str));
        ProjectError::UnknownName {
            kind,
            name: name.to_owned(),
            meant: meant.map_or_else(String::new, |meant| format!("did you mean {meant}? ")),
            known: items.keys().cloned().collect::<Vec<_>>().join(", "),
        }
    })
}
