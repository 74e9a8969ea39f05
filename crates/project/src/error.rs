//! What can be wrong with a declaration.

/// A declaration that cannot be read or does not fit the others.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// A file of the project is not there.
    #[error(
        "{file}: no such file in the project\nhint: `safra init` writes out a complete project to start from"
    )]
    MissingFile {
        /// Path inside the project.
        file: String,
    },
    /// A file or folder could not be read from disk.
    #[error("{path}: {source}")]
    Read {
        /// Path on disk.
        path: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A TOML file that is not TOML, or has an unknown or missing field.
    #[error("{file}: {message}")]
    Toml {
        /// Path inside the project.
        file: String,
        /// The parser's message, with line and column.
        message: String,
    },
    /// A declaration that says something wrong.
    #[error("{file}: {what}: {message}")]
    Invalid {
        /// Path inside the project.
        file: String,
        /// The table, column, view, window or problem at fault.
        what: String,
        /// What is wrong and what would be right.
        message: String,
    },
    /// The header of a feature view is wrong.
    #[error("{file}:{line}: {message}")]
    Header {
        /// Path inside the project.
        file: String,
        /// Line in the file, from 1.
        line: usize,
        /// What is wrong and what would be right.
        message: String,
    },
    /// The template of a feature view cannot be rendered.
    #[error("{file}:{line}: {message}")]
    Template {
        /// Path inside the project.
        file: String,
        /// Line in the file, from 1.
        line: usize,
        /// The template engine's message.
        message: String,
    },
    /// Something was asked for by a name that the project does not declare.
    #[error("no such {kind}: {name}\nhint: {meant}the project declares: {known}")]
    UnknownName {
        /// "source", "feature view" or "problem".
        kind: &'static str,
        /// The name asked for.
        name: String,
        /// The name that may have been meant, as a question; may be empty.
        meant: String,
        /// The names that exist.
        known: String,
    },
}

impl ProjectError {
    pub(crate) fn invalid(
        file: impl Into<String>,
        what: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self::Invalid {
            file: file.into(),
            what: what.into(),
            message: message.into(),
        }
    }
}
