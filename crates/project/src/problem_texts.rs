//! What a problem says to people, by language.

use serde::Deserialize;

use crate::Problem;

/// The words of a problem in another language, `[translations.<language>]`; what is left out is said in the
/// project's own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProblemTranslation {
    /// See [`Problem::title`].
    pub title: Option<String>,
    /// See [`Problem::question`].
    pub question: Option<String>,
    /// See [`Problem::positive`].
    pub positive: Option<String>,
    /// See [`Problem::row`].
    pub row: Option<String>,
    /// See [`Problem::rows`].
    pub rows: Option<String>,
    /// See [`Problem::feminine`].
    #[serde(default)]
    pub feminine: bool,
    /// Description of the cohort.
    pub cohort: Option<String>,
    /// Description of the label.
    pub label: Option<String>,
}

/// What a problem says to people, in one language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProblemTexts<'a> {
    /// Heading.
    pub title: &'a str,
    /// The question the model answers, as one sentence.
    pub question: &'a str,
    /// What a positive label means, as a verb in the third person.
    pub positive: &'a str,
    /// What one row is called.
    pub row: &'a str,
    /// What several rows are called.
    pub rows: &'a str,
    /// Whether the word for a row is feminine.
    pub feminine: bool,
    /// Who is asked about.
    pub cohort: &'a str,
    /// What counts as positive.
    pub label: &'a str,
}

impl Problem {
    /// The words of the problem in a language, as far as they are translated.
    pub fn texts(&self, language: &str) -> ProblemTexts<'_> {
        let own = ProblemTexts {
            title: &self.title,
            question: &self.question,
            positive: &self.positive,
            row: &self.row,
            rows: &self.rows,
            feminine: self.feminine,
            cohort: &self.cohort.description,
            label: &self.label.description,
        };
        let Some(translation) = self.translations.get(language) else {
            return own;
        };
        ProblemTexts {
            title: translation.title.as_deref().unwrap_or(own.title),
            question: translation.question.as_deref().unwrap_or(own.question),
            positive: translation.positive.as_deref().unwrap_or(own.positive),
            row: translation.row.as_deref().unwrap_or(own.row),
            rows: translation.rows.as_deref().unwrap_or(own.rows),
            feminine: translation.feminine,
            cohort: translation.cohort.as_deref().unwrap_or(own.cohort),
            label: translation.label.as_deref().unwrap_or(own.label),
        }
    }
}
