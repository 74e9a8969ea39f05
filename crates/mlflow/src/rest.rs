//! A store behind an MLflow server, asked by its REST API.

mod address;
mod artifacts;
mod batch;
mod experiments;
mod failure;
mod http;
mod logged_models;
mod message;
mod model_versions;
mod options;
mod registry;
mod retry;
mod run_message;
mod runs;
mod search;
mod tls;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::{Error, Result};
use http::Client;

pub use address::without_credentials;
pub use options::{Credentials, RestOptions};

/// A store behind an MLflow server.
///
/// # Who asks
/// The user and the password in the address (`https://ana:secret@mlflow.example.com`, with escapes such as `%40`), or else
/// the [credentials](RestOptions::credentials) in the options. They are sent to that host alone.
///
/// # What is sent again
/// After a failure that may pass, a request is sent again up to [`RestOptions::retries`] times, with waits that double,
/// or as long as the header `Retry-After` says (a minute at most):
///
/// - always when the server cannot have taken it: no connection, or the status 429;
/// - on a broken connection, a missing answer and the statuses 408, 500, 502, 503 and 504 only where sending it twice does
///   what sending it once does. That is all but the calls that create a run, a logged model or a version, that link
///   outputs to a run, and that delete or restore an experiment or a run. (An experiment or registered model that is there already is taken as it is, and a
///   value of a metric with the same time and step is the same value to MLflow's databases.)
///
/// An answer that sends on elsewhere is not followed: a request that writes would become one that reads, and what it leads to is
/// often a page to log in.
///
/// # What a server does differently
/// - Its database keeps the largest finite number instead of an infinity; NaN stays.
/// - It has its own clock, except for the times of runs and of metrics.
/// - It does not keep the logged model of a version. It is read off the source of the version, if that is
///   `models:/<model_id>` or the location of the logged model.
///
/// # Where artifacts are
/// Behind the server, which is how `mlflow server` keeps them unless told otherwise. Of a server on this machine also in
/// a folder, where `mlflow migrate-filestore` leaves them. Elsewhere, as on S3 without the server between, they are out of
/// reach.
pub struct RestStore {
    client: Client,
    page_size: u32,
    /// The locations of the artifacts of runs and logged models, which never change, by id.
    locations: Mutex<HashMap<String, String>>,
}

impl RestStore {
    /// The store behind the server at `uri`: `http://` or `https://`, a host, perhaps a port and a path. The server is not
    /// asked yet.
    ///
    /// # Errors
    /// [`Error::Invalid`] when `uri` is no such address; [`Error::Io`] or [`Error::Malformed`] when the certificates
    /// cannot be read.
    pub fn new(uri: &str, options: &RestOptions) -> Result<Self> {
        Ok(Self {
            client: Client::new(uri, options)?,
            page_size: options.page_size,
            locations: Mutex::new(HashMap::new()),
        })
    }

    /// The location of the artifacts of `id`, asked for once.
    fn location(&self, id: &str, ask: impl FnOnce() -> Result<String>) -> Result<String> {
        let locations = || {
            self.locations
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if let Some(location) = locations().get(id) {
            return Ok(location.clone());
        }
        let location = ask()?;
        locations().insert(id.to_owned(), location.clone());
        Ok(location)
    }
}

/// MLflow's codes of errors that mean something to this crate.
mod code {
    pub(super) const NOT_FOUND: &str = "RESOURCE_DOES_NOT_EXIST";
    pub(super) const ALREADY_EXISTS: &str = "RESOURCE_ALREADY_EXISTS";
}

/// Whether the server refused with that code.
fn is_refusal(error: &Error, code: &str) -> bool {
    matches!(error, Error::Server { error_code, .. } if error_code == code)
}

/// Whether the server refused something for good, which may have a reason that can be found.
fn is_refused(error: &Error) -> bool {
    matches!(
        error,
        Error::Server {
            status: 400..=499,
            ..
        }
    )
}

/// Says what was not found.
fn or_not_found<T>(result: Result<T>, kind: &'static str, id: &str) -> Result<T> {
    result.map_err(|error| {
        if is_refusal(&error, code::NOT_FOUND) {
            Error::not_found(kind, id)
        } else {
            error
        }
    })
}
