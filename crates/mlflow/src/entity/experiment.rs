//! Experiments: named sets of runs.

use std::collections::BTreeMap;

use crate::{Error, Result};

/// A named set of runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Experiment {
    /// The id: a number of 18 digits as text, or `0` for the experiment named `Default`.
    pub experiment_id: String,
    /// The name, unique in the store.
    pub name: String,
    /// The URI under which the artifacts of its runs are.
    pub artifact_location: String,
    /// Whether it is in use or deleted.
    pub lifecycle_stage: LifecycleStage,
    /// When it was made, in milliseconds since the Unix epoch; unknown for very old experiments.
    pub creation_time: Option<i64>,
    /// When it was last changed, in milliseconds since the Unix epoch; unknown for very old ones.
    pub last_update_time: Option<i64>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

impl Experiment {
    /// The experiment, if it is not deleted.
    pub(crate) fn if_active(self) -> Result<Self> {
        match self.lifecycle_stage {
            LifecycleStage::Active => Ok(self),
            LifecycleStage::Deleted => Err(Error::Deleted {
                kind: "experiment",
                id: self.name,
            }),
        }
    }
}

/// Whether an experiment or a run is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LifecycleStage {
    /// In use.
    Active,
    /// Deleted, but still there to be restored.
    Deleted,
}

impl LifecycleStage {
    /// The word by which MLflow writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Deleted => "deleted",
        }
    }
}
