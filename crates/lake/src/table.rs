//! One Delta table: its snapshot, and replacing some of its rows in one commit.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use deltalake_core::kernel::transaction::TransactionError;
use deltalake_core::logstore::LogStoreRef;
use deltalake_core::{DeltaTableBuilder, DeltaTableError};
use serde_json::Value;
use url::Url;

use crate::{Change, LakeError, Snapshot, Values};

/// How often a write is tried when other processes change the table meanwhile.
const ATTEMPTS: usize = 8;

/// Reads a table and writes it, anew as long as another process has written the table in between, at most
/// [`ATTEMPTS`] times.
pub(crate) async fn again_on_conflict<T>(
    mut attempt: impl AsyncFnMut() -> Result<T, LakeError>,
) -> Result<T, LakeError> {
    let mut attempts = 1;
    loop {
        match attempt().await {
            Err(LakeError::Conflict { .. }) if attempts < ATTEMPTS => attempts += 1,
            done => return done,
        }
    }
}

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
        again_on_conflict(async || {
            let held = self.snapshot().await?;
            let (schema, metadata) = (schema.clone(), metadata.clone());
            self.write_over(held.as_ref(), schema, batches, replace, metadata)
                .await
        })
        .await
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
        let mut change = self.change(held, &schema, replace)?;
        for batch in batches {
            change.add(batch)?;
        }
        change.commit(metadata).await
    }

    /// Begins what [`Table::write_over`] does at once, for rows that come piece by piece.
    ///
    /// # Errors
    /// [`LakeError`] names the table.
    pub fn change<'a>(
        &'a self,
        held: Option<&'a Snapshot>,
        schema: &Schema,
        replace: &Replace,
    ) -> Result<Change<'a>, LakeError> {
        std::fs::create_dir_all(&self.path).map_err(|e| LakeError::io(&self.path, e))?;
        Change::new(self, held, schema, replace)
    }

    pub(crate) async fn version(&self) -> Result<Option<u64>, LakeError> {
        Ok(self.snapshot().await?.map(|latest| latest.version()))
    }

    pub(crate) fn log_store(&self) -> Result<LogStoreRef, LakeError> {
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

    pub(crate) fn delta_error(&self, source: DeltaTableError) -> LakeError {
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
