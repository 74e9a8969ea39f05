//! Logged models behind a server.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::experiments::KIND as EXPERIMENT;
use super::http::Method;
use super::message::{Integer, MetricMessage, Pair, latest, map, optional, pairs};
use super::retry::Repeat;
use super::{RestStore, or_not_found};
use crate::entity::{Artifact, ArtifactInfo, LoggedModel, LoggedModelStatus, NewLoggedModel};
use crate::store::LoggedModelStore;
use crate::{Error, Result, name};

const KIND: &str = "logged model";
/// The most params of a request.
const MOST_PARAMS: usize = 100;

impl LoggedModelStore for RestStore {
    fn create_logged_model(&self, model: &NewLoggedModel) -> Result<LoggedModel> {
        name::check_logged_model_name(&model.name)?;
        name::check_params(&model.params)?;
        name::check_run_tags(&model.tags)?;
        let params = pairs(&model.params);
        let mut parts = params.chunks(MOST_PARAMS);
        let made = self.create(model, parts.next().unwrap_or_default())?;
        let path = format!("logged-models/{}/params", made.info.model_id);
        for part in parts {
            let document = json!({"model_id": made.info.model_id, "params": part});
            let logged =
                self.client
                    .call::<IgnoredAny>(Method::Post, &path, &document, Repeat::IfNotTaken);
            if let Err(error) = logged {
                // It will never be whole; that this could not be said either is the lesser trouble.
                let failed = LoggedModelStatus::Failed;
                let _ = self.finalize_logged_model(&made.info.model_id, failed, 0);
                return Err(error);
            }
        }
        let mut made = LoggedModel::from(made);
        made.params = model.params.clone();
        Ok(made)
    }

    fn get_logged_model(&self, model_id: &str) -> Result<LoggedModel> {
        if !name::is_id(model_id) {
            return Err(Error::not_found(KIND, model_id));
        }
        let answer = self.client.get(&format!("logged-models/{model_id}"), &[]);
        let Answer { model } = or_not_found(answer, KIND, model_id)?;
        Ok(model.into())
    }

    fn search_logged_models(&self, experiment_ids: &[&str]) -> Result<Vec<LoggedModel>> {
        self.check_experiments(experiment_ids)?;
        let mut models = self.search_logged_models_by(experiment_ids, "")?;
        models.sort_by(|a, b| {
            (Reverse(a.creation_timestamp), &a.model_id)
                .cmp(&(Reverse(b.creation_timestamp), &b.model_id))
        });
        Ok(models)
    }

    fn set_logged_model_tags(&self, model_id: &str, tags: &BTreeMap<String, String>) -> Result<()> {
        name::check_run_tags(tags)?;
        self.patch_logged_model(model_id, "/tags", &json!({"tags": pairs(tags)}))
    }

    fn finalize_logged_model(
        &self,
        model_id: &str,
        status: LoggedModelStatus,
        _last_updated_timestamp: i64,
    ) -> Result<()> {
        let status = status_name(status);
        self.patch_logged_model(
            model_id,
            "",
            &json!({"model_id": model_id, "status": status}),
        )
    }

    fn log_model_artifact(
        &self,
        model_id: &str,
        artifact_path: &str,
        content: Artifact<'_>,
    ) -> Result<()> {
        name::check_new_artifact_path(artifact_path)?;
        self.write_artifact(&self.model_location(model_id)?, artifact_path, content)
    }

    fn list_model_artifacts(&self, model_id: &str, path: &str) -> Result<Vec<ArtifactInfo>> {
        if !name::is_id(model_id) {
            return Err(Error::not_found(KIND, model_id));
        }
        let call = format!("logged-models/{model_id}/artifacts/directories");
        let listed = self.list_files(&call, &[], ["artifact_directory_path", path]);
        or_not_found(listed, KIND, model_id)
    }

    fn read_model_artifact(&self, model_id: &str, path: &str) -> Result<Vec<u8>> {
        self.read_artifact_in(&self.model_location(model_id)?, path)
    }
}

impl RestStore {
    /// The logged models of some experiments that a filter in MLflow's language finds, such as
    /// `metrics.roc_auc > 0.8`, the latest first; all if it is empty.
    ///
    /// # Errors
    /// When the server does not take the filter.
    pub fn search_logged_models_by(
        &self,
        experiment_ids: &[&str],
        filter: &str,
    ) -> Result<Vec<LoggedModel>> {
        if experiment_ids.is_empty() {
            return Ok(Vec::new());
        }
        let document = json!({"experiment_ids": experiment_ids, "filter": filter});
        let found: Vec<LoggedModelMessage> = self.search("logged-models/search", &document)?;
        Ok(found.into_iter().map(LoggedModel::from).collect())
    }

    fn create(&self, model: &NewLoggedModel, params: &[Value]) -> Result<LoggedModelMessage> {
        let document = json!({
            "experiment_id": model.experiment_id,
            "name": model.name,
            "model_type": model.model_type,
            "source_run_id": model.source_run_id,
            "params": params,
            "tags": pairs(&model.tags),
        });
        let made = self
            .client
            .call(Method::Post, "logged-models", &document, Repeat::IfNotTaken);
        let Answer { model: made } = or_not_found(made, EXPERIMENT, &model.experiment_id)
            .map_err(|error| self.explain_by_experiment(&model.experiment_id, error))?;
        Ok(made)
    }

    fn patch_logged_model(&self, model_id: &str, part: &str, document: &Value) -> Result<()> {
        if !name::is_id(model_id) {
            return Err(Error::not_found(KIND, model_id));
        }
        let path = format!("logged-models/{model_id}{part}");
        let patched: Result<IgnoredAny> =
            self.client
                .call(Method::Patch, &path, document, Repeat::Safe);
        or_not_found(patched, KIND, model_id).map(drop)
    }

    fn model_location(&self, model_id: &str) -> Result<String> {
        self.location(model_id, || {
            Ok(self.get_logged_model(model_id)?.artifact_location)
        })
    }
}

fn status_name(status: LoggedModelStatus) -> &'static str {
    match status {
        LoggedModelStatus::Unspecified => "LOGGED_MODEL_STATUS_UNSPECIFIED",
        LoggedModelStatus::Pending => "LOGGED_MODEL_PENDING",
        LoggedModelStatus::Ready => "LOGGED_MODEL_READY",
        LoggedModelStatus::Failed => "LOGGED_MODEL_UPLOAD_FAILED",
    }
}

#[derive(Deserialize)]
struct Answer {
    model: LoggedModelMessage,
}

#[derive(Deserialize)]
struct LoggedModelMessage {
    info: InfoMessage,
    #[serde(default)]
    data: DataMessage,
}

#[derive(Deserialize)]
struct InfoMessage {
    model_id: String,
    experiment_id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    creation_timestamp_ms: Integer,
    #[serde(default)]
    last_updated_timestamp_ms: Integer,
    #[serde(default)]
    artifact_uri: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    model_type: String,
    #[serde(default)]
    source_run_id: String,
    #[serde(default)]
    tags: Vec<Pair>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct DataMessage {
    params: Vec<Pair>,
    metrics: Vec<MetricMessage>,
}

impl From<LoggedModelMessage> for LoggedModel {
    fn from(LoggedModelMessage { info, data }: LoggedModelMessage) -> Self {
        Self {
            model_id: info.model_id,
            experiment_id: info.experiment_id,
            name: info.name,
            source_run_id: optional(info.source_run_id),
            model_type: optional(info.model_type),
            status: match info.status.as_str() {
                "LOGGED_MODEL_PENDING" => LoggedModelStatus::Pending,
                "LOGGED_MODEL_READY" => LoggedModelStatus::Ready,
                "LOGGED_MODEL_UPLOAD_FAILED" => LoggedModelStatus::Failed,
                _ => LoggedModelStatus::Unspecified,
            },
            artifact_location: info.artifact_uri,
            creation_timestamp: info.creation_timestamp_ms.0,
            last_updated_timestamp: info.last_updated_timestamp_ms.0,
            params: map(data.params),
            metrics: latest(data.metrics),
            tags: map(info.tags),
        }
    }
}
