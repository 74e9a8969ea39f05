//! The data file of a commit: Parquet, with the columns of a few row groups encoded in parallel, while the groups before them
//! are written. What is in it does not depend on the number of threads. Run-end encoded columns are written run by run.

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
use parquet::file::metadata::ParquetMetaData;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{ColumnDescPtr, SchemaDescriptor};
use rayon::prelude::*;
use uuid::Uuid;

use crate::LakeError;
use crate::data_file::parquet_error;
use crate::runs::{self, Compressor, EncodedRuns};
use crate::stats::stats;

/// Rows of a data file's row group: few enough to skip most of a file when the rows are sorted by date and one date is asked
/// for.
const ROW_GROUP_ROWS: usize = 131_072;

/// Row groups that are encoded at once, at most. One column of a group may take as long as all others, such as the texts of
/// reviews, and would keep only one thread busy. More groups take more memory.
const GROUPS_AT_ONCE: usize = 4;

/// How hard Zstandard tries: its fastest regular level.
pub(crate) const COMPRESSION_LEVEL: i32 = 1;

/// A data file in the making. Without [`DataFileWriter::finish`] it is removed.
pub(crate) struct DataFileWriter {
    table: String,
    folder: PathBuf,
    schema: SchemaRef,
    /// Full row groups that wait to be encoded together.
    full: Vec<RowGroup>,
    /// The one after them, which has room.
    filling: RowGroup,
    open: Option<OpenFile>,
}

/// The rows of a row group, in batches or slices of them.
#[derive(Default)]
struct RowGroup {
    batches: Vec<Vec<ArrayRef>>,
    rows: usize,
    /// Whether any of its columns is run-end encoded in any of the batches.
    has_runs: bool,
}

struct OpenFile {
    name: String,
    path: PathBuf,
    writer: SerializedFileWriter<File>,
    columns: ArrowRowGroupWriterFactory,
    described: SchemaDescriptor,
    /// The column of each leaf, and the leaf's number inside it: 0, but for columns of lists or structs.
    leaves: Vec<(usize, usize)>,
    /// Row groups whose encoding has begun.
    groups: usize,
    /// Columns of row groups that are encoded and not yet written.
    encoded: Vec<Vec<Chunk>>,
    is_finished: bool,
}

impl DataFileWriter {
    /// A file in `folder`, which is made when there are rows, with rows in the types of `schema`.
    pub(crate) fn new(table: &str, folder: &Path, schema: SchemaRef) -> Self {
        Self {
            table: table.to_owned(),
            folder: folder.to_owned(),
            schema,
            full: Vec::new(),
            filling: RowGroup::default(),
            open: None,
        }
    }

    /// Adds rows after those that are there.
    pub(crate) fn add(&mut self, rows: &RecordBatch) -> Result<(), LakeError> {
        let columns = in_types(rows, &self.schema).map_err(|source| LakeError::Arrow {
            table: self.table.clone(),
            source,
        })?;
        let has_runs = columns.iter().any(runs::is_run_end_encoded);
        let groups_at_once = GROUPS_AT_ONCE.min(rayon::current_num_threads());
        let mut start = 0;
        while start < rows.num_rows() {
            let group = &mut self.filling;
            let taken = (rows.num_rows() - start).min(ROW_GROUP_ROWS - group.rows);
            let slice = columns.iter().map(|column| column.slice(start, taken));
            group.batches.push(slice.collect());
            group.rows += taken;
            group.has_runs |= has_runs;
            start += taken;
            if group.rows == ROW_GROUP_ROWS {
                // Runs are few, and no column of them takes as long as all others.
                let is_alone = group.has_runs;
                self.full.push(std::mem::take(group));
                if is_alone || self.full.len() >= groups_at_once {
                    self.encode()?;
                }
            }
        }
        Ok(())
    }

    /// Writes what waits, and returns what adds the file to the table; `None` without rows.
    pub(crate) fn finish(mut self) -> Result<Option<Add>, LakeError> {
        if self.filling.rows > 0 {
            self.full.push(std::mem::take(&mut self.filling));
        }
        if !self.full.is_empty() {
            self.encode()?;
        }
        let Some(open) = &mut self.open else {
            return Ok(None);
        };
        let metadata = open.finish();
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

    /// Encodes the row groups that wait.
    fn encode(&mut self) -> Result<(), LakeError> {
        let open = match self.open.take() {
            Some(open) => open,
            None => OpenFile::new(&self.table, &self.folder, &self.schema)?,
        };
        let open = self.open.insert(open);
        let groups = std::mem::take(&mut self.full);
        open.add(&self.schema, &groups)
            .map_err(|source| parquet_error(&self.table, &open.path, source))
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
        let described = writer.schema_descr().clone();
        let leaves = leaves(described.num_columns(), |leaf| {
            described.get_column_root_idx(leaf)
        });
        Ok(Self {
            name,
            path,
            writer,
            columns,
            described,
            leaves,
            groups: 0,
            encoded: Vec::new(),
            is_finished: false,
        })
    }

    /// Encodes row groups while those before them are written.
    fn add(&mut self, schema: &Schema, groups: &[RowGroup]) -> Result<(), ParquetError> {
        let mut columns = Vec::new();
        for group in groups {
            let writers = self.columns.create_column_writers(self.groups)?;
            let writers = writers.into_iter().enumerate();
            columns.extend(writers.map(|(leaf, writer)| (group, leaf, writer)));
            self.groups += 1;
        }
        let before = std::mem::take(&mut self.encoded);
        let (file, leaves, described) = (&mut self.writer, &self.leaves, &self.described);
        let compressor = || Compressor::new(COMPRESSION_LEVEL);
        let encode = |compressor: &mut std::io::Result<Compressor>, (group, leaf, writer)| {
            let field = Leaf {
                schema,
                described: described.column(leaf),
                place: leaves[leaf],
            };
            field.encode(group, writer, compressor)
        };
        let (written, encoded) = rayon::join(
            || write(file, before),
            || {
                let columns = columns.into_par_iter().map_init(compressor, encode);
                columns.collect::<Result<Vec<Chunk>, ParquetError>>()
            },
        );
        written?;
        let mut encoded = encoded?.into_iter();
        let of_group = |_: &RowGroup| encoded.by_ref().take(self.leaves.len()).collect();
        self.encoded = groups.iter().map(of_group).collect();
        Ok(())
    }

    /// Writes what is encoded, and ends the file.
    fn finish(&mut self) -> Result<ParquetMetaData, ParquetError> {
        write(&mut self.writer, std::mem::take(&mut self.encoded))?;
        self.writer.finish()
    }
}

/// Writes row groups, each of all its columns.
fn write(
    file: &mut SerializedFileWriter<File>,
    groups: Vec<Vec<Chunk>>,
) -> Result<(), ParquetError> {
    for chunks in groups {
        let mut group = file.next_row_group()?;
        for chunk in chunks {
            match chunk {
                Chunk::Arrow(chunk) => chunk.append_to_row_group(&mut group)?,
                Chunk::Runs(runs) => group.append_column(&runs.bytes, runs.close)?,
            }
        }
        group.close()?;
    }
    Ok(())
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

/// A leaf of the columns of a file.
struct Leaf<'a> {
    schema: &'a Schema,
    described: ColumnDescPtr,
    /// The column, and the leaf's number inside it.
    place: (usize, usize),
}

impl Leaf<'_> {
    /// The values of the leaf in a row group, encoded.
    fn encode(
        &self,
        group: &RowGroup,
        writer: ArrowColumnWriter,
        compressor: &mut std::io::Result<Compressor>,
    ) -> Result<Chunk, ParquetError> {
        let batches = group.batches.iter();
        let arrays: Vec<&ArrayRef> = batches.map(|batch| &batch[self.place.0]).collect();
        if group.has_runs {
            let compressor = compressor.as_mut();
            let compressor = compressor.map_err(|e| ParquetError::General(e.to_string()))?;
            if let Some(runs) = runs::encode(&self.described, &arrays, compressor)? {
                return Ok(Chunk::Runs(runs));
            }
        }
        self.encode_values(&arrays, writer).map(Chunk::Arrow)
    }

    /// As the library encodes them, value by value.
    fn encode_values(
        &self,
        arrays: &[&ArrayRef],
        mut writer: ArrowColumnWriter,
    ) -> Result<ArrowColumnChunk, ParquetError> {
        let (column, inside) = self.place;
        let field = self.schema.field(column);
        for &array in arrays {
            let array = match runs::is_run_end_encoded(array) {
                true => &cast(array, field.data_type())?,
                false => array,
            };
            let leaves = compute_leaves(field, array)?;
            if let Some(values) = leaves.get(inside) {
                writer.write(values)?;
            }
        }
        writer.close()
    }
}
