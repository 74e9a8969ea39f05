//! A model as files, to be stored and read back.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::LearnError;

/// A model as files. The bytes depend on nothing but the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedModel {
    /// Name of the learner that made the model; [`load`](crate::load) needs it.
    pub learner: String,
    /// File names and contents.
    pub files: Vec<(String, Vec<u8>)>,
}

impl SavedModel {
    /// A model of one JSON file.
    pub(crate) fn json<T: Serialize>(
        learner: &'static str,
        file: &str,
        content: &T,
    ) -> Result<Self, LearnError> {
        let bytes = serde_json::to_vec_pretty(content)
            .map_err(|error| Self::refuse(learner, file, error.to_string()))?;
        Ok(Self {
            learner: learner.to_owned(),
            files: vec![(file.to_owned(), bytes)],
        })
    }

    /// Takes up the files of another model, each under `<learner>.<file>`.
    pub(crate) fn include(&mut self, other: &Self) {
        let files = other.files.iter();
        let renamed =
            files.map(|(name, bytes)| (format!("{}.{name}", other.learner), bytes.clone()));
        self.files.extend(renamed);
    }

    /// The model of `learner` whose files were taken up by [`include`](Self::include).
    pub(crate) fn inside(&self, learner: &str) -> Self {
        let prefix = format!("{learner}.");
        let files = self.files.iter().filter_map(|(name, bytes)| {
            let name = name.strip_prefix(&prefix)?;
            Some((name.to_owned(), bytes.clone()))
        });
        Self {
            learner: learner.to_owned(),
            files: files.collect(),
        }
    }

    /// The content of `file`.
    pub(crate) fn file(&self, file: &str) -> Result<&[u8], LearnError> {
        match self.files.iter().find(|(name, _)| name == file) {
            Some((_, bytes)) => Ok(bytes),
            None => Err(self.unreadable(file, "is missing")),
        }
    }

    /// The content of the JSON file `file`.
    pub(crate) fn parse<T: DeserializeOwned>(&self, file: &str) -> Result<T, LearnError> {
        serde_json::from_slice(self.file(file)?)
            .map_err(|error| self.unreadable(file, &format!("cannot be read: {error}")))
    }

    /// The error that `file` of this model is not what it should be.
    pub(crate) fn unreadable(&self, file: &str, reason: &str) -> LearnError {
        Self::refuse(&self.learner, file, reason.to_owned())
    }

    fn refuse(learner: &str, file: &str, reason: String) -> LearnError {
        LearnError::SavedModel {
            learner: learner.to_owned(),
            file: file.to_owned(),
            reason,
        }
    }
}
