//! How to talk to a server.

use std::env;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use crate::{Error, Result};

/// Who asks.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// A token, sent as `Authorization: Bearer …`.
    Token(String),
    /// A user and a password, sent as `Authorization: Basic …`.
    Basic {
        /// The user.
        username: String,
        /// The password.
        password: String,
    },
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(_) => formatter.write_str("Token(…)"),
            Self::Basic { username, .. } => write!(formatter, "Basic({username:?}, …)"),
        }
    }
}

/// How to talk to a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestOptions {
    /// Who asks; those in the URI of the server come first.
    pub credentials: Option<Credentials>,
    /// The longest time without any progress: to connect, to send or receive a piece, or until the answer begins.
    pub timeout: Duration,
    /// How often a request that failed for now is sent again at most.
    pub retries: u32,
    /// The wait before a request is sent again for the first time; each next wait is twice as long, up to a minute.
    /// A wait that the server asks for comes first.
    pub backoff: Duration,
    /// The most entities asked for at once; all of them are read, page by page.
    pub page_size: u32,
    /// The most bytes of an answer, such as an artifact, that are read into memory; a longer one is an error.
    pub largest_answer: u64,
    /// A file with the certificates, in PEM, of those who may vouch for the server; Mozilla's list if none is given.
    pub server_certificates: Option<PathBuf>,
    /// Whether to believe any server that it is the right one: TLS then protects against nobody who is in the way.
    pub insecure_tls: bool,
}

impl Default for RestOptions {
    fn default() -> Self {
        Self {
            credentials: None,
            timeout: Duration::from_secs(120),
            retries: 5,
            backoff: Duration::from_millis(500),
            page_size: 1_000,
            largest_answer: 4 << 30,
            server_certificates: None,
            insecure_tls: false,
        }
    }
}

impl RestOptions {
    /// Takes MLflow's environment variables: `MLFLOW_TRACKING_USERNAME` and `MLFLOW_TRACKING_PASSWORD`, or else
    /// `MLFLOW_TRACKING_TOKEN`; `MLFLOW_TRACKING_SERVER_CERT_PATH`; `MLFLOW_TRACKING_INSECURE_TLS` (`true` or `1`);
    /// `MLFLOW_HTTP_REQUEST_TIMEOUT` and `MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR` (whole seconds);
    /// `MLFLOW_HTTP_REQUEST_MAX_RETRIES`. What is not set is as in the [default](Self::default).
    ///
    /// # Errors
    /// When a number cannot be read.
    pub fn from_environment() -> Result<Self> {
        Self::from_variables(|name| env::var(name).ok().filter(|value| !value.is_empty()))
    }

    fn from_variables(variable: impl Fn(&'static str) -> Option<String>) -> Result<Self> {
        let user = variable("MLFLOW_TRACKING_USERNAME").zip(variable("MLFLOW_TRACKING_PASSWORD"));
        let credentials = match user {
            Some((username, password)) => Some(Credentials::Basic { username, password }),
            None => variable("MLFLOW_TRACKING_TOKEN").map(Credentials::Token),
        };
        let seconds = |name| Ok(number(name, variable(name))?.map(Duration::from_secs));
        let retries = "MLFLOW_HTTP_REQUEST_MAX_RETRIES";
        let default = Self::default();
        Ok(Self {
            credentials,
            timeout: seconds("MLFLOW_HTTP_REQUEST_TIMEOUT")?.unwrap_or(default.timeout),
            retries: number(retries, variable(retries))?.unwrap_or(default.retries),
            backoff: seconds("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR")?.unwrap_or(default.backoff),
            server_certificates: variable("MLFLOW_TRACKING_SERVER_CERT_PATH").map(PathBuf::from),
            insecure_tls: variable("MLFLOW_TRACKING_INSECURE_TLS")
                .is_some_and(|value| matches!(value.to_lowercase().as_str(), "true" | "1")),
            ..default
        })
    }
}

fn number<T: FromStr>(kind: &'static str, value: Option<String>) -> Result<Option<T>> {
    let parse = |value: String| {
        value.trim().parse().map_err(|_| Error::Invalid {
            kind,
            value,
            hint: "give a whole number, not negative",
        })
    };
    value.map(parse).transpose()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn options(variables: &[(&str, &str)]) -> Result<RestOptions> {
        RestOptions::from_variables(|name| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_environment_says_who_asks() {
        assert_eq!(options(&[]).unwrap(), RestOptions::default());
        let token = ("MLFLOW_TRACKING_TOKEN", "t0k3n");
        let user = ("MLFLOW_TRACKING_USERNAME", "ana");
        let password = ("MLFLOW_TRACKING_PASSWORD", "s3cret");
        let credentials = |variables: &[_]| options(variables).unwrap().credentials.unwrap();
        assert_eq!(
            credentials(&[token, user]),
            Credentials::Token("t0k3n".into())
        );
        let basic = credentials(&[token, user, password]);
        assert_eq!(format!("{basic:?}"), "Basic(\"ana\", …)");
        assert!(!format!("{:?}", credentials(&[token])).contains("t0k3n"));
    }

    #[test]
    fn the_environment_says_how_to_ask() {
        let given = options(&[
            ("MLFLOW_HTTP_REQUEST_TIMEOUT", "7"),
            ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0"),
            ("MLFLOW_TRACKING_INSECURE_TLS", "True"),
            ("MLFLOW_TRACKING_SERVER_CERT_PATH", "ca.pem"),
        ])
        .unwrap();
        assert_eq!((given.timeout, given.retries), (Duration::from_secs(7), 0));
        assert!(given.insecure_tls);
        assert_eq!(given.server_certificates, Some(PathBuf::from("ca.pem")));
        let error = options(&[("MLFLOW_HTTP_REQUEST_TIMEOUT", "soon")]).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("invalid MLFLOW_HTTP_REQUEST_TIMEOUT: \"soon\"\nhint: ")
        );
    }
}
