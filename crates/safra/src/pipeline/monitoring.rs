//! Whether a champion can still be trusted: its features and scores today against those it was made with, and what it
//! promised against what happened.

use std::collections::{BTreeMap, HashMap};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use arrow::error::ArrowError;
use arrow::util::display::array_value_to_string;
use chrono::NaiveDate;
use safra_dataset::Dataset;
use safra_features::REFERENCE_DATE;
use safra_lake::{Folder, LakeError};
use safra_learn::{
    Drift, EvaluationRows, Interval, Metric, Metrics, Resampling, confidence_interval, drift,
    score_drift,
};
use safra_mlflow::ModelVersion;
use safra_project::{MonitorSpec, Problem};
use serde::Serialize;

use super::prepared::{Prepared, metric};
use super::scoring::{Scored, score};
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
    /// The date whose cohort is compared with them.
    pub reference_date: NaiveDate,
    /// Rows of that cohort.
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
    /// The date that was predicted; the month, where rows have a time of their own.
    pub predicted: String,
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

/// Compares the cohort of a date (by default the last) with what the champion was made with, and past predictions with
/// what happened.
pub async fn monitor(
    context: &Context,
    problem: &Problem,
    at: Option<NaiveDate>,
) -> Result<Monitoring, SafraError> {
    let scored = score(context, problem, at).await?;
    if scored.scores.is_empty() {
        return Err(SafraError::Usage(format!(
            "{}: nobody is asked about on {}, so there is nothing to compare",
            problem.name, scored.date
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

/// Past predictions, beside the labels that have become certain since.
async fn outcomes(
    context: &Context,
    problem: &Problem,
    dataset: &Dataset,
    champion: &ModelVersion,
) -> Result<Vec<Outcome>, SafraError> {
    let table = context.lake.table(Folder::Predictions, &problem.name);
    let Some(snapshot) = table.snapshot().await? else {
        return Ok(Vec::new());
    };
    let failed = |source| LakeError::Arrow {
        table: table.name().to_owned(),
        source,
    };
    let store = context.store()?;
    let versions: BTreeMap<u32, ModelVersion> = store
        .list_model_versions(&champion.name)?
        .into_iter()
        .map(|version| (version.version, version))
        .collect();
    let mut made = Predictions::new();
    for batch in snapshot.read(None)? {
        predictions(problem, &batch, &versions, &mut made).map_err(failed)?;
    }
    let labels = settled(problem, dataset).map_err(failed)?;
    let mut found = Vec::new();
    for ((predicted, number), rows) in made {
        let labelled: Option<Vec<Labelled<'_>>> = rows
            .iter()
            .map(|row| Some((labels.get(&row.key).copied().flatten()?, row)))
            .collect();
        // Rows whose labels are certain early are not like the others, so a date is judged when all are.
        let (Some(labelled), Some(version)) = (labelled, versions.get(&number)) else {
            continue;
        };
        let evaluation = stored_evaluation(store.as_ref(), version)?;
        let promised = evaluation.means(learner(version))?.get(metric(problem)?);
        let real = real(context, problem, &labelled)?;
        found.push(outcome(predicted, number, &labelled, promised, real));
    }
    Ok(found)
}

/// A past prediction.
struct Prediction {
    /// Whom it is about, and when.
    key: String,
    entity: String,
    score: f64,
}

/// What happened, beside the prediction.
type Labelled<'a> = (bool, &'a Prediction);

/// Predictions by when they are about and version.
type Predictions = BTreeMap<(String, u32), Vec<Prediction>>;

/// Adds the predictions that were made without having seen what would judge them: by versions of the champion's model
/// that were trained no later than the row was asked about.
fn predictions(
    problem: &Problem,
    rows: &RecordBatch,
    versions: &BTreeMap<u32, ModelVersion>,
    made: &mut Predictions,
) -> Result<(), ArrowError> {
    let schema = rows.schema_ref();
    let time = rows.column(schema.index_of(time_column(rows))?);
    let scores = rows
        .column(schema.index_of("score")?)
        .as_primitive::<Float64Type>();
    let numbers = cast(
        rows.column(schema.index_of("model_version")?),
        &DataType::Int64,
    )?;
    let numbers = numbers.as_primitive::<Int64Type>();
    let models = cast(rows.column(schema.index_of("model")?), &DataType::Utf8)?;
    for row in 0..rows.num_rows() {
        let number = u32::try_from(numbers.value(row)).unwrap_or_default();
        let moment = array_value_to_string(time, row)?;
        let day: Option<NaiveDate> = moment.get(..10).and_then(|day| day.parse().ok());
        let blind = versions.get(&number).is_some_and(|version| {
            version.name == models.as_string::<i32>().value(row)
                && trained_at(version).is_ok_and(|trained| day.is_some_and(|day| trained <= day))
        });
        if blind && scores.is_valid(row) {
            let entity = entity(problem, rows, row)?;
            let prediction = Prediction {
                key: format!("{entity} {moment}"),
                entity,
                score: scores.value(row),
            };
            let period = moment.get(..shown_of(rows)).unwrap_or(&moment).to_owned();
            made.entry((period, number)).or_default().push(prediction);
        }
    }
    Ok(())
}

/// Rows with a time of their own are judged month by month, others date by date: how much of the time tells which.
fn shown_of(rows: &RecordBatch) -> usize {
    match time_column(rows) {
        REFERENCE_DATE => "2018-01-01".len(),
        _ => "2018-01".len(),
    }
}

/// The labels of the training set by key of the row.
fn settled(
    problem: &Problem,
    dataset: &Dataset,
) -> Result<HashMap<String, Option<bool>>, ArrowError> {
    let rows = dataset.rows();
    let time = rows.column(rows.schema_ref().index_of(time_column(rows))?);
    (0..dataset.len())
        .map(|row| {
            let moment = array_value_to_string(time, row)?;
            let entity = entity(problem, rows, row)?;
            Ok((format!("{entity} {moment}"), dataset.label(row)))
        })
        .collect()
}

/// The column that says when a row was asked about.
fn time_column(rows: &RecordBatch) -> &'static str {
    match rows.column_by_name("reference_time") {
        Some(_) => "reference_time",
        None => REFERENCE_DATE,
    }
}

fn entity(problem: &Problem, rows: &RecordBatch, row: usize) -> Result<String, ArrowError> {
    let parts = problem.entity.iter().map(|name| {
        let column = rows.column(rows.schema_ref().index_of(name)?);
        array_value_to_string(column, row)
    });
    Ok(parts.collect::<Result<Vec<_>, _>>()?.join(" "))
}

/// The metric of the problem on these rows; none if it is not defined on them.
fn real(
    context: &Context,
    problem: &Problem,
    rows: &[Labelled<'_>],
) -> Result<Option<Interval>, SafraError> {
    let labels: Vec<bool> = rows.iter().map(|(label, _)| *label).collect();
    let scores: Vec<f64> = rows.iter().map(|(_, row)| row.score).collect();
    let metric = metric(problem)?;
    if Metrics::of(&safra_learn::Scored::new(&labels, &scores)?)
        .get(metric)
        .is_none()
    {
        return Ok(None);
    }
    let mut numbers: HashMap<&str, u64> = HashMap::new();
    let groups: Vec<u64> = rows
        .iter()
        .map(|(_, row)| {
            let next = numbers.len() as u64;
            *numbers.entry(&row.entity).or_insert(next)
        })
        .collect();
    let evaluated = EvaluationRows {
        labels: &labels,
        dates: &vec![0; labels.len()],
        groups: &groups,
    };
    let resampling = Resampling {
        metric,
        seed: context.project.settings.seed,
        ..Resampling::default()
    };
    Ok(Some(confidence_interval(&evaluated, &scores, &resampling)?))
}

fn outcome(
    predicted: String,
    model_version: u32,
    rows: &[Labelled<'_>],
    promised: Option<f64>,
    real: Option<Interval>,
) -> Outcome {
    let scores: f64 = rows.iter().map(|(_, row)| row.score).sum();
    Outcome {
        predicted,
        model_version,
        rows: rows.len(),
        positives: rows.iter().filter(|(label, _)| *label).count(),
        mean_score: scores / rows.len() as f64,
        promised,
        real,
    }
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
