//! What can go wrong.

use std::io;
use std::path::{Path, PathBuf};

/// The result of a call on a store.
pub type Result<T> = std::result::Result<T, Error>;

/// An error of a store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused an operation on a file or folder.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried, as an infinitive such as `read`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// A file of the store does not hold what MLflow writes there.
    #[error("malformed file {}: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// There is nothing of that kind with that name or id.
    #[error("{kind} not found: {id}")]
    NotFound {
        /// `experiment`, `run`, `logged model`, …
        kind: &'static str,
        /// The name or id that was asked for.
        id: String,
    },
    /// Something of that kind with that name or id is there already.
    #[error("{kind} already exists: {id}")]
    AlreadyExists {
        /// `experiment`, `run`, `logged model`, …
        kind: &'static str,
        /// The name or id.
        id: String,
    },
    /// The experiment or run is deleted, and so can only be read.
    #[error("{kind} is deleted: {id}\nhint: restore it with MLflow, or use another name")]
    Deleted {
        /// `experiment` or `run`.
        kind: &'static str,
        /// The name or id.
        id: String,
    },
    /// A name, key, path or number that MLflow refuses.
    #[error("invalid {kind}: {value:?}\nhint: {hint}")]
    Invalid {
        /// `param key`, `experiment name`, …
        kind: &'static str,
        /// What was given.
        value: String,
        /// What is allowed.
        hint: &'static str,
    },
    /// A name, key or value with more characters than MLflow takes.
    #[error(
        "{kind} is too long: {name:?} has {length} characters\nhint: at most {limit} are allowed"
    )]
    TooLong {
        /// `param key`, `param value`, …
        kind: &'static str,
        /// The name, or the key whose value is too long, cut to 50 characters.
        name: String,
        /// Its characters.
        length: usize,
        /// The most that MLflow takes.
        limit: usize,
    },
    /// A param that was logged before with another value; params never change.
    #[error(
        "param {key} of run {run_id} cannot change from {current:?} to: {new:?}\nhint: log it once for each run"
    )]
    ParamChanged {
        /// The run.
        run_id: String,
        /// The param.
        key: String,
        /// The value it has.
        current: String,
        /// The value that was refused.
        new: String,
    },
    /// A URI that this crate cannot open.
    #[error("unsupported URI: {uri}\nhint: {hint}")]
    UnsupportedUri {
        /// The URI.
        uri: String,
        /// What can be opened instead.
        hint: &'static str,
    },
    /// A server that could not be asked, or did not answer.
    #[error("{method} {url}: {reason}{}\nhint: is the server running, and is this its address?", after(*.attempts))]
    Unreachable {
        /// The method of the request.
        method: &'static str,
        /// The URL of the request, without credentials.
        url: String,
        /// What happened.
        reason: String,
        /// How often it was tried.
        attempts: u32,
    },
    /// A server that refused a request, or failed at it.
    #[error("{method} {url}: {}{}{}", refusal(*.status, .error_code, .message), after(*.attempts), server_hint(*.status, .error_code))]
    Server {
        /// The method of the request.
        method: &'static str,
        /// The URL of the request, without credentials.
        url: String,
        /// The HTTP status of the answer.
        status: u16,
        /// MLflow's code of the error, such as `INVALID_PARAMETER_VALUE`; empty if the answer is not MLflow's.
        error_code: String,
        /// MLflow's message, its first line; if the answer is not MLflow's, where it sends on to, or empty.
        message: String,
        /// How often it was tried.
        attempts: u32,
    },
    /// An answer with more bytes than are read into memory.
    #[error(
        "the answer to {method} {url} has more than {limit} bytes\nhint: download it with MLflow, or raise `RestOptions::largest_answer`"
    )]
    TooLarge {
        /// The method of the request.
        method: &'static str,
        /// The URL of the request, without credentials.
        url: String,
        /// The most bytes that are read.
        limit: u64,
    },
    /// An answer that is not what MLflow answers.
    #[error(
        "unexpected answer to {method} {url}: {reason}\nhint: is this the address of an MLflow server?"
    )]
    UnexpectedAnswer {
        /// The method of the request.
        method: &'static str,
        /// The URL of the request, without credentials.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl Error {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }

    pub(crate) fn malformed(path: &Path, reason: impl Into<String>) -> Self {
        Self::Malformed {
            path: path.to_path_buf(),
            reason: reason.into(),
        }
    }

    pub(crate) fn not_found(kind: &'static str, id: &str) -> Self {
        Self::NotFound {
            kind,
            id: id.to_owned(),
        }
    }
}

fn refusal(status: u16, error_code: &str, message: &str) -> String {
    match (error_code, message) {
        ("", "") => format!("HTTP status {status}"),
        ("", message) => format!("HTTP status {status}: {message}"),
        _ => format!("{error_code}: {message}"),
    }
}

fn after(attempts: u32) -> String {
    match attempts {
        1 => String::new(),
        _ => format!(" (after {attempts} attempts)"),
    }
}

fn server_hint(status: u16, error_code: &str) -> String {
    let hint = match status {
        300..=399 => {
            "give the address of the server itself: nothing is followed, for it may lead to a page to log in"
        }
        401 => {
            "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
        }
        403 => "this user may not do that; ask who runs the server, or come as another user",
        404 | 405 if error_code.is_empty() => {
            "is this the address of an MLflow server, with its path if it has one?"
        }
        413 => "a proxy before the server takes no body of this size",
        429 => "the server has too much to do; try again later",
        500.. => "the server failed; its log says more",
        _ => return String::new(),
    };
    format!("\nhint: {hint}")
}
