//! A store in a local folder, in MLflow's own file layout.
//!
//! ```text
//! <root>/.lock                              taken by every writer of this crate
//! <root>/.staging.trash/                    what is being written
//! <root>/<experiment_id>/meta.yaml, tags/<key>
//! <root>/<experiment_id>/<run_id>/meta.yaml, params/<key>, metrics/<key>, tags/<key>, artifacts/…,
//!                                 outputs/<model_id>/meta.yaml
//! <root>/<experiment_id>/models/<model_id>/meta.yaml, params/…, metrics/…, tags/…, artifacts/…
//! <root>/models/<name>/meta.yaml, tags/<key>, aliases/<alias>, version-<n>/meta.yaml, version-<n>/tags/<key>
//! <root>/.trash/<experiment_id>/…           deleted experiments
//! ```

pub(crate) mod artifacts;
mod entries;
mod experiments;
pub(crate) mod location;
mod logged_models;
mod meta;
mod metrics;
mod model_versions;
mod registered_models;
mod registry;
mod runs;
mod writer;

use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::{Error, Result};
use writer::Writer;

/// Where the random ids of experiments, runs and logged models come from.
pub type IdSource = Box<dyn Fn() -> Uuid + Send + Sync>;

const META_FILE: &str = "meta.yaml";
const ARTIFACTS_FOLDER: &str = "artifacts";
const METRICS_FOLDER: &str = "metrics";
const PARAMS_FOLDER: &str = "params";
const TAGS_FOLDER: &str = "tags";
const OUTPUTS_FOLDER: &str = "outputs";
/// Holds the registered models in the root, and the logged models in an experiment.
const MODELS_FOLDER: &str = "models";
const TRASH_FOLDER: &str = ".trash";

/// A store in a local folder, as MLflow itself would have written it.
///
/// Whatever is written is made elsewhere first and then renamed into place, so that a killed program leaves an entity,
/// a tag or an artifact whole or not at all. Power loss is another matter: nothing is forced to the disk. Writers of
/// this crate, in any thread or process, wait for each other; MLflow itself takes no locks.
///
/// Folders without a `meta.yaml`, or with an empty one, were left by a program that was killed while it made them, and
/// are passed over.
pub struct LocalStore {
    root: PathBuf,
    ids: IdSource,
}

impl LocalStore {
    /// Opens the folder `uri`, a path or a `file:` URI. Nothing is written until something is created.
    ///
    /// # Errors
    /// [`Error::UnsupportedUri`] when the URI has another scheme or does not name a folder of this machine.
    pub fn open(uri: &str) -> Result<Self> {
        Ok(Self {
            root: location::folder(uri)?,
            ids: Box::new(Uuid::new_v4),
        })
    }

    /// Takes ids from `ids` instead of [`Uuid::new_v4`]. They must not repeat.
    #[must_use]
    pub fn with_ids(mut self, ids: IdSource) -> Self {
        self.ids = ids;
        self
    }

    /// The folder, as an absolute path.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Takes the lock of a store that must be there.
    fn writer(&self) -> Result<Writer> {
        if self.root.is_dir() {
            Writer::lock(&self.root)
        } else {
            Err(Error::not_found("store", &self.root.to_string_lossy()))
        }
    }

    fn trash(&self) -> PathBuf {
        self.root.join(TRASH_FOLDER)
    }
}
