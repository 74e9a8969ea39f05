//! Logged models of a local store.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::meta::Meta;
use super::{
    ARTIFACTS_FOLDER, LocalStore, META_FILE, METRICS_FOLDER, MODELS_FOLDER, PARAMS_FOLDER,
    TAGS_FOLDER, artifacts, entries, location, metrics,
};
use crate::entity::{
    Artifact, ArtifactInfo, LifecycleStage, LoggedModel, LoggedModelStatus, NewLoggedModel,
};
use crate::store::LoggedModelStore;
use crate::yaml::{self, Mapping, Node};
use crate::{Error, Result, name};

const KIND: &str = "logged model";

impl LoggedModelStore for LocalStore {
    fn create_logged_model(&self, model: &NewLoggedModel) -> Result<LoggedModel> {
        name::check_logged_model_name(&model.name)?;
        name::check_params(&model.params)?;
        name::check_run_tags(&model.tags)?;
        let writer = self.writer()?;
        let experiment = self.active_experiment(&model.experiment_id)?;
        let model_id = format!("m-{}", (self.ids)().simple());
        let artifact_location = location::below(
            &experiment.artifact_location,
            &[MODELS_FOLDER, &model_id, ARTIFACTS_FOLDER],
        );
        let folder = writer.stage()?;
        folder.write(
            META_FILE,
            &yaml::to_string(&first_fields(model, &model_id, &artifact_location)),
        )?;
        folder.create_folder(METRICS_FOLDER)?;
        folder.create_folder(ARTIFACTS_FOLDER)?;
        entries::stage(&folder, PARAMS_FOLDER, &model.params)?;
        entries::stage(&folder, TAGS_FOLDER, &model.tags)?;
        let models = self.root.join(&model.experiment_id).join(MODELS_FOLDER);
        folder.publish_new(&models.join(&model_id), KIND, &model_id)?;
        self.get_logged_model(&model_id)
    }

    fn get_logged_model(&self, model_id: &str) -> Result<LoggedModel> {
        let (folder, meta) = self.find_logged_model(model_id)?;
        read(&folder, &meta)
    }

    fn search_logged_models(&self, experiment_ids: &[&str]) -> Result<Vec<LoggedModel>> {
        let mut models = Vec::new();
        for experiment_id in experiment_ids {
            for folder in
                entries::folders(&self.experiment_folder(experiment_id)?.join(MODELS_FOLDER))?
                    .into_values()
            {
                if let Some(meta) = existing(&folder)? {
                    models.push(read(&folder, &meta)?);
                }
            }
        }
        models.sort_by(|a, b| {
            (Reverse(a.creation_timestamp), &a.model_id)
                .cmp(&(Reverse(b.creation_timestamp), &b.model_id))
        });
        Ok(models)
    }

    fn set_logged_model_tags(&self, model_id: &str, tags: &BTreeMap<String, String>) -> Result<()> {
        name::check_run_tags(tags)?;
        let writer = self.writer()?;
        entries::write(
            &writer,
            &self.logged_model_folder(model_id)?.join(TAGS_FOLDER),
            tags,
        )
    }

    fn finalize_logged_model(
        &self,
        model_id: &str,
        status: LoggedModelStatus,
        last_updated_timestamp: i64,
    ) -> Result<()> {
        let writer = self.writer()?;
        let (_, mut meta) = self.find_logged_model(model_id)?;
        meta.set("status", status_number(status));
        meta.set("last_updated_timestamp", last_updated_timestamp);
        meta.write(&writer)
    }

    fn log_model_artifact(
        &self,
        model_id: &str,
        artifact_path: &str,
        content: Artifact<'_>,
    ) -> Result<()> {
        let writer = self.writer()?;
        artifacts::write(
            &writer,
            &self.model_location(model_id)?,
            artifact_path,
            content,
        )
    }

    fn list_model_artifacts(&self, model_id: &str, path: &str) -> Result<Vec<ArtifactInfo>> {
        artifacts::list(&self.model_location(model_id)?, path)
    }

    fn read_model_artifact(&self, model_id: &str, path: &str) -> Result<Vec<u8>> {
        artifacts::read(&self.model_location(model_id)?, path)
    }
}

impl LocalStore {
    /// The folder of a logged model, which must be there and not deleted.
    pub(crate) fn logged_model_folder(&self, model_id: &str) -> Result<PathBuf> {
        Ok(self.find_logged_model(model_id)?.0)
    }

    fn model_location(&self, model_id: &str) -> Result<String> {
        self.find_logged_model(model_id)?
            .1
            .text("artifact_location")
    }

    fn find_logged_model(&self, model_id: &str) -> Result<(PathBuf, Meta)> {
        let missing = || Error::not_found(KIND, model_id);
        if !name::is_id(model_id) {
            return Err(missing());
        }
        for experiment in self.experiment_folders()?.into_values() {
            let folder = experiment.join(MODELS_FOLDER).join(model_id);
            if let Some(meta) = existing(&folder)? {
                return Ok((folder, meta));
            }
        }
        Err(missing())
    }
}

/// The fields of the logged model in a folder; nothing if it is half-made or deleted.
fn existing(folder: &Path) -> Result<Option<Meta>> {
    let deleted = Some(LifecycleStage::Deleted.as_str());
    Ok(Meta::read(folder)?
        .filter(|meta| meta.optional_text("lifecycle_stage").as_deref() != deleted))
}

fn read(folder: &Path, meta: &Meta) -> Result<LoggedModel> {
    let creation_timestamp = meta.integer("creation_timestamp")?;
    Ok(LoggedModel {
        model_id: meta.text("model_id")?,
        experiment_id: meta.text("experiment_id")?,
        name: meta.text("name")?,
        source_run_id: meta.optional_text("source_run_id"),
        model_type: meta.optional_text("model_type"),
        status: status(meta)?,
        artifact_location: meta.text("artifact_location")?,
        creation_timestamp,
        last_updated_timestamp: meta
            .optional_integer("last_updated_timestamp")
            .unwrap_or(creation_timestamp),
        params: entries::read(&folder.join(PARAMS_FOLDER))?,
        metrics: metrics::latest(&folder.join(METRICS_FOLDER))?,
        tags: entries::read(&folder.join(TAGS_FOLDER))?,
    })
}

fn first_fields(model: &NewLoggedModel, model_id: &str, artifact_location: &str) -> Mapping {
    yaml::mapping([
        ("artifact_location", Node::from(artifact_location)),
        ("creation_timestamp", Node::from(model.creation_timestamp)),
        ("experiment_id", Node::from(model.experiment_id.as_str())),
        (
            "last_updated_timestamp",
            Node::from(model.creation_timestamp),
        ),
        (
            "lifecycle_stage",
            Node::from(LifecycleStage::Active.as_str()),
        ),
        ("model_id", Node::from(model_id)),
        ("model_type", Node::from(model.model_type.as_deref())),
        ("name", Node::from(model.name.as_str())),
        ("source_run_id", Node::from(model.source_run_id.as_deref())),
        (
            "status",
            Node::from(status_number(LoggedModelStatus::Pending)),
        ),
        ("status_message", Node::null()),
    ])
}

/// The number of a status in `mlflow.entities.LoggedModelStatus`.
fn status_number(status: LoggedModelStatus) -> i64 {
    match status {
        LoggedModelStatus::Unspecified => 0,
        LoggedModelStatus::Pending => 1,
        LoggedModelStatus::Ready => 2,
        LoggedModelStatus::Failed => 3,
    }
}

fn status(meta: &Meta) -> Result<LoggedModelStatus> {
    match meta.integer("status")? {
        0 => Ok(LoggedModelStatus::Unspecified),
        1 => Ok(LoggedModelStatus::Pending),
        2 => Ok(LoggedModelStatus::Ready),
        3 => Ok(LoggedModelStatus::Failed),
        other => Err(meta.unknown("status", &other.to_string())),
    }
}
