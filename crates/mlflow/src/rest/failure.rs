//! How requests fail.

use std::io;
use std::time::Duration;

use serde::Deserialize;

use super::address::without_credentials;
use super::http::Request;
use super::retry::Failed;
use crate::Error;

/// Why there is no good answer.
pub(super) enum Failure {
    /// The server answered that it did not do it.
    Refused {
        status: u16,
        body: Vec<u8>,
        retry_after: Option<Duration>,
        /// Where it sends on to.
        location: Option<String>,
    },
    /// The answer has more bytes than these.
    TooLarge(u64),
    /// There is no answer.
    Transport(ureq::Error),
}

impl Failure {
    /// What that means for another attempt.
    pub(super) fn failed(&self) -> Failed {
        use ureq::{Error, Timeout};
        match self {
            Self::Refused { status, .. } => Failed::with_status(*status),
            Self::TooLarge(_) => Failed::ForGood,
            Self::Transport(error) => match error {
                Error::HostNotFound
                | Error::ConnectionFailed
                | Error::ConnectProxyFailed(_)
                | Error::Timeout(Timeout::Resolve | Timeout::Connect) => Failed::NotSent,
                Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    Failed::NotSent
                }
                Error::Io(error) if is_tls(error) => Failed::ForGood,
                Error::Io(_) | Error::Timeout(_) => Failed::NoAnswer,
                _ => Failed::ForGood,
            },
        }
    }

    /// The wait that the server asked for.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } => *retry_after,
            Self::TooLarge(_) | Self::Transport(_) => None,
        }
    }

    /// As the error of a request that was sent so many times.
    pub(super) fn into_error(self, request: &Request<'_>, attempts: u32) -> Error {
        let method = request.method.name();
        let url = request.url.to_string();
        match self {
            Self::Refused {
                status,
                body,
                location,
                ..
            } => {
                let Refusal {
                    error_code,
                    mut message,
                } = Refusal::read(&body);
                if let Some(location) = location.filter(|_| error_code.is_empty()) {
                    message = format!("sent on to {}", shown(&location));
                }
                Error::Server {
                    method,
                    url,
                    status,
                    error_code,
                    message,
                    attempts,
                }
            }
            Self::TooLarge(limit) => Error::TooLarge { method, url, limit },
            Self::Transport(error) => Error::Unreachable {
                method,
                url,
                reason: error.to_string(),
                attempts,
            },
        }
    }
}

/// What MLflow says when it refuses something.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Refusal {
    error_code: String,
    message: String,
}

impl Refusal {
    /// Reads an answer; nothing of one that is not MLflow's, such as the page of a proxy.
    fn read(body: &[u8]) -> Self {
        let mut refusal: Self = serde_json::from_slice(body).unwrap_or_default();
        // The lines after the first are the SQL that failed.
        if let Some((first, _)) = refusal.message.split_once('\n') {
            refusal.message = first.to_owned();
        }
        refusal
    }
}

/// An address without what may be secret in it.
fn shown(location: &str) -> String {
    let end = location.find(['?', '#']).unwrap_or(location.len());
    without_credentials(&location[..end])
}

/// Whether TLS failed: another attempt would fail in the same way.
fn is_tls(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::InvalidData
}
