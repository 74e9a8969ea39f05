//! `safra.toml`: the name of the project and its defaults.

use std::collections::BTreeMap;

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
    /// Language of the project's own texts and of the report, as a tag such as `en` or `pt-BR`.
    #[serde(default = "default_language")]
    pub language: String,
    /// First reference date of backfills and training sets.
    pub first_date: NaiveDate,
    /// Seed of everything random.
    #[serde(default = "default_seed")]
    pub seed: u64,
    /// Numbers on the first page of the report.
    #[serde(default)]
    pub figures: Vec<Figure>,
    /// Where the raw data can be had.
    #[serde(default)]
    pub downloads: Vec<Download>,
    /// The words for people in other languages, by language tag.
    #[serde(default)]
    pub translations: BTreeMap<String, SettingsTranslation>,
}

/// The words of `safra.toml` in another language.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingsTranslation {
    /// See [`Settings::description`].
    pub description: Option<String>,
}

/// A number that says how the project's business goes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// What it counts, such as "orders".
    pub label: String,
    /// Its unit, such as "R$"; `%` for fractions that are read as percentages.
    #[serde(default)]
    pub unit: String,
    /// A query over the lake that returns `value`, or `period` (a date) and `value` with one row a period.
    pub sql: String,
    /// The label in other languages.
    #[serde(default)]
    pub translations: BTreeMap<String, FigureTranslation>,
}

/// The words of a figure in another language.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FigureTranslation {
    /// See [`Figure::label`].
    pub label: Option<String>,
    /// See [`Figure::unit`].
    pub unit: Option<String>,
}

/// An archive with files of the raw data.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Download {
    /// Name under which it is kept.
    pub name: String,
    /// Where it is.
    pub url: String,
    /// SHA-256 of the archive, in hexadecimal, if it is known.
    pub sha256: Option<String>,
    /// A page for people: terms of use, and how to get it by hand.
    #[serde(default)]
    pub page: String,
    /// Licence of the data.
    #[serde(default)]
    pub licence: String,
}

impl Settings {
    /// What the project is about, in a language as far as it is translated.
    pub fn description_in(&self, language: &str) -> &str {
        self.translations
            .get(language)
            .and_then(|translation| translation.description.as_deref())
            .unwrap_or(&self.description)
    }
}

impl Figure {
    /// Label and unit in a language, as far as they are translated.
    pub fn words(&self, language: &str) -> (&str, &str) {
        let translation = self.translations.get(language);
        let label = translation.and_then(|words| words.label.as_deref());
        let unit = translation.and_then(|words| words.unit.as_deref());
        (label.unwrap_or(&self.label), unit.unwrap_or(&self.unit))
    }
}

fn default_language() -> String {
    "en".to_owned()
}

fn default_seed() -> u64 {
    42
}

pub(crate) fn read(files: &ProjectFiles) -> Result<Settings, ProjectError> {
    parse_toml("safra.toml", files.get("safra.toml")?)
}
