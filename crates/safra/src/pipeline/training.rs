//! Training: backtest the learners, fit them on all that is known, log every step, register the best.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::NaiveDate;
use safra_dataset::Split;
use safra_learn::Column;
use safra_mlflow::{ModelVersion, NewModelVersion, NewRegisteredModel, RunStatus, Store};
use safra_project::Problem;
use sha2::{Digest, Sha256};

use super::backtesting::{Backtested, as_rows};
use super::evaluation::Evaluation;
use super::prepared::{Prepared, default_splits, learners_with, metric};
use super::provenance::Provenance;
use super::run_log::Made;
use super::tuning::{self, Tuning};
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
/// Tag of a version with its logged model, which MLflow's databases do not keep.
pub const MODEL_ID: &str = "safra.model_id";
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
    check_training_rows(problem, &prepared, at)?;
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

/// Refuses rows from which nothing can be learned, before anything is made.
fn check_training_rows(
    problem: &Problem,
    prepared: &Prepared,
    at: NaiveDate,
) -> Result<(), SafraError> {
    let rows = prepared.dataset.training_rows(at);
    if rows.is_empty() {
        return Ok(());
    }
    let training = safra_learn::Training::new(prepared.examples.rows(&rows)?);
    training
        .map(|_| ())
        .map_err(|source| SafraError::Unlearnable {
            problem: problem.name.clone(),
            at,
            source,
        })
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

/// Hashes rows, features, labels and durations.
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
    if let Some(durations) = prepared.dataset.durations() {
        for values in [durations.started(), durations.days(), durations.known()] {
            let bits = values.iter().map(|value| value.to_bits().to_le_bytes());
            bits.for_each(|bits| hash.update(bits));
        }
    }
}

/// One training: a run for the whole, and one below it for each learner.
pub(super) struct Session<'a> {
    pub(super) context: &'a Context,
    pub(super) problem: &'a Problem,
    pub(super) prepared: &'a Prepared,
    pub(super) splits: &'a [Split],
    pub(super) tuning: &'a Tuning,
    pub(super) at: NaiveDate,
    pub(super) store: &'a dyn Store,
    pub(super) provenance: Provenance,
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
        let split = as_rows(&prepared.dataset.split_to_train(self.at));
        let training = split.training(&prepared.examples)?;
        let models = safra_learn::fit_all(&learners, &training, context.project.settings.seed)?;
        let progress = self.context.progress(learners.len(), "train");
        let mut version = None;
        for (learner, model) in learners.iter().zip(models) {
            let made = self.log_learner(
                &experiment.experiment_id,
                &whole,
                (learner.as_ref(), model),
                &split.train,
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
            (text(MODEL_ID), made.model_id.clone()),
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
