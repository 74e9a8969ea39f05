//! Segments that were found, in the tracking store: a run, a model, a registered version.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use safra_learn::SegmentModel;
use safra_mlflow::{
    Artifact, Flavor, LoggedModel, Metric, ModelFile, ModelVersion, NewLoggedModel,
    NewModelVersion, NewRegisteredModel, NewRun, RunStatus, Store, tags,
};
use safra_project::Segmentation;

use super::super::model::{self, LEARNER_TAG};
use super::super::prepared::Prepared;
use super::super::provenance::Provenance;
use super::super::training::{LEARNER, MODEL_ID, TRAIN_ROWS, TRAINED_AT};
use crate::context::now_millis;
use crate::error::SafraError;

/// Name of the Python module that loads segments, and of its file.
const LOADER: &str = "safra_segments";

/// Segments that were found, and where they come from.
pub(super) struct Found<'a> {
    pub store: &'a dyn Store,
    /// Name of the registered model and of the experiment.
    pub name: &'a str,
    pub segmentation: &'a Segmentation,
    pub model: &'a SegmentModel,
    pub cohort: &'a Prepared,
    pub date: NaiveDate,
    pub seed: u64,
    pub provenance: &'a Provenance,
    /// Tags by which the version is found again.
    pub tags: BTreeMap<String, String>,
}

impl Found<'_> {
    /// Logs a run with the model, and registers it.
    pub(super) fn register(&self) -> Result<ModelVersion, SafraError> {
        let store = self.store;
        let experiment = store.get_or_create_experiment(self.name, now_millis())?;
        let run_id = self.start_run(&experiment.experiment_id)?;
        store.log_params(&run_id, &self.params())?;
        store.log_metrics(&run_id, &self.metrics())?;
        let choice = serde_json::to_vec_pretty(self.model.choice()).unwrap_or_default();
        store.log_artifact(&run_id, "choice.json", Artifact::Bytes(&choice))?;
        let logged = self.log_model(&experiment.experiment_id, &run_id)?;
        store.end_run(&run_id, RunStatus::Finished, now_millis())?;
        store.get_or_create_registered_model(&NewRegisteredModel {
            name: self.name.to_owned(),
            description: Some(self.segmentation.question.clone()),
            tags: BTreeMap::new(),
            creation_timestamp: now_millis(),
        })?;
        self.create_version(run_id, logged)
    }

    fn start_run(&self, experiment_id: &str) -> Result<String, SafraError> {
        let mut run_tags = self.provenance.tags();
        let source = format!("safra segments {}", self.segmentation.name);
        run_tags.insert(tags::SOURCE_NAME.to_owned(), source);
        run_tags.insert(tags::SOURCE_TYPE.to_owned(), "LOCAL".to_owned());
        let run = self.store.create_run(&NewRun {
            experiment_id: experiment_id.to_owned(),
            run_name: format!("{} {}", self.segmentation.name, self.date),
            start_time: now_millis(),
            tags: run_tags,
        })?;
        Ok(run.run_id)
    }

    fn log_model(&self, experiment_id: &str, run_id: &str) -> Result<LoggedModel, SafraError> {
        let saved = self.model.save()?;
        let examples = &self.cohort.examples;
        let features = self.features();
        let files = saved.files.iter();
        let mlflow_model = safra_mlflow::Model {
            flavor: Flavor::PythonFunction {
                loader_module: LOADER.to_owned(),
                code: vec![ModelFile::new(
                    &format!("{LOADER}.py"),
                    include_str!("loader.py"),
                )],
                data: files
                    .map(|(name, bytes)| ModelFile::new(name, bytes.clone()))
                    .collect(),
            },
            signature: Some(model::signature(&features, examples, "int64")),
            input_example: Some(model::input_example(&features, examples)),
            environment: model::environment(&saved),
            metadata: self.provenance.metadata(&features),
        };
        let mut model_tags = self.provenance.tags();
        model_tags.insert(LEARNER_TAG.to_owned(), saved.learner.clone());
        let new = NewLoggedModel {
            experiment_id: experiment_id.to_owned(),
            name: self.segmentation.name.clone(),
            source_run_id: Some(run_id.to_owned()),
            model_type: Some(saved.learner.clone()),
            params: self.params(),
            tags: model_tags,
            creation_timestamp: now_millis(),
        };
        model::log_with_files(self.store, &new, &mlflow_model, &saved)
    }

    fn create_version(
        &self,
        run_id: String,
        logged: LoggedModel,
    ) -> Result<ModelVersion, SafraError> {
        let mut version_tags = self.provenance.tags();
        version_tags.extend(self.tags.clone());
        version_tags.extend([
            (LEARNER.to_owned(), self.model.algorithm().to_string()),
            (MODEL_ID.to_owned(), logged.model_id.clone()),
            (TRAIN_ROWS.to_owned(), self.model.rows().to_string()),
            (TRAINED_AT.to_owned(), self.date.to_string()),
        ]);
        let description = format!(
            "{} segments, found on {}: {}",
            self.model.segments().len(),
            self.date,
            self.model.choice().reason
        );
        Ok(self.store.create_model_version(&NewModelVersion {
            name: self.name.to_owned(),
            source: logged.artifact_location,
            run_id: Some(run_id),
            model_id: Some(logged.model_id),
            description: Some(description),
            tags: version_tags,
            creation_timestamp: now_millis(),
        })?)
    }

    fn features(&self) -> Vec<String> {
        let features = self.model.features().iter();
        features.map(|feature| feature.name.clone()).collect()
    }

    fn params(&self) -> BTreeMap<String, String> {
        let param = |name: &str, value: String| (name.to_owned(), value);
        BTreeMap::from([
            param("problem", self.segmentation.name.clone()),
            param("fitted_at", self.date.to_string()),
            param("rows", self.model.rows().to_string()),
            param("algorithm", self.model.algorithm().to_string()),
            param("segments", self.model.segments().len().to_string()),
            param("features", self.features().join(" ")),
            param("seed", self.seed.to_string()),
        ])
    }

    /// Silhouette and stability of what was chosen.
    fn metrics(&self) -> Vec<Metric> {
        let choice = self.model.choice();
        let Some(chosen) = choice.chosen.and_then(|index| choice.candidates.get(index)) else {
            return Vec::new();
        };
        let stability = chosen.stability.map(|stability| stability.mean);
        let now = now_millis();
        [("silhouette", chosen.silhouette), ("stability", stability)]
            .into_iter()
            .filter_map(|(name, value)| Some(Metric::new(name, value?, now, 0)))
            .collect()
    }
}
