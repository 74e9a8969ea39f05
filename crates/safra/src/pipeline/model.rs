//! Models in the tracking store: logged as MLflow models, registered, and read back.

use std::collections::BTreeMap;

use safra_learn::{Column, Examples, FeatureValue, Model, SavedModel};
use safra_mlflow::{
    Artifact, ColumnSpec, DataType, Environment, Flavor, InputExample, LoggedModel, ModelFile,
    ModelVersion, NewLoggedModel, Schema, Signature, Store, TensorSpec, log_model,
};
use serde_json::{Value, json};

use super::provenance::Provenance;
use crate::error::SafraError;

/// Name of the alias of the model in use.
pub const CHAMPION: &str = "champion";
/// Folder, inside a logged model, of the files from which Safra loads it.
const OWN_FOLDER: &str = "safra";
/// Tag of a logged model that names its learner.
pub const LEARNER_TAG: &str = "safra.learner";
/// The file of trees in LightGBM's text format, by its own name or the end of it.
const TREES_FILE: &str = "model.txt";
/// The LightGBM inside the binary, whose model files Python's package of the same version reads.
const LIGHTGBM_VERSION: &str = "4.7.0";
const PYTHON_VERSION: &str = "3.11.7";
const MLFLOW_VERSION: &str = "3.17.2";
const EXAMPLE_ROWS: usize = 3;

/// Where a model goes in the tracking store.
pub struct Destination<'a> {
    /// The experiment.
    pub experiment_id: &'a str,
    /// The run that made it.
    pub run_id: &'a str,
    /// Name of the model.
    pub name: &'a str,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at: i64,
    /// Where it comes from.
    pub provenance: &'a Provenance,
}

/// Logs a fitted model as an MLflow model, with the files from which Safra loads it back.
pub fn log(
    store: &dyn Store,
    destination: &Destination<'_>,
    model: &dyn Model,
    examples: &Examples,
    params: BTreeMap<String, String>,
) -> Result<LoggedModel, SafraError> {
    let saved = model.save()?;
    let mut tags = destination.provenance.tags();
    tags.insert(LEARNER_TAG.to_owned(), saved.learner.clone());
    let new = NewLoggedModel {
        experiment_id: destination.experiment_id.to_owned(),
        name: destination.name.to_owned(),
        source_run_id: Some(destination.run_id.to_owned()),
        model_type: Some(saved.learner.clone()),
        params,
        tags,
        creation_timestamp: destination.at,
    };
    let mlflow_model = safra_mlflow::Model {
        flavor: flavor(&saved, model, examples),
        // MLflow refuses a signature without inputs, which is what the constant baseline would have.
        signature: (!model.features().is_empty())
            .then(|| signature(model.features(), examples, "float64")),
        input_example: (!model.features().is_empty())
            .then(|| input_example(model.features(), examples)),
        environment: environment(&saved),
        metadata: destination.provenance.metadata(model.features()),
    };
    log_with_files(store, &new, &mlflow_model, &saved)
}

/// Logs an MLflow model, and beside it the files from which Safra loads it back.
pub fn log_with_files(
    store: &dyn Store,
    new: &NewLoggedModel,
    mlflow_model: &safra_mlflow::Model,
    saved: &SavedModel,
) -> Result<LoggedModel, SafraError> {
    let logged = log_model(store, new, mlflow_model)?;
    for (name, bytes) in &saved.files {
        let path = format!("{OWN_FOLDER}/{name}");
        store.log_model_artifact(&logged.model_id, &path, Artifact::Bytes(bytes))?;
    }
    Ok(logged)
}

/// Loads the model behind a registered version.
pub fn load(store: &dyn Store, version: &ModelVersion) -> Result<Box<dyn Model>, SafraError> {
    Ok(safra_learn::load(&saved(store, version)?)?)
}

/// The files of the model behind a registered version.
pub fn saved(store: &dyn Store, version: &ModelVersion) -> Result<SavedModel, SafraError> {
    let fault = |message: &str| SafraError::Registry {
        model: version.name.clone(),
        version: version.version,
        message: message.to_owned(),
    };
    let model_id = version
        .model_id
        .as_ref()
        .ok_or_else(|| fault("it has no logged model"))?;
    let logged = store.get_logged_model(model_id)?;
    let learner = logged
        .tags
        .get(LEARNER_TAG)
        .ok_or_else(|| fault("it was not trained by safra; load it with MLflow"))?;
    let mut files = Vec::new();
    for artifact in store.list_model_artifacts(model_id, OWN_FOLDER)? {
        let name = artifact
            .path
            .rsplit('/')
            .next()
            .unwrap_or(&artifact.path)
            .to_owned();
        files.push((name, store.read_model_artifact(model_id, &artifact.path)?));
    }
    Ok(SavedModel {
        learner: learner.clone(),
        files,
    })
}

/// LightGBM's text is what Python's LightGBM reads, as long as all features are numbers and it is all there is to the score;
/// everything else comes with a loader of its own.
fn flavor(saved: &SavedModel, model: &dyn Model, examples: &Examples) -> Flavor {
    let texts = model.features().iter().any(|name| is_text(name, examples));
    match &saved.files[..] {
        [(name, trees), _] if saved.learner == "lightgbm" && name == TREES_FILE && !texts => {
            Flavor::Lightgbm {
                model: trees.clone(),
                lightgbm_version: LIGHTGBM_VERSION.to_owned(),
            }
        }
        files => Flavor::PythonFunction {
            loader_module: format!("safra_{}", saved.learner),
            code: vec![ModelFile::new(
                &format!("safra_{}.py", saved.learner),
                include_str!("loader.py"),
            )],
            data: files
                .iter()
                .map(|(name, bytes)| ModelFile::new(name, bytes.clone()))
                .collect(),
        },
    }
}

fn is_text(feature: &str, examples: &Examples) -> bool {
    matches!(examples.feature(feature), Some(Column::Categories(_)))
}

/// The signature of a model from `features` to one value a row, of the numpy type `output`.
pub fn signature(features: &[String], examples: &Examples, output: &str) -> Signature {
    let column = |name: &String| ColumnSpec {
        name: Some(name.clone()),
        data_type: match is_text(name, examples) {
            true => DataType::String,
            false => DataType::Double,
        },
        required: true,
    };
    Signature {
        inputs: Schema::Columns(features.iter().map(column).collect()),
        outputs: Some(Schema::Tensors(vec![TensorSpec {
            name: None,
            dtype: output.to_owned(),
            shape: vec![-1],
        }])),
    }
}

/// The first rows of `examples` as an example of a model's input.
pub fn input_example(features: &[String], examples: &Examples) -> InputExample {
    let columns: Vec<String> = features.to_vec();
    let value = |name: &String, row: usize| -> Value {
        match examples.feature(name).map(|column| column.value(row)) {
            Some(FeatureValue::Number(number)) => json!(number),
            Some(FeatureValue::Category(text)) => json!(text),
            Some(FeatureValue::Missing) | None => Value::Null,
        }
    };
    let rows = (0..EXAMPLE_ROWS.min(examples.len()))
        .map(|row| columns.iter().map(|name| value(name, row)).collect())
        .collect();
    InputExample { columns, rows }
}

/// What Python needs to load the model.
pub fn environment(saved: &SavedModel) -> Environment {
    let mut requirements = vec!["numpy".to_owned(), "pandas".to_owned()];
    if saved
        .files
        .iter()
        .any(|(name, _)| name.ends_with(TREES_FILE))
    {
        requirements.push(format!("lightgbm=={LIGHTGBM_VERSION}"));
    }
    Environment {
        python_version: PYTHON_VERSION.to_owned(),
        mlflow_version: MLFLOW_VERSION.to_owned(),
        requirements,
    }
}
