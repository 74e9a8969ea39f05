//! What can be wrong with a feature view.

use datafusion::error::DataFusionError;
use safra_history::HistoryError;
use safra_lake::LakeError;
use safra_project::ProjectError;
use safra_sweep::SweepError;

use crate::Place;

/// A feature view that cannot be compiled or computed.
#[derive(Debug, thiserror::Error)]
pub enum FeatureError {
    /// The SQL is wrong: a syntax error, or a name that does not exist.
    #[error("{file}: {place}{message}")]
    Sql {
        /// Path of the view inside the project.
        file: String,
        /// Where in the file.
        place: Place,
        /// What the parser or planner said.
        message: String,
    },
    /// The SQL is valid, but not what a feature view may say.
    #[error("{file}: {place}{message}")]
    Shape {
        /// Path of the view inside the project.
        file: String,
        /// Where in the file.
        place: Place,
        /// What is wrong and what would be right.
        message: String,
    },
    /// The view reads a column whose values have no date.
    #[error(
        "{file}: {place}the view {view} reads {table}.{column}, which is never known before the end: sources.toml says `known_at = \"never\"`\nhint: only labels may read it; derive a column with a time of its own in sources.toml if there is one"
    )]
    NeverKnown {
        /// Path of the view inside the project.
        file: String,
        /// Where in the file.
        place: Place,
        /// The view.
        view: String,
        /// The source.
        table: String,
        /// The column.
        column: String,
    },
    /// An expression whose value depends on more than the sources and the reference date.
    #[error("{file}: {place}{expression}: {reason}")]
    Unsupported {
        /// Path of the view inside the project.
        file: String,
        /// Where in the file.
        place: Place,
        /// The expression.
        expression: String,
        /// Why, and what to write instead.
        reason: String,
    },
    /// DataFusion failed while computing.
    #[error("{file}: {source}")]
    DataFusion {
        /// Path of the view inside the project.
        file: String,
        /// What DataFusion said.
        source: Box<DataFusionError>,
    },
    /// The sweep failed, such as by the overflow of an integer sum.
    #[error("{file}: {source}")]
    Sweep {
        /// Path of the view inside the project.
        file: String,
        /// What the sweep said.
        source: SweepError,
    },
    /// The store lacks dates that were asked for.
    #[error(
        "features/{view}: no features for {missing}\nhint: `safra features {view} --from {from} --to {to}` computes them"
    )]
    MissingDates {
        /// The view.
        view: String,
        /// The dates, in words.
        missing: String,
        /// The first of them.
        from: String,
        /// The last of them.
        to: String,
    },
    /// Rows for which features are looked up lack a column.
    #[error(
        "features/{view}: the rows for which features are looked up have no column {column}, only {present}\nhint: they need the columns of the view's entity ({entity}) and the time, by these names"
    )]
    SpineColumn {
        /// The view.
        view: String,
        /// The column.
        column: String,
        /// The columns of the rows.
        present: String,
        /// The columns of the view's entity.
        entity: String,
    },
    /// Features of events are not looked up as of a time: an event has one.
    #[error(
        "features/{view}: the view is about events, which have one time each; only features of reference dates are looked up as of a time\nhint: join them by the event: SELECT * FROM features.{view}"
    )]
    NotOfDates {
        /// The view.
        view: String,
    },
    /// The sources cannot be read or dated.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The lake cannot be read or written.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// The project has no such view.
    #[error(transparent)]
    Project(#[from] ProjectError),
}

impl FeatureError {
    pub(crate) fn datafusion(file: &str, source: impl Into<DataFusionError>) -> Self {
        Self::DataFusion {
            file: file.to_owned(),
            source: Box::new(source.into()),
        }
    }

    pub(crate) fn shape(file: &str, message: impl Into<String>) -> Self {
        Self::Shape {
            file: file.to_owned(),
            place: Place::default(),
            message: message.into(),
        }
    }
}
