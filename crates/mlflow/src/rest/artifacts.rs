//! Artifacts behind a server.

use serde::Deserialize;
use url::Url;

use super::address::Place;
use super::http::{Content, Method, Request};
use super::message::Integer;
use super::retry::Repeat;
use super::{RestStore, or_not_found};
use crate::entity::{Artifact, ArtifactInfo};
use crate::local::artifacts as local;
use crate::{Result, name, whole_file};

impl RestStore {
    /// Writes an artifact below a location, in place of one that is there.
    pub(super) fn write_artifact(
        &self,
        location: &str,
        path: &str,
        content: Artifact<'_>,
    ) -> Result<()> {
        match self.client.address.place(location)? {
            Place::Folder(folder) => whole_file::write(&folder.join(path), content),
            Place::Proxy(root) => {
                let request = Request {
                    method: Method::Put,
                    url: below(&root, path),
                    content: match content {
                        Artifact::Bytes(bytes) => Content::Bytes(bytes),
                        Artifact::File(file) => Content::File(file),
                    },
                    repeat: Repeat::Safe,
                };
                self.client.acknowledged(&request)
            }
        }
    }

    /// The artifacts that a call lists in a folder, by path; its parameter `parameter` names the folder.
    pub(super) fn list_files(
        &self,
        call: &str,
        query: &[(&str, &str)],
        [parameter, path]: [&str; 2],
    ) -> Result<Vec<ArtifactInfo>> {
        let mut query = query.to_vec();
        if !path.is_empty() {
            name::check_artifact_path(path)?;
            query.push((parameter, path));
        }
        let listed: Vec<FileMessage> = self.list(call, &query)?;
        let mut infos: Vec<ArtifactInfo> = listed.into_iter().map(ArtifactInfo::from).collect();
        infos.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(infos)
    }

    /// The bytes of an artifact below a location.
    pub(super) fn read_artifact_in(&self, location: &str, path: &str) -> Result<Vec<u8>> {
        name::check_artifact_path(path)?;
        match self.client.address.place(location)? {
            Place::Folder(_) => local::read(location, path),
            Place::Proxy(root) => {
                let request = Request {
                    method: Method::Get,
                    url: below(&root, path),
                    content: Content::Nothing,
                    repeat: Repeat::Safe,
                };
                or_not_found(self.client.send(&request), "artifact", path)
            }
        }
    }
}

fn below(root: &Url, path: &str) -> Url {
    let mut url = root.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(path.split('/'));
    }
    url
}

#[derive(Deserialize)]
struct FileMessage {
    path: String,
    #[serde(default)]
    is_dir: bool,
    #[serde(default)]
    file_size: Integer,
}

impl From<FileMessage> for ArtifactInfo {
    fn from(message: FileMessage) -> Self {
        let file_size = u64::try_from(message.file_size.0).unwrap_or_default();
        Self {
            path: message.path,
            is_dir: message.is_dir,
            file_size: if message.is_dir { 0 } else { file_size },
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn paths_are_escaped() {
        let root = Url::parse("http://host/a%20b/artifacts").unwrap();
        assert_eq!(
            below(&root, "plots/gain (1)?.svg").as_str(),
            "http://host/a%20b/artifacts/plots/gain%20(1)%3F.svg"
        );
    }
}
