//! Runs behind a server.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde::de::IgnoredAny;
use serde_json::json;

use super::experiments::KIND as EXPERIMENT;
use super::http::Method;
use super::message::{MetricMessage, pairs};
use super::retry::Repeat;
use super::run_message::{RunAnswer, RunMessage, status_name};
use super::{RestStore, batch, is_refused, or_not_found, search};
use crate::entity::{
    Artifact, ArtifactInfo, Batch, LifecycleStage, Metric, ModelOutput, NewRun, Run, RunStatus,
};
use crate::store::{LoggedModelStore, RunStore};
use crate::{Error, Result, name, tags};

pub(super) const KIND: &str = "run";

impl RunStore for RestStore {
    fn create_run(&self, run: &NewRun) -> Result<Run> {
        let first_tags = name::first_run_tags(run)?;
        let document = json!({
            "experiment_id": run.experiment_id,
            "run_name": run.run_name,
            "start_time": run.start_time,
            "user_id": run.tags.get(tags::USER),
            "tags": pairs(&first_tags),
        });
        let made: Result<RunAnswer> =
            self.client
                .call(Method::Post, "runs/create", &document, Repeat::IfNotTaken);
        let made = or_not_found(made, EXPERIMENT, &run.experiment_id)
            .map_err(|error| self.explain_by_experiment(&run.experiment_id, error))?;
        Ok(made.run.into())
    }

    fn get_run(&self, run_id: &str) -> Result<Run> {
        if !name::is_id(run_id) {
            return Err(Error::not_found(KIND, run_id));
        }
        let answer = self.client.get("runs/get", &[("run_id", run_id)]);
        let RunAnswer { run } = or_not_found(answer, KIND, run_id)?;
        Ok(run.into())
    }

    fn search_runs(
        &self,
        experiment_ids: &[&str],
        tags: &BTreeMap<String, String>,
    ) -> Result<Vec<Run>> {
        self.check_experiments(experiment_ids)?;
        let is_plain = |key: &str| !key.contains(['`', '"', '\'']);
        let conditions = tags.iter().filter(|(key, _)| is_plain(key));
        let conditions: Vec<String> = conditions
            .filter_map(|(key, value)| search::equals(&format!("tags.`{key}`"), value))
            .collect();
        let mut runs = self.search_runs_by(experiment_ids, &conditions.join(" AND "), &[])?;
        // Not every condition can be written, and databases differ in what they take for equal.
        runs.retain(|run| {
            tags.iter()
                .all(|(key, value)| run.tags.get(key) == Some(value))
        });
        runs.sort_by(|a, b| {
            (Reverse(a.start_time), &a.run_id).cmp(&(Reverse(b.start_time), &b.run_id))
        });
        Ok(runs)
    }

    fn log_batch(&self, run_id: &str, batch: &Batch) -> Result<()> {
        name::check_batch(batch)?;
        self.check_logged_models(
            batch
                .metrics
                .iter()
                .filter_map(|metric| metric.model_id.as_deref()),
        )?;
        let documents = batch::documents(run_id, batch);
        if documents.len() > 1 && !batch.params.is_empty() {
            // One of the later requests could be refused when the first are done.
            name::check_unchanged(run_id, &self.get_run(run_id)?.params, &batch.params)?;
        }
        for document in documents {
            let logged: Result<IgnoredAny> =
                self.client
                    .call(Method::Post, "runs/log-batch", &document, Repeat::Safe);
            logged.map_err(|error| self.explain_by_run(run_id, &batch.params, error))?;
        }
        Ok(())
    }

    fn get_metric_history(&self, run_id: &str, key: &str) -> Result<Vec<Metric>> {
        name::check_metric_key(key)?;
        if !name::is_id(run_id) {
            return Err(Error::not_found(KIND, run_id));
        }
        let found = self.list(
            "metrics/get-history",
            &[("run_id", run_id), ("metric_key", key)],
        );
        let found: Vec<MetricMessage> = or_not_found(found, KIND, run_id)?;
        if found.is_empty() {
            self.get_run(run_id)?;
        }
        Ok(found.into_iter().map(Metric::from).collect())
    }

    fn log_outputs(&self, run_id: &str, models: &[ModelOutput]) -> Result<()> {
        self.check_logged_models(models.iter().map(|model| model.model_id.as_str()))?;
        let linked = self.active_run(run_id)?.outputs;
        let is_linked = |id: &str| linked.iter().any(|output| output.model_id == id);
        let new: Vec<_> = models
            .iter()
            .filter(|model| !is_linked(&model.model_id))
            .collect();
        if new.is_empty() {
            return Ok(());
        }
        let links = new
            .iter()
            .map(|model| json!({"model_id": model.model_id, "step": model.step}));
        let document = json!({"run_id": run_id, "models": links.collect::<Vec<_>>()});
        let path = "runs/outputs";
        self.client
            .call::<IgnoredAny>(Method::Post, path, &document, Repeat::IfNotTaken)?;
        Ok(())
    }

    fn end_run(&self, run_id: &str, status: RunStatus, end_time: i64) -> Result<()> {
        let document =
            json!({"run_id": run_id, "status": status_name(status), "end_time": end_time});
        let ended: Result<IgnoredAny> =
            self.client
                .call(Method::Post, "runs/update", &document, Repeat::Safe);
        ended.map_err(|error| self.explain_by_run(run_id, &BTreeMap::new(), error))?;
        Ok(())
    }

    fn delete_run(&self, run_id: &str, _time: i64) -> Result<()> {
        self.change_run(run_id, "delete", LifecycleStage::Deleted)
    }

    fn restore_run(&self, run_id: &str) -> Result<()> {
        self.change_run(run_id, "restore", LifecycleStage::Active)
    }

    fn log_artifact(&self, run_id: &str, artifact_path: &str, content: Artifact<'_>) -> Result<()> {
        name::check_new_artifact_path(artifact_path)?;
        let location = self.location(run_id, || Ok(self.active_run(run_id)?.artifact_uri))?;
        self.write_artifact(&location, artifact_path, content)
    }

    fn list_artifacts(&self, run_id: &str, path: &str) -> Result<Vec<ArtifactInfo>> {
        if !name::is_id(run_id) {
            return Err(Error::not_found(KIND, run_id));
        }
        let listed = self.list_files("artifacts/list", &[("run_id", run_id)], ["path", path]);
        or_not_found(listed, KIND, run_id)
    }

    fn read_artifact(&self, run_id: &str, path: &str) -> Result<Vec<u8>> {
        let location = self.location(run_id, || Ok(self.get_run(run_id)?.artifact_uri))?;
        self.read_artifact_in(&location, path)
    }
}

impl RestStore {
    /// The active runs of some experiments that a filter in MLflow's language finds, such as
    /// `metrics.roc_auc > 0.8 AND params.learner = 'lightgbm'` (all if it is empty), ordered by fields such as
    /// `metrics.roc_auc DESC`, then the latest start first.
    ///
    /// # Errors
    /// When the server does not take the filter or the order.
    pub fn search_runs_by(
        &self,
        experiment_ids: &[&str],
        filter: &str,
        order_by: &[&str],
    ) -> Result<Vec<Run>> {
        if experiment_ids.is_empty() {
            return Ok(Vec::new());
        }
        let document =
            json!({"experiment_ids": experiment_ids, "filter": filter, "order_by": order_by});
        let found: Vec<RunMessage> = self.search("runs/search", &document)?;
        Ok(found.into_iter().map(Run::from).collect())
    }

    fn active_run(&self, run_id: &str) -> Result<Run> {
        let run = self.get_run(run_id)?;
        match run.lifecycle_stage {
            LifecycleStage::Active => Ok(run),
            LifecycleStage::Deleted => Err(Error::Deleted {
                kind: KIND,
                id: run_id.to_owned(),
            }),
        }
    }

    fn change_run(&self, run_id: &str, change: &str, stage: LifecycleStage) -> Result<()> {
        if self.get_run(run_id)?.lifecycle_stage == stage {
            return Ok(());
        }
        let document = json!({"run_id": run_id});
        let path = format!("runs/{change}");
        self.client
            .call::<IgnoredAny>(Method::Post, &path, &document, Repeat::IfNotTaken)?;
        Ok(())
    }

    fn check_logged_models<'a>(&self, ids: impl Iterator<Item = &'a str>) -> Result<()> {
        let ids: BTreeSet<&str> = ids.collect();
        ids.into_iter()
            .try_for_each(|id| self.get_logged_model(id).map(drop))
    }

    /// Finds out whether something was refused because a run is missing or deleted, or would change params.
    fn explain_by_run(
        &self,
        run_id: &str,
        params: &BTreeMap<String, String>,
        error: Error,
    ) -> Error {
        if !is_refused(&error) {
            return error;
        }
        match self.active_run(run_id) {
            Ok(run) => name::check_unchanged(run_id, &run.params, params)
                .err()
                .unwrap_or(error),
            Err(reason @ (Error::NotFound { .. } | Error::Deleted { .. })) => reason,
            Err(_) => error,
        }
    }
}
