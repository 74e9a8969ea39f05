//! What can go wrong between files and tables.

use std::path::Path;

/// A file or table that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LakeError {
    /// A file or folder could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// Path on disk.
        path: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A file that a source needs is not in the ingested folder.
    #[error(
        "{path}: no such file; the source {table} needs it\nhint: mark the source `optional = true` in sources.toml if the rest makes sense without it"
    )]
    MissingFile {
        /// Path on disk.
        path: String,
        /// The source.
        table: String,
    },
    /// A file lacks a declared column.
    #[error(
        "{path}:1: no column {column}; the header has: {header}\nhint: the source {table} declares it in sources.toml"
    )]
    MissingColumn {
        /// Path on disk.
        path: String,
        /// The source.
        table: String,
        /// The column that is declared.
        column: String,
        /// The columns that are there.
        header: String,
    },
    /// A CSV file that cannot be read as such.
    #[error("{path}: {message}")]
    Csv {
        /// Path on disk.
        path: String,
        /// The reader's message, with the line.
        message: String,
    },
    /// A table that is needed is not in the lake.
    #[error("{table}: no such table in the lake at {root}\nhint: {hint}")]
    MissingTable {
        /// Folder and name of the table.
        table: String,
        /// Folder of the lake.
        root: String,
        /// The command that makes it.
        hint: &'static str,
    },
    /// A table lacks a column that was asked for.
    #[error("{table}: no column {column}")]
    NoSuchColumn {
        /// Folder and name of the table.
        table: String,
        /// The column asked for.
        column: String,
    },
    /// Another process changed the table at the same time.
    #[error(
        "{table}: another process has changed the table meanwhile; nothing was written\nhint: run the command again"
    )]
    Conflict {
        /// Folder and name of the table.
        table: String,
    },
    /// The Delta log or its data files cannot be read or written.
    #[error("{table}: {source}")]
    Delta {
        /// Folder and name of the table.
        table: String,
        /// The library's error.
        source: Box<deltalake_core::DeltaTableError>,
    },
    /// A data file cannot be read.
    #[error("{table}: {file}: {source}")]
    Parquet {
        /// Folder and name of the table.
        table: String,
        /// The data file.
        file: String,
        /// The library's error.
        source: parquet::errors::ParquetError,
    },
    /// Arrow refused an operation on the rows of a table.
    #[error("{table}: {source}")]
    Arrow {
        /// Folder and name of the table.
        table: String,
        /// The library's error.
        source: arrow::error::ArrowError,
    },
    /// A table uses a feature of Delta Lake that Safra does not read.
    #[error(
        "{table}: {feature} is not supported\nhint: rewrite the table without it, or ingest into a new lake"
    )]
    Unsupported {
        /// Folder and name of the table.
        table: String,
        /// The feature.
        feature: &'static str,
    },
}

impl LakeError {
    pub(crate) fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io {
            path: path.display().to_string(),
            source,
        }
    }
}
