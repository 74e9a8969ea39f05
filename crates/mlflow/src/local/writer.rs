//! The one way to change a store: under its lock, by renaming whole files and folders into place.

use std::cell::Cell;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::entity::Artifact;
use crate::{Error, Result, whole_file};

const LOCK_FILE: &str = ".lock";

/// Where files are made before they are renamed. It cannot be the folder of the file, for MLflow takes every file and
/// folder it finds there for a tag, a run or a model. In the root it takes folders for experiments, except those whose
/// name ends in `.trash`.
const STAGING_FOLDER: &str = ".staging.trash";

/// The lock of a store, held until it is dropped or the process ends.
pub(crate) struct Writer {
    _lock: File,
    staging: PathBuf,
    staged: Cell<u64>,
}

impl Writer {
    /// Waits for the lock of the store in `root`, which is made if it is missing, and removes what a killed writer left.
    pub(crate) fn lock(root: &Path) -> Result<Self> {
        create_folder(root)?;
        let path = root.join(LOCK_FILE);
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(Error::io("open", &path))?;
        lock.lock().map_err(Error::io("lock", &path))?;
        let staging = root.join(STAGING_FOLDER);
        if staging.exists() {
            fs::remove_dir_all(&staging).map_err(Error::io("remove", &staging))?;
        }
        create_folder(&staging)?;
        Ok(Self {
            _lock: lock,
            staging,
            staged: Cell::new(0),
        })
    }

    /// Writes a file, in place of one that is there.
    pub(crate) fn write(&self, target: &Path, bytes: &[u8]) -> Result<()> {
        let staged = self.staged_path();
        fs::write(&staged, bytes).map_err(Error::io("write", &staged))?;
        put(&staged, target)
    }

    /// Copies a file, in place of one that is there.
    pub(crate) fn copy(&self, source: &Path, target: &Path) -> Result<()> {
        let staged = self.staged_path();
        fs::copy(source, &staged).map_err(Error::io("copy", source))?;
        put(&staged, target)
    }

    /// Removes a file, if it is there.
    pub(crate) fn remove(&self, target: &Path) -> Result<()> {
        match fs::remove_file(target) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Error::io("remove", target)(error))
            }
            _ => Ok(()),
        }
    }

    /// Starts a folder that is not in the store yet.
    pub(crate) fn stage(&self) -> Result<StagedFolder<'_>> {
        let path = self.staged_path();
        create_folder(&path)?;
        Ok(StagedFolder {
            path,
            _writer: self,
        })
    }

    fn staged_path(&self) -> PathBuf {
        self.staged.set(self.staged.get() + 1);
        self.staging.join(self.staged.get().to_string())
    }
}

/// A folder in the making.
pub(crate) struct StagedFolder<'a> {
    path: PathBuf,
    _writer: &'a Writer,
}

impl StagedFolder<'_> {
    /// Writes a file at a path within the folder.
    pub(crate) fn write(&self, path: &str, text: &str) -> Result<()> {
        let target = self.path.join(path);
        if let Some(parent) = target.parent() {
            create_folder(parent)?;
        }
        fs::write(&target, text).map_err(Error::io("write", &target))
    }

    /// Makes an empty folder within the folder.
    pub(crate) fn create_folder(&self, name: &str) -> Result<()> {
        create_folder(&self.path.join(name))
    }

    /// Renames the folder to `target`, where the entity of that kind and id is to be.
    pub(crate) fn publish_new(&self, target: &Path, kind: &'static str, id: &str) -> Result<()> {
        if self.publish(target)? {
            Ok(())
        } else {
            Err(Error::AlreadyExists {
                kind,
                id: id.to_owned(),
            })
        }
    }

    /// Renames the folder to `target`; gives false if something is there already. An empty folder is replaced.
    pub(crate) fn publish(&self, target: &Path) -> Result<bool> {
        if let Some(parent) = target.parent() {
            create_folder(parent)?;
        }
        match fs::rename(&self.path, target) {
            Ok(()) => Ok(true),
            Err(_) if target.exists() => Ok(false),
            Err(error) => Err(Error::io("create", target)(error)),
        }
    }
}

fn put(staged: &Path, target: &Path) -> Result<()> {
    if let Some(parent) = target.parent() {
        create_folder(parent)?;
    }
    match fs::rename(staged, target) {
        // The artifacts of an experiment may be on another disk than the store.
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            whole_file::write(target, Artifact::File(staged))
        }
        other => other.map_err(Error::io("write", target)),
    }
}

fn create_folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(Error::io("create folder", path))
}
