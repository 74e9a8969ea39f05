//! Experiments behind a server.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;

use super::http::Method;
use super::message::{Integer, Pair, lifecycle_stage, map};
use super::retry::Repeat;
use super::{RestStore, code, is_refusal, is_refused, or_not_found};
use crate::entity::{Experiment, LifecycleStage};
use crate::store::ExperimentStore;
use crate::{Error, Result, name};

pub(super) const KIND: &str = "experiment";

impl ExperimentStore for RestStore {
    fn get_or_create_experiment(&self, name: &str, _creation_time: i64) -> Result<Experiment> {
        name::check_experiment_name(name)?;
        if let Some(experiment) = self.get_experiment_by_name(name)? {
            return experiment.if_active();
        }
        let document = json!({"name": name});
        let made = self
            .client
            .call(Method::Post, "experiments/create", &document, Repeat::Safe);
        match made {
            // Another program was faster, or the answer to an earlier attempt was lost.
            Err(error) if is_refusal(&error, code::ALREADY_EXISTS) => self
                .get_experiment_by_name(name)?
                .ok_or(error)
                .and_then(Experiment::if_active),
            Err(error) => Err(error),
            Ok(Created { experiment_id }) => self.get_experiment(&experiment_id),
        }
    }

    fn get_experiment(&self, experiment_id: &str) -> Result<Experiment> {
        if !name::is_id(experiment_id) {
            return Err(Error::not_found(KIND, experiment_id));
        }
        let answer = self
            .client
            .get("experiments/get", &[("experiment_id", experiment_id)]);
        let Answer { experiment } = or_not_found(answer, KIND, experiment_id)?;
        Ok(experiment.into())
    }

    fn get_experiment_by_name(&self, name: &str) -> Result<Option<Experiment>> {
        let answer = self
            .client
            .get("experiments/get-by-name", &[("experiment_name", name)]);
        match answer {
            Err(error) if is_refusal(&error, code::NOT_FOUND) => Ok(None),
            other => other.map(|Answer { experiment }| Some(experiment.into())),
        }
    }

    fn list_experiments(&self) -> Result<Vec<Experiment>> {
        self.search_experiments("")
    }

    fn delete_experiment(&self, experiment_id: &str, _time: i64) -> Result<()> {
        self.change_experiment(experiment_id, "delete")
    }

    fn restore_experiment(&self, experiment_id: &str, _time: i64) -> Result<()> {
        self.change_experiment(experiment_id, "restore")
    }

    fn set_experiment_tags(
        &self,
        experiment_id: &str,
        tags: &BTreeMap<String, String>,
    ) -> Result<()> {
        name::check_experiment_tags(tags)?;
        self.get_experiment(experiment_id)?.if_active()?;
        for (key, value) in tags {
            let document = json!({"experiment_id": experiment_id, "key": key, "value": value});
            let path = "experiments/set-experiment-tag";
            self.client
                .call::<IgnoredAny>(Method::Post, path, &document, Repeat::Safe)?;
        }
        Ok(())
    }
}

impl RestStore {
    /// The active experiments that a filter in MLflow's language finds, such as `name LIKE 'churn%'`, by id; all if it is
    /// empty.
    ///
    /// # Errors
    /// When the server does not take the filter.
    pub fn search_experiments(&self, filter: &str) -> Result<Vec<Experiment>> {
        let document = json!({"filter": filter});
        let found: Vec<ExperimentMessage> = self.search("experiments/search", &document)?;
        let mut found: Vec<Experiment> = found.into_iter().map(Experiment::from).collect();
        // Their ids are numbers.
        found.sort_by(|a, b| {
            let order = |id: &str| (id.len(), id.to_owned());
            order(&a.experiment_id).cmp(&order(&b.experiment_id))
        });
        Ok(found)
    }

    /// Deletes or restores an experiment. The server refuses to do it twice.
    fn change_experiment(&self, experiment_id: &str, change: &str) -> Result<()> {
        let experiment = self.get_experiment(experiment_id)?;
        if change == "delete" {
            experiment.if_active()?;
        } else if experiment.lifecycle_stage == LifecycleStage::Active {
            return Err(Error::not_found("deleted experiment", experiment_id));
        }
        let document = json!({"experiment_id": experiment_id});
        let path = format!("experiments/{change}");
        self.client
            .call::<IgnoredAny>(Method::Post, &path, &document, Repeat::IfNotTaken)?;
        Ok(())
    }

    /// Finds out whether something was refused because an experiment is missing or deleted.
    pub(super) fn explain_by_experiment(&self, experiment_id: &str, error: Error) -> Error {
        if !is_refused(&error) {
            return error;
        }
        match self
            .get_experiment(experiment_id)
            .and_then(Experiment::if_active)
        {
            Err(reason @ (Error::NotFound { .. } | Error::Deleted { .. })) => reason,
            _ => error,
        }
    }

    /// Checks that experiments are there.
    pub(super) fn check_experiments(&self, experiment_ids: &[&str]) -> Result<()> {
        let check = |id: &&str| self.get_experiment(id).map(drop);
        experiment_ids.iter().try_for_each(check)
    }
}

#[derive(Deserialize)]
struct Created {
    experiment_id: String,
}

#[derive(Deserialize)]
struct Answer {
    experiment: ExperimentMessage,
}

#[derive(Deserialize)]
struct ExperimentMessage {
    experiment_id: String,
    name: String,
    #[serde(default)]
    artifact_location: String,
    #[serde(default)]
    lifecycle_stage: String,
    creation_time: Option<Integer>,
    last_update_time: Option<Integer>,
    #[serde(default)]
    tags: Vec<Pair>,
}

impl From<ExperimentMessage> for Experiment {
    fn from(message: ExperimentMessage) -> Self {
        Self {
            experiment_id: message.experiment_id,
            name: message.name,
            artifact_location: message.artifact_location,
            lifecycle_stage: lifecycle_stage(&message.lifecycle_stage),
            creation_time: message.creation_time.map(|time| time.0),
            last_update_time: message.last_update_time.map(|time| time.0),
            tags: map(message.tags),
        }
    }
}
