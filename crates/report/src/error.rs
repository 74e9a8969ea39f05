//! What can go wrong while a report is written.

/// A report or chart that could not be written. Input never causes one: what is missing or not finite
/// is left out or shown as missing.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The catalogue of words cannot be read.
    #[error("words of the report: {0}")]
    Words(#[from] toml::de::Error),
    /// A template or a message of the catalogue does not fit what it is given.
    #[error("template of the report: {name}: {source}")]
    Template {
        /// Name of the template, or of the message.
        name: String,
        /// What the template engine said.
        source: minijinja::Error,
    },
}
