//! Scores of a cohort by the champion, with their reasons, in the lake.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow::compute::take_record_batch;
use arrow::datatypes::{DataType, Field, FieldRef, Schema};
use chrono::NaiveDate;
use safra_dataset::Dataset;
use safra_features::REFERENCE_DATE;
use safra_lake::{Folder, Replace, Values};
use safra_learn::{Contributions, FeatureValue, Model};
use safra_mlflow::ModelVersion;
use safra_project::Problem;

use super::model::{self, CHAMPION};
use super::prepared::Prepared;
use crate::context::{Context, now_millis};
use crate::error::SafraError;

/// Reasons kept with each score.
const REASONS: usize = 3;

/// A cohort, or events, with their scores.
pub struct Scored {
    /// The champion that made them.
    pub version: ModelVersion,
    /// The model.
    pub model: Box<dyn Model>,
    /// The cohort, or the events.
    pub prepared: Prepared,
    /// The reference date; where rows are events, the day before which they happened.
    pub date: NaiveDate,
    /// Probability of a positive label, row by row.
    pub scores: Vec<f64>,
    /// What each feature adds to the log odds.
    pub contributions: Contributions,
}

/// A reason of a score.
pub struct NamedReason {
    /// The feature.
    pub feature: String,
    /// Its value.
    pub value: ReasonValue,
    /// Whether it raises the score.
    pub raises: bool,
}

/// The value of a feature that is a reason.
#[derive(Debug, Clone, PartialEq)]
pub enum ReasonValue {
    /// There is none.
    Missing,
    /// A number.
    Number(f64),
    /// A category.
    Text(String),
}

impl From<FeatureValue<'_>> for ReasonValue {
    fn from(value: FeatureValue<'_>) -> Self {
        match value {
            FeatureValue::Missing => Self::Missing,
            FeatureValue::Number(number) => Self::Number(number),
            FeatureValue::Category(text) => Self::Text(text.to_owned()),
        }
    }
}

/// Scores what there is to be scored at a date with the champion: the cohort of that date, or the events that are open then.
pub async fn score(
    context: &Context,
    problem: &Problem,
    at: Option<NaiveDate>,
) -> Result<Scored, SafraError> {
    let (version, model) = champion(context, problem)?;
    let date = asked_or_last(context, problem, at).await?;
    let prepared = Prepared::cohort(context, problem, date).await?;
    Scored::of(version, model, date, prepared)
}

/// Scores those whom the champion is held against at a date: the cohort of that date, or all events of the period before it.
pub async fn score_population(
    context: &Context,
    problem: &Problem,
    at: Option<NaiveDate>,
) -> Result<Scored, SafraError> {
    let (version, model) = champion(context, problem)?;
    let date = asked_or_last(context, problem, at).await?;
    let prepared = Prepared::population(context, problem, date).await?;
    Scored::of(version, model, date, prepared)
}

fn champion(
    context: &Context,
    problem: &Problem,
) -> Result<(ModelVersion, Box<dyn Model>), SafraError> {
    let store = context.store()?;
    let name = context.model_name(problem);
    let champion = match store.get_registered_model(&name)? {
        Some(_) => store.get_model_version_by_alias(&name, CHAMPION)?,
        None => None,
    };
    let version = champion.ok_or_else(|| {
        SafraError::Usage(format!(
            "{name}: there is no champion\nhint: `safra train {0}` trains a model and `safra promote {0}` makes it champion",
            problem.name
        ))
    })?;
    let model = model::load(store.as_ref(), &version)?;
    Ok((version, model))
}

/// The date asked for, else the last date of the cadence in the data; where rows are events, its end, before which all events
/// are seen.
async fn asked_or_last(
    context: &Context,
    problem: &Problem,
    at: Option<NaiveDate>,
) -> Result<NaiveDate, SafraError> {
    if let Some(date) = at {
        return Ok(date);
    }
    if problem.time.is_event() {
        return Ok(Dataset::data_end_of(&context.lake, &context.project, problem).await?);
    }
    let dates = Dataset::dates_of(&context.lake, &context.project, problem).await?;
    dates.last().copied().ok_or_else(|| {
        SafraError::Usage(format!(
            "{}: the data ends before the first reference date",
            problem.name
        ))
    })
}

impl Scored {
    fn of(
        version: ModelVersion,
        model: Box<dyn Model>,
        date: NaiveDate,
        prepared: Prepared,
    ) -> Result<Self, SafraError> {
        let rows = prepared.examples.all();
        let scores = model.predict(&rows)?;
        let contributions = model.contributions(&rows)?;
        Ok(Self {
            version,
            model,
            date,
            scores,
            contributions,
            prepared,
        })
    }

    /// In words, that there is nobody to score.
    pub fn nobody(&self, problem: &Problem) -> String {
        match problem.time.is_event() {
            true => format!("no event before {} is still open", self.date),
            false => format!("nobody is asked about on {}", self.date),
        }
    }

    /// Rows from the highest score to the lowest; rows with equal scores keep the order of their entities.
    pub fn ranking(&self) -> Vec<usize> {
        let mut rows: Vec<usize> = (0..self.scores.len()).collect();
        rows.sort_by(|&a, &b| self.scores[b].total_cmp(&self.scores[a]).then(a.cmp(&b)));
        rows
    }

    /// What moved the score of a row most.
    pub fn reasons(&self, row: usize) -> Vec<NamedReason> {
        self.contributions
            .top(row, REASONS)
            .into_iter()
            .map(|reason| {
                let column = self.prepared.examples.feature(&reason.feature);
                NamedReason {
                    value: column.map_or(ReasonValue::Missing, |column| column.value(row).into()),
                    raises: reason.contribution > 0.0,
                    feature: reason.feature,
                }
            })
            .collect()
    }

    /// Writes the scores to `predictions/<problem>`, in place of those of the same date and model.
    pub async fn write(&self, context: &Context, problem: &Problem) -> Result<u64, SafraError> {
        let table = context.lake.table(Folder::Predictions, &problem.name);
        let rows = self
            .as_batch(problem)
            .map_err(|source| safra_lake::LakeError::Arrow {
                table: table.name().to_owned(),
                source,
            })?;
        let replace = Replace::Where(vec![
            (
                REFERENCE_DATE.to_owned(),
                Values::Dates(BTreeSet::from([self.date.to_epoch_days()])),
            ),
            (
                "model".to_owned(),
                Values::Texts(BTreeSet::from([self.version.name.clone()])),
            ),
        ]);
        let schema = rows.schema();
        Ok(table
            .write(schema, &[rows], &replace, HashMap::new())
            .await?)
    }

    fn as_batch(&self, problem: &Problem) -> Result<RecordBatch, arrow::error::ArrowError> {
        let cohort = self.prepared.dataset.rows();
        let mut fields: Vec<FieldRef> = Vec::new();
        let mut columns: Vec<ArrayRef> = Vec::new();
        let entity = problem.entity.iter().map(String::as_str);
        for name in entity.chain([problem.time.column()]) {
            let index = cohort.schema_ref().index_of(name)?;
            fields.push(cohort.schema_ref().fields()[index].clone());
            columns.push(cohort.column(index).clone());
        }
        let length = self.scores.len();
        if problem.time.is_event() {
            fields.push(Arc::new(Field::new(REFERENCE_DATE, DataType::Date32, true)));
            let dates = vec![self.date.to_epoch_days(); length];
            columns.push(Arc::new(Date32Array::from(dates)));
        }
        let mut add = |name: &str, values: ArrayRef| {
            fields.push(Arc::new(Field::new(name, values.data_type().clone(), true)));
            columns.push(values);
        };
        let scored_at = TimestampMicrosecondArray::from(vec![now_millis() * 1_000; length]);
        add("score", Arc::new(Float64Array::from(self.scores.clone())));
        add(
            "model",
            Arc::new(StringArray::from(vec![self.version.name.as_str(); length])),
        );
        add(
            "model_version",
            Arc::new(Int64Array::from(vec![
                i64::from(self.version.version);
                length
            ])),
        );
        add(
            "scored_at",
            arrow::compute::cast(
                &scored_at,
                &DataType::Timestamp(arrow::datatypes::TimeUnit::Microsecond, None),
            )?,
        );
        for k in 0..REASONS {
            let texts: StringArray = (0..length)
                .map(|row| {
                    self.reasons(row)
                        .get(k)
                        .map(|reason| reason.text(&problem.score))
                })
                .collect();
            add(&format!("reason_{}", k + 1), Arc::new(texts));
        }
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?;
        let order = self.ranking().into_iter().map(|row| row as u32);
        take_record_batch(&batch, &arrow::array::UInt32Array::from_iter_values(order))
    }
}

impl NamedReason {
    /// In words, such as `days since last order: 41 (raises the risk)`, when the score is called a risk.
    pub fn text(&self, score: &str) -> String {
        let value = match &self.value {
            ReasonValue::Missing => "missing".to_owned(),
            ReasonValue::Number(number) => round(*number).to_string(),
            ReasonValue::Text(text) => text.clone(),
        };
        let effect = if self.raises { "raises" } else { "lowers" };
        format!("{}: {value} ({effect} the {score})", words(&self.feature))
    }
}

/// Three digits behind the point are enough for people, and three significant ones below.
fn round(value: f64) -> f64 {
    match value.abs() < 0.1 {
        true => format!("{value:.2e}").parse().unwrap_or(value),
        false => (value * 1_000.0).round() / 1_000.0,
    }
}

/// The name of a feature in words, its window behind it: `avg_ticket_6mo` is "avg ticket (6 months)", and a window of all days is not said.
fn words(feature: &str) -> String {
    let (name, window) = match feature.rsplit_once('_') {
        Some((name, "all")) => (name, String::new()),
        Some((name, window)) if is_window(window) => (name, format!(" ({})", in_words(window))),
        _ => (feature, String::new()),
    };
    format!("{}{window}", name.replace('_', " "))
}

/// The units of windows, and what they are called.
const UNITS: [(&str, &str); 4] = [("mo", "month"), ("d", "day"), ("w", "week"), ("y", "year")];

fn split_window(window: &str) -> Option<(u32, &'static str)> {
    UNITS.iter().find_map(|(unit, word)| {
        let number = window.strip_suffix(unit)?.parse().ok()?;
        Some((number, *word))
    })
}

fn is_window(window: &str) -> bool {
    split_window(window).is_some()
}

fn in_words(window: &str) -> String {
    match split_window(window) {
        Some((1, word)) => format!("1 {word}"),
        Some((number, word)) => format!("{number} {word}s"),
        None => window.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(feature: &str, value: ReasonValue, raises: bool) -> String {
        let reason = NamedReason {
            feature: feature.to_owned(),
            value,
            raises,
        };
        reason.text("risk")
    }

    #[test]
    fn reasons_are_sentences_people_can_read() {
        let number = ReasonValue::Number;
        assert_eq!(
            text("days_since_last_order_all", number(41.0), true),
            "days since last order: 41 (raises the risk)"
        );
        assert_eq!(
            text("avg_ticket_6mo", number(12.345_67), false),
            "avg ticket (6 months): 12.346 (lowers the risk)"
        );
        assert_eq!(
            text("share_late_1d", number(0.000_123_4), false),
            "share late (1 day): 0.000123 (lowers the risk)"
        );
        assert_eq!(
            text("seller_state", ReasonValue::Text("sp".to_owned()), true),
            "seller state: sp (raises the risk)"
        );
        assert_eq!(
            text("overall", ReasonValue::Missing, true),
            "overall: missing (raises the risk)"
        );
    }
}
