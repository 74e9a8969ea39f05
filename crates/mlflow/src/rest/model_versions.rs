//! The versions of registered models behind a server.

use serde::Deserialize;
use serde_json::json;

use super::RestStore;
use super::http::Method;
use super::message::{Integer, Pair, map, optional, pairs};
use super::or_not_found;
use super::retry::Repeat;
use crate::entity::{ModelVersion, NewModelVersion};
use crate::store::LoggedModelStore;
use crate::{Error, Result};

const KIND: &str = "model version";

impl RestStore {
    /// The versions of registered models that a filter in MLflow's language finds, such as `run_id = '…'`; all if it is
    /// empty. Their aliases are not among what is found.
    ///
    /// # Errors
    /// When the server does not take the filter.
    pub fn search_model_versions(&self, filter: &str) -> Result<Vec<ModelVersion>> {
        let page_size = self.page_size.to_string();
        let mut query = vec![("max_results", page_size.as_str())];
        if !filter.is_empty() {
            query.push(("filter", filter));
        }
        let found: Vec<ModelVersionMessage> = self.list("model-versions/search", &query)?;
        found
            .into_iter()
            .map(|message| self.complete(message))
            .collect()
    }

    /// A version, without its aliases.
    pub(super) fn get_version(&self, name: &str, number: u32) -> Result<ModelVersion> {
        let version = number.to_string();
        let answer = self.client.get(
            "model-versions/get",
            &[("name", name), ("version", &version)],
        );
        let Answer { model_version } = or_not_found(answer, KIND, &format!("{name}/{number}"))?;
        self.complete(model_version)
    }

    /// Registers a version of a registered model that is there.
    pub(super) fn create_version(&self, version: &NewModelVersion) -> Result<ModelVersion> {
        let named = logged_model(&version.source);
        let model_id = version.model_id.as_deref().or(named);
        if let Some(model_id) = model_id {
            self.get_logged_model(model_id)?;
        }
        let document = json!({
            "name": version.name,
            "source": version.source,
            "run_id": version.run_id,
            "model_id": model_id,
            "description": version.description,
            "tags": pairs(&version.tags),
        });
        let path = "model-versions/create";
        let made = self
            .client
            .call(Method::Post, path, &document, Repeat::IfNotTaken);
        let Answer { model_version } = or_not_found(made, "source", &version.source)?;
        self.complete(model_version)
    }

    /// Adds what the server does not say in its message.
    fn complete(&self, message: ModelVersionMessage) -> Result<ModelVersion> {
        let mut version = ModelVersion::try_from(message)?;
        if version.source.starts_with("models:/") {
            let number = version.version.to_string();
            let query = [("name", version.name.as_str()), ("version", &number)];
            let uri: DownloadUri = self.client.get("model-versions/get-download-uri", &query)?;
            version.storage_location = uri.artifact_uri;
        }
        if version.model_id.is_none() {
            let id = logged_model(&version.source).or(logged_model(&version.storage_location));
            version.model_id = id.map(str::to_owned);
        }
        Ok(version)
    }
}

/// The logged model that a source names: `models:/<model_id>`, or the location of its artifacts.
fn logged_model(source: &str) -> Option<&str> {
    let id = match source.strip_prefix("models:/") {
        Some(id) => id,
        None => {
            source
                .strip_suffix("/artifacts")?
                .rsplit_once("/models/")?
                .1
        }
    };
    let digits = id.strip_prefix("m-")?;
    let is_digit = |c: char| c.is_ascii_digit() || matches!(c, 'a'..='f');
    (digits.len() == 32 && digits.chars().all(is_digit)).then_some(id)
}

#[derive(Deserialize)]
struct Answer {
    model_version: ModelVersionMessage,
}

#[derive(Deserialize)]
struct DownloadUri {
    artifact_uri: String,
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct ModelVersionMessage {
    name: String,
    version: Integer,
    creation_timestamp: Integer,
    last_updated_timestamp: Integer,
    description: String,
    source: String,
    run_id: String,
    model_id: String,
    tags: Vec<Pair>,
}

impl TryFrom<ModelVersionMessage> for ModelVersion {
    type Error = Error;

    fn try_from(message: ModelVersionMessage) -> Result<Self> {
        let number = message.version.0;
        Ok(Self {
            version: u32::try_from(number).map_err(|_| Error::Invalid {
                kind: "number of a model version",
                value: format!("{}/{number}", message.name),
                hint: "versions count from 1",
            })?,
            name: message.name,
            storage_location: message.source.clone(),
            source: message.source,
            run_id: optional(message.run_id),
            model_id: optional(message.model_id),
            description: optional(message.description),
            creation_timestamp: message.creation_timestamp.0,
            last_updated_timestamp: message.last_updated_timestamp.0,
            tags: map(message.tags),
            aliases: Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_names_its_logged_model() {
        let id = "m-0c699c0a3de84464b2a5707ffd0932a1";
        for source in [
            format!("models:/{id}"),
            format!("mlflow-artifacts:/1/models/{id}/artifacts"),
            format!("file:///data/mlruns/1/models/{id}/artifacts"),
        ] {
            assert_eq!(logged_model(&source), Some(id), "{source}");
        }
        for source in [
            "models:/churn/1",
            "models:/churn@champion",
            "models:/m-12",
            "s3://b/models/x/artifacts",
            "",
        ] {
            assert_eq!(logged_model(source), None, "{source}");
        }
    }
}
