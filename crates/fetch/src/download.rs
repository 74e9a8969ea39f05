//! One file, whole or not at all.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use ureq::http::Response;
use ureq::{Agent, Body, Error};

use crate::FetchError;
use crate::checksum::sha256;
use crate::partial::Partial;
use crate::response::Answer;

/// What to download.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Where it is, over HTTP or HTTPS.
    pub url: &'a str,
    /// SHA-256 of the file in hexadecimal, if it is known.
    pub sha256: Option<&'a str>,
}

/// How patient to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How often in a row to try without a single new byte. Default 6.
    pub attempts: u32,
    /// How long to wait before the second attempt; each further one waits twice as long. Default 1 s.
    pub first_wait: Duration,
    /// The longest wait, also where the server asks for more. Default 60 s.
    pub longest_wait: Duration,
    /// How long the server may be silent. Default 60 s.
    pub silence: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            attempts: 6,
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(60),
            silence: Duration::from_secs(60),
        }
    }
}

/// What happens during a download.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// It goes on from bytes of an earlier attempt.
    Resumed {
        /// How many of them there are.
        bytes: u64,
    },
    /// Bytes have come.
    Progress {
        /// Bytes that are there, those of earlier attempts included.
        bytes: u64,
        /// Bytes of the whole file, if the server says.
        total: Option<u64>,
    },
    /// Something went wrong, and another attempt follows.
    Retry {
        /// What went wrong.
        message: String,
        /// How long until then.
        wait: Duration,
    },
}

/// A file that was downloaded, or was there already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256 in lower-case hexadecimal.
    pub sha256: String,
    /// Whether it was there already.
    pub reused: bool,
}

/// Downloads a file to `target`, whose folder is made if need be, and says what happens through `follow`.
///
/// A target that is there is kept, unless its checksum is not the one stated. Connections that break and answers
/// that may be better later (408, 425, 429 and 5xx) are tried again, with a wait that doubles or is the one that
/// the server asks for. Each new attempt asks only for the rest of the file, on condition that it has not changed.
///
/// # Errors
/// [`FetchError`] if the server refuses, cannot be reached or breaks off too often, if the checksum is not the one
/// stated, or if a file cannot be written.
pub fn download(
    source: &Source<'_>,
    target: &Path,
    options: &Options,
    follow: &mut dyn FnMut(Event),
) -> Result<Fetched, FetchError> {
    if let Some(held) = already_there(source, target)? {
        return Ok(held);
    }
    if let Some(folder) = target.parent() {
        fs::create_dir_all(folder).map_err(|error| FetchError::io(folder, error))?;
    }
    let mut transfer = Transfer {
        url: source.url,
        partial: Partial::of(target),
        agent: agent(options),
        follow,
    };
    transfer.complete(options)?;
    let (found, bytes) = sha256(&transfer.partial.path)?;
    if let Some(expected) = source
        .sha256
        .filter(|stated| !stated.eq_ignore_ascii_case(&found))
    {
        transfer.partial.discard()?;
        return Err(FetchError::Checksum {
            url: source.url.to_owned(),
            expected: expected.to_lowercase(),
            found,
        });
    }
    transfer.partial.finish(target)?;
    Ok(Fetched {
        bytes,
        sha256: found,
        reused: false,
    })
}

fn already_there(source: &Source<'_>, target: &Path) -> Result<Option<Fetched>, FetchError> {
    if !target.is_file() {
        return Ok(None);
    }
    let (found, bytes) = sha256(target)?;
    let is_right = source
        .sha256
        .is_none_or(|stated| stated.eq_ignore_ascii_case(&found));
    Ok(is_right.then_some(Fetched {
        bytes,
        sha256: found,
        reused: true,
    }))
}

/// Statuses are looked at here, and no body is limited in size.
fn agent(options: &Options) -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .user_agent(concat!("safra/", env!("CARGO_PKG_VERSION")))
        .timeout_connect(Some(options.silence))
        .timeout_recv_response(Some(options.silence))
        .timeout_per_read(Some(options.silence))
        .build()
        .into()
}

/// A download on its way.
struct Transfer<'a> {
    url: &'a str,
    partial: Partial,
    agent: Agent,
    follow: &'a mut dyn FnMut(Event),
}

/// How one attempt ended.
enum Outcome {
    Complete,
    /// To be tried again, after so many seconds if the server says.
    Broken {
        message: String,
        after: Option<u64>,
        /// Whether any byte came.
        progress: bool,
    },
}

impl Transfer<'_> {
    /// Tries until the partial file is complete.
    fn complete(&mut self, options: &Options) -> Result<(), FetchError> {
        let mut failures = 0;
        loop {
            let (message, after) = match self.attempt()? {
                Outcome::Complete => return Ok(()),
                Outcome::Broken {
                    message,
                    after,
                    progress,
                } => {
                    failures = if progress { 1 } else { failures + 1 };
                    (message, after)
                }
            };
            if failures >= options.attempts {
                return Err(FetchError::Connection {
                    url: self.url.to_owned(),
                    message,
                });
            }
            let doubled = options
                .first_wait
                .saturating_mul(2_u32.saturating_pow(failures - 1));
            let asked = after.map(Duration::from_secs).unwrap_or_default();
            let wait = doubled.max(asked).min(options.longest_wait);
            (self.follow)(Event::Retry { message, wait });
            sleep(wait);
        }
    }

    fn attempt(&mut self) -> Result<Outcome, FetchError> {
        let held = self.partial.held(self.url);
        let from = held.as_ref().map_or(0, |(bytes, _)| *bytes);
        let mut request = self.agent.get(self.url);
        if let Some((bytes, version)) = &held {
            request = request
                .header("range", format!("bytes={bytes}-"))
                .header("if-range", version);
        }
        let response = match request.call() {
            Ok(response) => response,
            Err(error) => return self.unanswered(&error),
        };
        let (file, from, length) = match Answer::of(&response, from) {
            Answer::Complete => return Ok(Outcome::Complete),
            Answer::Whole { version, length } => {
                (self.partial.start(self.url, version.as_deref())?, 0, length)
            }
            Answer::Rest { length } => {
                (self.follow)(Event::Resumed { bytes: from });
                (self.partial.go_on()?, from, length)
            }
            Answer::Changed => {
                self.partial.discard()?;
                return Ok(broken("the file has changed on the server", None, false));
            }
            Answer::Later { status, after } => {
                return Ok(broken(
                    &format!("the server answered {status}"),
                    after,
                    false,
                ));
            }
            Answer::Refused { status } => {
                let url = self.url.to_owned();
                return Err(FetchError::Status { url, status });
            }
        };
        self.receive(response, file, from, length)
    }

    /// Writes what comes to the end of the partial file.
    fn receive(
        &mut self,
        response: Response<Body>,
        mut file: fs::File,
        from: u64,
        length: Option<u64>,
    ) -> Result<Outcome, FetchError> {
        let total = length.map(|length| from + length);
        let mut reader = response.into_body().into_reader();
        let mut buffer = vec![0; 1 << 16];
        let mut bytes = from;
        loop {
            let read = match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) => return Ok(broken(&error.to_string(), None, bytes > from)),
            };
            file.write_all(&buffer[..read])
                .map_err(|error| FetchError::io(&self.partial.path, error))?;
            bytes += read as u64;
            (self.follow)(Event::Progress { bytes, total });
        }
        match total {
            Some(total) if total != bytes => {
                let message = format!("{bytes} of {total} bytes came");
                Ok(broken(&message, None, bytes > from))
            }
            _ => Ok(Outcome::Complete),
        }
    }

    /// Addresses that can never work are told from connections that may.
    fn unanswered(&self, error: &Error) -> Result<Outcome, FetchError> {
        match error {
            Error::BadUri(_)
            | Error::Http(_)
            | Error::RedirectFailed
            | Error::TooManyRedirects
            | Error::InvalidProxyUrl
            | Error::Tls(_)
            | Error::Rustls(_) => Err(FetchError::Address {
                url: self.url.to_owned(),
                message: error.to_string(),
            }),
            _ => Ok(broken(&error.to_string(), None, false)),
        }
    }
}

fn broken(message: &str, after: Option<u64>, progress: bool) -> Outcome {
    Outcome::Broken {
        message: message.to_owned(),
        after,
        progress,
    }
}
