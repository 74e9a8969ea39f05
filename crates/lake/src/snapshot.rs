//! A table as of one version: reading it, and what a write keeps of it.

use std::collections::HashMap;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::{and, not};
use arrow::datatypes::{DataType, Schema, SchemaRef};
use chrono::NaiveDate;
use deltalake_core::DeltaTable;
use rayon::prelude::*;
use serde_json::Value;

use crate::data_file::DataFile;
use crate::table::Table;
use crate::{LakeError, Piece, Replace, Values, values};

/// A data file with fewer rows is written anew together with what is added.
const SMALL_FILE_ROWS: usize = 65_536;

/// A table as of one version.
#[derive(Debug)]
pub struct Snapshot {
    pub(crate) table: Table,
    pub(crate) delta: DeltaTable,
    pub(crate) schema: SchemaRef,
}

impl Snapshot {
    /// Folder and name of the table, such as `sources/orders`.
    pub fn name(&self) -> &str {
        self.table.name()
    }

    /// Version of the table, counted by its commits from 0.
    pub fn version(&self) -> u64 {
        self.delta.version().unwrap_or_default()
    }

    /// The columns.
    pub fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    /// Number of rows, from the log alone.
    ///
    /// # Errors
    /// [`LakeError::Unsupported`] when rows were deleted without rewriting their file.
    pub fn row_count(&self) -> Result<usize, LakeError> {
        Ok(self.files()?.iter().map(|file| file.rows).sum())
    }

    /// What the latest commit was given as metadata.
    ///
    /// # Errors
    /// [`LakeError::Delta`] when the log cannot be read.
    pub async fn metadata(&self) -> Result<HashMap<String, Value>, LakeError> {
        use futures::TryStreamExt;
        let history: Vec<_> = self
            .delta
            .history(Some(1))
            .try_collect()
            .await
            .map_err(|e| self.table.delta_error(e))?;
        Ok(history
            .into_iter()
            .next()
            .map(|commit| commit.info)
            .unwrap_or_default())
    }

    /// All rows of these columns (all columns when `None`), in the order in which they were written.
    ///
    /// # Errors
    /// [`LakeError`] names the table and the file or column at fault.
    pub fn read(&self, columns: Option<&[&str]>) -> Result<Vec<RecordBatch>, LakeError> {
        self.read_where(columns, &[])
    }

    /// As [`Snapshot::read`], only the rows in which every one of `conditions` holds. Files and pieces without any
    /// are not read, and of the others nothing but the rows that are returned.
    ///
    /// # Errors
    /// [`LakeError`] names the table and the file or column at fault.
    pub fn read_where(
        &self,
        columns: Option<&[&str]>,
        conditions: &[(String, Values)],
    ) -> Result<Vec<RecordBatch>, LakeError> {
        let all = self.names();
        let columns = columns.unwrap_or(&all);
        let read = |piece: &Piece| match self.matching(piece, conditions)? {
            Some(rows) if rows.true_count() == 0 => Ok(None),
            Some(rows) if rows.true_count() < rows.len() => {
                piece.read(columns, Some(&rows)).map(Some)
            }
            _ => piece.read(columns, None).map(Some),
        };
        let batches: Vec<Option<RecordBatch>> = self
            .pieces(conditions)?
            .par_iter()
            .map(read)
            .collect::<Result<_, LakeError>>()?;
        let batches = batches.into_iter().flatten();
        Ok(batches.filter(|batch| batch.num_rows() > 0).collect())
    }

    /// The pieces that may hold a row that meets the conditions, in the order in which they were written.
    ///
    /// # Errors
    /// [`LakeError`] names the table and the file at fault.
    pub fn pieces(&self, conditions: &[(String, Values)]) -> Result<Vec<Piece>, LakeError> {
        let mut pieces = Vec::new();
        for file in self.files()? {
            if file.may_hold(conditions) {
                pieces.extend(file.pieces(conditions)?);
            }
        }
        Ok(pieces)
    }

    /// The last day on which a column of dates or timestamps (in microseconds) has a value; `None` where it has none. Data files say
    /// so without being read, but for those that other tools have written without statistics.
    ///
    /// # Errors
    /// [`LakeError`] names the table and the file or column at fault.
    pub fn last_day(&self, column: &str) -> Result<Option<NaiveDate>, LakeError> {
        let mut last = None;
        for piece in self.pieces(&[])? {
            let of_piece = match piece.last_day(column) {
                Some(day) => Some(day),
                None => values::last_day(piece.read(&[column], None)?.column(0)),
            };
            last = last.max(of_piece);
        }
        Ok(last.and_then(NaiveDate::from_epoch_days))
    }

    /// The rows that stay when `replace` is replaced, or `None` when the whole file stays as it is. A small
    /// file is always written anew with the others, so that daily writes do not leave thousands of them.
    pub(crate) fn rows_to_keep(
        &self,
        file: &DataFile,
        replace: &Replace,
    ) -> Result<Option<Vec<RecordBatch>>, LakeError> {
        let Replace::Where(conditions) = replace else {
            return Ok(Some(Vec::new()));
        };
        let is_small = file.rows < SMALL_FILE_ROWS;
        if !is_small && !file.may_hold(conditions) {
            return Ok(None);
        }
        let pieces = file.pieces(&[])?;
        let replaced: Vec<Option<BooleanArray>> = pieces
            .iter()
            .map(|piece| self.matching(piece, conditions))
            .collect::<Result<_, _>>()?;
        let any =
            |rows: &Option<BooleanArray>| rows.as_ref().is_none_or(|rows| rows.true_count() > 0);
        if !is_small && !replaced.iter().any(any) {
            return Ok(None);
        }
        let names = self.names();
        let mut kept = Vec::new();
        for (piece, replaced) in pieces.iter().zip(&replaced) {
            // Without conditions every row is replaced.
            let Some(replaced) = replaced else { continue };
            let others = not(replaced).map_err(|e| self.arrow(e))?;
            if others.true_count() > 0 {
                kept.push(piece.read(&names, Some(&others))?);
            }
        }
        Ok(Some(kept))
    }

    /// Which rows of a piece meet all conditions; `None` when there are no conditions.
    fn matching(
        &self,
        piece: &Piece,
        conditions: &[(String, Values)],
    ) -> Result<Option<BooleanArray>, LakeError> {
        let columns: Vec<&str> = conditions
            .iter()
            .map(|(column, _)| column.as_str())
            .collect();
        let mut rows: Option<BooleanArray> = None;
        if columns.is_empty() {
            return Ok(rows);
        }
        let held = piece.read(&columns, None)?;
        for ((column, values), array) in conditions.iter().zip(held.columns()) {
            let found = values
                .contained(array)
                .ok_or_else(|| LakeError::NoSuchColumn {
                    table: self.table.name().to_owned(),
                    column: format!("{column} of the type of its condition"),
                })?;
            rows = Some(match rows {
                Some(rows) => and(&rows, &found).map_err(|e| self.arrow(e))?,
                None => found,
            });
        }
        Ok(rows)
    }

    pub(crate) fn files(&self) -> Result<Vec<DataFile>, LakeError> {
        let state = self
            .delta
            .snapshot()
            .map_err(|e| self.table.delta_error(e))?;
        let mut files = Vec::new();
        for view in state.log_data().iter() {
            if view.deletion_vector_descriptor().is_some() {
                let table = self.table.name().to_owned();
                return Err(LakeError::Unsupported {
                    table,
                    feature: "a deletion vector",
                });
            }
            files.push(DataFile {
                table: self.table.name().to_owned(),
                path: self.table.path().join(view.object_store_path().as_ref()),
                rows: view.num_records().unwrap_or_default(),
                written: view.modification_time(),
                stats: view.stats(),
                remove: view.remove_action(true),
            });
        }
        // The log keeps no order of files; by age and name, rows come back as they were written.
        files.sort_by(|a, b| (a.written, &a.path).cmp(&(b.written, &b.path)));
        Ok(files)
    }

    /// Whether these are the columns: names, types and order.
    pub(crate) fn has_columns(&self, schema: &Schema) -> bool {
        let plain = |schema: &Schema| -> Vec<(String, DataType)> {
            schema
                .fields()
                .iter()
                .map(|f| (f.name().clone(), f.data_type().clone()))
                .collect()
        };
        plain(&self.schema) == plain(schema)
    }

    fn names(&self) -> Vec<&str> {
        let fields = self.schema.fields().iter();
        fields.map(|field| field.name().as_str()).collect()
    }

    fn arrow(&self, source: arrow::error::ArrowError) -> LakeError {
        LakeError::Arrow {
            table: self.table.name().to_owned(),
            source,
        }
    }
}
