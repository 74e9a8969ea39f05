//! A data file of a table, and its pieces, of which nothing is read but what is asked for.

use std::fs::File;
use std::path::{Path, PathBuf};

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow::compute::concat_batches;
use arrow::datatypes::{FieldRef, Schema};
use chrono::NaiveDate;
use deltalake_core::kernel::Remove;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection,
};
use parquet::errors::ParquetError;
use parquet::file::metadata::PageIndexPolicy;
use rayon::prelude::*;
use serde_json::Value;

use crate::{LakeError, Values, stats};

/// Columns that one thread decodes in one go.
const COLUMNS_AT_ONCE: usize = 8;

/// A data file of a table.
pub(crate) struct DataFile {
    /// Folder and name of the table.
    pub table: String,
    /// Path on disk.
    pub path: PathBuf,
    pub rows: usize,
    /// When it was written, in milliseconds since 1970-01-01 UTC.
    pub written: i64,
    /// Smallest and largest values by column, as the JSON of the Delta log.
    pub stats: Option<String>,
    /// What removes it from the table.
    pub remove: Remove,
}

/// A piece of a table: some consecutive rows of a data file, which are stored together.
#[derive(Debug, Clone)]
pub struct Piece {
    table: String,
    path: PathBuf,
    metadata: ArrowReaderMetadata,
    row_group: usize,
}

impl DataFile {
    /// Whether the file may hold a row that meets the conditions, by the dates that the log says it spans.
    pub(crate) fn may_hold(&self, conditions: &[(String, Values)]) -> bool {
        let stats: Option<Value> = self
            .stats
            .as_ref()
            .and_then(|stats| serde_json::from_str(stats).ok());
        let Some(stats) = stats else { return true };
        let day = |bound: &str, column: &str| {
            // Of a timestamp, the day.
            let text = stats.get(bound)?.get(column)?.as_str()?.get(..10)?;
            let date: NaiveDate = text.parse().ok()?;
            Some(date.to_epoch_days())
        };
        conditions.iter().all(|(column, values)| {
            match (day("minValues", column), day("maxValues", column)) {
                (Some(first), Some(last)) => values.may_be_in(first, last),
                _ => true,
            }
        })
    }

    /// The pieces of the file that may hold a row that meets the conditions, in order.
    pub(crate) fn pieces(&self, conditions: &[(String, Values)]) -> Result<Vec<Piece>, LakeError> {
        let file = File::open(&self.path).map_err(|e| LakeError::io(&self.path, e))?;
        let options = ArrowReaderOptions::new().with_offset_index_policy(PageIndexPolicy::Optional);
        let metadata = ArrowReaderMetadata::load(&file, options)
            .map_err(|source| parquet_error(&self.table, &self.path, source))?;
        let pieces = (0..metadata.metadata().num_row_groups()).map(|row_group| Piece {
            table: self.table.clone(),
            path: self.path.clone(),
            metadata: metadata.clone(),
            row_group,
        });
        Ok(pieces.filter(|piece| piece.may_hold(conditions)).collect())
    }
}

impl Piece {
    /// Number of its rows.
    pub fn rows(&self) -> usize {
        self.metadata
            .metadata()
            .row_group(self.row_group)
            .num_rows() as usize
    }

    /// These columns of the rows that `keep` marks (of all rows when `None`), in the order of the rows.
    ///
    /// # Errors
    /// [`LakeError`] names the table and the file or column at fault.
    pub fn read(
        &self,
        columns: &[&str],
        keep: Option<&BooleanArray>,
    ) -> Result<RecordBatch, LakeError> {
        let schema = self.metadata.schema();
        let position = |name: &&str| {
            schema.index_of(name).map_err(|_| LakeError::NoSuchColumn {
                table: self.table.clone(),
                column: (*name).to_owned(),
            })
        };
        let mut wanted: Vec<usize> = columns.iter().map(position).collect::<Result<_, _>>()?;
        let places = wanted.clone();
        wanted.sort_unstable();
        wanted.dedup();
        let parts: Vec<RecordBatch> = wanted
            .par_chunks(COLUMNS_AT_ONCE)
            .map(|columns| self.decode(columns, keep))
            .collect::<Result<_, _>>()?;
        let read: Vec<&ArrayRef> = parts.iter().flat_map(RecordBatch::columns).collect();
        let of_column = |place: &usize| {
            let index = wanted.binary_search(place).unwrap_or_default();
            (schema.field(*place).clone(), ArrayRef::clone(read[index]))
        };
        let (fields, arrays): (Vec<_>, Vec<_>) = places.iter().map(of_column).unzip();
        let rows = keep.map_or_else(|| self.rows(), BooleanArray::true_count);
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let schema = Schema::new(fields.into_iter().map(FieldRef::new).collect::<Vec<_>>());
        RecordBatch::try_new_with_options(schema.into(), arrays, &options)
            .map_err(|e| self.arrow(e))
    }

    /// The last day since 1970-01-01 on which a column has a value, if the file says so.
    pub(crate) fn last_day(&self, column: &str) -> Option<i32> {
        self.days(column).map(|(_, last)| last)
    }

    /// The days since 1970-01-01 that a column spans, if the file says so.
    fn days(&self, column: &str) -> Option<(i32, i32)> {
        let schema = self.metadata.schema();
        let position = schema.index_of(column).ok()?;
        let group = self.metadata.metadata().row_group(self.row_group);
        let statistics = group.columns().get(position)?.statistics()?;
        stats::days(schema.field(position).data_type(), statistics)
    }

    /// Whether a row may meet the conditions, by the dates that the file says the piece spans.
    fn may_hold(&self, conditions: &[(String, Values)]) -> bool {
        conditions
            .iter()
            .all(|(column, values)| match self.days(column) {
                Some((first, last)) => values.may_be_in(first, last),
                None => true,
            })
    }

    fn decode(
        &self,
        columns: &[usize],
        keep: Option<&BooleanArray>,
    ) -> Result<RecordBatch, LakeError> {
        let failed = |source| parquet_error(&self.table, &self.path, source);
        let file = File::open(&self.path).map_err(|e| LakeError::io(&self.path, e))?;
        let mut builder =
            ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.metadata.clone());
        let mask = ProjectionMask::roots(builder.parquet_schema(), columns.iter().copied());
        builder = builder
            .with_row_groups(vec![self.row_group])
            .with_projection(mask)
            .with_batch_size(self.rows().max(1));
        if let Some(keep) = keep {
            let selection = RowSelection::from_filters(std::slice::from_ref(keep));
            builder = builder.with_row_selection(selection);
        }
        let reader = builder.build().map_err(failed)?;
        let schema = arrow::array::RecordBatchReader::schema(&reader);
        let batches: Vec<RecordBatch> = reader
            .collect::<Result<_, _>>()
            .map_err(|e| self.arrow(e))?;
        match <[RecordBatch; 1]>::try_from(batches) {
            Ok([batch]) => Ok(batch),
            Err(batches) => concat_batches(&schema, &batches).map_err(|e| self.arrow(e)),
        }
    }

    fn arrow(&self, source: arrow::error::ArrowError) -> LakeError {
        LakeError::Arrow {
            table: self.table.clone(),
            source,
        }
    }
}

pub(crate) fn parquet_error(table: &str, path: &Path, source: ParquetError) -> LakeError {
    LakeError::Parquet {
        table: table.to_owned(),
        file: path.display().to_string(),
        source,
    }
}
