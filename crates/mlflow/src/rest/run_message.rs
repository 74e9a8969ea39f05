//! The messages about runs.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::message::{Integer, MetricMessage, Pair, latest, lifecycle_stage, map};
use crate::entity::{ModelOutput, Run, RunStatus};

/// The answer of a call that gives one run.
#[derive(Deserialize)]
pub(super) struct RunAnswer {
    pub(super) run: RunMessage,
}

/// A run.
#[derive(Deserialize)]
pub(super) struct RunMessage {
    info: InfoMessage,
    #[serde(default)]
    data: DataMessage,
    #[serde(default)]
    outputs: OutputsMessage,
}

#[derive(Deserialize)]
struct InfoMessage {
    run_id: String,
    experiment_id: String,
    #[serde(default)]
    run_name: String,
    #[serde(default)]
    status: StatusMessage,
    #[serde(default)]
    start_time: Integer,
    end_time: Option<Integer>,
    #[serde(default)]
    artifact_uri: String,
    #[serde(default)]
    lifecycle_stage: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "UPPERCASE")]
enum StatusMessage {
    #[default]
    Running,
    Scheduled,
    Finished,
    Failed,
    Killed,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct DataMessage {
    metrics: Vec<MetricMessage>,
    params: Vec<Pair>,
    tags: Vec<Pair>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct OutputsMessage {
    model_outputs: Vec<OutputMessage>,
}

#[derive(Deserialize)]
struct OutputMessage {
    model_id: String,
    #[serde(default)]
    step: Integer,
}

impl From<RunMessage> for Run {
    fn from(message: RunMessage) -> Self {
        let RunMessage {
            info,
            data,
            outputs,
        } = message;
        let steps = outputs.model_outputs.into_iter();
        let steps: BTreeMap<_, _> = steps
            .map(|output| (output.model_id, output.step.0))
            .collect();
        Self {
            run_id: info.run_id,
            experiment_id: info.experiment_id,
            run_name: info.run_name,
            status: info.status.into(),
            start_time: info.start_time.0,
            end_time: info.end_time.map(|time| time.0),
            artifact_uri: info.artifact_uri,
            lifecycle_stage: lifecycle_stage(&info.lifecycle_stage),
            params: map(data.params),
            metrics: latest(data.metrics),
            tags: map(data.tags),
            outputs: steps
                .into_iter()
                .map(|(model_id, step)| ModelOutput { model_id, step })
                .collect(),
        }
    }
}

impl From<StatusMessage> for RunStatus {
    fn from(message: StatusMessage) -> Self {
        match message {
            StatusMessage::Running => Self::Running,
            StatusMessage::Scheduled => Self::Scheduled,
            StatusMessage::Finished => Self::Finished,
            StatusMessage::Failed => Self::Failed,
            StatusMessage::Killed => Self::Killed,
        }
    }
}

/// The word for a status.
pub(super) fn status_name(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Running => "RUNNING",
        RunStatus::Scheduled => "SCHEDULED",
        RunStatus::Finished => "FINISHED",
        RunStatus::Failed => "FAILED",
        RunStatus::Killed => "KILLED",
    }
}
