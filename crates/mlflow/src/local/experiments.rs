//! Experiments of a local store.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::meta::Meta;
use super::writer::Writer;
use super::{LocalStore, META_FILE, MODELS_FOLDER, TAGS_FOLDER, TRASH_FOLDER, entries, location};
use crate::entity::{Experiment, LifecycleStage};
use crate::store::ExperimentStore;
use crate::yaml::{self, Node};
use crate::{Error, Result, name};

const KIND: &str = "experiment";
const DEFAULT_ID: &str = "0";
const DEFAULT_NAME: &str = "Default";
/// MLflow 3 keeps every entity in a workspace; there is only this one in a folder.
pub(crate) const WORKSPACE: &str = "default";

impl ExperimentStore for LocalStore {
    fn get_or_create_experiment(&self, name: &str, creation_time: i64) -> Result<Experiment> {
        name::check_experiment_name(name)?;
        let writer = self.writer_for_creation(creation_time)?;
        if let Some(experiment) = self.get_experiment_by_name(name)? {
            return experiment.if_active();
        }
        let id = new_id((self.ids)());
        self.create_experiment(&writer, &id, name, creation_time)?;
        self.get_experiment(&id)
    }

    fn get_experiment(&self, experiment_id: &str) -> Result<Experiment> {
        let missing = || Error::not_found(KIND, experiment_id);
        if !name::is_id(experiment_id) {
            return Err(missing());
        }
        for parent in [self.root.clone(), self.trash()] {
            if let Some(experiment) = read(&parent.join(experiment_id), experiment_id)? {
                return Ok(experiment);
            }
        }
        Err(missing())
    }

    fn get_experiment_by_name(&self, name: &str) -> Result<Option<Experiment>> {
        for (id, folder) in self.experiment_folders()? {
            if let Some(experiment) =
                read(&folder, &id)?.filter(|experiment| experiment.name == name)
            {
                return Ok(Some(experiment));
            }
        }
        Ok(None)
    }

    fn list_experiments(&self) -> Result<Vec<Experiment>> {
        let experiments = self
            .experiment_folders()?
            .into_iter()
            .filter_map(|(id, folder)| read(&folder, &id).transpose());
        let is_active =
            |experiment: &Experiment| experiment.lifecycle_stage == LifecycleStage::Active;
        experiments
            .filter(|experiment| experiment.as_ref().map_or(true, is_active))
            .collect()
    }

    fn delete_experiment(&self, experiment_id: &str, time: i64) -> Result<()> {
        let writer = self.writer()?;
        self.active_experiment(experiment_id)?;
        if experiment_id == DEFAULT_ID {
            return Err(Error::Invalid {
                kind: "experiment to delete",
                value: experiment_id.to_owned(),
                hint: "the experiment Default must stay",
            });
        }
        let folder = self.root.join(experiment_id);
        for run in Self::run_folders(&folder)? {
            if run.lifecycle_stage()? == LifecycleStage::Active {
                run.delete(&writer, time)?;
            }
        }
        set_lifecycle_stage(&writer, &folder, LifecycleStage::Deleted, time)?;
        move_folder(&folder, &self.trash().join(experiment_id))
    }

    fn restore_experiment(&self, experiment_id: &str, time: i64) -> Result<()> {
        let writer = self.writer()?;
        let experiment = self.get_experiment(experiment_id)?;
        let folder = self.trash().join(&experiment.experiment_id);
        if experiment.lifecycle_stage == LifecycleStage::Active || !folder.is_dir() {
            return Err(Error::not_found("deleted experiment", experiment_id));
        }
        for run in Self::run_folders(&folder)? {
            run.restore(&writer)?;
        }
        set_lifecycle_stage(&writer, &folder, LifecycleStage::Active, time)?;
        move_folder(&folder, &self.root.join(&experiment.experiment_id))
    }

    fn set_experiment_tags(
        &self,
        experiment_id: &str,
        tags: &BTreeMap<String, String>,
    ) -> Result<()> {
        name::check_experiment_tags(tags)?;
        let writer = self.writer()?;
        self.active_experiment(experiment_id)?;
        entries::write(
            &writer,
            &self.root.join(experiment_id).join(TAGS_FOLDER),
            tags,
        )
    }
}

impl LocalStore {
    /// Takes the lock to create something at `creation_time`; makes what every store has, if it is missing.
    pub(crate) fn writer_for_creation(&self, creation_time: i64) -> Result<Writer> {
        let writer = Writer::lock(&self.root)?;
        for folder in [self.trash(), self.root.join(MODELS_FOLDER)] {
            std::fs::create_dir_all(&folder).map_err(Error::io("create folder", &folder))?;
        }
        if Meta::read(&self.root.join(DEFAULT_ID))?.is_none()
            && Meta::read(&self.trash().join(DEFAULT_ID))?.is_none()
        {
            self.create_experiment(&writer, DEFAULT_ID, DEFAULT_NAME, creation_time)?;
        }
        Ok(writer)
    }

    /// The experiment, which must be active.
    pub(crate) fn active_experiment(&self, experiment_id: &str) -> Result<Experiment> {
        self.get_experiment(experiment_id)?.if_active()
    }

    /// The folder of an experiment, active or deleted, that must be there.
    pub(crate) fn experiment_folder(&self, experiment_id: &str) -> Result<PathBuf> {
        let experiment = self.get_experiment(experiment_id)?;
        let active = self.root.join(&experiment.experiment_id);
        Ok(if active.is_dir() {
            active
        } else {
            self.trash().join(&experiment.experiment_id)
        })
    }

    /// The folders that may be experiments, active or deleted, by id.
    pub(crate) fn experiment_folders(&self) -> Result<BTreeMap<String, PathBuf>> {
        let mut folders = entries::folders(&self.trash())?;
        folders.extend(entries::folders(&self.root)?);
        // What is no id is a folder of MLflow or of this crate.
        folders.retain(|name, _| {
            name::is_id(name) && name != MODELS_FOLDER && !name.ends_with(TRASH_FOLDER)
        });
        Ok(folders)
    }

    fn create_experiment(
        &self,
        writer: &Writer,
        id: &str,
        name: &str,
        creation_time: i64,
    ) -> Result<()> {
        let target = self.root.join(id);
        let fields = yaml::mapping([
            (
                "artifact_location",
                Node::from(location::uri(&target)?.as_str()),
            ),
            ("creation_time", Node::from(creation_time)),
            ("effective_trace_archival_retention", Node::null()),
            ("experiment_id", Node::from(id)),
            ("last_update_time", Node::from(creation_time)),
            (
                "lifecycle_stage",
                Node::from(LifecycleStage::Active.as_str()),
            ),
            ("name", Node::from(name)),
            ("trace_location", Node::null()),
            ("workspace", Node::from(WORKSPACE)),
        ]);
        let folder = writer.stage()?;
        folder.write(META_FILE, &yaml::to_string(&fields))?;
        folder.publish_new(&target, KIND, id)
    }
}

fn set_lifecycle_stage(
    writer: &Writer,
    folder: &Path,
    stage: LifecycleStage,
    time: i64,
) -> Result<()> {
    let mut meta = Meta::read(folder)?
        .ok_or_else(|| Error::malformed(&folder.join(META_FILE), "it holds no keys"))?;
    meta.set("lifecycle_stage", stage.as_str());
    meta.set("last_update_time", time);
    meta.write(writer)
}

fn move_folder(from: &Path, to: &Path) -> Result<()> {
    std::fs::rename(from, to).map_err(Error::io("move", from))
}

/// Reads the experiment in a folder; nothing if the folder is half-made or that of another id.
fn read(folder: &Path, id: &str) -> Result<Option<Experiment>> {
    let Some(meta) = Meta::read(folder)? else {
        return Ok(None);
    };
    let experiment = Experiment {
        experiment_id: meta.text("experiment_id")?,
        name: meta.text("name")?,
        artifact_location: meta.text("artifact_location")?,
        lifecycle_stage: lifecycle_stage(&meta)?,
        creation_time: meta.optional_integer("creation_time"),
        last_update_time: meta.optional_integer("last_update_time"),
        tags: entries::read(&folder.join(TAGS_FOLDER))?,
    };
    Ok(Some(experiment).filter(|experiment| experiment.experiment_id == id))
}

/// The lifecycle stage of an experiment or run; active where MLflow wrote none.
pub(crate) fn lifecycle_stage(meta: &Meta) -> Result<LifecycleStage> {
    match meta.optional_text("lifecycle_stage").as_deref() {
        None | Some("active") => Ok(LifecycleStage::Active),
        Some("deleted") => Ok(LifecycleStage::Deleted),
        Some(other) => Err(meta.unknown("lifecycle_stage", other)),
    }
}

/// A random number of 18 digits, as MLflow makes them.
fn new_id(random: Uuid) -> String {
    const SMALLEST: u128 = 100_000_000_000_000_000;
    (SMALLEST + random.as_u128() % (9 * SMALLEST)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_18_digits() {
        assert_eq!(new_id(Uuid::from_u128(0)), "100000000000000000");
        assert_eq!(
            new_id(Uuid::from_u128(899_999_999_999_999_999)),
            "999999999999999999"
        );
        assert_eq!(new_id(Uuid::from_u128(u128::MAX)).len(), 18);
    }
}
