//! Artifacts: the files of a run or of a logged model.

use std::path::Path;

/// The content of an artifact to be logged.
#[derive(Debug, Clone, Copy)]
pub enum Artifact<'a> {
    /// These bytes.
    Bytes(&'a [u8]),
    /// A copy of this file.
    File(&'a Path),
}

/// A file or folder among the artifacts of a run or of a logged model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactInfo {
    /// Where it is, from the root of the artifacts, with `/` between folders.
    pub path: String,
    /// Whether it is a folder.
    pub is_dir: bool,
    /// The bytes of a file; 0 for a folder.
    pub file_size: u64,
}
