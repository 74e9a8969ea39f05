//! Requests to a server: sent, sent again, and their answers read.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::thread;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;
use ureq::config::AutoHeaderValue;
use ureq::http::Response;
use ureq::http::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION};
use ureq::{Agent, Body, RequestBuilder};
use url::Url;

use super::address::Address;
use super::options::{Credentials, RestOptions};
use super::retry::{Backoff, Repeat, retry_after};
use super::{failure::Failure, tls};
use crate::{Error, Result};

/// A connection that rested longer is not used again, for the server may be closing it: some do after 2 seconds.
const LONGEST_REST: Duration = Duration::from_secs(1);

/// What is read of an answer that says why something failed, in bytes.
const LONGEST_REFUSAL: u64 = 1 << 20;

/// Talks to one server.
pub(super) struct Client {
    agent: Agent,
    pub(super) address: Address,
    authorization: Option<String>,
    backoff: Backoff,
    largest_answer: u64,
}

/// A request.
pub(super) struct Request<'a> {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) content: Content<'a>,
    pub(super) repeat: Repeat,
}

/// What a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

/// What a request brings.
pub(super) enum Content<'a> {
    Nothing,
    Json(Vec<u8>),
    Bytes(&'a [u8]),
    File(&'a Path),
}

impl Client {
    pub(super) fn new(uri: &str, options: &RestOptions) -> Result<Self> {
        let (address, credentials) = Address::parse(uri)?;
        let credentials = credentials.or_else(|| options.credentials.clone());
        let timeout = Some(options.timeout);
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            // A POST that is sent on becomes a GET, and where it leads is often a page to log in.
            .max_redirects(0)
            .user_agent(AutoHeaderValue::from(concat!(
                "safra-mlflow/",
                env!("CARGO_PKG_VERSION")
            )))
            .timeout_connect(timeout)
            .timeout_per_read(timeout)
            .timeout_per_write(timeout)
            .timeout_recv_response(timeout)
            .max_idle_age(LONGEST_REST)
            .tls_config(tls::config(options)?)
            .build()
            .new_agent();
        Ok(Self {
            agent,
            address,
            authorization: credentials.as_ref().map(authorization),
            backoff: Backoff {
                retries: options.retries,
                first: options.backoff,
            },
            largest_answer: options.largest_answer,
        })
    }

    /// Asks the API for something.
    pub(super) fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, &str)]) -> Result<T> {
        self.answer(&Request {
            method: Method::Get,
            url: self.address.api(path, query),
            content: Content::Nothing,
            repeat: Repeat::Safe,
        })
    }

    /// Calls the API with a JSON document.
    pub(super) fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        document: &Value,
        repeat: Repeat,
    ) -> Result<T> {
        self.answer(&Request {
            method,
            url: self.address.api(path, &[]),
            content: Content::Json(document.to_string().into_bytes()),
            repeat,
        })
    }

    /// Sends a request whose answer says nothing: MLflow answers with an empty document, or with none. A page to log in is also an
    /// answer that all is well, and is refused.
    pub(super) fn acknowledged(&self, request: &Request<'_>) -> Result<()> {
        match self.send(request)? {
            empty if empty.is_empty() => Ok(()),
            bytes => document::<IgnoredAny>(request, &bytes).map(drop),
        }
    }

    fn answer<T: DeserializeOwned>(&self, request: &Request<'_>) -> Result<T> {
        document(request, &self.send(request)?)
    }

    /// Sends a request, again if that is safe and may help; gives the body of the answer.
    pub(super) fn send(&self, request: &Request<'_>) -> Result<Vec<u8>> {
        let mut sent = 0;
        loop {
            let failure = match self.send_once(request)? {
                Ok(bytes) => return Ok(bytes),
                Err(failure) => failure,
            };
            sent += 1;
            let failed = failure.failed();
            match self
                .backoff
                .wait(sent, failed, request.repeat, failure.retry_after())
            {
                Some(wait) => thread::sleep(wait),
                None => return Err(failure.into_error(request, sent)),
            }
        }
    }

    /// The body of the answer, or how the request failed; an error if it could not be made.
    fn send_once(&self, request: &Request<'_>) -> Result<std::result::Result<Vec<u8>, Failure>> {
        let url = request.url.as_str();
        let response = match request.method {
            Method::Get => self.with_headers(self.agent.get(url)).call(),
            Method::Post => self.send_content(self.agent.post(url), &request.content)?,
            Method::Put => self.send_content(self.agent.put(url), &request.content)?,
            Method::Patch => self.send_content(self.agent.patch(url), &request.content)?,
            Method::Delete => {
                self.send_content(self.agent.delete(url).force_send_body(), &request.content)?
            }
        };
        let read = |response| read(response, self.largest_answer);
        Ok(response.map_err(Failure::Transport).and_then(read))
    }

    fn send_content(
        &self,
        builder: RequestBuilder<ureq::typestate::WithBody>,
        content: &Content<'_>,
    ) -> Result<std::result::Result<Response<Body>, ureq::Error>> {
        let builder = self.with_headers(builder);
        let binary = "application/octet-stream";
        Ok(match content {
            Content::Nothing => builder.send_empty(),
            Content::Json(text) => builder.header(CONTENT_TYPE, "application/json").send(text),
            Content::Bytes(bytes) => builder.header(CONTENT_TYPE, binary).send(*bytes),
            Content::File(path) => {
                let file = File::open(path).map_err(Error::io("read", path))?;
                builder.header(CONTENT_TYPE, binary).send(file)
            }
        })
    }

    fn with_headers<B>(&self, builder: RequestBuilder<B>) -> RequestBuilder<B> {
        match &self.authorization {
            Some(authorization) => builder.header(AUTHORIZATION, authorization),
            None => builder,
        }
    }
}

/// The JSON document that an answer is.
fn document<T: DeserializeOwned>(request: &Request<'_>, bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|error| Error::UnexpectedAnswer {
        method: request.method.name(),
        url: request.url.to_string(),
        reason: error.to_string(),
    })
}

impl Method {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

fn read(response: Response<Body>, largest: u64) -> std::result::Result<Vec<u8>, Failure> {
    let status = response.status();
    if status.is_success() {
        return read_whole(response.into_body(), largest);
    }
    let text = |name| Some(response.headers().get(name)?.to_str().ok()?.to_owned());
    let (retry_after, location) = (retry_after(response.headers()), text(LOCATION));
    let mut body = Vec::new();
    // What is said of a failure helps, but there is one without it too.
    let _ = response
        .into_body()
        .into_reader()
        .take(LONGEST_REFUSAL)
        .read_to_end(&mut body);
    Err(Failure::Refused {
        status: status.as_u16(),
        body,
        retry_after,
        location,
    })
}

fn read_whole(body: Body, largest: u64) -> std::result::Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    // One byte more tells an answer that is too large from one that just fits.
    let mut reader = body.into_reader().take(largest.saturating_add(1));
    let read = reader.read_to_end(&mut bytes);
    read.map_err(|error| Failure::Transport(error.into()))?;
    match bytes.len() as u64 > largest {
        true => Err(Failure::TooLarge(largest)),
        false => Ok(bytes),
    }
}

fn authorization(credentials: &Credentials) -> String {
    match credentials {
        Credentials::Token(token) => format!("Bearer {token}"),
        Credentials::Basic { username, password } => {
            format!(
                "Basic {}",
                BASE64_STANDARD.encode(format!("{username}:{password}"))
            )
        }
    }
}
