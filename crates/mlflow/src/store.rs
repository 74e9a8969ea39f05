//! What every store can do, wherever it is.

use std::collections::BTreeMap;

use crate::Result;
use crate::entity::{
    Artifact, ArtifactInfo, Batch, Experiment, LoggedModel, LoggedModelStatus, Metric, ModelOutput,
    ModelVersion, NewLoggedModel, NewModelVersion, NewRegisteredModel, NewRun, RegisteredModel,
    Run, RunStatus,
};

/// An MLflow store: tracking (experiments, runs, logged models) and the model registry.
///
/// All its methods come from its parts; on a `dyn Store` they can be called without importing them.
/// An entity, a param, a tag, an alias and an artifact is written whole or not at all. A call that
/// writes several of them checks them all first, then writes them one after the other.
///
/// A server keeps its own rules where the text here says what MLflow refuses, and has its own clock
/// where a call takes the time at which something is made or changed, except for runs and metrics.
pub trait Store: ExperimentStore + RunStore + LoggedModelStore + ModelRegistry {}

impl<T: ExperimentStore + RunStore + LoggedModelStore + ModelRegistry> Store for T {}

/// Experiments.
pub trait ExperimentStore: Send + Sync {
    /// The experiment named `name`; made now, at `creation_time` in milliseconds since the Unix
    /// epoch, if there is none.
    ///
    /// # Errors
    /// When the name is empty or longer than 500 characters, or is that of a deleted experiment.
    fn get_or_create_experiment(&self, name: &str, creation_time: i64) -> Result<Experiment>;

    /// The experiment with that id, active or deleted.
    ///
    /// # Errors
    /// When there is none.
    fn get_experiment(&self, experiment_id: &str) -> Result<Experiment>;

    /// The experiment with that name, active or deleted, if there is one.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn get_experiment_by_name(&self, name: &str) -> Result<Option<Experiment>>;

    /// The active experiments, by id.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn list_experiments(&self) -> Result<Vec<Experiment>>;

    /// Deletes an experiment and its runs at `time`, in milliseconds since the Unix epoch. They can be
    /// read and restored, but not changed; the name stays taken.
    ///
    /// # Errors
    /// When the experiment is missing or deleted, or it is `Default`.
    fn delete_experiment(&self, experiment_id: &str, time: i64) -> Result<()>;

    /// Restores a deleted experiment and all its deleted runs at `time`, in milliseconds since the Unix
    /// epoch.
    ///
    /// # Errors
    /// When there is no deleted experiment with that id.
    fn restore_experiment(&self, experiment_id: &str, time: i64) -> Result<()>;

    /// Sets tags of an experiment; other tags stay.
    ///
    /// # Errors
    /// When the experiment is missing or deleted, or MLflow refuses a key (250 characters) or value
    /// (20,000 characters); then none is set.
    fn set_experiment_tags(
        &self,
        experiment_id: &str,
        tags: &BTreeMap<String, String>,
    ) -> Result<()>;
}

/// Runs and what is logged in them.
pub trait RunStore: Send + Sync {
    /// Starts a run.
    ///
    /// # Errors
    /// When the experiment is missing or deleted, or MLflow refuses a tag.
    fn create_run(&self, run: &NewRun) -> Result<Run>;

    /// The run with that id, active or deleted.
    ///
    /// # Errors
    /// When there is none.
    fn get_run(&self, run_id: &str) -> Result<Run>;

    /// The active runs of some experiments that have all of `tags`, the latest start first, then by
    /// run id.
    ///
    /// # Errors
    /// When an experiment is missing.
    fn search_runs(
        &self,
        experiment_ids: &[&str],
        tags: &BTreeMap<String, String>,
    ) -> Result<Vec<Run>>;

    /// Logs params, metrics and tags, any number of each. Metrics go to the run and to the logged models
    /// they name; other tags stay.
    ///
    /// # Errors
    /// When the run is missing or deleted, a logged model is missing, a timestamp is negative, a param
    /// has another value already, or MLflow refuses a key (letters, digits, `_ - . : /` and spaces; 250
    /// characters) or a value (6,000 characters of a param, 8,000 of a tag); then nothing is logged.
    fn log_batch(&self, run_id: &str, batch: &Batch) -> Result<()>;

    /// Logs params, as [`log_batch`](Self::log_batch) does.
    ///
    /// # Errors
    /// As there.
    fn log_params(&self, run_id: &str, params: &BTreeMap<String, String>) -> Result<()> {
        let params = params.clone();
        self.log_batch(
            run_id,
            &Batch {
                params,
                ..Batch::default()
            },
        )
    }

    /// Logs values of metrics, as [`log_batch`](Self::log_batch) does.
    ///
    /// # Errors
    /// As there.
    fn log_metrics(&self, run_id: &str, metrics: &[Metric]) -> Result<()> {
        let metrics = metrics.to_vec();
        self.log_batch(
            run_id,
            &Batch {
                metrics,
                ..Batch::default()
            },
        )
    }

    /// All values of one metric of a run in the order of logging; none if it was never logged.
    /// Their `model_id` is not kept.
    ///
    /// # Errors
    /// When the run is missing.
    fn get_metric_history(&self, run_id: &str, key: &str) -> Result<Vec<Metric>>;

    /// Sets tags of a run, as [`log_batch`](Self::log_batch) does.
    ///
    /// # Errors
    /// As there.
    fn set_tags(&self, run_id: &str, tags: &BTreeMap<String, String>) -> Result<()> {
        let tags = tags.clone();
        self.log_batch(
            run_id,
            &Batch {
                tags,
                ..Batch::default()
            },
        )
    }

    /// Links logged models to a run as its outputs; a link that is there already stays as it is.
    ///
    /// # Errors
    /// When the run is missing or deleted, or a logged model is missing; then none is linked.
    fn log_outputs(&self, run_id: &str, models: &[ModelOutput]) -> Result<()>;

    /// Ends a run at `end_time`, in milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// When the run is missing or deleted.
    fn end_run(&self, run_id: &str, status: RunStatus, end_time: i64) -> Result<()>;

    /// Deletes a run at `time`, in milliseconds since the Unix epoch. It can be read and restored, but not
    /// changed, and searches do not find it.
    ///
    /// # Errors
    /// When the run is missing.
    fn delete_run(&self, run_id: &str, time: i64) -> Result<()>;

    /// Restores a deleted run; nothing happens if it is active.
    ///
    /// # Errors
    /// When the run is missing.
    fn restore_run(&self, run_id: &str) -> Result<()>;

    /// Logs a file to `artifact_path`, a path with `/` between folders; one that is there is replaced.
    ///
    /// # Errors
    /// When the run is missing or deleted, MLflow refuses the path (it leads out of the artifacts,
    /// or has one of `# % : \` or a control character), or the content cannot be read.
    fn log_artifact(&self, run_id: &str, artifact_path: &str, content: Artifact<'_>) -> Result<()>;

    /// The files and folders in the folder `path` of a run's artifacts (`""` for the root), by path;
    /// none if there is no such folder.
    ///
    /// # Errors
    /// When the run is missing, or the path leads out of the artifacts.
    fn list_artifacts(&self, run_id: &str, path: &str) -> Result<Vec<ArtifactInfo>>;

    /// The bytes of one artifact of a run.
    ///
    /// # Errors
    /// When the run or the artifact is missing, or the path leads out of the artifacts.
    fn read_artifact(&self, run_id: &str, path: &str) -> Result<Vec<u8>>;
}

/// Logged models. [`log_model`](crate::log_model) makes one in a single call.
pub trait LoggedModelStore: Send + Sync {
    /// Creates a logged model, which is [pending](LoggedModelStatus::Pending) until it is finalized.
    ///
    /// # Errors
    /// When the experiment is missing or deleted, or MLflow refuses the name (not empty, without
    /// `/ : . % " '`), a param or a tag.
    fn create_logged_model(&self, model: &NewLoggedModel) -> Result<LoggedModel>;

    /// The logged model with that id.
    ///
    /// # Errors
    /// When there is none, or it is deleted.
    fn get_logged_model(&self, model_id: &str) -> Result<LoggedModel>;

    /// The logged models of some experiments, the latest first, then by model id.
    ///
    /// # Errors
    /// When an experiment is missing.
    fn search_logged_models(&self, experiment_ids: &[&str]) -> Result<Vec<LoggedModel>>;

    /// Sets tags of a logged model; other tags stay.
    ///
    /// # Errors
    /// When the model is missing, or MLflow refuses a key or value (as for a run); then none is set.
    fn set_logged_model_tags(&self, model_id: &str, tags: &BTreeMap<String, String>) -> Result<()>;

    /// Says whether the artifacts of a logged model are all there, at `last_updated_timestamp` in
    /// milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// When the model is missing.
    fn finalize_logged_model(
        &self,
        model_id: &str,
        status: LoggedModelStatus,
        last_updated_timestamp: i64,
    ) -> Result<()>;

    /// Logs a file of a logged model, as [`log_artifact`](RunStore::log_artifact) does for a run.
    ///
    /// # Errors
    /// When the model is missing, MLflow refuses the path, or the content cannot be read.
    fn log_model_artifact(
        &self,
        model_id: &str,
        artifact_path: &str,
        content: Artifact<'_>,
    ) -> Result<()>;

    /// The files and folders in the folder `path` of a logged model (`""` for the root), by path;
    /// none if there is no such folder.
    ///
    /// # Errors
    /// When the model is missing, or the path leads out of the artifacts.
    fn list_model_artifacts(&self, model_id: &str, path: &str) -> Result<Vec<ArtifactInfo>>;

    /// The bytes of one file of a logged model.
    ///
    /// # Errors
    /// When the model or the file is missing, or the path leads out of the artifacts.
    fn read_model_artifact(&self, model_id: &str, path: &str) -> Result<Vec<u8>>;
}

/// The model registry. All times are in milliseconds since the Unix epoch.
pub trait ModelRegistry: Send + Sync {
    /// The registered model with that name, which keeps its description and tags; made now if there
    /// is none.
    ///
    /// # Errors
    /// When MLflow refuses the name (not empty, without `/ : %`) or a tag.
    fn get_or_create_registered_model(&self, model: &NewRegisteredModel)
    -> Result<RegisteredModel>;

    /// The registered model with that name, if there is one.
    ///
    /// # Errors
    /// When MLflow refuses the name, or the store cannot be read.
    fn get_registered_model(&self, name: &str) -> Result<Option<RegisteredModel>>;

    /// The registered models, by name.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn list_registered_models(&self) -> Result<Vec<RegisteredModel>>;

    /// Sets tags of a registered model; other tags stay.
    ///
    /// # Errors
    /// When the model is missing, or MLflow refuses a key (250 characters) or value (100,000
    /// characters); then none is set.
    fn set_registered_model_tags(
        &self,
        name: &str,
        tags: &BTreeMap<String, String>,
        last_updated_timestamp: i64,
    ) -> Result<()>;

    /// Registers a version, with the next number.
    ///
    /// # Errors
    /// When the registered model, the logged model or the version that `source` names is missing, or
    /// MLflow refuses a tag.
    fn create_model_version(&self, version: &NewModelVersion) -> Result<ModelVersion>;

    /// A version.
    ///
    /// # Errors
    /// When there is none with that number, or it is deleted.
    fn get_model_version(&self, name: &str, version: u32) -> Result<ModelVersion>;

    /// The versions of a registered model, by number.
    ///
    /// # Errors
    /// When the model is missing.
    fn list_model_versions(&self, name: &str) -> Result<Vec<ModelVersion>>;

    /// The version to which an alias points, if there is such an alias. `latest` is the version with
    /// the highest number.
    ///
    /// # Errors
    /// When the registered model is missing, or the version is deleted.
    fn get_model_version_by_alias(&self, name: &str, alias: &str) -> Result<Option<ModelVersion>>;

    /// Makes an alias point to a version, instead of where it pointed before.
    ///
    /// # Errors
    /// When the version is missing, or MLflow refuses the alias (letters, digits, `_` and `-`; 255
    /// characters; not `latest`, not like `v1`).
    fn set_registered_model_alias(
        &self,
        name: &str,
        alias: &str,
        version: u32,
        last_updated_timestamp: i64,
    ) -> Result<()>;

    /// Removes an alias; nothing happens if there is none.
    ///
    /// # Errors
    /// When the registered model is missing, or MLflow refuses the alias.
    fn delete_registered_model_alias(
        &self,
        name: &str,
        alias: &str,
        last_updated_timestamp: i64,
    ) -> Result<()>;

    /// Sets tags of a version; other tags stay.
    ///
    /// # Errors
    /// When the version is missing, or MLflow refuses a tag (as for a registered model); then none
    /// is set.
    fn set_model_version_tags(
        &self,
        name: &str,
        version: u32,
        tags: &BTreeMap<String, String>,
        last_updated_timestamp: i64,
    ) -> Result<()>;
}
