//! What a problem and its features are called, in the language of the report.

use safra_project::{Problem, Project};
use safra_report::{FeatureText, ProblemReport, Window};

/// What a problem and its features are called.
pub struct Words<'a> {
    /// The declarations.
    pub project: &'a Project,
    /// The problem.
    pub problem: &'a Problem,
    /// Tag of the language.
    pub language: &'a str,
}

impl Words<'_> {
    /// Puts the words of the problem into its report.
    pub fn name(&self, report: &mut ProblemReport) {
        let texts = self.problem.texts(self.language);
        for (place, text) in [
            (&mut report.title, texts.title),
            (&mut report.question, texts.question),
            (&mut report.entity, texts.row),
            (&mut report.rows, texts.rows),
            (&mut report.positive, texts.positive),
            (&mut report.cohort, texts.cohort),
            (&mut report.label, texts.label),
        ] {
            text.clone_into(place);
        }
        report.feminine = texts.feminine;
    }

    /// A feature of the store.
    pub fn feature(&self, name: &str) -> FeatureText {
        let found = self.found(name);
        FeatureText {
            name: name.to_owned(),
            meaning: found.meaning.text,
            unit: found.meaning.unit,
            none: found.meaning.none,
            window: match found.window {
                None => Window::Unsaid,
                Some(safra_project::Window::Days(days)) => Window::Days(days),
                Some(safra_project::Window::Months(months)) => Window::Months(months),
                Some(safra_project::Window::All) => Window::All,
            },
        }
    }

    /// The feature of which one of the store is a window: its name, and how it reads without a window.
    pub fn family(&self, name: &str) -> (String, FeatureText) {
        let found = self.found(name);
        let text = FeatureText {
            name: found.name.clone(),
            meaning: found.meaning.text,
            unit: found.meaning.unit,
            none: found.meaning.none,
            window: Window::Unsaid,
        };
        (found.name, text)
    }

    fn found(&self, name: &str) -> safra_project::FeatureText {
        let views = &self.problem.features.views;
        self.project.feature_text(views, name, self.language)
    }
}
