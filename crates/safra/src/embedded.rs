//! The Olist project, inside the binary.

use include_dir::{Dir, include_dir};
use safra_project::ProjectFiles;

static OLIST: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../olist");

/// The texts of the Olist project.
pub fn olist() -> ProjectFiles {
    let mut files = ProjectFiles::default();
    collect(&OLIST, &mut files);
    files
}

fn collect(folder: &Dir<'_>, files: &mut ProjectFiles) {
    for file in folder.files() {
        if let Some(text) = file.contents_utf8() {
            files.insert(file.path().to_string_lossy().replace('\\', "/"), text);
        }
    }
    folder.dirs().for_each(|inner| collect(inner, files));
}
