//! What can go wrong on the way from tables to versions.

use safra_lake::LakeError;
use safra_project::ProjectError;

/// A source that cannot be dated.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The lake cannot be read.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// The project has no such source.
    #[error(transparent)]
    Project(#[from] ProjectError),
    /// The SQL of a derived column does not work.
    #[error("sources.toml: {table}.derived.{column}: {source}")]
    Derived {
        /// The source.
        table: String,
        /// The derived column.
        column: String,
        /// What DataFusion said.
        source: Box<datafusion::error::DataFusionError>,
    },
    /// A table was ingested before its declaration got this column, or this type of it.
    #[error(
        "sources/{table}: {column} is not in the lake as sources.toml declares it now\nhint: `safra ingest DIR` brings the table up to date"
    )]
    OtherColumns {
        /// The source.
        table: String,
        /// The column that is declared.
        column: String,
    },
    /// Arrow or DataFusion refused an operation on a source.
    #[error("{table}: {source}")]
    DataFusion {
        /// The source.
        table: String,
        /// What DataFusion said.
        source: Box<datafusion::error::DataFusionError>,
    },
}

impl HistoryError {
    pub(crate) fn at(table: &str, source: impl Into<datafusion::error::DataFusionError>) -> Self {
        Self::DataFusion {
            table: table.to_owned(),
            source: Box::new(source.into()),
        }
    }
}
