//! What can be wrong with a training set.

use chrono::NaiveDate;
use datafusion::error::DataFusionError;
use safra_features::FeatureError;
use safra_history::HistoryError;
use safra_lake::LakeError;
use safra_project::ProjectError;

/// A training set that cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// The cohort or label query does not work.
    #[error("{file}: {part}: {source}")]
    Sql {
        /// Path of the problem inside the project.
        file: String,
        /// "cohort.sql" or "label.sql".
        part: &'static str,
        /// What DataFusion said.
        source: Box<DataFusionError>,
    },
    /// The query works, but does not return what it must.
    #[error("{file}: {part}: {message}")]
    Shape {
        /// Path of the problem inside the project.
        file: String,
        /// "cohort.sql", "label.sql" or "features".
        part: &'static str,
        /// What is wrong and what would be right.
        message: String,
    },
    /// The sources have no times at all, or no rows.
    #[error(
        "{file}: the sources that the label reads hold no dated row, so nothing is known about any day\nhint: `safra ingest DIR` reads the files of a folder"
    )]
    NoData {
        /// Path of the problem inside the project.
        file: String,
    },
    /// The cohort or the label reads tables that hold no rows, so that there is nothing to ask about or no answer.
    #[error(
        "{problem}: its cohort and label need rows in {tables}, of which the lake has none\nhint: `safra ingest DIR` reads them from {files}"
    )]
    EmptySources {
        /// The problem.
        problem: String,
        /// The sources, in words.
        tables: String,
        /// Their files, in words.
        files: String,
        /// Whether the project says of all of them that they may be absent.
        optional: bool,
    },
    /// No date can judge a model.
    #[error(
        "{problem}: no date has settled labels and settled labels before it to learn from\nhint: {settled} of {rows} labels are settled, the first of all settles on {first}, and the data is complete for days before {data_end}"
    )]
    NothingSettled {
        /// The problem.
        problem: String,
        /// Number of labels that are settled.
        settled: usize,
        /// Number of rows.
        rows: usize,
        /// The earliest day on which a label settles, or "no day".
        first: String,
        /// The first day of which nothing is known.
        data_end: NaiveDate,
    },
    /// A date was asked for of which the data does not know everything.
    #[error(
        "{problem}: the reference date {date} is after the end of the data\nhint: the data is complete for days before {data_end}, so {data_end} is the last date that can be asked about"
    )]
    AfterData {
        /// The problem.
        problem: String,
        /// The date asked for.
        date: NaiveDate,
        /// The first day of which nothing is known.
        data_end: NaiveDate,
    },
    /// A date whose labels are not all settled cannot judge a model.
    #[error(
        "{problem}: {date} cannot be judged: {reason}\nhint: the first and last dates that can are {first} and {last}"
    )]
    NotSettled {
        /// The problem.
        problem: String,
        /// The date asked for.
        date: NaiveDate,
        /// Why.
        reason: String,
        /// The first settled date, or "none".
        first: String,
        /// The last settled date, or "none".
        last: String,
    },
    /// Arrow refused an operation.
    #[error("{problem}: {source}")]
    Arrow {
        /// The problem.
        problem: String,
        /// What Arrow said.
        source: arrow::error::ArrowError,
    },
    /// A feature view is wrong or not computed.
    #[error(transparent)]
    Feature(#[from] FeatureError),
    /// The sources cannot be read or dated.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The lake cannot be read or written.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// The project lacks something.
    #[error(transparent)]
    Project(#[from] ProjectError),
}

impl DatasetError {
    pub(crate) fn sql(file: &str, part: &'static str, source: impl Into<DataFusionError>) -> Self {
        Self::Sql {
            file: file.to_owned(),
            part,
            source: Box::new(source.into()),
        }
    }

    pub(crate) fn shape(file: &str, part: &'static str, message: impl Into<String>) -> Self {
        Self::Shape {
            file: file.to_owned(),
            part,
            message: message.into(),
        }
    }
}
