//! Logged models: models as things of their own, since MLflow 3.

use std::collections::BTreeMap;

use super::Metric;

/// What is needed to create a logged model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLoggedModel {
    /// The experiment it belongs to.
    pub experiment_id: String,
    /// Its name, not necessarily unique.
    pub name: String,
    /// The run that makes it.
    pub source_run_id: Option<String>,
    /// The kind of the model, a free text; none is usual.
    pub model_type: Option<String>,
    /// Its params.
    pub params: BTreeMap<String, String>,
    /// Its first tags.
    pub tags: BTreeMap<String, String>,
    /// When it is made, in milliseconds since the Unix epoch.
    pub creation_timestamp: i64,
}

/// A logged model.
#[derive(Debug, Clone, PartialEq)]
pub struct LoggedModel {
    /// The id: `m-` and 32 hexadecimal digits.
    pub model_id: String,
    /// The experiment it belongs to.
    pub experiment_id: String,
    /// Its name.
    pub name: String,
    /// The run that made it.
    pub source_run_id: Option<String>,
    /// The kind of the model.
    pub model_type: Option<String>,
    /// Whether its artifacts are all there.
    pub status: LoggedModelStatus,
    /// The URI of its artifacts.
    pub artifact_location: String,
    /// When it was made, in milliseconds since the Unix epoch.
    pub creation_timestamp: i64,
    /// When it was last changed, in milliseconds since the Unix epoch.
    pub last_updated_timestamp: i64,
    /// Its params.
    pub params: BTreeMap<String, String>,
    /// The latest value of each metric: that of the highest step, then of the latest time.
    pub metrics: BTreeMap<String, Metric>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// Whether a logged model can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoggedModelStatus {
    /// Written by a program that did not say.
    Unspecified,
    /// Its artifacts are being written, or were when the program died.
    Pending,
    /// Its artifacts are all there.
    Ready,
    /// Its artifacts could not be written.
    Failed,
}

/// A logged model as the output of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelOutput {
    /// The logged model.
    pub model_id: String,
    /// The step of the run at which it was made; 0 where there are no steps.
    pub step: i64,
}
