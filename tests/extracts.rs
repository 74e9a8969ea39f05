//! Where tests find the public data of Olist, which is not part of the project; without it they skip, and say so.
//!
//! `SAFRA_OLIST` names the folder that holds an extract for each of several mornings, by default `../shared/olist` beside the
//! project.

use std::path::{Path, PathBuf};

/// The folder with the extract of a morning, such as `2018-06-01`.
pub fn extract(morning: &str) -> Option<PathBuf> {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/olist");
    let root = std::env::var_os("SAFRA_OLIST").map_or(default, PathBuf::from);
    let folder = root.join(morning);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!(
        "SKIPPED: {} is not there; SAFRA_OLIST names its parent folder",
        folder.display()
    );
    None
}
