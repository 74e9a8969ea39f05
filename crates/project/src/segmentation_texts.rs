//! What a segmentation says to people, by language.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::Segmentation;

/// The words of a segmentation in another language, `[translations.<language>]`; what is left out is said in the project's own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SegmentationTranslation {
    /// See [`Segmentation::title`].
    pub title: Option<String>,
    /// See [`Segmentation::question`].
    pub question: Option<String>,
    /// See [`Segmentation::rows`].
    pub rows: Option<String>,
    /// Whether the word for a row is feminine.
    #[serde(default)]
    pub feminine: bool,
    /// Description of the cohort.
    pub cohort: Option<String>,
    /// The words of features and of the profile: labels, units, and those of which names are made.
    #[serde(default)]
    pub words: BTreeMap<String, String>,
}

/// What a segmentation says to people, in one language.
#[derive(Debug, Clone, Copy)]
pub struct SegmentationTexts<'a> {
    /// Heading.
    pub title: &'a str,
    /// The question that the segments answer.
    pub question: &'a str,
    /// What several rows are called.
    pub rows: &'a str,
    /// Whether the word for a row is feminine.
    pub feminine: bool,
    /// Who is divided.
    pub cohort: &'a str,
    words: Option<&'a BTreeMap<String, String>>,
}

impl SegmentationTexts<'_> {
    /// A word or label of the declaration, translated if it can be.
    pub fn word(&self, own: &str) -> String {
        let translated = self.words.and_then(|words| words.get(own));
        translated.map_or(own, String::as_str).to_owned()
    }
}

impl Segmentation {
    /// The words of the segmentation in a language, as far as they are translated.
    pub fn texts(&self, language: &str) -> SegmentationTexts<'_> {
        let translation = self.translations.get(language);
        let or_own = |translated: fn(&SegmentationTranslation) -> &Option<String>, own| {
            let translated = translation.and_then(|texts| translated(texts).as_deref());
            translated.unwrap_or(own)
        };
        SegmentationTexts {
            title: or_own(|texts| &texts.title, &self.title),
            question: or_own(|texts| &texts.question, &self.question),
            rows: or_own(|texts| &texts.rows, &self.rows),
            feminine: translation.map_or(self.feminine, |texts| texts.feminine),
            cohort: or_own(|texts| &texts.cohort, &self.cohort.description),
            words: translation.map(|texts| &texts.words),
        }
    }
}
