//! The tag keys to which MLflow itself gives a meaning.

/// The name of the run; [`create_run`](crate::RunStore::create_run) sets it.
pub const RUN_NAME: &str = "mlflow.runName";
/// The run id of the parent, on a nested run.
pub const PARENT_RUN_ID: &str = "mlflow.parentRunId";
/// Who started the run.
pub const USER: &str = "mlflow.user";
/// The program, script or notebook the run comes from.
pub const SOURCE_NAME: &str = "mlflow.source.name";
/// The kind of the source: `LOCAL`, `JOB`, `NOTEBOOK`, `PROJECT` or `UNKNOWN`.
pub const SOURCE_TYPE: &str = "mlflow.source.type";
/// The git commit of the source.
pub const SOURCE_GIT_COMMIT: &str = "mlflow.source.git.commit";
/// A description in Markdown, of a run or of an experiment.
pub const NOTE_CONTENT: &str = "mlflow.note.content";
/// The registered versions of a logged model, as a JSON list;
/// [`create_model_version`](crate::ModelRegistry::create_model_version) sets it.
pub const MODEL_VERSIONS: &str = "mlflow.modelVersions";
