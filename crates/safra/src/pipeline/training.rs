//! Training: backtest the learners, fit them on all that is known, log every step, register the best.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::NaiveDate;
use safra_dataset::Split;
use safra_learn::{Column, Learner, Metric, Model, calibrated};
use safra_mlflow::{
    Artifact, ModelVersion, NewModelVersion, NewRegisteredModel, NewRun, RunStatus, Store, tags,
};
use safra_project::Problem;
use sha2::{Digest, Sha256};

use super::backtesting::Backtested;
use super::evaluation::Evaluation;
use super::model::{self, Destination};
use super::prepared::{Parameters, Prepared, default_splits, learners_with, metric};
use super::provenance::Provenance;
use super::reporting::backtest_part;
use super::tuning::{self, TunedLearner, Tuning};
use crate::context::{Context, now_millis};
use crate::error::SafraError;

/// Path of the backtest's scores and outcomes among a run's artifacts.
pub const PREDICTIONS: &str = "backtest/predictions.csv";
/// Tag of a version with the name of its learner.
pub const LEARNER: &str = "safra.learner";
/// Tag of a version with the number of rows it was trained on.
pub const TRAIN_ROWS: &str = "safra.train_rows";
/// Tag of a version with the day as of which it was trained.
pub const TRAINED_AT: &str = "safra.trained_at";
/// Tag of a version with the run that holds the backtest of all learners.
pub const BACKTEST_RUN: &str = "safra.backtest_run";
const FINGERPRINT: &str = "safra.fingerprint";

/// A version that was registered, or was there already for the same data, declarations and code.
pub struct Trained {
    /// The version.
    pub version: ModelVersion,
    /// Whether it was there already.
    pub reused: bool,
    /// The backtest of all learners.
    pub evaluation: Evaluation,
}

/// Trains as of `at`: labels that were not certain by then are unknown, and judge nothing. With a `budget`, parameters are tuned
/// for that long beforehand.
pub async fn train(
    context: &Context,
    problem: &Problem,
    at: Option<NaiveDate>,
    budget: Option<Duration>,
) -> Result<Trained, SafraError> {
    let prepared = Prepared::training(context, problem).await?;
    let data_end = prepared.dataset.data_end();
    let at = at.unwrap_or(data_end);
    if at > data_end {
        return Err(SafraError::Usage(format!(
            "{}: {at} is after the end of the data, {data_end}",
            problem.name
        )));
    }
    prepared.dataset.write(&context.lake).await?;
    let prepared = prepared.known_by(at)?;
    let store = context.store()?;
    training_rows(problem, &prepared, at)?;
    let splits = default_splits(&prepared.dataset, problem)?;
    let tuning = match budget {
        Some(budget) => tuning::search(context, problem, &prepared, &splits, budget)?,
        None => Tuning::none(problem),
    };
    let fingerprint = fingerprint(context, problem, &prepared, at, &tuning);
    if let Some(version) = registered(context, problem, store.as_ref(), &fingerprint)? {
        let evaluation = stored_evaluation(store.as_ref(), &version)?;
        return Ok(Trained {
            version,
            reused: true,
            evaluation,
        });
    }
    let session = Session {
        context,
        problem,
        prepared: &prepared,
        splits: &splits,
        tuning: &tuning,
        at,
        store: store.as_ref(),
        provenance: Provenance::of(context, problem.population()).await?,
    };
    let (version, evaluation) = session.run(&fingerprint)?;
    Ok(Trained {
        version,
        reused: false,
        evaluation,
    })
}

/// The rows of the final models, refused before anything is made if nothing can be learned from them.
fn training_rows(
    problem: &Problem,
    prepared: &Prepared,
    at: NaiveDate,
) -> Result<Vec<usize>, SafraError> {
    let rows = prepared.dataset.training_rows(at);
    if !rows.is_empty() {
        safra_learn::Training::new(prepared.examples.rows(&rows)?).map_err(|source| {
            SafraError::Unlearnable {
                problem: problem.name.clone(),
                at,
                source,
            }
        })?;
    }
    Ok(rows)
}

/// The backtest of all learners from which a version came.
pub fn stored_evaluation(
    store: &dyn Store,
    version: &ModelVersion,
) -> Result<Evaluation, SafraError> {
    let run_id = version
        .tags
        .get(BACKTEST_RUN)
        .ok_or_else(|| SafraError::Registry {
            model: version.name.clone(),
            version: version.version,
            message: "it was not trained by safra, so there is no backtest to compare it by"
                .to_owned(),
        })?;
    Evaluation::from_csv(&store.read_artifact(run_id, PREDICTIONS)?)
}

/// A version that was trained from the same data, declarations and code.
fn registered(
    context: &Context,
    problem: &Problem,
    store: &dyn Store,
    fingerprint: &str,
) -> Result<Option<ModelVersion>, SafraError> {
    let name = context.model_name(problem);
    if store.get_registered_model(&name)?.is_none() {
        return Ok(None);
    }
    let versions = store.list_model_versions(&name)?;
    let same = |version: &ModelVersion| {
        version
            .tags
            .get(FINGERPRINT)
            .is_some_and(|held| held == fingerprint)
    };
    Ok(versions
        .into_iter()
        .filter(same)
        .max_by_key(|version| version.version))
}

fn fingerprint(
    context: &Context,
    problem: &Problem,
    prepared: &Prepared,
    at: NaiveDate,
    tuning: &Tuning,
) -> String {
    let mut hash = Sha256::new();
    hash.update(env!("CARGO_PKG_VERSION"));
    hash.update(format!("{problem:?}{at}{}", context.project.settings.seed));
    hash.update(format!("{:?}", tuning.parameters));
    hash_examples(&mut hash, prepared);
    let digits = hash.finalize();
    digits.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Hashes rows, features and labels.
pub fn hash_examples(hash: &mut Sha256, prepared: &Prepared) {
    let examples = &prepared.examples;
    for name in examples.feature_names() {
        hash.update(name);
        match examples.feature(name) {
            Some(Column::Numbers(values)) => values
                .iter()
                .for_each(|value| hash.update(value.to_bits().to_le_bytes())),
            Some(Column::Categories(categories)) => (0..examples.len()).for_each(|row| {
                hash.update(categories.text(row).unwrap_or("\u{1}"));
                hash.update([0]);
            }),
            None => {}
        }
    }
    for row in 0..prepared.dataset.len() {
        hash.update(prepared.dataset.entity(row));
        hash.update([match prepared.dataset.label(row) {
            None => 2,
            Some(label) => u8::from(label),
        }]);
    }
}

/// One training: a run for the whole, and one below it for each learner.
struct Session<'a> {
    context: &'a Context,
    problem: &'a Problem,
    prepared: &'a Prepared,
    splits: &'a [Split],
    tuning: &'a Tuning,
    at: NaiveDate,
    store: &'a dyn Store,
    provenance: Provenance,
}

impl Session<'_> {
    fn run(&self, fingerprint: &str) -> Result<(ModelVersion, Evaluation), SafraError> {
        let Self {
            context,
            problem,
            prepared,
            splits,
            ..
        } = *self;
        let learners = learners_with(problem, &[], &self.tuning.parameters)?;
        let backtested = Backtested::run(context, problem, prepared, splits, &learners)?;
        let evaluation = &backtested.evaluation;
        let metric = metric(self.problem)?;
        let best = evaluation.best(metric)?.ok_or_else(|| {
            SafraError::Usage(format!(
                "{}: {} is not defined on any date of the backtest, so no learner is the best\nhint: `safra backtest {}` says why",
                self.problem.name,
                metric.name(),
                self.problem.name
            ))
        })?;
        let name = self.context.model_name(self.problem);
        let experiment = self.store.get_or_create_experiment(&name, now_millis())?;
        let whole = self.start_run(
            &experiment.experiment_id,
            &format!("{} {}", self.problem.name, self.at),
            None,
        )?;
        self.log_whole(&whole, evaluation, &best, metric)?;
        self.log_tuning(&experiment.experiment_id, &whole)?;
        let progress = self.context.progress(learners.len(), "train");
        let mut version = None;
        for learner in &learners {
            let made = self.log_learner(
                &experiment.experiment_id,
                &whole,
                learner.as_ref(),
                &backtested,
            )?;
            if learner.name() == best {
                version = Some(made);
            }
            progress.inc(1);
        }
        progress.finish_and_clear();
        self.store
            .end_run(&whole, RunStatus::Finished, now_millis())?;
        let made = version.ok_or_else(|| SafraError::Usage(format!("no learner: {best}")))?;
        let registered = self.register(&name, &best, &whole, &made, fingerprint)?;
        Ok((registered, backtested.evaluation))
    }

    fn start_run(
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

    fn log_whole(
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

    /// The run of one learner: its backtest, and the model fitted on all that is known.
    fn log_learner(
        &self,
        experiment_id: &str,
        parent: &str,
        learner: &dyn Learner,
        backtested: &Backtested<'_>,
    ) -> Result<Made, SafraError> {
        let evaluation = &backtested.evaluation;
        let run_id = self.start_run(experiment_id, learner.name(), Some(parent))?;
        let rows = self.prepared.dataset.training_rows(self.at);
        let training = safra_learn::Training::new(self.prepared.examples.rows(&rows)?)?;
        let fitted = learner.fit(&training, self.context.project.settings.seed)?;
        let calibration = backtested.calibration(learner.name(), &rows)?;
        let mut params = learner.parameters();
        params.insert("learner".to_owned(), learner.name().to_owned());
        params.insert(
            "calibration".to_owned(),
            calibration.method().name().to_owned(),
        );
        let fitted = calibrated(fitted, calibration);
        params.insert("train_rows".to_owned(), rows.len().to_string());
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
            train_rows: rows.len(),
        })
    }

    /// Each metric by date, one step a date, and its mean with the ends of its interval. Infinities are left out: MLflow's page of a
    /// run fails on them.
    fn log_metrics(
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
    fn log_tuning(&self, experiment_id: &str, parent: &str) -> Result<(), SafraError> {
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

    fn log_bytes(&self, run: &str, path: &str, bytes: &[u8]) -> Result<(), SafraError> {
        Ok(self.store.log_artifact(run, path, Artifact::Bytes(bytes))?)
    }

    fn register(
        &self,
        name: &str,
        learner: &str,
        whole: &str,
        made: &Made,
        fingerprint: &str,
    ) -> Result<ModelVersion, SafraError> {
        let now = now_millis();
        self.store
            .get_or_create_registered_model(&NewRegisteredModel {
                name: name.to_owned(),
                description: Some(self.problem.question.clone()),
                tags: BTreeMap::new(),
                creation_timestamp: now,
            })?;
        let text = |text: &str| text.to_owned();
        let mut version_tags = self.provenance.tags();
        version_tags.extend([
            (text(LEARNER), text(learner)),
            (text(TRAIN_ROWS), made.train_rows.to_string()),
            (text(TRAINED_AT), self.at.to_string()),
            (text(BACKTEST_RUN), text(whole)),
            (text(FINGERPRINT), text(fingerprint)),
        ]);
        Ok(self.store.create_model_version(&NewModelVersion {
            name: name.to_owned(),
            source: made.source.clone(),
            run_id: Some(made.run_id.clone()),
            model_id: Some(made.model_id.clone()),
            description: Some(format!(
                "{learner}, trained on what was known on {}",
                self.at
            )),
            tags: version_tags,
            creation_timestamp: now,
        })?)
    }
}

/// A model that was fitted and logged.
struct Made {
    run_id: String,
    model_id: String,
    source: String,
    train_rows: usize,
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
