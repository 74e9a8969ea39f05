//! Runs of a local store.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::experiments::lifecycle_stage;
use super::meta::Meta;
use super::writer::Writer;
use super::{
    ARTIFACTS_FOLDER, LocalStore, META_FILE, METRICS_FOLDER, MODELS_FOLDER, OUTPUTS_FOLDER,
    PARAMS_FOLDER, TAGS_FOLDER, artifacts, entries, location, metrics,
};
use crate::entity::{
    Artifact, ArtifactInfo, Batch, LifecycleStage, Metric, ModelOutput, NewRun, Run, RunStatus,
};
use crate::store::RunStore;
use crate::yaml::{self, Mapping, Node};
use crate::{Error, Result, name, tags};

const KIND: &str = "run";
/// Folders of an experiment that are no runs.
const RESERVED_FOLDERS: [&str; 4] = [TAGS_FOLDER, "datasets", "traces", MODELS_FOLDER];
/// The user of a run that names none, as MLflow has it.
const UNKNOWN_USER: &str = "unknown";
/// MLflow's number for a local program.
const SOURCE_TYPE_LOCAL: i64 = 4;

impl RunStore for LocalStore {
    fn create_run(&self, run: &NewRun) -> Result<Run> {
        let tags = name::first_run_tags(run)?;
        let writer = self.writer()?;
        let experiment = self.active_experiment(&run.experiment_id)?;
        let run_id = (self.ids)().simple().to_string();
        let artifact_uri =
            location::below(&experiment.artifact_location, &[&run_id, ARTIFACTS_FOLDER]);
        let folder = writer.stage()?;
        folder.write(
            META_FILE,
            &yaml::to_string(&first_fields(run, &run_id, &artifact_uri)),
        )?;
        for name in [METRICS_FOLDER, PARAMS_FOLDER, ARTIFACTS_FOLDER] {
            folder.create_folder(name)?;
        }
        entries::stage(&folder, TAGS_FOLDER, &tags)?;
        folder.publish_new(
            &self.root.join(&run.experiment_id).join(&run_id),
            KIND,
            &run_id,
        )?;
        self.get_run(&run_id)
    }

    fn get_run(&self, run_id: &str) -> Result<Run> {
        self.find_run(run_id)?.read()
    }

    fn search_runs(
        &self,
        experiment_ids: &[&str],
        tags: &BTreeMap<String, String>,
    ) -> Result<Vec<Run>> {
        let mut runs = Vec::new();
        for experiment_id in experiment_ids {
            for found in Self::run_folders(&self.experiment_folder(experiment_id)?)? {
                let run = found.read()?;
                let has_tags = tags
                    .iter()
                    .all(|(key, value)| run.tags.get(key) == Some(value));
                if has_tags && run.lifecycle_stage == LifecycleStage::Active {
                    runs.push(run);
                }
            }
        }
        runs.sort_by(|a, b| {
            (Reverse(a.start_time), &a.run_id).cmp(&(Reverse(b.start_time), &b.run_id))
        });
        Ok(runs)
    }

    fn log_batch(&self, run_id: &str, batch: &Batch) -> Result<()> {
        name::check_batch(batch)?;
        let (writer, mut run) = self.active_run(run_id)?;
        let of_models = self.by_logged_model(&batch.metrics)?;
        let params = run.path.join(PARAMS_FOLDER);
        name::check_unchanged(run_id, &entries::read(&params)?, &batch.params)?;
        entries::write(&writer, &params, &batch.params)?;
        let metrics = run.path.join(METRICS_FOLDER);
        metrics::append(&writer, &metrics, batch.metrics.iter(), None)?;
        for (folder, metrics) in of_models {
            let folder = folder.join(METRICS_FOLDER);
            metrics::append(&writer, &folder, metrics.into_iter(), Some(run_id))?;
        }
        if let Some(run_name) = batch.tags.get(tags::RUN_NAME) {
            run.meta.set("run_name", run_name.as_str());
            run.meta.write(&writer)?;
        }
        entries::write(&writer, &run.path.join(TAGS_FOLDER), &batch.tags)
    }

    fn get_metric_history(&self, run_id: &str, key: &str) -> Result<Vec<Metric>> {
        name::check_metric_key(key)?;
        metrics::history(&self.find_run(run_id)?.path.join(METRICS_FOLDER), key)
    }

    fn log_outputs(&self, run_id: &str, models: &[ModelOutput]) -> Result<()> {
        let (writer, run) = self.active_run(run_id)?;
        models
            .iter()
            .try_for_each(|model| self.logged_model_folder(&model.model_id).map(drop))?;
        for model in models {
            let folder = writer.stage()?;
            folder.write(META_FILE, &yaml::to_string(&output_fields(model)))?;
            folder.publish(&run.path.join(OUTPUTS_FOLDER).join(&model.model_id))?;
        }
        Ok(())
    }

    fn end_run(&self, run_id: &str, status: RunStatus, end_time: i64) -> Result<()> {
        let (writer, mut run) = self.active_run(run_id)?;
        run.meta.set("status", status_number(status));
        run.meta.set("end_time", end_time);
        run.meta.write(&writer)
    }

    fn delete_run(&self, run_id: &str, time: i64) -> Result<()> {
        let writer = self.writer()?;
        self.find_run(run_id)?.delete(&writer, time)
    }

    fn restore_run(&self, run_id: &str) -> Result<()> {
        let writer = self.writer()?;
        self.find_run(run_id)?.restore(&writer)
    }

    fn log_artifact(&self, run_id: &str, artifact_path: &str, content: Artifact<'_>) -> Result<()> {
        let (writer, run) = self.active_run(run_id)?;
        artifacts::write(&writer, &run.artifact_uri()?, artifact_path, content)
    }

    fn list_artifacts(&self, run_id: &str, path: &str) -> Result<Vec<ArtifactInfo>> {
        artifacts::list(&self.find_run(run_id)?.artifact_uri()?, path)
    }

    fn read_artifact(&self, run_id: &str, path: &str) -> Result<Vec<u8>> {
        artifacts::read(&self.find_run(run_id)?.artifact_uri()?, path)
    }
}

impl LocalStore {
    /// The runs in the folder of an experiment, active or deleted, by id.
    pub(crate) fn run_folders(experiment: &Path) -> Result<Vec<RunFolder>> {
        entries::folders(experiment)?
            .into_iter()
            .filter_map(|(run_id, folder)| RunFolder::open(folder, &run_id).transpose())
            .collect()
    }

    /// The metrics that are also of a logged model, by the folder of that.
    fn by_logged_model<'a>(
        &self,
        metrics: &'a [Metric],
    ) -> Result<BTreeMap<PathBuf, Vec<&'a Metric>>> {
        let mut of_models: BTreeMap<PathBuf, Vec<&Metric>> = BTreeMap::new();
        for metric in metrics {
            if let Some(model_id) = &metric.model_id {
                let folder = self.logged_model_folder(model_id)?;
                of_models.entry(folder).or_default().push(metric);
            }
        }
        Ok(of_models)
    }

    fn find_run(&self, run_id: &str) -> Result<RunFolder> {
        let missing = || Error::not_found(KIND, run_id);
        if !name::is_id(run_id) {
            return Err(missing());
        }
        for experiment in self.experiment_folders()?.into_values() {
            if let Some(run) = RunFolder::open(experiment.join(run_id), run_id)? {
                return Ok(run);
            }
        }
        Err(missing())
    }

    /// Takes the lock and finds a run, which must be active.
    fn active_run(&self, run_id: &str) -> Result<(Writer, RunFolder)> {
        let writer = self.writer()?;
        let run = self.find_run(run_id)?;
        match lifecycle_stage(&run.meta)? {
            LifecycleStage::Active => Ok((writer, run)),
            LifecycleStage::Deleted => Err(Error::Deleted {
                kind: KIND,
                id: run_id.to_owned(),
            }),
        }
    }
}

/// A run on the disk.
pub(crate) struct RunFolder {
    path: PathBuf,
    meta: Meta,
}

impl RunFolder {
    /// Opens the folder of a run; nothing if it is half-made, or no run.
    fn open(path: PathBuf, run_id: &str) -> Result<Option<Self>> {
        if RESERVED_FOLDERS.contains(&run_id) {
            return Ok(None);
        }
        Ok(Meta::read(&path)?.map(|meta| Self { path, meta }))
    }

    /// Marks the run as deleted, at `time`.
    pub(crate) fn delete(mut self, writer: &Writer, time: i64) -> Result<()> {
        self.meta
            .set("lifecycle_stage", LifecycleStage::Deleted.as_str());
        self.meta.set("deleted_time", time);
        self.meta.write(writer)
    }

    /// Marks the run as active.
    pub(crate) fn restore(mut self, writer: &Writer) -> Result<()> {
        self.meta
            .set("lifecycle_stage", LifecycleStage::Active.as_str());
        self.meta.set("deleted_time", Node::null());
        self.meta.write(writer)
    }

    pub(crate) fn lifecycle_stage(&self) -> Result<LifecycleStage> {
        lifecycle_stage(&self.meta)
    }

    fn artifact_uri(&self) -> Result<String> {
        self.meta.text("artifact_uri")
    }

    fn read(&self) -> Result<Run> {
        let Self { path, meta } = self;
        let tags = entries::read(&path.join(TAGS_FOLDER))?;
        let run_name = meta
            .optional_text("run_name")
            .or_else(|| tags.get(tags::RUN_NAME).cloned());
        Ok(Run {
            run_id: meta.text("run_id")?,
            experiment_id: meta.text("experiment_id")?,
            run_name: run_name.unwrap_or_default(),
            status: status(meta)?,
            start_time: meta.integer("start_time")?,
            end_time: meta.optional_integer("end_time"),
            artifact_uri: self.artifact_uri()?,
            lifecycle_stage: lifecycle_stage(meta)?,
            params: entries::read(&path.join(PARAMS_FOLDER))?,
            metrics: metrics::latest(&path.join(METRICS_FOLDER))?,
            tags,
            outputs: outputs(&path.join(OUTPUTS_FOLDER))?,
        })
    }
}

fn outputs(folder: &Path) -> Result<Vec<ModelOutput>> {
    let mut outputs = Vec::new();
    for (model_id, folder) in entries::folders(folder)? {
        if let Some(meta) = Meta::read(&folder)? {
            outputs.push(ModelOutput {
                model_id,
                step: meta.optional_integer("step").unwrap_or(0),
            });
        }
    }
    Ok(outputs)
}

fn first_fields(run: &NewRun, run_id: &str, artifact_uri: &str) -> Mapping {
    let user = run
        .tags
        .get(tags::USER)
        .map_or(UNKNOWN_USER, String::as_str);
    yaml::mapping([
        ("artifact_uri", Node::from(artifact_uri)),
        ("deleted_time", Node::null()),
        ("end_time", Node::null()),
        ("entry_point_name", Node::from("")),
        ("experiment_id", Node::from(run.experiment_id.as_str())),
        (
            "lifecycle_stage",
            Node::from(LifecycleStage::Active.as_str()),
        ),
        ("run_id", Node::from(run_id)),
        ("run_name", Node::from(run.run_name.as_str())),
        ("source_name", Node::from("")),
        ("source_type", Node::from(SOURCE_TYPE_LOCAL)),
        ("source_version", Node::from("")),
        ("start_time", Node::from(run.start_time)),
        ("status", Node::from(status_number(RunStatus::Running))),
        ("tags", Node::Sequence(Vec::new())),
        ("user_id", Node::from(user)),
    ])
}

fn output_fields(model: &ModelOutput) -> Mapping {
    // MLflow writes the model at both ends.
    yaml::mapping([
        ("destination_id", Node::from(model.model_id.as_str())),
        ("destination_type", Node::from("MODEL_OUTPUT")),
        ("source_id", Node::from(model.model_id.as_str())),
        ("source_type", Node::from("RUN_OUTPUT")),
        ("step", Node::from(model.step)),
        ("tags", Node::from(Mapping::new())),
    ])
}

/// The number of a status in `mlflow.entities.RunStatus`.
fn status_number(status: RunStatus) -> i64 {
    match status {
        RunStatus::Running => 1,
        RunStatus::Scheduled => 2,
        RunStatus::Finished => 3,
        RunStatus::Failed => 4,
        RunStatus::Killed => 5,
    }
}

fn status(meta: &Meta) -> Result<RunStatus> {
    match meta.optional_integer("status") {
        None | Some(1) => Ok(RunStatus::Running),
        Some(2) => Ok(RunStatus::Scheduled),
        Some(3) => Ok(RunStatus::Finished),
        Some(4) => Ok(RunStatus::Failed),
        Some(5) => Ok(RunStatus::Killed),
        Some(other) => Err(meta.unknown("status", &other.to_string())),
    }
}
