//! One Delta table: its snapshot, its rows, and replacing some of them in one commit.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use arrow::compute::{and, filter_record_batch, not};
use arrow::datatypes::{DataType, Date32Type, Schema, SchemaRef, TimestampMicrosecondType};
use chrono::NaiveDate;
use deltalake_core::kernel::engine::arrow_conversion::TryIntoKernel;
use deltalake_core::kernel::transaction::{CommitBuilder, CommitProperties, TransactionError};
use deltalake_core::kernel::{Action, StructType, new_metadata};
use deltalake_core::logstore::LogStoreRef;
use deltalake_core::operations::create::CreateBuilder;
use deltalake_core::protocol::{DeltaOperation, SaveMode};
use deltalake_core::writer::{DeltaWriter, RecordBatchWriter};
use deltalake_core::{DeltaTable, DeltaTableBuilder, DeltaTableError};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use serde_json::Value;
use url::Url;

use crate::LakeError;

const MICROS_A_DAY: i64 = 86_400_000_000;

/// Rows a data file's row group: small enough to skip most of a file when one date is asked for.
const ROW_GROUP_ROWS: usize = 131_072;

/// A data file with fewer rows is written anew together with what is added.
const SMALL_FILE_ROWS: usize = 65_536;
/// How often a write is tried when other processes change the table meanwhile.
const ATTEMPTS: usize = 8;
/// Commits fail when the table has moved on: by its own rules the library would add the rows to those that
/// another process has just put in the place of the same old ones.
const NO_BLIND_RETRY: usize = 0;

/// A Delta table of the lake, which need not exist yet.
#[derive(Debug, Clone)]
pub struct Table {
    path: PathBuf,
    name: String,
}

/// The rows of a table that a write replaces.
#[derive(Debug, Clone)]
pub enum Replace {
    /// All of them.
    All,
    /// The rows in which every one of these columns has one of these values.
    Where(Vec<(String, Values)>),
}

/// Values of a column, to say which rows a write replaces or a read returns.
#[derive(Debug, Clone)]
pub enum Values {
    /// Days since 1970-01-01, for a date column, or a timestamp column (in microseconds) whose values lie on these days.
    Dates(BTreeSet<i32>),
    /// Texts, for a string column.
    Texts(BTreeSet<String>),
}

/// A table as of one version.
#[derive(Debug)]
pub struct Snapshot {
    table: Table,
    delta: DeltaTable,
    schema: SchemaRef,
}

impl Table {
    pub(crate) fn new(path: PathBuf, name: String) -> Self {
        Self { path, name }
    }

    /// Folder and name, such as `sources/orders`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Folder on disk.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The latest version, or `None` when the table does not exist.
    ///
    /// # Errors
    /// [`LakeError::Delta`] when the log cannot be read.
    pub async fn snapshot(&self) -> Result<Option<Snapshot>, LakeError> {
        if !self.path.join("_delta_log").is_dir() {
            return Ok(None);
        }
        let builder = DeltaTableBuilder::from_url(self.url()?).map_err(|e| self.delta_error(e))?;
        self.load(builder).await
    }

    /// The table as it was at an earlier version, or `None` when the table does not exist.
    ///
    /// # Errors
    /// [`LakeError::Delta`] when the log cannot be read or no longer reaches back to that version.
    pub async fn snapshot_at(&self, version: u64) -> Result<Option<Snapshot>, LakeError> {
        if !self.path.join("_delta_log").is_dir() {
            return Ok(None);
        }
        let builder = DeltaTableBuilder::from_url(self.url()?).map_err(|e| self.delta_error(e))?;
        self.load(builder.with_version(version)).await
    }

    async fn load(&self, builder: DeltaTableBuilder) -> Result<Option<Snapshot>, LakeError> {
        let delta = match builder.load().await {
            Ok(delta) => delta,
            Err(DeltaTableError::NotATable(_)) => return Ok(None),
            Err(error) => return Err(self.delta_error(error)),
        };
        let state = delta.snapshot().map_err(|e| self.delta_error(e))?;
        let schema = state.snapshot().arrow_schema();
        Ok(Some(Snapshot {
            table: self.clone(),
            delta,
            schema,
        }))
    }

    /// The latest version of a table that must exist.
    ///
    /// # Errors
    /// [`LakeError::MissingTable`] with `hint`, the command that makes the table; else as [`Table::snapshot`].
    pub async fn require(&self, hint: &'static str) -> Result<Snapshot, LakeError> {
        self.snapshot()
            .await?
            .ok_or_else(|| LakeError::MissingTable {
                table: self.name.clone(),
                root: self
                    .path
                    .ancestors()
                    .nth(2)
                    .unwrap_or(&self.path)
                    .display()
                    .to_string(),
                hint,
            })
    }

    /// Replaces rows in one commit and returns the new version. `metadata` is kept with the commit.
    ///
    /// Rows keep their order within `batches`. When the columns of the table change, all rows are
    /// replaced, whatever `replace` says, since the old ones no longer fit.
    ///
    /// # Errors
    /// [`LakeError`] names the table; nothing is changed then. [`LakeError::Conflict`] when other processes
    /// write all the time.
    pub async fn write(
        &self,
        schema: SchemaRef,
        batches: &[RecordBatch],
        replace: &Replace,
        metadata: HashMap<String, Value>,
    ) -> Result<u64, LakeError> {
        let mut attempts = 0;
        loop {
            let held = self.snapshot().await?;
            let (schema, metadata) = (schema.clone(), metadata.clone());
            let written = self
                .write_over(held.as_ref(), schema, batches, replace, metadata)
                .await;
            attempts += 1;
            match written {
                Err(LakeError::Conflict { .. }) if attempts < ATTEMPTS => {}
                written => return written,
            }
        }
    }

    /// As [`Table::write`], for rows that were made from those of `held`, the latest version (`None` when
    /// there was no table).
    ///
    /// # Errors
    /// [`LakeError::Conflict`] when the table is no longer at that version; else as [`Table::write`].
    pub async fn write_over(
        &self,
        held: Option<&Snapshot>,
        schema: SchemaRef,
        batches: &[RecordBatch],
        replace: &Replace,
        metadata: HashMap<String, Value>,
    ) -> Result<u64, LakeError> {
        std::fs::create_dir_all(&self.path).map_err(|e| LakeError::io(&self.path, e))?;
        let written = match held {
            None => self.create(schema, batches, metadata).await,
            Some(held) => self.update(held, schema, batches, replace, metadata).await,
        };
        match written {
            Err(LakeError::Delta { .. })
                if self.version().await? != held.map(Snapshot::version) =>
            {
                Err(LakeError::Conflict {
                    table: self.name.clone(),
                })
            }
            written => written,
        }
    }

    async fn version(&self) -> Result<Option<u64>, LakeError> {
        Ok(self.snapshot().await?.map(|latest| latest.version()))
    }

    async fn create(
        &self,
        schema: SchemaRef,
        batches: &[RecordBatch],
        metadata: HashMap<String, Value>,
    ) -> Result<u64, LakeError> {
        let adds = self.write_files(schema.clone(), batches).await?;
        let fields = self.kernel_schema(&schema)?;
        let created = CreateBuilder::new()
            .with_log_store(self.log_store()?)
            .with_columns(fields.fields().cloned())
            .with_actions(adds)
            .with_commit_properties(
                CommitProperties::default()
                    .with_metadata(metadata)
                    .with_max_retries(NO_BLIND_RETRY),
            )
            .await
            .map_err(|e| self.delta_error(e))?;
        Ok(created.version().unwrap_or_default())
    }

    async fn update(
        &self,
        snapshot: &Snapshot,
        schema: SchemaRef,
        batches: &[RecordBatch],
        replace: &Replace,
        metadata: HashMap<String, Value>,
    ) -> Result<u64, LakeError> {
        let mut actions = Vec::new();
        let same_columns = snapshot.has_columns(&schema);
        let everything = Replace::All;
        let replace = if same_columns { replace } else { &everything };
        if !same_columns {
            let fields = self.kernel_schema(&schema)?;
            let none: [(&str, &str); 0] = [];
            let changed = new_metadata(&fields, Vec::<String>::new(), none);
            actions.push(Action::Metadata(
                changed.map_err(|e| self.delta_error(e.into()))?,
            ));
        }
        let mut written = Vec::new();
        for file in snapshot.files()? {
            if let Some(kept) = snapshot.rows_to_keep(&file, replace)? {
                actions.push(Action::Remove(file.remove));
                written.extend(kept);
            }
        }
        written.extend_from_slice(batches);
        actions.extend(self.write_files(schema, &written).await?);
        let operation = DeltaOperation::Write {
            mode: SaveMode::Overwrite,
            partition_by: None,
            predicate: None,
        };
        let state = snapshot.delta.snapshot().map_err(|e| self.delta_error(e))?;
        let commit = CommitBuilder::default()
            .with_actions(actions)
            .with_app_metadata(metadata)
            .with_max_retries(NO_BLIND_RETRY)
            .build(
                Some(state.snapshot()),
                snapshot.delta.log_store(),
                operation,
            )
            .await
            .map_err(|e| self.delta_error(e))?;
        Ok(commit.version())
    }

    async fn write_files(
        &self,
        schema: SchemaRef,
        batches: &[RecordBatch],
    ) -> Result<Vec<Action>, LakeError> {
        let level = ZstdLevel::try_new(1).unwrap_or_default();
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(level))
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
            .build();
        let mut writer = RecordBatchWriter::try_new(self.url()?, schema, None, None)
            .map_err(|e| self.delta_error(e))?
            .with_writer_properties(properties);
        for batch in batches.iter().filter(|batch| batch.num_rows() > 0) {
            writer
                .write(batch.clone())
                .await
                .map_err(|e| self.delta_error(e))?;
        }
        let adds = writer.flush().await.map_err(|e| self.delta_error(e))?;
        Ok(adds.into_iter().map(Action::Add).collect())
    }

    fn kernel_schema(&self, schema: &Schema) -> Result<StructType, LakeError> {
        schema.try_into_kernel().map_err(|source| LakeError::Arrow {
            table: self.name.clone(),
            source,
        })
    }

    fn log_store(&self) -> Result<LogStoreRef, LakeError> {
        DeltaTableBuilder::from_url(self.url()?)
            .and_then(|builder| builder.build_storage())
            .map_err(|e| self.delta_error(e))
    }

    fn url(&self) -> Result<Url, LakeError> {
        let absolute = std::path::absolute(&self.path).map_err(|e| LakeError::io(&self.path, e))?;
        Url::from_directory_path(&absolute).map_err(|()| {
            let message = "not a path that can be written as a URL";
            LakeError::io(&absolute, std::io::Error::other(message))
        })
    }

    fn delta_error(&self, source: DeltaTableError) -> LakeError {
        let conflict = match &source {
            DeltaTableError::Transaction { source } => matches!(
                source,
                TransactionError::CommitConflict(_)
                    | TransactionError::VersionAlreadyExists(_)
                    | TransactionError::MaxCommitAttempts(_)
            ),
            DeltaTableError::VersionAlreadyExists(_) => true,
            _ => false,
        };
        if conflict {
            return LakeError::Conflict {
                table: self.name.clone(),
            };
        }
        LakeError::Delta {
            table: self.name.clone(),
            source: Box::new(source),
        }
    }
}

struct DataFile {
    path: PathBuf,
    rows: usize,
    written: i64,
    /// Smallest and largest values by column, as the JSON of the Delta log.
    stats: Option<String>,
    remove: deltalake_core::kernel::Remove,
}

impl DataFile {
    /// Whether the file may hold a row that meets the conditions, by the dates that the log says it spans.
    fn may_hold(&self, conditions: &[(String, Values)]) -> bool {
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
        conditions.iter().all(|(column, values)| match values {
            Values::Dates(dates) => match (day("minValues", column), day("maxValues", column)) {
                (Some(first), Some(last)) => dates.range(first..=last).next().is_some(),
                _ => true,
            },
            Values::Texts(_) => true,
        })
    }
}

impl Snapshot {
    /// Folder and name of the table, such as `sources/orders`.
    pub fn name(&self) -> &str {
        &self.table.name
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

    /// As [`Snapshot::read`], only the rows in which every one of `conditions` holds.
    ///
    /// # Errors
    /// [`LakeError`] names the table and the file or column at fault.
    pub fn read_where(
        &self,
        columns: Option<&[&str]>,
        conditions: &[(String, Values)],
    ) -> Result<Vec<RecordBatch>, LakeError> {
        let mut wanted: Option<BTreeSet<&str>> =
            columns.map(|names| names.iter().copied().collect());
        if let Some(wanted) = &mut wanted {
            wanted.extend(conditions.iter().map(|(column, _)| column.as_str()));
        }
        let mut batches = Vec::new();
        for file in self
            .files()?
            .iter()
            .filter(|file| file.may_hold(conditions))
        {
            for batch in self.read_file(&file.path, wanted.as_ref())? {
                let batch = match self.matches(&batch, conditions)? {
                    Some(rows) => filter_record_batch(&batch, &rows).map_err(|e| self.arrow(e))?,
                    None => batch,
                };
                batches.push(self.project(&batch, columns)?);
            }
        }
        batches.retain(|batch| batch.num_rows() > 0);
        Ok(batches)
    }

    fn project(
        &self,
        batch: &RecordBatch,
        columns: Option<&[&str]>,
    ) -> Result<RecordBatch, LakeError> {
        let Some(columns) = columns else {
            return Ok(batch.clone());
        };
        let indices: Vec<usize> = columns
            .iter()
            .map(|name| self.index(batch, name))
            .collect::<Result<_, _>>()?;
        batch.project(&indices).map_err(|e| self.arrow(e))
    }

    fn index(&self, batch: &RecordBatch, name: &str) -> Result<usize, LakeError> {
        batch
            .schema_ref()
            .index_of(name)
            .map_err(|_| LakeError::NoSuchColumn {
                table: self.table.name.clone(),
                column: name.to_owned(),
            })
    }

    /// The rows that stay when `replace` is replaced, or `None` when the whole file stays as it is. A small
    /// file is always written anew with the others, so that daily writes do not leave thousands of them.
    fn rows_to_keep(
        &self,
        file: &DataFile,
        replace: &Replace,
    ) -> Result<Option<Vec<RecordBatch>>, LakeError> {
        let Replace::Where(conditions) = replace else {
            return Ok(Some(Vec::new()));
        };
        let mut touched = file.rows < SMALL_FILE_ROWS;
        if !touched && !file.may_hold(conditions) {
            return Ok(None);
        }
        let mut kept = Vec::new();
        for batch in self.read_file(&file.path, None)? {
            let Some(rows) = self.matches(&batch, conditions)? else {
                continue;
            };
            touched |= rows.true_count() > 0;
            let others = not(&rows).map_err(|e| self.arrow(e))?;
            kept.push(filter_record_batch(&batch, &others).map_err(|e| self.arrow(e))?);
        }
        Ok(touched.then_some(kept))
    }

    fn matches(
        &self,
        batch: &RecordBatch,
        conditions: &[(String, Values)],
    ) -> Result<Option<BooleanArray>, LakeError> {
        let mut rows: Option<BooleanArray> = None;
        for (column, values) in conditions {
            let index = self.index(batch, column)?;
            let found =
                values
                    .contained(batch.column(index))
                    .ok_or_else(|| LakeError::NoSuchColumn {
                        table: self.table.name.clone(),
                        column: format!("{column} of the type of its condition"),
                    })?;
            rows = Some(match rows {
                Some(rows) => and(&rows, &found).map_err(|e| self.arrow(e))?,
                None => found,
            });
        }
        Ok(rows)
    }

    fn read_file(
        &self,
        path: &Path,
        columns: Option<&BTreeSet<&str>>,
    ) -> Result<Vec<RecordBatch>, LakeError> {
        let parquet = |source| LakeError::Parquet {
            table: self.table.name.clone(),
            file: path.display().to_string(),
            source,
        };
        let file = File::open(path).map_err(|e| LakeError::io(path, e))?;
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(parquet)?;
        let mask = match columns {
            Some(columns) => {
                ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied())
            }
            None => ProjectionMask::all(),
        };
        let reader = builder
            .with_projection(mask)
            .with_batch_size(ROW_GROUP_ROWS)
            .build()
            .map_err(parquet)?;
        reader
            .map(|batch| batch.map_err(|e| self.arrow(e)))
            .collect()
    }

    fn files(&self) -> Result<Vec<DataFile>, LakeError> {
        let state = self
            .delta
            .snapshot()
            .map_err(|e| self.table.delta_error(e))?;
        let mut files = Vec::new();
        for view in state.log_data().iter() {
            if view.deletion_vector_descriptor().is_some() {
                let table = self.table.name.clone();
                return Err(LakeError::Unsupported {
                    table,
                    feature: "a deletion vector",
                });
            }
            files.push(DataFile {
                path: self.table.path.join(view.object_store_path().as_ref()),
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

    fn arrow(&self, source: arrow::error::ArrowError) -> LakeError {
        LakeError::Arrow {
            table: self.table.name.clone(),
            source,
        }
    }
}

impl Values {
    /// Which values of a column are among these; `None` when the column has another type.
    fn contained(&self, column: &dyn Array) -> Option<BooleanArray> {
        match self {
            Self::Dates(dates) => {
                let day_is_wanted =
                    |day: Option<i32>| Some(day.is_some_and(|day| dates.contains(&day)));
                if let Some(days) = column.as_primitive_opt::<Date32Type>() {
                    return Some(days.iter().map(day_is_wanted).collect());
                }
                let times = column.as_primitive_opt::<TimestampMicrosecondType>()?;
                let day = |time: i64| i32::try_from(time.div_euclid(MICROS_A_DAY)).ok();
                let days = times.iter().map(|time| day_is_wanted(time.and_then(day)));
                Some(days.collect())
            }
            Self::Texts(texts) => {
                let column = column.as_string_opt::<i32>()?;
                Some(
                    column
                        .iter()
                        .map(|v| Some(v.is_some_and(|v| texts.contains(v))))
                        .collect(),
                )
            }
        }
    }
}
