//! What a store holds: MLflow's entities, with MLflow's names.

mod artifact;
mod experiment;
mod logged_model;
mod metric;
mod registered_model;
mod run;

pub use artifact::{Artifact, ArtifactInfo};
pub use experiment::{Experiment, LifecycleStage};
pub use logged_model::{LoggedModel, LoggedModelStatus, ModelOutput, NewLoggedModel};
pub use metric::Metric;
pub use registered_model::{ModelVersion, NewModelVersion, NewRegisteredModel, RegisteredModel};
pub use run::{Batch, NewRun, Run, RunStatus};
