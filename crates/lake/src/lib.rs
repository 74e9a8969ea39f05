//! Delta tables: ingest files, read tables, replace parts of them, and look at their history.
//!
//! A lake is a folder of Delta tables, `<root>/<folder>/<table>`, with the [`Folder`]s of this module.
//! Every write is one commit: a killed process leaves either the table as it was or the table as it
//! should be, and at worst data files that no commit mentions.

mod change;
mod data_file;
mod error;
mod hybrid;
mod ingest;
mod runs;
mod snapshot;
mod stats;
mod table;
mod values;
mod writer;

use std::path::{Path, PathBuf};

pub use change::Change;
pub use data_file::Piece;
pub use error::LakeError;
pub use ingest::{IngestReport, RejectedRow, SourceSchema, TableCounts, ingest, source_schema};
pub use snapshot::Snapshot;
pub use table::{Replace, Table};
pub use values::Values;

/// The kinds of tables in a lake, one folder each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Folder {
    /// Tables of the marketplace as ingested.
    Sources,
    /// The feature store, one table a view.
    Features,
    /// Training sets, one table a problem.
    Datasets,
    /// Scores, one table a problem.
    Predictions,
    /// Rows that broke a rule on their way in, one table a source.
    Rejected,
}

impl Folder {
    /// All folders, in the order of the data's way.
    pub const ALL: [Self; 5] = [
        Self::Sources,
        Self::Features,
        Self::Datasets,
        Self::Predictions,
        Self::Rejected,
    ];

    /// Name of the folder inside the lake.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sources => "sources",
            Self::Features => "features",
            Self::Datasets => "datasets",
            Self::Predictions => "predictions",
            Self::Rejected => "rejected",
        }
    }
}

/// A folder of Delta tables.
#[derive(Debug, Clone)]
pub struct Lake {
    root: PathBuf,
    features: Option<PathBuf>,
}

impl Lake {
    /// The lake in this folder, which need not exist yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            features: None,
        }
    }

    /// The same lake with another feature store, in the lake at `root`: for trying features out.
    pub fn with_features_of(&self, root: impl Into<PathBuf>) -> Self {
        Self {
            root: self.root.clone(),
            features: Some(root.into()),
        }
    }

    /// Folder of the lake.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A table of the lake, which need not exist yet.
    pub fn table(&self, folder: Folder, name: &str) -> Table {
        let root = match (folder, &self.features) {
            (Folder::Features, Some(other)) => other,
            _ => &self.root,
        };
        let path = root.join(folder.name()).join(name);
        Table::new(path, format!("{}/{name}", folder.name()))
    }

    /// The names of the tables in a folder, in alphabetical order.
    ///
    /// # Errors
    /// [`LakeError::Io`] when the folder is there but cannot be read.
    pub fn table_names(&self, folder: Folder) -> Result<Vec<String>, LakeError> {
        let path = self.root.join(folder.name());
        if !path.is_dir() {
            return Ok(Vec::new());
        }
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&path).map_err(|e| LakeError::io(&path, e))? {
            let entry = entry.map_err(|e| LakeError::io(&path, e))?;
            if entry.path().join("_delta_log").is_dir() {
                names.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        names.sort();
        Ok(names)
    }
}
