//! Scores of a cohort by the champion, with their reasons, in the lake.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::compute::take_record_batch;
use arrow::datatypes::{DataType, Field, FieldRef, Schema};
use chrono::NaiveDate;
use safra_dataset::Dataset;
use safra_features::REFERENCE_DATE;
use safra_lake::{Folder, Replace, Values};
use safra_learn::{Contributions, Model};
use safra_mlflow::ModelVersion;
use safra_project::Problem;

use super::model::{self, CHAMPION};
use super::prepared::Prepared;
use crate::context::{Context, now_millis};
use crate::error::SafraError;

/// Reasons kept with each score.
const REASONS: usize = 3;

/// A cohort with its scores.
pub struct Scored {
    /// The champion that made them.
    pub version: ModelVersion,
    /// The model.
    pub model: Box<dyn Model>,
    /// The cohort.
    pub prepared: Prepared,
    /// The reference date.
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
    /// Its value, if there is one.
    pub value: Option<f64>,
    /// Whether it raises the score.
    pub raises: bool,
}

/// Scores the cohort of a date with the champion.
pub async fn score(
    context: &Context,
    problem: &Problem,
    at: Option<NaiveDate>,
) -> Result<Scored, SafraError> {
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
    let date = match at {
        Some(date) => date,
        None => last_date(context, problem).await?,
    };
    let prepared = Prepared::cohort(context, problem, date).await?;
    let rows = prepared.examples.all();
    let scores = model.predict(&rows)?;
    let contributions = model.contributions(&rows)?;
    Ok(Scored {
        version,
        model,
        date,
        scores,
        contributions,
        prepared,
    })
}

async fn last_date(context: &Context, problem: &Problem) -> Result<NaiveDate, SafraError> {
    let dates = Dataset::dates_of(&context.lake, &context.project, problem).await?;
    dates.last().copied().ok_or_else(|| {
        SafraError::Usage(format!(
            "{}: the data ends before the first reference date",
            problem.name
        ))
    })
}

impl Scored {
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
            .map(|reason| NamedReason {
                value: self
                    .prepared
                    .examples
                    .column(&reason.feature)
                    .map(|column| column[row])
                    .filter(|value| value.is_finite()),
                raises: reason.contribution > 0.0,
                feature: reason.feature,
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
        for name in problem
            .entity
            .iter()
            .map(String::as_str)
            .chain([REFERENCE_DATE])
        {
            let index = cohort.schema_ref().index_of(name)?;
            fields.push(cohort.schema_ref().fields()[index].clone());
            columns.push(cohort.column(index).clone());
        }
        let length = self.scores.len();
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
                .map(|row| self.reasons(row).get(k).map(NamedReason::text))
                .collect();
            add(&format!("reason_{}", k + 1), Arc::new(texts));
        }
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?;
        let order = self.ranking().into_iter().map(|row| row as u32);
        take_record_batch(&batch, &arrow::array::UInt32Array::from_iter_values(order))
    }
}

impl NamedReason {
    /// In words, such as `days_since_last_order_all = 41 raises it`.
    pub fn text(&self) -> String {
        let value = self
            .value
            .map_or_else(|| "missing".to_owned(), |value| format!("{}", round(value)));
        let effect = if self.raises { "raises" } else { "lowers" };
        format!("{} = {value} {effect} it", self.feature)
    }
}

/// Three digits behind the point are enough for people.
fn round(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}
