//! Whether a champion can still be trusted: its features and scores today against those it was made with, and what it
//! promised against what happened.

mod outcomes;

use chrono::NaiveDate;
use safra_learn::{Drift, Interval, Metric, drift, score_drift};
use safra_mlflow::ModelVersion;
use safra_project::{MonitorSpec, Problem};
use serde::Serialize;

use self::outcomes::outcomes;
use super::prepared::{Prepared, metric};
use super::scoring::{Scored, score_population};
use super::training::{LEARNER, TRAINED_AT, stored_evaluation};
use crate::context::Context;
use crate::error::SafraError;

/// What was found.
#[derive(Debug, Serialize)]
pub struct Monitoring {
    /// The problem.
    pub problem: String,
    /// The registered model.
    pub model: String,
    /// The champion's version.
    pub model_version: u32,
    /// The day as of which it was trained.
    pub trained_at: NaiveDate,
    /// Rows it was trained on.
    pub train_rows: usize,
    /// The date whose cohort is compared with them; where rows are events, the date before which their period ends.
    pub reference_date: NaiveDate,
    /// Rows of that cohort or period.
    pub rows: usize,
    /// The scores of that cohort, against those by which the champion was judged.
    pub score: Drift,
    /// The features, from the one that moved most.
    pub features: Vec<FeatureDrift>,
    /// Past predictions whose labels are settled, by date and version.
    pub outcomes: Vec<Outcome>,
    /// What is beyond the thresholds of the problem, in words.
    pub alarms: Vec<String>,
}

/// A feature that may have moved.
#[derive(Debug, Serialize)]
pub struct FeatureDrift {
    /// How far.
    #[serde(flatten)]
    pub drift: Drift,
    /// Its place among the features of the champion by importance, from 1.
    pub importance_rank: usize,
}

/// What a version promised, and what happened.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The date that was predicted; where rows are events, the first day of their period.
    pub predicted: NaiveDate,
    /// The version that predicted it.
    pub model_version: u32,
    /// Rows.
    pub rows: usize,
    /// Rows that turned out positive.
    pub positives: usize,
    /// The mean of their scores.
    pub mean_score: f64,
    /// The metric of the problem over its backtest.
    pub promised: Option<f64>,
    /// The same metric on these rows, with its interval at 95 %; none if it is not defined on them.
    pub real: Option<Interval>,
}

/// Compares the cohort of a date (by default the last), or the events of the period before it, with what the champion was made with, and past predictions with
/// what happened.
pub async fn monitor(
    context: &Context,
    problem: &Problem,
    at: Option<NaiveDate>,
) -> Result<Monitoring, SafraError> {
    let scored = score_population(context, problem, at).await?;
    if scored.scores.is_empty() {
        return Err(SafraError::Usage(format!(
            "{}: {}, so there is nothing to compare",
            problem.name,
            scored.nobody(problem)
        )));
    }
    let trained_at = trained_at(&scored.version)?;
    let training = Prepared::training(context, problem).await?;
    let outcomes = outcomes(context, problem, &training.dataset, &scored.version).await?;
    let training = training.known_by(trained_at)?;
    let rows = training.dataset.training_rows(trained_at);
    let judged = judged_scores(context, &scored.version)?;
    let mut found = Monitoring {
        problem: problem.name.clone(),
        model: scored.version.name.clone(),
        model_version: scored.version.version,
        trained_at,
        train_rows: rows.len(),
        reference_date: scored.date,
        rows: scored.scores.len(),
        score: score_drift(&judged, &scored.scores)?,
        features: features(&training, &rows, &scored)?,
        outcomes,
        alarms: Vec::new(),
    };
    found.alarms = alarms(&found, &problem.monitor, metric(problem)?);
    Ok(found)
}

/// The day as of which a version was trained.
fn trained_at(version: &ModelVersion) -> Result<NaiveDate, SafraError> {
    let tag = version.tags.get(TRAINED_AT);
    tag.and_then(|day| day.parse().ok())
        .ok_or_else(|| SafraError::Registry {
            model: version.name.clone(),
            version: version.version,
            message: format!("its tag {TRAINED_AT} names no day; it was not trained by safra"),
        })
}

/// The scores of the backtest: those of training rows would be too sure of themselves.
fn judged_scores(context: &Context, version: &ModelVersion) -> Result<Vec<f64>, SafraError> {
    let evaluation = stored_evaluation(context.store()?.as_ref(), version)?;
    let folds = evaluation.folds_of(learner(version));
    Ok(folds
        .flat_map(|fold| fold.rows.iter().map(|row| row.score))
        .collect())
}

fn learner(version: &ModelVersion) -> &str {
    version.tags.get(LEARNER).map_or("", String::as_str)
}

fn features(
    training: &Prepared,
    rows: &[usize],
    scored: &Scored,
) -> Result<Vec<FeatureDrift>, SafraError> {
    let mut importance = scored.model.importance()?;
    importance.sort_by(|a, b| {
        b.importance
            .total_cmp(&a.importance)
            .then_with(|| a.feature.cmp(&b.feature))
    });
    let names: Vec<String> = importance.into_iter().map(|held| held.feature).collect();
    let reference = training.examples.rows(rows)?;
    let current = scored.prepared.examples.all();
    let mut found: Vec<FeatureDrift> = drift(&reference, &current, &names)?
        .into_iter()
        .zip(1..)
        .map(|(drift, importance_rank)| FeatureDrift {
            drift,
            importance_rank,
        })
        .collect();
    found.sort_by(|a, b| {
        b.drift
            .psi
            .total_cmp(&a.drift.psi)
            .then(a.importance_rank.cmp(&b.importance_rank))
    });
    Ok(found)
}

fn alarms(found: &Monitoring, limits: &MonitorSpec, metric: Metric) -> Vec<String> {
    let moved = |drift: &Drift| drift.psi > limits.psi && drift.psi > drift.chance;
    let mut alarms = Vec::new();
    if moved(&found.score) {
        alarms.push(format!(
            "the scores have moved: stability index {:.3}, at most {} is allowed",
            found.score.psi, limits.psi
        ));
    }
    let important = found
        .features
        .iter()
        .filter(|feature| feature.importance_rank <= limits.features && moved(&feature.drift));
    for feature in important {
        alarms.push(format!(
            "{} has moved: stability index {:.3}, at most {} is allowed; it is number {} by importance",
            feature.drift.feature, feature.drift.psi, limits.psi, feature.importance_rank
        ));
    }
    for outcome in &found.outcomes {
        let (Some(promised), Some(real)) = (outcome.promised, outcome.real) else {
            continue;
        };
        let worse = match metric.higher_is_better() {
            true => (promised - real.estimate > limits.drop) && real.upper < promised,
            false => (real.estimate - promised > limits.drop) && real.lower > promised,
        };
        if worse {
            alarms.push(format!(
                "version {} promised {} {promised:.4} and had {:.4} [{:.4}, {:.4}] on {}",
                outcome.model_version,
                metric.name(),
                real.estimate,
                real.lower,
                real.upper,
                outcome.predicted
            ));
        }
    }
    alarms
}
