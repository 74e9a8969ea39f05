//! Requests to a server: sent, sent again, and their answers read.

use std::fs::File;
use std::path::Path;
use std::thread;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::de::DeserializeOwned;
use serde_json::Value;
use ureq::config::{AutoHeaderValue, RedirectAuthHeaders};
use ureq::http::Response;
use ureq::http::header::{AUTHORIZATION, CONTENT_TYPE};
use ureq::{Agent, Body, RequestBuilder};
use url::Url;

use super::address::Address;
use super::options::{Credentials, RestOptions};
use super::retry::{Backoff, Repeat, retry_after};
use super::{failure::Failure, tls};
use crate::{Error, Result};

/// A connection that rested longer is not used again, for the server may be closing it: some do after 2 seconds.
const LONGEST_REST: Duration = Duration::from_secs(1);

/// Talks to one server.
pub(super) struct Client {
    agent: Agent,
    pub(super) address: Address,
    authorization: Option<String>,
    backoff: Backoff,
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
            .redirect_auth_headers(RedirectAuthHeaders::SameHost)
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

    fn answer<T: DeserializeOwned>(&self, request: &Request<'_>) -> Result<T> {
        let bytes = self.send(request)?;
        serde_json::from_slice(&bytes).map_err(|error| Error::UnexpectedAnswer {
            method: request.method.name(),
            url: request.url.to_string(),
            reason: error.to_string(),
        })
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

fn read(response: Response<Body>) -> std::result::Result<Vec<u8>, Failure> {
    let status = response.status();
    let retry_after = retry_after(response.headers());
    let read = response
        .into_body()
        .into_with_config()
        .limit(u64::MAX)
        .read_to_vec();
    let body = read.map_err(Failure::Transport)?;
    if status.is_success() {
        return Ok(body);
    }
    Err(Failure::Refused {
        status: status.as_u16(),
        body,
        retry_after,
    })
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
