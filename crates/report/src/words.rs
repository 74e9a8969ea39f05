//! The catalogues: everything the report says, one file a language.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::locale::Locale;
use crate::{Language, ReportError};

/// Everything the report says, in one language.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Words {
    /// Tag of the language, such as `en`.
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
    /// The catalogue of a language.
    pub(crate) fn of(language: Language) -> Result<Self, ReportError> {
        let text = match language {
            Language::English => include_str!("words/english.toml"),
            Language::Portuguese => include_str!("words/portuguese.toml"),
        };
        Ok(toml::from_str(text)?)
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
    sentence_case(&name.replace('_', " "))
}

/// A text whose first letter is a capital.
pub(crate) fn sentence_case(text: &str) -> String {
    let mut letters = text.trim().chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::collections::BTreeSet;

    use minijinja::Environment;

    use super::*;

    #[test]
    fn unknown_learners_get_a_readable_name() {
        let words = Words::of(Language::English).unwrap();
        assert_eq!(words.learner("lightgbm"), "LightGBM");
        assert_eq!(words.learner("my_own_deep"), "My own deep");
        assert_eq!(words.learner_in_a_sentence("recency"), "the simple rule");
        assert_eq!(readable("_"), "");
        assert_eq!(sentence_case("última venda"), "Última venda");
    }

    /// The values that a message is given, but for those on which only the grammar of a language depends.
    fn blanks(message: &str) -> BTreeSet<String> {
        let mut environment = Environment::new();
        environment.add_template("message", message).unwrap();
        let template = environment.get_template("message").unwrap();
        let names = template.undeclared_variables(false).into_iter();
        names
            .filter(|name| !["feminine", "events"].contains(&name.as_str()))
            .collect()
    }

    #[test]
    fn every_language_has_the_same_messages_with_the_same_blanks() {
        let english = Words::of(Language::English).unwrap();
        for language in Language::ALL {
            let words = Words::of(language).unwrap();
            assert_eq!(words.language, language.tag());
            let keys = |words: &Words| words.messages.keys().cloned().collect::<Vec<_>>();
            assert_eq!(keys(&words), keys(&english), "{language:?}");
            for (key, message) in &words.messages {
                assert_eq!(
                    blanks(message),
                    blanks(&english.messages[key]),
                    "{language:?}: {key}"
                );
            }
            let names = |words: &Words| words.learners.keys().cloned().collect::<Vec<_>>();
            assert_eq!(names(&words), names(&english), "{language:?}");
        }
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
        for key in Words::of(Language::English).unwrap().messages.keys() {
            let said = match key.strip_prefix("metric_") {
                Some(metric) => format!("metric!({metric},"),
                None => format!("\"{key}\""),
            };
            assert!(sources.contains(&said), "{key} is never said");
        }
    }
}
