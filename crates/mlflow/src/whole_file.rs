//! Files that are there whole or not at all.

use std::fs;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::entity::Artifact;
use crate::{Error, Result};

/// Writes a file, in place of one that is there: it is made beside it under a name of its own, and renamed when it is whole. What
/// fails leaves nothing behind.
pub(crate) fn write(target: &Path, content: Artifact<'_>) -> Result<()> {
    if let Some(folder) = target.parent() {
        fs::create_dir_all(folder).map_err(Error::io("create folder", folder))?;
    }
    let partial = beside(target);
    let made = match content {
        Artifact::Bytes(bytes) => fs::write(&partial, bytes).map_err(Error::io("write", target)),
        Artifact::File(file) => fs::copy(file, &partial)
            .map(drop)
            .map_err(Error::io("copy", file)),
    };
    let placed =
        made.and_then(|()| fs::rename(&partial, target).map_err(Error::io("write", target)));
    if placed.is_err() {
        // The first error is the one to tell; the partial file may not even be there.
        let _ = fs::remove_file(&partial);
    }
    placed
}

fn beside(target: &Path) -> PathBuf {
    target.with_file_name(format!(".{}.partial", Uuid::new_v4().simple()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn a_file_is_replaced_and_nothing_stays_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("plots/gain.svg");
        for content in ["one", "two"] {
            write(&target, Artifact::Bytes(content.as_bytes())).unwrap();
            assert_eq!(fs::read_to_string(&target).unwrap(), content);
        }
        assert_eq!(names(target.parent().unwrap()), ["gain.svg"]);
    }

    #[test]
    fn what_cannot_be_written_leaves_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let (target, missing) = (folder.path().join("a"), folder.path().join("missing"));
        fs::write(&target, "before").unwrap();
        let error = write(&target, Artifact::File(&missing)).unwrap_err();
        assert!(error.to_string().contains("missing"), "{error}");
        assert_eq!(fs::read_to_string(&target).unwrap(), "before");
        let taken = folder.path().join("taken");
        fs::create_dir_all(taken.join("full")).unwrap();
        write(&taken, Artifact::Bytes(b"x")).unwrap_err();
        let mut left = names(folder.path());
        left.sort();
        assert_eq!(left, ["a", "taken"]);
    }
}
