//! `safra init`: the Olist project as files, to read and to change.

use std::path::Path;

use crate::embedded;
use crate::error::SafraError;

/// Writes the project; a file that is there is kept, and said so.
pub fn run(folder: &Path, quiet: bool) -> Result<(), SafraError> {
    let (mut written, mut kept) = (0, 0);
    for (name, text) in embedded::olist().iter() {
        let path = folder.join(name);
        let failed = |source| SafraError::Io {
            path: path.display().to_string(),
            source,
        };
        if path.exists() {
            kept += 1;
            continue;
        }
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(failed)?;
        }
        let temporary = path.with_extension("partial");
        std::fs::write(&temporary, text).map_err(failed)?;
        std::fs::rename(&temporary, &path).map_err(failed)?;
        written += 1;
    }
    if !quiet {
        eprintln!(
            "{}: {written} files written, {kept} kept as they were",
            folder.display()
        );
    }
    Ok(())
}
