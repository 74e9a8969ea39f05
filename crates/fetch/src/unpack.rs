//! The files of a zip archive.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use zip::ZipArchive;
use zip::read::ZipFile;
use zip::result::ZipError;

use crate::FetchError;
use crate::partial::Partial;

/// A file that was unpacked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unpacked {
    /// Where it is.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
}

/// Unpacks the files of an archive into a folder, in the order of the archive, in place of files that are there.
/// Each is checked, and written whole or not at all.
///
/// # Errors
/// [`FetchError`] if the archive cannot be read or is damaged, if a name in it leads out of the folder, or if a file
/// cannot be written. Files before the one at fault are there.
pub fn unpack(archive: &Path, folder: &Path) -> Result<Vec<Unpacked>, FetchError> {
    let file = File::open(archive).map_err(|source| FetchError::io(archive, source))?;
    let mut zip = ZipArchive::new(file).map_err(|error| damaged(archive, &error))?;
    let mut unpacked = Vec::new();
    for index in 0..zip.len() {
        let mut entry = zip
            .by_index(index)
            .map_err(|error| damaged(archive, &error))?;
        if entry.is_dir() {
            continue;
        }
        let Some(inside) = entry.enclosed_name() else {
            return Err(FetchError::Outside {
                path: archive.display().to_string(),
                name: entry.name().to_owned(),
            });
        };
        let path = folder.join(inside);
        let bytes = write(archive, &mut entry, &path)?;
        unpacked.push(Unpacked { path, bytes });
    }
    Ok(unpacked)
}

fn write(archive: &Path, entry: &mut ZipFile<'_, File>, path: &Path) -> Result<u64, FetchError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|source| FetchError::io(folder, source))?;
    }
    let partial = Partial::of(path);
    let mut file = partial.start("", None)?;
    match io::copy(entry, &mut file) {
        Ok(bytes) => {
            partial.finish(path)?;
            Ok(bytes)
        }
        Err(error) => {
            partial.discard()?;
            Err(match error.kind() {
                io::ErrorKind::InvalidData
                | io::ErrorKind::InvalidInput
                | io::ErrorKind::UnexpectedEof => damaged(archive, &ZipError::Io(error)),
                _ => FetchError::io(path, error),
            })
        }
    }
}

fn damaged(archive: &Path, error: &ZipError) -> FetchError {
    FetchError::Archive {
        path: archive.display().to_string(),
        message: error.to_string(),
    }
}
