//! What can go wrong in generating a marketplace.

use std::path::Path;

use chrono::NaiveDate;

/// A marketplace that cannot be generated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MarketplaceError {
    /// The scale is zero, negative or not a number.
    #[error(
        "scale must be above 0: {0}\nhint: 1 is about the size of Olist, 0.02 is enough for a test"
    )]
    Scale(f64),
    /// The scale asks for more sellers than can be numbered.
    #[error("scale must be at most {limit}: {scale}")]
    ScaleTooLarge {
        /// The scale asked for.
        scale: f64,
        /// The largest scale.
        limit: f64,
    },
    /// The data would end before the marketplace opens.
    #[error("until must be after {first}, the day on which the marketplace opens: {until}")]
    Until {
        /// The day asked for.
        until: NaiveDate,
        /// The first day of the marketplace.
        first: NaiveDate,
    },
    /// A file or folder could not be written.
    #[error("{path}: {source}")]
    Io {
        /// Path on disk.
        path: String,
        /// What the operating system said.
        source: std::io::Error,
    },
}

impl MarketplaceError {
    pub(crate) fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io {
            path: path.display().to_string(),
            source,
        }
    }
}
