//! The folder of artifacts of a run or of a logged model.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::writer::Writer;
use super::{entries, location};
use crate::entity::{Artifact, ArtifactInfo};
use crate::{Error, Result, name};

/// Writes an artifact, in place of one that is there.
pub(crate) fn write(
    writer: &Writer,
    uri: &str,
    artifact_path: &str,
    content: Artifact<'_>,
) -> Result<()> {
    name::check_new_artifact_path(artifact_path)?;
    let target = location::folder(uri)?.join(artifact_path);
    match content {
        Artifact::Bytes(bytes) => writer.write(&target, bytes),
        Artifact::File(source) => writer.copy(source, &target),
    }
}

/// The artifacts in the folder `path`, by path.
pub(crate) fn list(uri: &str, path: &str) -> Result<Vec<ArtifactInfo>> {
    let folder = resolve(uri, path)?;
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let prefix = if path.is_empty() {
        String::new()
    } else {
        format!("{path}/")
    };
    entries::children(&folder)?
        .into_iter()
        .map(|(name, child)| info(format!("{prefix}{name}"), &child))
        .collect()
}

/// The bytes of an artifact.
pub(crate) fn read(uri: &str, path: &str) -> Result<Vec<u8>> {
    let file = resolve(uri, path)?;
    match fs::read(&file) {
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Err(Error::not_found("artifact", path))
        }
        other => other.map_err(Error::io("read", &file)),
    }
}

fn resolve(uri: &str, path: &str) -> Result<PathBuf> {
    let root = location::folder(uri)?;
    if path.is_empty() {
        return Ok(root);
    }
    name::check_artifact_path(path)?;
    Ok(root.join(path))
}

fn info(path: String, file: &Path) -> Result<ArtifactInfo> {
    let metadata = fs::metadata(file).map_err(Error::io("read", file))?;
    let is_dir = metadata.is_dir();
    Ok(ArtifactInfo {
        path,
        is_dir,
        file_size: if is_dir { 0 } else { metadata.len() },
    })
}
