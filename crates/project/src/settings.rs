//! `safra.toml`: the name of the project and its defaults.

use chrono::NaiveDate;
use serde::Deserialize;

use crate::files::parse_toml;
use crate::{ProjectError, ProjectFiles};

/// The name of the project and its defaults.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Name of the project; registered models are called `<name>-<problem>`.
    pub name: String,
    /// One line on what the project is about.
    #[serde(default)]
    pub description: String,
    /// First reference date of backfills and training sets.
    pub first_date: NaiveDate,
    /// Seed of everything random.
    #[serde(default = "default_seed")]
    pub seed: u64,
}

fn default_seed() -> u64 {
    42
}

pub(crate) fn read(files: &ProjectFiles) -> Result<Settings, ProjectError> {
    parse_toml("safra.toml", files.get("safra.toml")?)
}
