//! Errors of the commands, and their exit codes.

use safra_dataset::DatasetError;
use safra_features::FeatureError;
use safra_fetch::FetchError;
use safra_history::HistoryError;
use safra_lake::LakeError;
use safra_learn::LearnError;
use safra_marketplace::MarketplaceError;
use safra_project::ProjectError;
use safra_report::ReportError;

/// Why a command did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum SafraError {
    /// The command worked and its answer is no.
    #[error("{0}")]
    No(String),
    /// The command line asks for something that does not exist or does not fit.
    #[error("{0}")]
    Usage(String),
    /// Parts of a run failed, each with an error of its own that was printed.
    #[error(
        "not done: {what}\nhint: the errors above say why; the rest was done, and a second run goes on from there"
    )]
    Unfinished {
        /// The problems, in words.
        what: String,
        /// The exit code of the worst of them.
        exit_code: u8,
    },
    /// The rows of a problem cannot be learned from.
    #[error("{problem}: nothing can be learned from what was known before {at}: {source}")]
    Unlearnable {
        /// The problem.
        problem: String,
        /// The day as of which it was to be trained.
        at: chrono::NaiveDate,
        /// Why.
        source: LearnError,
    },
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A query failed.
    #[error("{0}")]
    Sql(Box<datafusion::error::DataFusionError>),
    /// Something the registry holds cannot be used.
    #[error("{model} version {version}: {message}")]
    Registry {
        /// The registered model.
        model: String,
        /// Its version.
        version: u32,
        /// What is wrong.
        message: String,
    },
    /// The project's declarations are wrong.
    #[error(transparent)]
    Project(#[from] ProjectError),
    /// The lake cannot be read or written.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// The sources cannot be dated.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// A feature view is wrong.
    #[error(transparent)]
    Feature(#[from] FeatureError),
    /// A training set cannot be built.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// Learning failed.
    #[error(transparent)]
    Learn(#[from] LearnError),
    /// The tracking store cannot be read or written.
    #[error(transparent)]
    Tracking(#[from] safra_mlflow::Error),
    /// The synthetic marketplace cannot be written.
    #[error(transparent)]
    Marketplace(#[from] MarketplaceError),
    /// A download failed.
    #[error("{error}{hint}")]
    Fetch {
        /// Why.
        error: FetchError,
        /// What to do instead, on a line of its own; may be empty.
        hint: String,
    },
    /// The report cannot be made.
    #[error(transparent)]
    Report(#[from] ReportError),
}

impl SafraError {
    /// 1 for the command's own "no", 2 for wrong usage or input, 3 for anything else.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::No(_) => 1,
            Self::Unfinished { exit_code, .. } => *exit_code,
            Self::Usage(_)
            | Self::Marketplace(_)
            | Self::Sql(_)
            | Self::Project(_)
            | Self::Unlearnable { .. }
            | Self::Learn(_) => 2,
            Self::Io { source, .. } => io_code(source),
            Self::Lake(error) => lake_code(error),
            Self::History(error) => history_code(error),
            Self::Feature(error) => feature_code(error),
            Self::Dataset(error) => dataset_code(error),
            Self::Fetch { error, .. } => fetch_code(error),
            Self::Tracking(error) => tracking_code(error),
            Self::Registry { .. } | Self::Report(_) => 3,
        }
    }
}

fn tracking_code(error: &safra_mlflow::Error) -> u8 {
    use safra_mlflow::Error::{Invalid, UnsupportedUri};
    match error {
        Invalid { .. } | UnsupportedUri { .. } => 2,
        _ => 3,
    }
}

fn io_code(error: &std::io::Error) -> u8 {
    match error.kind() {
        std::io::ErrorKind::NotFound => 2,
        _ => 3,
    }
}

fn fetch_code(error: &FetchError) -> u8 {
    match error {
        FetchError::Address { .. } | FetchError::Archive { .. } | FetchError::Outside { .. } => 2,
        FetchError::Io { source, .. } => io_code(source),
        FetchError::Status { .. } | FetchError::Connection { .. } | FetchError::Checksum { .. } => {
            3
        }
    }
}

fn lake_code(error: &LakeError) -> u8 {
    match error {
        LakeError::Io { source, .. } => io_code(source),
        LakeError::MissingFile { .. }
        | LakeError::MissingColumn { .. }
        | LakeError::Csv { .. }
        | LakeError::MissingTable { .. }
        | LakeError::NoSuchColumn { .. } => 2,
        LakeError::Conflict { .. }
        | LakeError::Delta { .. }
        | LakeError::Parquet { .. }
        | LakeError::Arrow { .. }
        | LakeError::Unsupported { .. } => 3,
    }
}

fn history_code(error: &HistoryError) -> u8 {
    match error {
        HistoryError::Lake(error) => lake_code(error),
        HistoryError::Project(_)
        | HistoryError::Derived { .. }
        | HistoryError::OtherColumns { .. } => 2,
        HistoryError::DataFusion { .. } => 3,
    }
}

fn feature_code(error: &FeatureError) -> u8 {
    match error {
        FeatureError::Lake(error) => lake_code(error),
        FeatureError::History(error) => history_code(error),
        FeatureError::DataFusion { .. } => 3,
        _ => 2,
    }
}

fn dataset_code(error: &DatasetError) -> u8 {
    match error {
        DatasetError::Lake(error) => lake_code(error),
        DatasetError::History(error) => history_code(error),
        DatasetError::Feature(error) => feature_code(error),
        DatasetError::Arrow { .. } => 3,
        _ => 2,
    }
}
