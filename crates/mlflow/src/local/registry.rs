//! The model registry of a local store.

use std::collections::BTreeMap;

use serde_json::json;

use super::registered_models::{KIND, RegisteredModelFolder};
use super::writer::Writer;
use super::{LocalStore, MODELS_FOLDER, TAGS_FOLDER, entries, model_versions};
use crate::entity::{
    LoggedModel, ModelVersion, NewModelVersion, NewRegisteredModel, RegisteredModel,
};
use crate::store::{LoggedModelStore, ModelRegistry};
use crate::{Error, Result, name, tags};

impl ModelRegistry for LocalStore {
    fn get_or_create_registered_model(
        &self,
        model: &NewRegisteredModel,
    ) -> Result<RegisteredModel> {
        name::check_registered_model_name(&model.name)?;
        name::check_registry_tags(&model.tags)?;
        let writer = self.writer_for_creation(model.creation_timestamp)?;
        if let Some(existing) = self.open_registered_model(&model.name)? {
            return existing.read();
        }
        let path = self.root.join(MODELS_FOLDER).join(&model.name);
        RegisteredModelFolder::create(&writer, &path, model)?;
        self.registered_model(&model.name)?.read()
    }

    fn get_registered_model(&self, name: &str) -> Result<Option<RegisteredModel>> {
        self.open_registered_model(name)?
            .map(|model| model.read())
            .transpose()
    }

    fn list_registered_models(&self) -> Result<Vec<RegisteredModel>> {
        let mut models = Vec::new();
        for path in entries::folders(&self.root.join(MODELS_FOLDER))?.into_values() {
            if let Some(model) = RegisteredModelFolder::open(path)? {
                models.push(model.read()?);
            }
        }
        Ok(models)
    }

    fn set_registered_model_tags(
        &self,
        name: &str,
        tags: &BTreeMap<String, String>,
        last_updated_timestamp: i64,
    ) -> Result<()> {
        name::check_registry_tags(tags)?;
        let writer = self.writer()?;
        let mut model = self.registered_model(name)?;
        entries::write(&writer, &model.path.join(TAGS_FOLDER), tags)?;
        model.touch(&writer, last_updated_timestamp)
    }

    fn create_model_version(&self, version: &NewModelVersion) -> Result<ModelVersion> {
        name::check_registry_tags(&version.tags)?;
        let writer = self.writer()?;
        let mut model = self.registered_model(&version.name)?;
        let logged_model = version
            .model_id
            .as_deref()
            .map(|id| self.get_logged_model(id))
            .transpose()?;
        let (storage_location, source_run_id) = self.resolve_source(&version.source)?;
        let logged_run_id = logged_model
            .as_ref()
            .and_then(|logged_model| logged_model.source_run_id.clone());
        let run_id = version.run_id.clone().or(source_run_id).or(logged_run_id);
        let number = model_versions::create(
            &writer,
            &model.path,
            version,
            run_id.as_deref(),
            &storage_location,
        )?;
        model.touch(&writer, version.creation_timestamp)?;
        if let Some(logged_model) = logged_model {
            self.tag_with_version(&writer, &logged_model, &version.name, number)?;
        }
        self.get_model_version(&version.name, number)
    }

    fn get_model_version(&self, name: &str, version: u32) -> Result<ModelVersion> {
        let model = self.registered_model(name)?;
        let missing = || Error::not_found("model version", &format!("{name}/{version}"));
        model_versions::read(&model.path, version, &model.aliases()?)?.ok_or_else(missing)
    }

    fn list_model_versions(&self, name: &str) -> Result<Vec<ModelVersion>> {
        let model = self.registered_model(name)?;
        model_versions::list(&model.path, &model.aliases()?)
    }

    fn get_model_version_by_alias(&self, name: &str, alias: &str) -> Result<Option<ModelVersion>> {
        name::check_alias(alias)?;
        if name::is_latest(alias) {
            return Ok(self.list_model_versions(name)?.pop());
        }
        let version = self.registered_model(name)?.aliases()?.get(alias).copied();
        version
            .map(|version| self.get_model_version(name, version))
            .transpose()
    }

    fn set_registered_model_alias(
        &self,
        name: &str,
        alias: &str,
        version: u32,
        last_updated_timestamp: i64,
    ) -> Result<()> {
        name::check_new_alias(alias)?;
        let writer = self.writer()?;
        let mut model = self.registered_model(name)?;
        self.get_model_version(name, version)?;
        writer.write(&model.alias_path(alias), version.to_string().as_bytes())?;
        model.touch(&writer, last_updated_timestamp)
    }

    fn delete_registered_model_alias(
        &self,
        name: &str,
        alias: &str,
        last_updated_timestamp: i64,
    ) -> Result<()> {
        name::check_alias(alias)?;
        let writer = self.writer()?;
        let mut model = self.registered_model(name)?;
        if !model.aliases()?.contains_key(alias) {
            return Ok(());
        }
        writer.remove(&model.alias_path(alias))?;
        model.touch(&writer, last_updated_timestamp)
    }

    fn set_model_version_tags(
        &self,
        name: &str,
        version: u32,
        tags: &BTreeMap<String, String>,
        last_updated_timestamp: i64,
    ) -> Result<()> {
        name::check_registry_tags(tags)?;
        let writer = self.writer()?;
        let mut model = self.registered_model(name)?;
        self.get_model_version(name, version)?;
        entries::write(
            &writer,
            &model_versions::folder_of(&model.path, version).join(TAGS_FOLDER),
            tags,
        )?;
        model.touch(&writer, last_updated_timestamp)
    }
}

impl LocalStore {
    fn open_registered_model(&self, name: &str) -> Result<Option<RegisteredModelFolder>> {
        name::check_registered_model_name(name)?;
        RegisteredModelFolder::open(self.root.join(MODELS_FOLDER).join(name))
    }

    fn registered_model(&self, name: &str) -> Result<RegisteredModelFolder> {
        self.open_registered_model(name)?
            .ok_or_else(|| Error::not_found(KIND, name))
    }

    /// The URI of the folder that the source of a version stands for, and the run that made it if that is known.
    fn resolve_source(&self, source: &str) -> Result<(String, Option<String>)> {
        let Some(path) = source.strip_prefix("models:/") else {
            return Ok((source.to_owned(), None));
        };
        match path
            .split_once('/')
            .map(|(name, version)| (name, version.parse()))
        {
            None if !path.contains('@') => {
                let model = self.get_logged_model(path)?;
                Ok((model.artifact_location, model.source_run_id))
            }
            Some((name, Ok(version))) => {
                let version = self.get_model_version(name, version)?;
                Ok((version.storage_location, version.run_id))
            }
            _ => Err(Error::Invalid {
                kind: "source of a model version",
                value: source.to_owned(),
                hint: "give models:/<model_id>, models:/<name>/<version> or the URI of a folder",
            }),
        }
    }

    /// Adds a version to the tag by which MLflow leads from a logged model to its registered versions.
    fn tag_with_version(
        &self,
        writer: &Writer,
        model: &LoggedModel,
        name: &str,
        number: u32,
    ) -> Result<()> {
        let folder = self.logged_model_folder(&model.model_id)?.join(TAGS_FOLDER);
        let mut versions = match model.tags.get(tags::MODEL_VERSIONS) {
            None => Vec::new(),
            Some(text) => serde_json::from_str(text).map_err(|error| {
                Error::malformed(&folder.join(tags::MODEL_VERSIONS), error.to_string())
            })?,
        };
        versions.push(json!({"name": name, "version": number}));
        let tag = (
            tags::MODEL_VERSIONS.to_owned(),
            serde_json::Value::Array(versions).to_string(),
        );
        entries::write(writer, &folder, &BTreeMap::from([tag]))
    }
}
