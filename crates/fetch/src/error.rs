//! What can go wrong.

use std::io;
use std::path::{Path, PathBuf};

/// A file that could not be had, or is not what it should be.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The server answered, and does not give the file.
    #[error("{url}: the server answered {status}")]
    Status {
        /// What was asked for.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// The server could not be reached, or broke off too often.
    #[error(
        "{url}: {message}\nhint: what has come so far is kept; the same command goes on from there"
    )]
    Connection {
        /// What was asked for.
        url: String,
        /// What went wrong the last time.
        message: String,
    },
    /// The address is not one.
    #[error("{url}: {message}")]
    Address {
        /// The address.
        url: String,
        /// What is wrong with it.
        message: String,
    },
    /// The file is not the one that was expected.
    #[error("{url}: sha256 {found}, expected {expected}: what came was thrown away")]
    Checksum {
        /// Where it came from.
        url: String,
        /// The checksum that was stated.
        expected: String,
        /// The checksum of what came.
        found: String,
    },
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// An archive is damaged, or is none.
    #[error("{path}: not a readable zip archive: {message}")]
    Archive {
        /// The archive.
        path: String,
        /// What is wrong with it.
        message: String,
    },
    /// A file of an archive would land outside the folder.
    #[error("{path}: holds {name}, which would be written outside the folder")]
    Outside {
        /// The archive.
        path: String,
        /// The name in the archive.
        name: String,
    },
}

impl FetchError {
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io {
            path: PathBuf::from(path).display().to_string(),
            source,
        }
    }
}
