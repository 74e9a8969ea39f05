//! Features in words.

use minijinja::context;

use crate::ReportError;
use crate::input::{Cell, FeatureText, Reason, Window};
use crate::printer::Printer;
use crate::words::{readable, sentence_case};

/// The unit of 1 and 0 that mean yes and no.
const TRUTH: &str = "?";

/// A reason in words: what it is about, and the value, unless the words say it all.
#[derive(Debug, PartialEq)]
pub(crate) struct ReasonWords {
    /// Such as `Days since the last sale (last 30 days)`, or `No sale in the last 30 days`.
    pub(crate) label: String,
    /// Such as `41 days`.
    pub(crate) value: Option<String>,
}

impl Printer {
    /// A feature as the beginning of a sentence, such as `Orders (last 30 days)`.
    pub(crate) fn feature_heading(&self, feature: &FeatureText) -> Result<String, ReportError> {
        Ok(sentence_case(&self.feature_name(feature)?))
    }

    /// A feature within a sentence, such as `orders (last 30 days)`.
    pub(crate) fn feature_name(&self, feature: &FeatureText) -> Result<String, ReportError> {
        let meaning = feature.meaning.as_str();
        if meaning.is_empty() {
            return Ok(readable(&feature.name));
        }
        let key = match feature.window {
            Window::Unsaid => None,
            Window::Days(_) => Some("window_days"),
            Window::Months(_) => Some("window_months"),
            Window::All => Some("window_all"),
        };
        let window = self.window(key, feature.window)?;
        self.say("feature_name", context! { meaning, window })
    }

    /// A reason: a feature with its value, or what it means that there is none.
    pub(crate) fn reason(&self, reason: &Reason) -> Result<ReasonWords, ReportError> {
        let feature = &reason.feature;
        let value = self.cell(&reason.value, &feature.unit, None)?;
        if value.is_none() && !feature.none.is_empty() {
            let label = sentence_case(&self.feature_none(feature)?);
            return Ok(ReasonWords { label, value });
        }
        let value = match value {
            Some(value) => value,
            None => self.say("feature_no_data", context! {})?,
        };
        Ok(ReasonWords {
            label: self.feature_heading(feature)?,
            value: Some(value),
        })
    }

    /// A cell in its unit, or as yes or no; `None` if it has no value. Decimal places are chosen for the value unless
    /// they are given.
    pub(crate) fn cell(
        &self,
        cell: &Cell,
        unit: &str,
        places: Option<usize>,
    ) -> Result<Option<String>, ReportError> {
        Ok(match cell {
            Cell::Number(value) if value.is_finite() => Some(match (unit == TRUTH, *value > 0.5) {
                (true, true) => self.say("yes", context! {})?,
                (true, false) => self.say("no", context! {})?,
                (false, _) => self.words.locale.measure_to(*value, unit, places),
            }),
            Cell::Text(text) => Some(text.clone()),
            Cell::Number(_) | Cell::Missing => None,
        })
    }

    fn feature_none(&self, feature: &FeatureText) -> Result<String, ReportError> {
        let key = match feature.window {
            Window::Unsaid => None,
            Window::Days(_) => Some("within_days"),
            Window::Months(_) => Some("within_months"),
            Window::All => Some("within_all"),
        };
        let within = self.window(key, feature.window)?;
        let absent = feature.none.as_str();
        self.say("feature_none", context! { absent, within })
    }

    fn window(&self, key: Option<&str>, window: Window) -> Result<String, ReportError> {
        let count = match window {
            Window::Unsaid | Window::All => 0,
            Window::Days(count) | Window::Months(count) => count,
        };
        key.map_or_else(
            || Ok(String::new()),
            |key| self.say(key, context! { count }),
        )
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::Language;

    fn reason(window: Window, value: Cell) -> Reason {
        Reason {
            feature: FeatureText {
                name: "days_since_last_order_30d".to_owned(),
                meaning: "days since the last sale".to_owned(),
                unit: "days".to_owned(),
                none: "no sale".to_owned(),
                window,
            },
            value,
            ..Reason::default()
        }
    }

    fn words(language: Language, reason: &Reason) -> (String, Option<String>) {
        let words = Printer::new(language).unwrap().reason(reason).unwrap();
        (words.label, words.value)
    }

    #[test]
    fn a_reason_says_what_its_value_means() {
        let with_value = reason(Window::Days(30), Cell::Number(12.0));
        let (label, value) = words(Language::English, &with_value);
        assert_eq!(label, "Days since the last sale (last 30 days)");
        assert_eq!(value.unwrap(), "12\u{a0}days");
        let without = reason(Window::Months(1), Cell::Missing);
        let (label, value) = words(Language::English, &without);
        assert_eq!((label.as_str(), value), ("No sale in the past month", None));
        let ever = reason(Window::All, Cell::Number(f64::NAN));
        assert_eq!(words(Language::Portuguese, &ever).0, "No sale até hoje");
    }

    #[test]
    fn a_window_joins_brackets_that_are_there() {
        let mut late = reason(Window::Days(90), Cell::Number(0.5));
        late.feature.meaning = "late orders (route)".to_owned();
        let label = |language| words(language, &late).0;
        assert_eq!(
            label(Language::English),
            "Late orders (route, last 90 days)"
        );
        assert_eq!(
            label(Language::Portuguese),
            "Late orders (route, últimos 90 dias)"
        );
    }

    #[test]
    fn a_feature_without_words_keeps_its_name() {
        let mut bare = reason(Window::Days(30), Cell::Missing);
        bare.feature.meaning.clear();
        bare.feature.none.clear();
        let (label, value) = words(Language::Portuguese, &bare);
        assert_eq!(label, "Days since last order 30d");
        assert_eq!(value.unwrap(), "sem dados");
        bare.feature.unit = "?".to_owned();
        bare.value = Cell::Number(1.0);
        assert_eq!(words(Language::Portuguese, &bare).1.unwrap(), "sim");
        bare.value = Cell::Number(0.0);
        assert_eq!(words(Language::English, &bare).1.unwrap(), "no");
        bare.value = Cell::Text("SP".to_owned());
        assert_eq!(words(Language::English, &bare).1.unwrap(), "SP");
    }
}
