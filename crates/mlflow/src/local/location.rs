//! Folders and the URIs that name them.

use std::path::{Component, Path, PathBuf};

use url::Url;

use crate::{Error, Result};

/// The absolute path of the folder that a path or a `file:` URI names.
pub(crate) fn folder(uri: &str) -> Result<PathBuf> {
    let unsupported = || unsupported(uri);
    match scheme(uri) {
        Some("file") => Url::parse(uri)
            .ok()
            .and_then(|url| url.to_file_path().ok())
            .ok_or_else(unsupported),
        Some(_) => Err(unsupported()),
        None => std::path::absolute(uri)
            .map(|path| resolved(&path))
            .map_err(|_| unsupported()),
    }
}

/// The `file:` URI of an absolute path.
pub(crate) fn uri(path: &Path) -> Result<String> {
    let url = Url::from_file_path(path).map_err(|()| unsupported(&path.to_string_lossy()))?;
    Ok(url.into())
}

/// The URI of something below `uri`. The parts must be names that need no escapes.
pub(crate) fn below(uri: &str, parts: &[&str]) -> String {
    let mut below = uri.trim_end_matches('/').to_owned();
    for part in parts {
        below.push('/');
        below.push_str(part);
    }
    below
}

fn unsupported(uri: &str) -> Error {
    let hint = match scheme(uri) {
        Some("sqlite" | "postgresql" | "mysql" | "mssql") => {
            "start `mlflow server --backend-store-uri URI` on the database, and give the address of the server"
        }
        Some("databricks" | "databricks-uc" | "uc") => {
            "Databricks has ways of its own to log in; give a folder, or the address of an MLflow server"
        }
        _ => {
            "give a folder, as a path or as file:///path, or the address of an MLflow server, as http:// or https://"
        }
    };
    Error::UnsupportedUri {
        uri: uri.to_owned(),
        hint,
    }
}

/// The scheme of a URI; a path has none, not even one with a drive letter.
pub(crate) fn scheme(uri: &str) -> Option<&str> {
    let (scheme, _) = uri.split_once(':')?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    let is_scheme = scheme.len() > 1
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(allowed);
    is_scheme.then_some(scheme)
}

/// The path without `.` and `..`, as Python's `os.path.abspath` resolves them.
fn resolved(path: &Path) -> PathBuf {
    let mut resolved = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                resolved.pop();
            }
            other => resolved.push(other),
        }
    }
    resolved
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn paths_and_file_uris_name_folders() {
        assert_eq!(folder("/data/mlruns").unwrap(), Path::new("/data/mlruns"));
        assert_eq!(
            folder("/data/./x/../mlruns/").unwrap(),
            Path::new("/data/mlruns")
        );
        assert_eq!(
            folder("file:///data/my%20runs").unwrap(),
            Path::new("/data/my runs")
        );
        assert_eq!(
            folder("file:/data/mlruns").unwrap(),
            Path::new("/data/mlruns")
        );
        assert_eq!(
            folder("./mlruns").unwrap(),
            std::env::current_dir().unwrap().join("mlruns")
        );
    }

    #[test]
    fn other_schemes_are_refused() {
        for uri in [
            "http://localhost:5000",
            "sqlite:///mlflow.db",
            "databricks://profile",
            "file://host/share",
            "",
        ] {
            assert!(
                matches!(folder(uri), Err(Error::UnsupportedUri { .. })),
                "{uri:?}"
            );
        }
    }

    #[test]
    fn uris_lead_back_to_their_folder() {
        for path in ["/data/mlruns", "/data/100% (ç) #1?/x;y=z/a:b"] {
            let uri = uri(Path::new(path)).unwrap();
            assert_eq!(folder(&uri).unwrap(), Path::new(path));
            assert_eq!(
                folder(&below(&uri, &["0", "artifacts"])).unwrap(),
                Path::new(path).join("0/artifacts")
            );
        }
    }
}
