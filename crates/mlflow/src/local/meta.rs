//! The `meta.yaml` of an entity. Fields that this crate does not know stay as they are when the file is changed.

use std::io;
use std::path::{Path, PathBuf};

use super::META_FILE;
use super::writer::Writer;
use crate::yaml::{self, Mapping, Node};
use crate::{Error, Result};

/// The fields of an entity, and the file they are in.
pub(crate) struct Meta {
    path: PathBuf,
    fields: Mapping,
}

impl Meta {
    /// Reads the `meta.yaml` in `folder`; nothing if it is missing or empty.
    pub(crate) fn read(folder: &Path) -> Result<Option<Self>> {
        let path = folder.join(META_FILE);
        let text = match std::fs::read_to_string(&path) {
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                return Ok(None);
            }
            other => other.map_err(Error::io("read", &path))?,
        };
        match yaml::parse(&text).map_err(|reason| Error::malformed(&path, reason))? {
            Some(Node::Mapping(fields)) => Ok(Some(Self { path, fields })),
            Some(node) if !node.is_null() => Err(Error::malformed(&path, "it holds no keys")),
            _ => Ok(None),
        }
    }

    /// Writes the file again.
    pub(crate) fn write(&self, writer: &Writer) -> Result<()> {
        writer.write(&self.path, yaml::to_string(&self.fields).as_bytes())
    }

    pub(crate) fn set(&mut self, key: &str, value: impl Into<Node>) {
        self.fields.insert(key.to_owned(), value.into());
    }

    pub(crate) fn text(&self, key: &str) -> Result<String> {
        self.optional_text(key)
            .ok_or_else(|| self.lacks(key, "text"))
    }

    pub(crate) fn optional_text(&self, key: &str) -> Option<String> {
        self.fields
            .get(key)
            .and_then(Node::as_text)
            .map(str::to_owned)
    }

    pub(crate) fn integer(&self, key: &str) -> Result<i64> {
        self.optional_integer(key)
            .ok_or_else(|| self.lacks(key, "integer"))
    }

    pub(crate) fn optional_integer(&self, key: &str) -> Option<i64> {
        self.fields.get(key).and_then(Node::as_integer)
    }

    /// The error for a field with a value that MLflow does not write.
    pub(crate) fn unknown(&self, key: &str, value: &str) -> Error {
        Error::malformed(&self.path, format!("unknown {key}: {value}"))
    }

    fn lacks(&self, key: &str, kind: &str) -> Error {
        Error::malformed(&self.path, format!("no {kind} under the key: {key}"))
    }
}
