//! MLflow models: a folder with an `MLmodel` file that says how to load what is beside it.

mod environment;
mod input_example;
mod mlmodel;
mod signature;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::entity::{Artifact, LoggedModel, LoggedModelStatus, ModelOutput, NewLoggedModel};
use crate::store::Store;
use crate::{Error, Result};

pub use environment::Environment;
pub use input_example::InputExample;
pub use signature::{ColumnSpec, DataType, Schema, Signature, TensorSpec};

/// A model that `mlflow.pyfunc.load_model` can load.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// What it is made of, and what loads it.
    pub flavor: Flavor,
    /// What it takes and gives; the registry's page shows it, and MLflow checks inputs against it.
    pub signature: Option<Signature>,
    /// Some rows that it can be tried on.
    pub input_example: Option<InputExample>,
    /// The Python packages that it needs.
    pub environment: Environment,
    /// Anything else to know of it, by key; Python finds it in `model.metadata.metadata`.
    pub metadata: BTreeMap<String, Value>,
}

/// What a model is made of, and what loads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flavor {
    /// A LightGBM booster. `mlflow.lightgbm.load_model` gives it back, and as a Python function it predicts what
    /// `Booster.predict` does.
    Lightgbm {
        /// The text that `Booster.save_model` writes.
        model: Vec<u8>,
        /// The version of LightGBM that can read it, such as `4.6.0`.
        lightgbm_version: String,
    },
    /// Python code that loads data of its own.
    PythonFunction {
        /// The module whose `_load_pyfunc(path)` gets the folder of `data` and gives an object with a method
        /// `predict(data_frame)`. Python imports a module once in a process, so models with different code must have
        /// modules with different names.
        loader_module: String,
        /// Files put on Python's path, by their path from there: `loader.py` is the module `loader`.
        code: Vec<ModelFile>,
        /// Files given to the loader; at least one.
        data: Vec<ModelFile>,
    },
}

/// A file of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFile {
    /// Its path from the folder it is in, with `/` between parts.
    pub path: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

impl ModelFile {
    /// A file at `path` that holds `bytes`.
    #[must_use]
    pub fn new(path: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            path: path.to_owned(),
            bytes: bytes.into(),
        }
    }
}

/// Logs a model: creates the logged model, writes its files, links it to its run as an output and makes it ready.
///
/// It is made ready at its creation time, for there is no other time to take.
///
/// # Errors
/// When MLflow refuses the name, a param, a tag or the path of a file, the experiment or run is missing or deleted, or
/// the creation time is no date. A logged model that is made already then has the status
/// [`Failed`](LoggedModelStatus::Failed).
pub fn log_model(store: &dyn Store, new: &NewLoggedModel, model: &Model) -> Result<LoggedModel> {
    let logged = store.create_logged_model(new)?;
    let written = write(store, &logged, model);
    let status = if written.is_ok() {
        LoggedModelStatus::Ready
    } else {
        LoggedModelStatus::Failed
    };
    let finalized = store.finalize_logged_model(&logged.model_id, status, new.creation_timestamp);
    written.and(finalized)?;
    store.get_logged_model(&logged.model_id)
}

fn write(store: &dyn Store, logged: &LoggedModel, model: &Model) -> Result<()> {
    for file in files(logged, model)? {
        store.log_model_artifact(&logged.model_id, &file.path, Artifact::Bytes(&file.bytes))?;
    }
    match &logged.source_run_id {
        Some(run_id) => store.log_outputs(
            run_id,
            &[ModelOutput {
                model_id: logged.model_id.clone(),
                step: 0,
            }],
        ),
        None => Ok(()),
    }
}

/// The files of a model, the `MLmodel` file last.
fn files(logged: &LoggedModel, model: &Model) -> Result<Vec<ModelFile>> {
    let mut files = flavor_files(&model.flavor)?;
    let model_size = files.iter().map(|file| file.bytes.len()).sum();
    files.extend(model.environment.files());
    files.extend(model.input_example.iter().flat_map(InputExample::files));
    files.push(ModelFile::new(
        mlmodel::FILE,
        mlmodel::text(logged, model, model_size)?,
    ));
    Ok(files)
}

fn flavor_files(flavor: &Flavor) -> Result<Vec<ModelFile>> {
    match flavor {
        Flavor::Lightgbm { model, .. } => Ok(vec![ModelFile::new(
            mlmodel::LIGHTGBM_FILE,
            model.as_slice(),
        )]),
        Flavor::PythonFunction {
            data,
            loader_module,
            ..
        } if data.is_empty() => Err(Error::Invalid {
            kind: "python_function model",
            value: loader_module.clone(),
            hint: "give at least one file of data: its folder is what the loader gets",
        }),
        Flavor::PythonFunction { code, data, .. } => {
            let code = code.iter().map(|file| within(mlmodel::CODE_FOLDER, file));
            let data = data.iter().map(|file| within(mlmodel::DATA_FOLDER, file));
            Ok(code.chain(data).collect())
        }
    }
}

fn within(folder: &str, file: &ModelFile) -> ModelFile {
    ModelFile::new(&format!("{folder}/{}", file.path), file.bytes.as_slice())
}
