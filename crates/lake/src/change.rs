//! A change of a table: rows are written as they come, and show when they are committed.

use std::collections::HashMap;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Schema};
use deltalake_core::kernel::engine::arrow_conversion::{TryIntoArrow, TryIntoKernel};
use deltalake_core::kernel::transaction::{CommitBuilder, CommitProperties};
use deltalake_core::kernel::{Action, StructType, new_metadata};
use deltalake_core::operations::create::CreateBuilder;
use deltalake_core::protocol::{DeltaOperation, SaveMode};
use serde_json::Value;

use crate::writer::DataFileWriter;
use crate::{LakeError, Replace, Snapshot, Table};

/// Commits fail when the table has moved on: by its own rules the library would add the rows to those that
/// another process has just put in the place of the same old ones.
const NO_BLIND_RETRY: usize = 0;

/// A change of a table in the making. Without [`Change::commit`], nothing has happened.
pub struct Change<'a> {
    table: &'a Table,
    held: Option<&'a Snapshot>,
    fields: StructType,
    /// What the commit does beside adding the file.
    actions: Vec<Action>,
    file: DataFileWriter,
}

impl<'a> Change<'a> {
    pub(crate) fn new(
        table: &'a Table,
        held: Option<&'a Snapshot>,
        schema: &Schema,
        replace: &Replace,
    ) -> Result<Self, LakeError> {
        let arrow = |source| LakeError::Arrow {
            table: table.name().to_owned(),
            source,
        };
        let schema = &plain(schema);
        let fields: StructType = schema.try_into_kernel().map_err(arrow)?;
        // The types in which Delta tables hold rows.
        let stored: Schema = (&fields).try_into_arrow().map_err(arrow)?;
        let mut change = Self {
            table,
            held,
            fields,
            actions: Vec::new(),
            file: DataFileWriter::new(table.name(), table.path(), stored.into()),
        };
        if let Some(held) = held {
            change.replace(held, schema, replace)?;
        }
        Ok(change)
    }

    /// Removes the files whose rows are replaced, and adds the other rows of these files.
    fn replace(
        &mut self,
        held: &Snapshot,
        schema: &Schema,
        replace: &Replace,
    ) -> Result<(), LakeError> {
        let same_columns = held.has_columns(schema);
        let replace = if same_columns { replace } else { &Replace::All };
        if !same_columns {
            let none: [(&str, &str); 0] = [];
            let changed = new_metadata(&self.fields, Vec::<String>::new(), none);
            let changed = changed.map_err(|e| self.table.delta_error(e.into()))?;
            self.actions.push(Action::Metadata(changed));
        }
        for file in held.files()? {
            if let Some(kept) = held.rows_to_keep(&file, replace)? {
                self.actions.push(Action::Remove(file.remove));
                for rows in &kept {
                    self.file.add(rows)?;
                }
            }
        }
        Ok(())
    }

    /// Adds rows, after those that were added before. Columns may be run-end encoded (by 32-bit ends): they are
    /// written run by run, as a column of the type of their values.
    ///
    /// # Errors
    /// [`LakeError`] names the table and the file.
    pub fn add(&mut self, rows: &RecordBatch) -> Result<(), LakeError> {
        self.file.add(rows)
    }

    /// Makes the change in one commit and returns the new version. `metadata` is kept with the commit.
    ///
    /// # Errors
    /// [`LakeError::Conflict`] when another process has changed the table meanwhile; nothing is changed then.
    pub async fn commit(self, metadata: HashMap<String, Value>) -> Result<u64, LakeError> {
        let Self {
            table,
            held,
            fields,
            mut actions,
            file,
        } = self;
        actions.extend(file.finish()?.map(Action::Add));
        let committed = match held {
            None => create(table, fields, actions, metadata).await,
            Some(held) => update(table, held, actions, metadata).await,
        };
        match committed {
            Err(LakeError::Delta { .. })
                if table.version().await? != held.map(Snapshot::version) =>
            {
                Err(LakeError::Conflict {
                    table: table.name().to_owned(),
                })
            }
            committed => committed,
        }
    }
}

/// The schema with the types of the values of run-end encoded columns.
fn plain(schema: &Schema) -> Schema {
    let fields = schema.fields().iter().map(|field| match field.data_type() {
        DataType::RunEndEncoded(_, values) => {
            let plain = field.as_ref().clone();
            plain.with_data_type(values.data_type().clone())
        }
        _ => field.as_ref().clone(),
    });
    Schema::new(fields.collect::<Vec<_>>())
}

async fn create(
    table: &Table,
    fields: StructType,
    actions: Vec<Action>,
    metadata: HashMap<String, Value>,
) -> Result<u64, LakeError> {
    let properties = CommitProperties::default()
        .with_metadata(metadata)
        .with_max_retries(NO_BLIND_RETRY);
    let created = CreateBuilder::new()
        .with_log_store(table.log_store()?)
        .with_columns(fields.fields().cloned())
        .with_actions(actions)
        .with_commit_properties(properties)
        .await
        .map_err(|e| table.delta_error(e))?;
    Ok(created.version().unwrap_or_default())
}

async fn update(
    table: &Table,
    held: &Snapshot,
    actions: Vec<Action>,
    metadata: HashMap<String, Value>,
) -> Result<u64, LakeError> {
    let operation = DeltaOperation::Write {
        mode: SaveMode::Overwrite,
        partition_by: None,
        predicate: None,
    };
    let state = held.delta.snapshot().map_err(|e| table.delta_error(e))?;
    let commit = CommitBuilder::default()
        .with_actions(actions)
        .with_app_metadata(metadata)
        .with_max_retries(NO_BLIND_RETRY)
        .build(Some(state.snapshot()), held.delta.log_store(), operation)
        .await
        .map_err(|e| table.delta_error(e))?;
    Ok(commit.version())
}
