//! A file that is not complete yet, and what it is a part of.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use crate::FetchError;

/// A partial file beside its target, with a note of the address and version that its bytes belong to.
pub(crate) struct Partial {
    pub(crate) path: PathBuf,
    note: PathBuf,
}

impl Partial {
    /// The partial file of a target.
    pub(crate) fn of(target: &Path) -> Self {
        let beside = |suffix: &str| {
            let mut name = target.file_name().unwrap_or_default().to_os_string();
            name.push(suffix);
            target.with_file_name(name)
        };
        Self {
            path: beside(".partial"),
            note: beside(".partial.version"),
        }
    }

    /// How many bytes are there, and the version they belong to; `None` if there is nothing to go on from.
    pub(crate) fn held(&self, url: &str) -> Option<(u64, String)> {
        let bytes = fs::metadata(&self.path).ok()?.len();
        let note = fs::read_to_string(&self.note).ok()?;
        let (noted_url, version) = note.split_once('\n')?;
        let is_same = noted_url == url && !version.is_empty() && bytes > 0;
        is_same.then(|| (bytes, version.to_owned()))
    }

    /// Starts anew: an empty file, of that version. Without a version it cannot be resumed.
    pub(crate) fn start(&self, url: &str, version: Option<&str>) -> Result<File, FetchError> {
        let file = File::create(&self.path).map_err(|source| FetchError::io(&self.path, source))?;
        match version {
            Some(version) => fs::write(&self.note, format!("{url}\n{version}"))
                .map_err(|source| FetchError::io(&self.note, source))?,
            None => absent(&self.note)?,
        }
        Ok(file)
    }

    /// Goes on at the end of what is there.
    pub(crate) fn go_on(&self) -> Result<File, FetchError> {
        OpenOptions::new()
            .append(true)
            .open(&self.path)
            .map_err(|source| FetchError::io(&self.path, source))
    }

    /// Gives the complete file its own name.
    pub(crate) fn finish(self, target: &Path) -> Result<(), FetchError> {
        let file = File::open(&self.path).map_err(|source| FetchError::io(&self.path, source))?;
        file.sync_all()
            .and_then(|()| fs::rename(&self.path, target))
            .map_err(|source| FetchError::io(target, source))?;
        absent(&self.note)
    }

    /// Throws away what is there.
    pub(crate) fn discard(&self) -> Result<(), FetchError> {
        absent(&self.path)?;
        absent(&self.note)
    }
}

fn absent(path: &Path) -> Result<(), FetchError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(FetchError::io(path, source))
        }
        _ => Ok(()),
    }
}
