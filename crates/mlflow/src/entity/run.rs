//! Runs: one execution each, with what went in and what came out.

use std::collections::BTreeMap;

use super::{LifecycleStage, Metric, ModelOutput};

/// What is needed to start a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRun {
    /// The experiment it belongs to.
    pub experiment_id: String,
    /// Its name, not necessarily unique.
    pub run_name: String,
    /// When it starts, in milliseconds since the Unix epoch.
    pub start_time: i64,
    /// Its first tags; see [`tags`](crate::tags) for those that MLflow knows, such as
    /// [`PARENT_RUN_ID`](crate::tags::PARENT_RUN_ID) for a nested run.
    pub tags: BTreeMap<String, String>,
}

/// A run, with all that was logged in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The id: 32 hexadecimal digits.
    pub run_id: String,
    /// The experiment it belongs to.
    pub experiment_id: String,
    /// Its name.
    pub run_name: String,
    /// How far it is.
    pub status: RunStatus,
    /// When it started, in milliseconds since the Unix epoch.
    pub start_time: i64,
    /// When it ended, in milliseconds since the Unix epoch; none while it runs.
    pub end_time: Option<i64>,
    /// The URI of its artifacts.
    pub artifact_uri: String,
    /// Whether it is in use or deleted.
    pub lifecycle_stage: LifecycleStage,
    /// Its params.
    pub params: BTreeMap<String, String>,
    /// The latest value of each metric: that of the highest step, then of the latest time.
    pub metrics: BTreeMap<String, Metric>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// The logged models it made, by model id.
    pub outputs: Vec<ModelOutput>,
}

/// What is to be logged in a run together.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Batch {
    /// Values of metrics.
    pub metrics: Vec<Metric>,
    /// Params.
    pub params: BTreeMap<String, String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunStatus {
    /// It has started and not ended.
    Running,
    /// It is to start later.
    Scheduled,
    /// It ended well.
    Finished,
    /// It ended with an error.
    Failed,
    /// It was stopped from outside.
    Killed,
}
