//! What a training leaves in the tracking store: its runs, with parameters, metrics, artifacts and models.

use std::collections::BTreeMap;

use safra_learn::{Learner, Metric, Model, calibrated};
use safra_mlflow::{Artifact, NewRun, RunStatus, tags};

use super::backtesting::Backtested;
use super::evaluation::Evaluation;
use super::model::{self, Destination};
use super::prepared::{Parameters, metric};
use super::reporting::backtest_part;
use super::training::{PREDICTIONS, Session};
use super::tuning::TunedLearner;
use crate::context::now_millis;
use crate::error::SafraError;

impl Session<'_> {
    pub(super) fn start_run(
        &self,
        experiment_id: &str,
        name: &str,
        parent: Option<&str>,
    ) -> Result<String, SafraError> {
        let mut run_tags = BTreeMap::from([
            (
                tags::SOURCE_NAME.to_owned(),
                format!("safra train {}", self.problem.name),
            ),
            (tags::SOURCE_TYPE.to_owned(), "LOCAL".to_owned()),
        ]);
        run_tags.extend(self.provenance.tags());
        if let Ok(user) = std::env::var("USER") {
            run_tags.insert(tags::USER.to_owned(), user);
        }
        if let Some(parent) = parent {
            run_tags.insert(tags::PARENT_RUN_ID.to_owned(), parent.to_owned());
        }
        let run = self.store.create_run(&NewRun {
            experiment_id: experiment_id.to_owned(),
            run_name: name.to_owned(),
            start_time: now_millis(),
            tags: run_tags,
        })?;
        Ok(run.run_id)
    }

    pub(super) fn log_whole(
        &self,
        run: &str,
        evaluation: &Evaluation,
        best: &str,
        metric: Metric,
    ) -> Result<(), SafraError> {
        let dataset = &self.prepared.dataset;
        let dates: Vec<String> = self
            .splits
            .iter()
            .map(|split| split.date.to_string())
            .collect();
        let params = BTreeMap::from([
            ("problem".to_owned(), self.problem.name.clone()),
            ("trained_at".to_owned(), self.at.to_string()),
            (
                "train_rows".to_owned(),
                dataset.training_rows(self.at).len().to_string(),
            ),
            (
                "features".to_owned(),
                dataset.feature_names().len().to_string(),
            ),
            ("backtest_dates".to_owned(), dates.join(" ")),
            ("tuning_dates".to_owned(), self.tuning.dates.join(" ")),
            ("metric".to_owned(), metric.name().to_owned()),
            ("best_learner".to_owned(), best.to_owned()),
            (
                "seed".to_owned(),
                self.context.project.settings.seed.to_string(),
            ),
        ]);
        self.store.log_params(run, &params)?;
        self.log_metrics(run, evaluation, best)?;
        self.log_bytes(run, PREDICTIONS, &evaluation.to_csv()?)?;
        self.log_bytes(
            run,
            "features.txt",
            dataset.feature_names().join("\n").as_bytes(),
        )?;
        let part = backtest_part(self.problem, evaluation, best)?;
        for (file, svg) in safra_report::charts::files(&part)? {
            self.log_bytes(run, &format!("charts/{file}"), svg.as_bytes())?;
        }
        Ok(())
    }

    /// The run of one learner: its backtest, and the model fitted on all that is known, which are the rows `known`.
    pub(super) fn log_learner(
        &self,
        experiment_id: &str,
        parent: &str,
        (learner, fitted): (&dyn Learner, Box<dyn Model>),
        known: &[usize],
        backtested: &Backtested<'_>,
    ) -> Result<Made, SafraError> {
        let evaluation = &backtested.evaluation;
        let run_id = self.start_run(experiment_id, learner.name(), Some(parent))?;
        let calibration = backtested.calibration(learner.name(), known)?;
        let mut params = learner.parameters();
        params.insert("learner".to_owned(), learner.name().to_owned());
        params.insert(
            "calibration".to_owned(),
            calibration.method().name().to_owned(),
        );
        let fitted = calibrated(fitted, calibration);
        params.insert("train_rows".to_owned(), known.len().to_string());
        self.store.log_params(&run_id, &params)?;
        self.log_metrics(&run_id, evaluation, learner.name())?;
        let own = Evaluation {
            folds: evaluation.folds_of(learner.name()).cloned().collect(),
            unjudged: Vec::new(),
        };
        self.log_bytes(&run_id, PREDICTIONS, &own.to_csv()?)?;
        self.log_bytes(&run_id, "importance.csv", &importance_csv(fitted.as_ref())?)?;
        let destination = Destination {
            experiment_id,
            run_id: &run_id,
            name: learner.name(),
            at: now_millis(),
            provenance: &self.provenance,
        };
        let logged = model::log(
            self.store,
            &destination,
            fitted.as_ref(),
            &self.prepared.examples,
            params,
        )?;
        self.store
            .end_run(&run_id, RunStatus::Finished, now_millis())?;
        Ok(Made {
            run_id,
            model_id: logged.model_id,
            source: logged.artifact_location,
            train_rows: known.len(),
        })
    }

    /// Each metric by date, one step a date, and its mean with the ends of its interval. Infinities are left out: MLflow's page of a
    /// run fails on them.
    pub(super) fn log_metrics(
        &self,
        run: &str,
        evaluation: &Evaluation,
        learner: &str,
    ) -> Result<(), SafraError> {
        let now = now_millis();
        let mut logged = Vec::new();
        for (step, fold) in (0..).zip(evaluation.folds_of(learner)) {
            let metrics = fold.metrics()?;
            for metric in Metric::ALL {
                if let Some(value) = metrics.get(metric).filter(|value| value.is_finite()) {
                    logged.push(safra_mlflow::Metric::new(metric.name(), value, now, step));
                }
            }
        }
        let mut once = |key: String, value: Option<f64>| {
            let value = value.filter(|value| value.is_finite()).into_iter();
            logged.extend(value.map(|value| safra_mlflow::Metric::new(&key, value, now, 0)));
        };
        let (means, before) = (
            evaluation.means(learner)?,
            evaluation.uncalibrated_means(learner)?,
        );
        let intervals = evaluation.intervals(learner, self.context.project.settings.seed)?;
        for metric in Metric::ALL {
            let name = metric.name();
            let interval = intervals.mean.get(&metric);
            once(format!("mean_{name}"), means.get(metric));
            once(
                format!("mean_{name}_lower"),
                interval.map(|interval| interval.lower),
            );
            once(
                format!("mean_{name}_upper"),
                interval.map(|interval| interval.upper),
            );
            once(format!("uncalibrated_mean_{name}"), before.get(metric));
        }
        Ok(self.store.log_metrics(run, &logged)?)
    }

    /// A run for each tuned learner, and one below it for each candidate.
    pub(super) fn log_tuning(&self, experiment_id: &str, parent: &str) -> Result<(), SafraError> {
        let metric = metric(self.problem)?.name();
        for TunedLearner { learner, tuned } in &self.tuning.learners {
            let name = format!("tune {learner}");
            let run = self.start_run(experiment_id, &name, Some(parent))?;
            self.store
                .log_params(&run, &as_params(&tuned.trials[tuned.best].parameters))?;
            for trial in &tuned.trials {
                let name = format!("{learner} candidate {}", trial.number);
                let nested = self.start_run(experiment_id, &name, Some(&run))?;
                self.store
                    .log_params(&nested, &as_params(&trial.parameters))?;
                let now = now_millis();
                let dated = (0..)
                    .zip(&trial.by_date)
                    .map(|(step, (_, value))| safra_mlflow::Metric::new(metric, *value, now, step));
                let mean = safra_mlflow::Metric::new(&format!("mean_{metric}"), trial.mean, now, 0);
                let metrics: Vec<_> = dated.chain([mean]).collect();
                self.store.log_metrics(&nested, &metrics)?;
                self.store
                    .end_run(&nested, RunStatus::Finished, now_millis())?;
            }
            self.store
                .end_run(&run, RunStatus::Finished, now_millis())?;
        }
        Ok(())
    }

    pub(super) fn log_bytes(&self, run: &str, path: &str, bytes: &[u8]) -> Result<(), SafraError> {
        Ok(self.store.log_artifact(run, path, Artifact::Bytes(bytes))?)
    }
}

/// A model that was fitted and logged.
pub(super) struct Made {
    pub(super) run_id: String,
    pub(super) model_id: String,
    pub(super) source: String,
    pub(super) train_rows: usize,
}

fn as_params(parameters: &Parameters) -> BTreeMap<String, String> {
    let text = |value: &serde_json::Value| value.to_string();
    parameters
        .iter()
        .map(|(name, value)| (name.clone(), text(value)))
        .collect()
}

fn importance_csv(model: &dyn Model) -> Result<Vec<u8>, SafraError> {
    let failed = |error: csv::Error| SafraError::Io {
        path: "importance.csv".into(),
        source: std::io::Error::other(error),
    };
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut rows = model.importance()?;
    rows.sort_by(|a, b| {
        b.importance
            .total_cmp(&a.importance)
            .then_with(|| a.feature.cmp(&b.feature))
    });
    for row in rows {
        writer.serialize(row).map_err(failed)?;
    }
    writer
        .into_inner()
        .map_err(|error| failed(error.into_error().into()))
}
