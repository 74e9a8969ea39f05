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
