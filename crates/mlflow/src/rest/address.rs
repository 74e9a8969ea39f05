//! Where a server is.

use std::path::PathBuf;

use percent_encoding::percent_decode_str;
use url::{Host, Url};

use super::options::Credentials;
use crate::local::location;
use crate::{Error, Result};

const API: &str = "api/2.0/mlflow";
const PROXY: &str = "api/2.0/mlflow-artifacts/artifacts";

/// The root of a server, perhaps below a path, without credentials.
#[derive(Debug, Clone)]
pub(super) struct Address {
    /// Ends in `/`.
    root: Url,
}

/// Where artifacts are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Behind the server, at this URL.
    Proxy(Url),
    /// In this folder, on the machine of the server, which is this one.
    Folder(PathBuf),
}

impl Address {
    /// Takes apart the URI of a server.
    pub(super) fn parse(uri: &str) -> Result<(Self, Option<Credentials>)> {
        let invalid = || Error::Invalid {
            kind: "address of a server",
            value: without_credentials(uri),
            hint: "give http:// or https://, the host, perhaps a port and a path: https://mlflow.example.com:5000",
        };
        let mut root = Url::parse(uri).map_err(|_| invalid())?;
        let is_address = matches!(root.scheme(), "http" | "https")
            && root.query().is_none()
            && root.fragment().is_none();
        if !is_address {
            return Err(invalid());
        }
        let credentials = credentials(&root);
        root.set_username("").map_err(|()| invalid())?;
        root.set_password(None).map_err(|()| invalid())?;
        let path = format!("{}/", root.path().trim_end_matches('/'));
        root.set_path(&path);
        Ok((Self { root }, credentials))
    }

    /// The URL of a call of the API; the path must need no escapes.
    pub(super) fn api(&self, path: &str, query: &[(&str, &str)]) -> Url {
        let mut url = self.below(&format!("{API}/{path}"));
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    /// Where the artifacts are that the server says are at `uri`.
    pub(super) fn place(&self, uri: &str) -> Result<Place> {
        let proxy = self.below(PROXY);
        let behind_proxy = format!("{}/", proxy.as_str());
        if uri.starts_with(&behind_proxy) {
            return Url::parse(uri)
                .map(Place::Proxy)
                .map_err(|_| self.out_of_reach(uri));
        }
        match Url::parse(uri) {
            Ok(url) if url.scheme() == "mlflow-artifacts" && self.is_authority(&url) => {
                let path = url.path().trim_matches('/');
                Ok(Place::Proxy(self.below(&format!("{PROXY}/{path}"))))
            }
            Ok(url) if url.scheme() != "file" => Err(self.out_of_reach(uri)),
            _ if self.is_this_machine() => location::folder(uri).map(Place::Folder),
            _ => Err(self.out_of_reach(uri)),
        }
    }

    fn below(&self, path: &str) -> Url {
        let mut url = self.root.clone();
        url.set_path(&format!("{}{path}", self.root.path()));
        url
    }

    /// Whether a URI names this server, or none and so this one.
    fn is_authority(&self, url: &Url) -> bool {
        match url.host_str() {
            None | Some("") => true,
            Some(host) => {
                self.root.host_str() == Some(host)
                    && url.port() == self.root.port_or_known_default()
            }
        }
    }

    fn is_this_machine(&self) -> bool {
        match self.root.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
    }

    fn out_of_reach(&self, uri: &str) -> Error {
        Error::UnsupportedUri {
            uri: uri.to_owned(),
            hint: "the server keeps these artifacts where only it can reach them; start it with its artifact proxy \
                   (`mlflow server --serve-artifacts --artifacts-destination …`) and use a new experiment",
        }
    }
}

fn credentials(url: &Url) -> Option<Credentials> {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    (!url.username().is_empty()).then(|| Credentials::Basic {
        username: decoded(url.username()),
        password: decoded(url.password().unwrap_or_default()),
    })
}

/// A URI of a store to be shown: without the user and the password that the address of a server may hold.
#[must_use]
pub fn without_credentials(uri: &str) -> String {
    match (uri.split_once("://"), uri.rsplit_once('@')) {
        (Some((scheme @ ("http" | "https"), _)), Some((_, rest))) => format!("{scheme}://{rest}"),
        _ => uri.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn address(uri: &str) -> Address {
        Address::parse(uri).unwrap().0
    }

    #[test]
    fn a_server_may_be_below_a_path_and_hide_a_password() {
        let (address, credentials) =
            Address::parse("https://ana:p%40ss@ml.example.com/team/").unwrap();
        assert_eq!(
            address.api("runs/get", &[("run_id", "a b&c")]).as_str(),
            "https://ml.example.com/team/api/2.0/mlflow/runs/get?run_id=a+b%26c"
        );
        let (username, password) = ("ana".into(), "p@ss".into());
        assert_eq!(credentials, Some(Credentials::Basic { username, password }));
        assert_eq!(Address::parse("http://localhost:5000").unwrap().1, None);
    }

    #[test]
    fn what_is_no_address_is_refused_without_its_password() {
        for uri in [
            "http://",
            "https://u:pass@",
            "http://host/?a=1",
            "http://host/#x",
            "http://host:99999",
        ] {
            let error = Address::parse(uri).unwrap_err().to_string();
            assert!(
                error.starts_with("invalid address of a server: "),
                "{error}"
            );
            assert!(!error.contains("pass"), "{error}");
        }
    }

    #[test]
    fn only_the_address_of_a_server_is_cut_to_be_shown() {
        assert_eq!(
            without_credentials("http://ana:s3@cret@host:5000/a"),
            "http://host:5000/a"
        );
        assert_eq!(without_credentials("http://host"), "http://host");
        assert_eq!(without_credentials("./runs@home"), "./runs@home");
    }

    #[test]
    fn artifacts_are_behind_the_server() {
        let server = address("http://ml.example.com:5000/team");
        let behind =
            "http://ml.example.com:5000/team/api/2.0/mlflow-artifacts/artifacts/1/ab/artifacts";
        for uri in [
            "mlflow-artifacts:/1/ab/artifacts",
            "mlflow-artifacts:///1/ab/artifacts",
            "mlflow-artifacts://ml.example.com:5000/1/ab/artifacts",
            behind,
        ] {
            let place = server.place(uri).unwrap();
            assert_eq!(place, Place::Proxy(Url::parse(behind).unwrap()), "{uri}");
        }
    }

    #[test]
    fn a_folder_is_reached_only_on_the_machine_of_the_server() {
        for host in ["localhost:5000", "127.0.0.1", "[::1]:80"] {
            let place = address(&format!("http://{host}"))
                .place("file:///data/1/artifacts")
                .unwrap();
            assert_eq!(place, Place::Folder(PathBuf::from("/data/1/artifacts")));
        }
        let far = address("http://ml.example.com");
        for uri in [
            "/data/1/artifacts",
            "file:///data/1",
            "s3://bucket/1",
            "mlflow-artifacts://other:5000/1",
            "http://other/api/2.0/mlflow-artifacts/artifacts/1",
        ] {
            assert!(
                matches!(far.place(uri), Err(Error::UnsupportedUri { .. })),
                "{uri}"
            );
        }
    }
}
