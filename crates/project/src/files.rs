//! The texts of a project, from a folder or from memory.

use std::collections::BTreeMap;
use std::path::Path;

use serde::de::DeserializeOwned;

use crate::ProjectError;

/// The folders of a project, and what the names of their files end with.
const FOLDERS: [(&str, &str); 4] = [
    ("", "toml"),
    ("features", "sql"),
    ("features/parts", "sql"),
    ("problems", "toml"),
];

/// The texts of a project by their path inside it, with `/` between folders.
#[derive(Debug, Clone, Default)]
pub struct ProjectFiles {
    texts: BTreeMap<String, String>,
}

impl ProjectFiles {
    /// Reads `safra.toml`, `sources.toml`, `features/*.sql`, `features/parts/*.sql` and `problems/*.toml` from a
    /// folder.
    ///
    /// # Errors
    /// [`ProjectError::Read`] when the folder or a file cannot be read or is not UTF-8.
    pub fn from_folder(folder: &Path) -> Result<Self, ProjectError> {
        let mut files = Self::default();
        for (inside, extension) in FOLDERS {
            let path = folder.join(inside);
            if !path.is_dir() {
                continue;
            }
            for entry in std::fs::read_dir(&path).map_err(|e| read_error(&path, e))? {
                let file = entry.map_err(|e| read_error(&path, e))?.path();
                if file.extension().is_some_and(|found| found == extension) {
                    let name = file.file_name().unwrap_or_default().to_string_lossy();
                    let key = if inside.is_empty() {
                        name.into_owned()
                    } else {
                        format!("{inside}/{name}")
                    };
                    let text = std::fs::read_to_string(&file).map_err(|e| read_error(&file, e))?;
                    files.texts.insert(key, text);
                }
            }
        }
        Ok(files)
    }

    /// Adds a text, or replaces the one with this path.
    pub fn insert(&mut self, path: impl Into<String>, text: impl Into<String>) {
        self.texts.insert(path.into(), text.into());
    }

    /// All files, by path in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }

    pub(crate) fn get(&self, path: &str) -> Result<&str, ProjectError> {
        self.texts
            .get(path)
            .map(String::as_str)
            .ok_or_else(|| ProjectError::MissingFile {
                file: path.to_owned(),
            })
    }

    /// The files of a folder, without those of folders in it, as (path, name without folder and extension, text).
    pub(crate) fn in_folder(&self, folder: &str) -> impl Iterator<Item = (&str, &str, &str)> {
        let prefix = format!("{folder}/");
        self.texts.iter().filter_map(move |(path, text)| {
            let (name, _) = path.strip_prefix(&prefix)?.rsplit_once('.')?;
            (!name.contains('/')).then_some((path.as_str(), name, text.as_str()))
        })
    }
}

/// Reads TOML; the error carries the parser's own message, which shows the line.
pub(crate) fn parse_toml<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, ProjectError> {
    toml::from_str(text).map_err(|error| ProjectError::Toml {
        file: file.to_owned(),
        message: error.to_string().trim_end().to_owned(),
    })
}

fn read_error(path: &Path, source: std::io::Error) -> ProjectError {
    ProjectError::Read {
        path: path.display().to_string(),
        source,
    }
}
