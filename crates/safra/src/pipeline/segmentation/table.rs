//! The segment of every entity, in the lake.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{Field, FieldRef, Schema};
use arrow::error::ArrowError;
use safra_features::REFERENCE_DATE;
use safra_lake::{Folder, Replace, Values};
use safra_project::Segmentation;

use super::Segmented;
use crate::context::{Context, now_millis};
use crate::error::SafraError;

impl Segmented {
    /// Writes the segments to `predictions/<problem>`, in place of those of the same date and model.
    pub async fn write(
        &self,
        context: &Context,
        segmentation: &Segmentation,
    ) -> Result<u64, SafraError> {
        let table = context.lake.table(Folder::Predictions, &segmentation.name);
        let rows = self
            .as_batch(segmentation)
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
        Ok(table
            .write(rows.schema(), &[rows], &replace, HashMap::new())
            .await?)
    }

    fn as_batch(&self, segmentation: &Segmentation) -> Result<RecordBatch, ArrowError> {
        let cohort = self.cohort.dataset.rows();
        let mut fields: Vec<FieldRef> = Vec::new();
        let mut columns: Vec<ArrayRef> = Vec::new();
        for name in segmentation
            .entity
            .iter()
            .map(String::as_str)
            .chain([REFERENCE_DATE])
        {
            let index = cohort.schema_ref().index_of(name)?;
            fields.push(cohort.schema_ref().fields()[index].clone());
            columns.push(cohort.column(index).clone());
        }
        let length = self.assignments.len();
        let names: Vec<&str> = self.model.segments().collect();
        let rows = || self.assignments.iter();
        let added: [(&str, ArrayRef); 7] = [
            (
                "segment",
                Arc::new(
                    rows()
                        .map(|row| Some(row.segment as i64 + 1))
                        .collect::<Int64Array>(),
                ),
            ),
            (
                "segment_name",
                Arc::new(
                    rows()
                        .map(|row| names.get(row.segment))
                        .collect::<StringArray>(),
                ),
            ),
            (
                "distance",
                Arc::new(
                    rows()
                        .map(|row| Some(row.distance))
                        .collect::<Float64Array>(),
                ),
            ),
            (
                "probability",
                Arc::new(rows().map(|row| row.probability).collect::<Float64Array>()),
            ),
            (
                "model",
                Arc::new(StringArray::from(vec![self.version.name.as_str(); length])),
            ),
            (
                "model_version",
                Arc::new(Int64Array::from(vec![
                    i64::from(self.version.version);
                    length
                ])),
            ),
            (
                "scored_at",
                Arc::new(TimestampMicrosecondArray::from(vec![
                    now_millis() * 1_000;
                    length
                ])),
            ),
        ];
        for (name, values) in added {
            fields.push(Arc::new(Field::new(name, values.data_type().clone(), true)));
            columns.push(values);
        }
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
    }
}
