//! The catalogue: everything the page says, in one language. Another language is another file like
//! `words/english.toml`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::ReportError;
use crate::locale::Locale;

const ENGLISH: &str = include_str!("words/english.toml");

/// Everything the page says, in one language.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Words {
    /// Code of the language, such as `en`.
    pub(crate) language: String,
    /// Formats of numbers and dates.
    pub(crate) locale: Locale,
    /// Names of learners, where they differ from the name in the project.
    learners: BTreeMap<String, String>,
    /// How a sentence names a learner, where that differs from its name.
    learners_in_a_sentence: BTreeMap<String, String>,
    /// The messages: small templates.
    pub(crate) messages: BTreeMap<String, String>,
}

impl Words {
    /// The English catalogue.
    pub(crate) fn english() -> Result<Self, ReportError> {
        Ok(toml::from_str(ENGLISH)?)
    }

    /// The name of a learner as a heading or label.
    pub(crate) fn learner(&self, name: &str) -> String {
        self.learners
            .get(name)
            .cloned()
            .unwrap_or_else(|| readable(name))
    }

    /// The name of a learner within a sentence.
    pub(crate) fn learner_in_a_sentence(&self, name: &str) -> String {
        self.learners_in_a_sentence
            .get(name)
            .cloned()
            .unwrap_or_else(|| self.learner(name))
    }
}

/// A technical name as words: `days_since_last_order` reads `Days since last order`.
pub(crate) fn readable(name: &str) -> String {
    let spaced = name.replace('_', " ");
    let mut letters = spaced.trim().chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn unknown_learners_get_a_readable_name() {
        let words = Words::english().unwrap();
        assert_eq!(words.learner("lightgbm"), "LightGBM");
        assert_eq!(words.learner("random_forest_deep"), "Random forest deep");
        assert_eq!(
            words.learner_in_a_sentence("recency"),
            "sorting by recency alone"
        );
        assert_eq!(readable("_"), "");
    }

    /// Every source file and template of this crate, one after the other.
    fn sources(folder: &std::path::Path) -> String {
        let mut all = String::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                all.push_str(&sources(&path));
            } else if path
                .extension()
                .is_some_and(|extension| extension != "toml")
            {
                all.push_str(&std::fs::read_to_string(&path).unwrap());
            }
        }
        all
    }

    #[test]
    fn every_message_is_said_somewhere() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let sources = sources(&folder);
        for key in Words::english().unwrap().messages.keys() {
            let quoted = format!("\"{}\"", key.strip_prefix("metric_").unwrap_or(key));
            assert!(sources.contains(&quoted), "{key} is never said");
        }
    }
}
