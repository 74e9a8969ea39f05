//! What became of past predictions.

use std::collections::{BTreeMap, HashMap};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type, Float64Type, Int64Type};
use arrow::error::ArrowError;
use arrow::util::display::array_value_to_string;
use chrono::NaiveDate;
use safra_dataset::Dataset;
use safra_features::REFERENCE_DATE;
use safra_lake::{Folder, LakeError};
use safra_learn::{EvaluationRows, Interval, Metrics, Resampling, confidence_interval};
use safra_mlflow::ModelVersion;
use safra_project::{Cadence, Problem};

use super::{Outcome, learner, trained_at};
use crate::context::Context;
use crate::error::SafraError;
use crate::pipeline::prepared::metric;
use crate::pipeline::training::stored_evaluation;

/// A period of events is judged when this share of them was predicted, and this share of what was predicted is settled:
/// events of which only some were predicted, or only some are settled, are not like the others.
const SHARE_OF_EVENTS: f64 = 0.95;

/// Past predictions, beside the labels that have become certain since.
pub(super) async fn outcomes(
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
        add_predictions(problem, &batch, &versions, &mut made).map_err(failed)?;
    }
    let truth = Truth::of(problem, dataset).map_err(failed)?;
    let mut found = Vec::new();
    for ((predicted, number), rows) in made {
        let (Some(labelled), Some(version)) =
            (truth.beside(predicted, &rows), versions.get(&number))
        else {
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
    entity: String,
    score: f64,
    /// The date at which it was asked for.
    asked: i32,
}

/// What happened, beside the prediction.
type Labelled<'a> = (bool, &'a Prediction);

/// Predictions by the date or period that they are about and version, each by its row. Of several about the same event, the
/// first.
type Predictions = BTreeMap<(NaiveDate, u32), BTreeMap<String, Prediction>>;

/// Adds the predictions that were made without having seen what would judge them: by versions of the champion's model
/// that were trained no later than the row was asked about.
fn add_predictions(
    problem: &Problem,
    rows: &RecordBatch,
    versions: &BTreeMap<u32, ModelVersion>,
    made: &mut Predictions,
) -> Result<(), ArrowError> {
    let schema = rows.schema_ref();
    let column = |name: &str| Ok::<_, ArrowError>(rows.column(schema.index_of(name)?));
    let scores = column("score")?.as_primitive::<Float64Type>();
    let numbers = cast(column("model_version")?, &DataType::Int64)?;
    let numbers = numbers.as_primitive::<Int64Type>();
    let models = cast(column("model")?, &DataType::Utf8)?;
    let asked = column(REFERENCE_DATE)?.as_primitive::<Date32Type>();
    for row in 0..rows.num_rows() {
        let number = u32::try_from(numbers.value(row)).unwrap_or_default();
        let Some(Row { key, day, entity }) = Row::of(problem, rows, row)? else {
            continue;
        };
        let blind = versions.get(&number).is_some_and(|version| {
            version.name == models.as_string::<i32>().value(row)
                && trained_at(version).is_ok_and(|trained| trained <= day)
        });
        if !blind || !scores.is_valid(row) {
            continue;
        }
        let prediction = Prediction {
            entity,
            score: scores.value(row),
            asked: asked.value(row),
        };
        let rows = made.entry((period(problem, day), number)).or_default();
        let is_first = rows
            .get(&key)
            .is_none_or(|held| prediction.asked < held.asked);
        if is_first {
            rows.insert(key, prediction);
        }
    }
    Ok(())
}

/// Whom a row is about, and when.
struct Row {
    key: String,
    day: NaiveDate,
    entity: String,
}

impl Row {
    /// `None` for a row without a time.
    fn of(problem: &Problem, rows: &RecordBatch, row: usize) -> Result<Option<Self>, ArrowError> {
        let text = |name: &str| {
            let column = rows.column(rows.schema_ref().index_of(name)?);
            array_value_to_string(column, row)
        };
        let moment = text(problem.time.column())?;
        let parts = problem.entity.iter().map(|name| text(name));
        let entity = parts.collect::<Result<Vec<_>, _>>()?.join(" ");
        let day = moment.get(..10).and_then(|day| day.parse().ok());
        Ok(day.map(|day| Self {
            key: format!("{entity} {moment}"),
            day,
            entity,
        }))
    }
}

/// Events are judged period by period, others date by date.
fn period(problem: &Problem, day: NaiveDate) -> NaiveDate {
    let cadence = match problem.time.is_event() {
        true => problem.cadence,
        false => Cadence::Day,
    };
    let start = day.succ_opt().and_then(|next| cadence.before(next));
    start.unwrap_or(day)
}

/// What happened.
struct Truth {
    /// The labels of the training set by row, as far as they are settled.
    labels: HashMap<String, Option<bool>>,
    /// How many events there are in each period that is over; none where rows are asked about on dates.
    events: Option<BTreeMap<NaiveDate, usize>>,
}

impl Truth {
    fn of(problem: &Problem, dataset: &Dataset) -> Result<Self, ArrowError> {
        let mut labels = HashMap::new();
        for row in 0..dataset.len() {
            if let Some(found) = Row::of(problem, dataset.rows(), row)? {
                labels.insert(found.key, dataset.label(row));
            }
        }
        let is_over = |start: &&NaiveDate| {
            let end = problem.cadence.after(**start);
            end.is_some_and(|end| end <= dataset.data_end())
        };
        let periods = dataset.dates().iter().filter(is_over);
        let events = periods.map(|&start| (start, dataset.rows_at(start).len()));
        Ok(Self {
            labels,
            events: problem.time.is_event().then(|| events.collect()),
        })
    }

    /// The predictions of a date beside their labels; `None` when these do not judge them yet. Labels that are certain early are
    /// not like the others, so a date is judged when all are.
    fn beside<'a>(
        &self,
        predicted: NaiveDate,
        rows: &'a BTreeMap<String, Prediction>,
    ) -> Option<Vec<Labelled<'a>>> {
        let label = |key: &String| self.labels.get(key).copied().flatten();
        let labelled: Vec<Labelled<'a>> = rows
            .iter()
            .filter_map(|(key, row)| Some((label(key)?, row)))
            .collect();
        let is_enough = |part: usize, whole: usize| part as f64 >= SHARE_OF_EVENTS * whole as f64;
        let judges = match &self.events {
            None => labelled.len() == rows.len(),
            Some(events) => events.get(&predicted).is_some_and(|&events| {
                is_enough(rows.len(), events) && is_enough(labelled.len(), rows.len())
            }),
        };
        judges.then_some(labelled)
    }
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
    predicted: NaiveDate,
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
