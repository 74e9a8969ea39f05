//! What several tests need: Python with MLflow, and servers.

#![allow(dead_code, unused_imports)]

pub mod python;
pub mod server;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use python::Python;
pub use server::Server;

/// A time for everything that has one, in milliseconds since the Unix epoch.
pub const NOW: i64 = 1_700_000_000_000;

pub fn map(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
    entries
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The folder of Python scripts.
pub fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python")
}
