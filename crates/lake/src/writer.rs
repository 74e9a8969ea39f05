//! The data file of a commit: Parquet, written row group by row group, with columns encoded in parallel. What is in it does
//! not depend on the number of threads. Run-end encoded columns are written run by run.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type, Schema, SchemaRef};
use deltalake_core::kernel::Add;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{
    ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves,
};
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use rayon::prelude::*;
use uuid::Uuid;

use crate::LakeError;
use crate::data_file::parquet_error;
use crate::runs::{self, Compressor, EncodedRuns};
use crate::stats::stats;

/// Rows of a data file's row group, which are encoded at once: few enough to skip most of a file when the rows are sorted by
/// date and one date is asked for.
const ROW_GROUP_ROWS: usize = 131_072;

/// How hard Zstandard tries: its fastest regular level.
pub(crate) const COMPRESSION_LEVEL: i32 = 1;

/// A data file in the making. Without [`DataFileWriter::finish`] it is removed.
pub(crate) struct DataFileWriter {
    table: String,
    folder: PathBuf,
    schema: SchemaRef,
    /// Batches, or slices of them, that wait for their row group to be full.
    waiting: Vec<Vec<ArrayRef>>,
    waiting_rows: usize,
    open: Option<OpenFile>,
}

struct OpenFile {
    name: String,
    path: PathBuf,
    writer: SerializedFileWriter<File>,
    columns: ArrowRowGroupWriterFactory,
    /// The column of each leaf, and the leaf's number inside it: 0, but for columns of lists or structs.
    leaves: Vec<(usize, usize)>,
    groups: usize,
    is_finished: bool,
}

impl DataFileWriter {
    /// A file in `folder`, which is made when there are rows, with rows in the types of `schema`.
    pub(crate) fn new(table: &str, folder: &Path, schema: SchemaRef) -> Self {
        Self {
            table: table.to_owned(),
            folder: folder.to_owned(),
            schema,
            waiting: Vec::new(),
            waiting_rows: 0,
            open: None,
        }
    }

    /// Adds rows after those that are there.
    pub(crate) fn add(&mut self, rows: &RecordBatch) -> Result<(), LakeError> {
        let columns = in_types(rows, &self.schema).map_err(|source| LakeError::Arrow {
            table: self.table.clone(),
            source,
        })?;
        let mut start = 0;
        while start < rows.num_rows() {
            let taken = (rows.num_rows() - start).min(ROW_GROUP_ROWS - self.waiting_rows);
            let slice = columns.iter().map(|column| column.slice(start, taken));
            self.waiting.push(slice.collect());
            self.waiting_rows += taken;
            start += taken;
            if self.waiting_rows == ROW_GROUP_ROWS {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// Writes what waits, and returns what adds the file to the table; `None` without rows.
    pub(crate) fn finish(mut self) -> Result<Option<Add>, LakeError> {
        if self.waiting_rows > 0 {
            self.flush()?;
        }
        let Some(open) = &mut self.open else {
            return Ok(None);
        };
        let metadata = open.writer.finish();
        let metadata = metadata.map_err(|source| parquet_error(&self.table, &open.path, source))?;
        let size = std::fs::metadata(&open.path).map_err(|e| LakeError::io(&open.path, e))?;
        let elapsed = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        open.is_finished = true;
        Ok(Some(Add {
            path: open.name.clone(),
            size: size.len() as i64,
            modification_time: elapsed.as_millis() as i64,
            data_change: true,
            stats: Some(stats(&self.schema, &metadata).to_string()),
            ..Add::default()
        }))
    }

    /// Writes what waits as a row group.
    fn flush(&mut self) -> Result<(), LakeError> {
        let open = match self.open.take() {
            Some(open) => open,
            None => OpenFile::new(&self.table, &self.folder, &self.schema)?,
        };
        let open = self.open.insert(open);
        open.write(&self.schema, &self.waiting)
            .map_err(|source| parquet_error(&self.table, &open.path, source))?;
        self.waiting.clear();
        self.waiting_rows = 0;
        Ok(())
    }
}

impl OpenFile {
    fn new(table: &str, folder: &Path, schema: &SchemaRef) -> Result<Self, LakeError> {
        let name = format!("part-00000-{}-c000.zstd.parquet", Uuid::new_v4());
        let path = folder.join(&name);
        let file = File::create_new(&path).map_err(|e| LakeError::io(&path, e))?;
        let level = ZstdLevel::try_new(COMPRESSION_LEVEL).unwrap_or_default();
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(level))
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
            .build();
        let opened = ArrowWriter::try_new(file, schema.clone(), Some(properties))
            .and_then(ArrowWriter::into_serialized_writer);
        let (writer, columns) = opened.map_err(|source| parquet_error(table, &path, source))?;
        let schema = writer.schema_descr();
        let leaves = leaves(schema.num_columns(), |leaf| {
            schema.get_column_root_idx(leaf)
        });
        Ok(Self {
            name,
            path,
            writer,
            columns,
            leaves,
            groups: 0,
            is_finished: false,
        })
    }

    fn write(&mut self, schema: &Schema, rows: &[Vec<ArrayRef>]) -> Result<(), ParquetError> {
        let writers = self.columns.create_column_writers(self.groups)?;
        let described = self.writer.schema_descr();
        let lasting = rows.iter().flatten().any(runs::is_run_end_encoded);
        let compressor = || Compressor::new(COMPRESSION_LEVEL);
        let encode = |compressor: &mut std::io::Result<Compressor>,
                      (number, writer): (usize, ArrowColumnWriter)| {
            let (column, leaf) = self.leaves[number];
            if lasting {
                let compressor = compressor.as_mut();
                let compressor = compressor.map_err(|e| ParquetError::General(e.to_string()))?;
                let arrays: Vec<&ArrayRef> = rows.iter().map(|batch| &batch[column]).collect();
                let described = described.column(number);
                if let Some(runs) = runs::encode(&described, &arrays, compressor)? {
                    return Ok(Chunk::Runs(runs));
                }
            }
            encode(writer, schema, column, leaf, rows).map(Chunk::Arrow)
        };
        let chunks: Vec<Chunk> = writers
            .into_par_iter()
            .enumerate()
            .map_init(compressor, encode)
            .collect::<Result<_, ParquetError>>()?;
        let mut group = self.writer.next_row_group()?;
        for chunk in chunks {
            match chunk {
                Chunk::Arrow(chunk) => chunk.append_to_row_group(&mut group)?,
                Chunk::Runs(runs) => group.append_column(&runs.bytes, runs.close)?,
            }
        }
        group.close()?;
        self.groups += 1;
        Ok(())
    }
}

/// An encoded column of a row group.
enum Chunk {
    Arrow(ArrowColumnChunk),
    Runs(EncodedRuns),
}

impl Drop for OpenFile {
    /// Removes what no commit will mention. If that cannot be done, nobody is misled by it either.
    fn drop(&mut self) {
        if !self.is_finished {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// The columns in the types of a schema; those that are run-end encoded stay so.
fn in_types(
    batch: &RecordBatch,
    schema: &Schema,
) -> Result<Vec<ArrayRef>, arrow::error::ArrowError> {
    let in_type = |column: &ArrayRef, kind: &DataType| match column.data_type() == kind {
        true => Ok(column.clone()),
        false => cast(column, kind),
    };
    let fields = schema.fields().iter().zip(batch.columns());
    fields
        .map(|(field, column)| match column.as_run_opt::<Int32Type>() {
            Some(runs) => {
                let values = in_type(runs.values(), field.data_type())?;
                Ok(Arc::new(runs.with_values(values)) as ArrayRef)
            }
            None => in_type(column, field.data_type()),
        })
        .collect()
}

/// The column of each leaf of a file, and the leaf's number inside it: 0, but for columns of lists or structs.
fn leaves(count: usize, column_of: impl Fn(usize) -> usize) -> Vec<(usize, usize)> {
    let mut leaves: Vec<(usize, usize)> = Vec::with_capacity(count);
    for leaf in 0..count {
        let column = column_of(leaf);
        let inside = match leaves.last() {
            Some(&(before, inside)) if before == column => inside + 1,
            _ => 0,
        };
        leaves.push((column, inside));
    }
    leaves
}

fn encode(
    mut writer: ArrowColumnWriter,
    schema: &Schema,
    column: usize,
    leaf: usize,
    rows: &[Vec<ArrayRef>],
) -> Result<ArrowColumnChunk, ParquetError> {
    let field = schema.field(column);
    for batch in rows {
        let array = match runs::is_run_end_encoded(&batch[column]) {
            true => &cast(&batch[column], field.data_type())?,
            false => &batch[column],
        };
        let leaves = compute_leaves(field, array)?;
        if let Some(values) = leaves.get(leaf) {
            writer.write(values)?;
        }
    }
    writer.close()
}
