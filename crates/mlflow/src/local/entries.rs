//! Folders in which each file is one entry: its path is the key and its content the value. Params and tags are so.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::writer::{StagedFolder, Writer};
use crate::{Error, Result};

/// Reads all entries; none if the folder is missing.
pub(crate) fn read(folder: &Path) -> Result<BTreeMap<String, String>> {
    files(folder)?
        .into_iter()
        .map(|(key, path)| Ok((key, read_file(&path)?)))
        .collect()
}

/// Writes entries, each in place of one with the same key.
pub(crate) fn write(
    writer: &Writer,
    folder: &Path,
    entries: &BTreeMap<String, String>,
) -> Result<()> {
    entries
        .iter()
        .try_for_each(|(key, value)| writer.write(&folder.join(key), value.as_bytes()))
}

/// Writes entries into the folder `name` of an entity in the making.
pub(crate) fn stage(
    entity: &StagedFolder<'_>,
    name: &str,
    entries: &BTreeMap<String, String>,
) -> Result<()> {
    entity.create_folder(name)?;
    entries
        .iter()
        .try_for_each(|(key, value)| entity.write(&format!("{name}/{key}"), value))
}

/// Reads a text file.
pub(crate) fn read_file(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(Error::io("read", path))
}

/// The files below a folder by key, their path from it with `/` between parts.
pub(crate) fn files(folder: &Path) -> Result<BTreeMap<String, PathBuf>> {
    let mut files = BTreeMap::new();
    let mut pending = vec![String::new()];
    while let Some(prefix) = pending.pop() {
        for (name, path) in children(&folder.join(&prefix))? {
            let key = if prefix.is_empty() {
                name
            } else {
                format!("{prefix}/{name}")
            };
            if path.is_dir() {
                pending.push(key);
            } else {
                files.insert(key, path);
            }
        }
    }
    Ok(files)
}

/// The folders in a folder, by name; none if it is missing.
pub(crate) fn folders(folder: &Path) -> Result<BTreeMap<String, PathBuf>> {
    let mut children = children(folder)?;
    children.retain(|_, path| path.is_dir());
    Ok(children)
}

/// The files and folders in a folder, by name; none if it is missing.
pub(crate) fn children(folder: &Path) -> Result<BTreeMap<String, PathBuf>> {
    let listing = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        other => other.map_err(Error::io("list", folder))?,
    };
    let mut children = BTreeMap::new();
    for child in listing {
        let child = child.map_err(Error::io("list", folder))?;
        // MLflow writes only names in Unicode.
        if let Ok(name) = child.file_name().into_string() {
            children.insert(name, child.path());
        }
    }
    Ok(children)
}
