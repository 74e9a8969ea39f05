//! The model registry behind a server.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;

use super::http::Method;
use super::message::{Integer, Pair, map, optional, pairs};
use super::retry::Repeat;
use super::{RestStore, code, is_refusal, or_not_found, search};
use crate::entity::{ModelVersion, NewModelVersion, NewRegisteredModel, RegisteredModel};
use crate::store::ModelRegistry;
use crate::{Error, Result, name};

const KIND: &str = "registered model";

impl ModelRegistry for RestStore {
    fn get_or_create_registered_model(
        &self,
        model: &NewRegisteredModel,
    ) -> Result<RegisteredModel> {
        name::check_registered_model_name(&model.name)?;
        name::check_registry_tags(&model.tags)?;
        if let Some(existing) = self.get_registered_model(&model.name)? {
            return Ok(existing);
        }
        let document = json!({
            "name": model.name, "description": model.description, "tags": pairs(&model.tags),
        });
        let path = "registered-models/create";
        let made: Result<IgnoredAny> =
            self.client
                .call(Method::Post, path, &document, Repeat::Safe);
        match made {
            // Another program was faster, or the answer to an earlier attempt was lost.
            Err(error) if !is_refusal(&error, code::ALREADY_EXISTS) => Err(error),
            _ => self.registered_model(&model.name),
        }
    }

    fn get_registered_model(&self, name: &str) -> Result<Option<RegisteredModel>> {
        match self.registered_model(name) {
            Err(Error::NotFound { .. }) => Ok(None),
            other => other.map(Some),
        }
    }

    fn list_registered_models(&self) -> Result<Vec<RegisteredModel>> {
        let mut models = self.search_registered_models("")?;
        models.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(models)
    }

    fn set_registered_model_tags(
        &self,
        name: &str,
        tags: &BTreeMap<String, String>,
        _last_updated_timestamp: i64,
    ) -> Result<()> {
        name::check_registry_tags(tags)?;
        self.registered_model(name)?;
        for (key, value) in tags {
            let document = json!({"name": name, "key": key, "value": value});
            let path = "registered-models/set-tag";
            self.client
                .call::<IgnoredAny>(Method::Post, path, &document, Repeat::Safe)?;
        }
        Ok(())
    }

    fn create_model_version(&self, version: &NewModelVersion) -> Result<ModelVersion> {
        name::check_registry_tags(&version.tags)?;
        self.registered_model(&version.name)?;
        self.create_version(version)
    }

    fn get_model_version(&self, name: &str, version: u32) -> Result<ModelVersion> {
        let model = self.registered_model(name)?;
        self.version(&model, version)
    }

    fn list_model_versions(&self, name: &str) -> Result<Vec<ModelVersion>> {
        let model = self.registered_model(name)?;
        let filter = search::equals("name", name).unwrap_or_default();
        let mut versions = self.search_model_versions(&filter)?;
        // Not every condition can be written, and databases differ in what they take for equal.
        versions.retain(|version| version.name == name);
        for version in &mut versions {
            version.aliases = aliases_of(&model, version.version);
        }
        versions.sort_by_key(|version| version.version);
        Ok(versions)
    }

    fn get_model_version_by_alias(&self, name: &str, alias: &str) -> Result<Option<ModelVersion>> {
        name::check_alias(alias)?;
        if name::is_latest(alias) {
            return Ok(self.list_model_versions(name)?.pop());
        }
        let model = self.registered_model(name)?;
        let version = model.aliases.get(alias).copied();
        version
            .map(|version| self.version(&model, version))
            .transpose()
    }

    fn set_registered_model_alias(
        &self,
        name: &str,
        alias: &str,
        version: u32,
        _last_updated_timestamp: i64,
    ) -> Result<()> {
        name::check_new_alias(alias)?;
        self.get_model_version(name, version)?;
        let document = json!({"name": name, "alias": alias, "version": version.to_string()});
        let path = "registered-models/alias";
        self.client
            .call::<IgnoredAny>(Method::Post, path, &document, Repeat::Safe)?;
        Ok(())
    }

    fn delete_registered_model_alias(
        &self,
        name: &str,
        alias: &str,
        _last_updated_timestamp: i64,
    ) -> Result<()> {
        name::check_alias(alias)?;
        if !self.registered_model(name)?.aliases.contains_key(alias) {
            return Ok(());
        }
        let document = json!({"name": name, "alias": alias});
        let path = "registered-models/alias";
        self.client
            .call::<IgnoredAny>(Method::Delete, path, &document, Repeat::Safe)?;
        Ok(())
    }

    fn set_model_version_tags(
        &self,
        name: &str,
        version: u32,
        tags: &BTreeMap<String, String>,
        _last_updated_timestamp: i64,
    ) -> Result<()> {
        name::check_registry_tags(tags)?;
        self.get_model_version(name, version)?;
        for (key, value) in tags {
            let document =
                json!({"name": name, "version": version.to_string(), "key": key, "value": value});
            let path = "model-versions/set-tag";
            self.client
                .call::<IgnoredAny>(Method::Post, path, &document, Repeat::Safe)?;
        }
        Ok(())
    }
}

impl RestStore {
    /// The registered models that a filter in MLflow's language finds, such as `name LIKE 'olist-%'`; all if it is empty.
    ///
    /// # Errors
    /// When the server does not take the filter.
    pub fn search_registered_models(&self, filter: &str) -> Result<Vec<RegisteredModel>> {
        let page_size = self.page_size.to_string();
        let mut query = vec![("max_results", page_size.as_str())];
        if !filter.is_empty() {
            query.push(("filter", filter));
        }
        let found: Vec<RegisteredModelMessage> = self.list("registered-models/search", &query)?;
        Ok(found.into_iter().map(RegisteredModel::from).collect())
    }

    fn registered_model(&self, name: &str) -> Result<RegisteredModel> {
        name::check_registered_model_name(name)?;
        let answer = self.client.get("registered-models/get", &[("name", name)]);
        let Answer { registered_model } = or_not_found(answer, KIND, name)?;
        Ok(registered_model.into())
    }

    fn version(&self, model: &RegisteredModel, number: u32) -> Result<ModelVersion> {
        let mut version = self.get_version(&model.name, number)?;
        version.aliases = aliases_of(model, number);
        Ok(version)
    }
}

fn aliases_of(model: &RegisteredModel, version: u32) -> Vec<String> {
    let aliases = model.aliases.iter();
    aliases
        .filter(|(_, held)| **held == version)
        .map(|(alias, _)| alias.clone())
        .collect()
}

#[derive(Deserialize)]
struct Answer {
    registered_model: RegisteredModelMessage,
}

#[derive(Deserialize)]
struct RegisteredModelMessage {
    name: String,
    #[serde(default)]
    creation_timestamp: Integer,
    #[serde(default)]
    last_updated_timestamp: Integer,
    #[serde(default)]
    description: String,
    #[serde(default)]
    tags: Vec<Pair>,
    #[serde(default)]
    aliases: Vec<AliasMessage>,
}

#[derive(Deserialize)]
struct AliasMessage {
    alias: String,
    version: Integer,
}

impl From<RegisteredModelMessage> for RegisteredModel {
    fn from(message: RegisteredModelMessage) -> Self {
        let number = |alias: &AliasMessage| u32::try_from(alias.version.0).ok();
        Self {
            name: message.name,
            description: optional(message.description),
            creation_timestamp: message.creation_timestamp.0,
            last_updated_timestamp: message.last_updated_timestamp.0,
            tags: map(message.tags),
            aliases: message
                .aliases
                .into_iter()
                .filter_map(|alias| Some((alias.alias.clone(), number(&alias)?)))
                .collect(),
        }
    }
}
