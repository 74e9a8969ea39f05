//! A client for [MLflow](https://mlflow.org) tracking and the MLflow model registry.
//!
//! [`open`] gives a [`Store`]: experiments with their runs (params, metrics, tags, artifacts), the logged models of
//! MLflow 3, and the registered models with their versions and aliases. A folder such as `./mlruns` is read and written
//! in MLflow's own file layout, so that `mlflow ui`, `MlflowClient` and `mlflow.pyfunc.load_model` work on it without
//! this crate, and this crate on what they wrote. (MLflow 3 reads such a folder when `MLFLOW_ALLOW_FILE_STORE=true` is
//! set, and `mlflow migrate-filestore` moves it into a database.) An address such as `http://localhost:5000` is an MLflow
//! server, asked by its REST API; see [`RestStore`].
//!
//! [`log_model`] writes an MLflow model: the `MLmodel` file, its environment, signature and example.
//!
//! The crate never reads a clock: every time is given by the caller, in milliseconds since the Unix epoch (UTC). (A server
//! has a clock, and takes from the caller only the times of runs and metrics.) Ids are random, as they are in MLflow.
//!
//! ```
//! use std::collections::BTreeMap;
//! use safra_mlflow::{Metric, NewRun, RunStatus, open, tags};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let root = folder.path().join("mlruns");
//! # let uri = root.to_str().ok_or("path")?;
//! let store = open(uri)?;
//! let start = 1_700_000_000_000;
//! let experiment = store.get_or_create_experiment("churn", start)?;
//! let run = store.create_run(&NewRun {
//!     experiment_id: experiment.experiment_id,
//!     run_name: "boosted trees".into(),
//!     start_time: start,
//!     tags: BTreeMap::from([(tags::USER.into(), "ana".into())]),
//! })?;
//! store.log_params(&run.run_id, &BTreeMap::from([("num_leaves".into(), "31".into())]))?;
//! store.log_metrics(&run.run_id, &[Metric::new("auc", 0.81, start + 900, 0)])?;
//! store.end_run(&run.run_id, RunStatus::Finished, start + 1_000)?;
//!
//! let read = store.get_run(&run.run_id)?;
//! assert_eq!(read.metrics["auc"].value, 0.81);
//! # Ok(())
//! # }
//! ```

mod entity;
mod error;
mod local;
mod model;
mod name;
mod rest;
mod store;
pub mod tags;
mod whole_file;
mod yaml;

pub use entity::{
    Artifact, ArtifactInfo, Batch, Experiment, LifecycleStage, LoggedModel, LoggedModelStatus,
    Metric, ModelOutput, ModelVersion, NewLoggedModel, NewModelVersion, NewRegisteredModel, NewRun,
    RegisteredModel, Run, RunStatus,
};
pub use error::{Error, Result};
pub use local::{IdSource, LocalStore};
pub use model::{
    ColumnSpec, DataType, Environment, Flavor, InputExample, Model, ModelFile, Schema, Signature,
    TensorSpec, log_model,
};
pub use rest::{Credentials, RestOptions, RestStore, without_credentials};
pub use store::{ExperimentStore, LoggedModelStore, ModelRegistry, RunStore, Store};

/// Opens the store at `uri`: a folder, as a path (`./mlruns`) or as a `file:` URI (`file:///data/mlruns`), or a server
/// by its address (`http://localhost:5000`), with the options that the [environment](RestOptions::from_environment)
/// gives.
///
/// Nothing is written until something is created, and no server is asked; a folder that does not exist yet is an empty
/// store.
///
/// # Errors
/// [`Error::UnsupportedUri`] when the URI has another scheme or does not name a folder of this machine;
/// [`Error::Invalid`] when it is no address of a server, or a variable of the environment is no number.
pub fn open(uri: &str) -> Result<Box<dyn Store>> {
    match local::location::scheme(uri) {
        Some("http" | "https") => Ok(Box::new(RestStore::new(
            uri,
            &RestOptions::from_environment()?,
        )?)),
        _ => Ok(Box::new(LocalStore::open(uri)?)),
    }
}
