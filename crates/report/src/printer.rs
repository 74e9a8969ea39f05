//! The template engine, with the words and formats of one language.

use std::sync::Arc;

use minijinja::escape_formatter;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Value};
use minijinja::{AutoEscape, Environment, Error, Output, State, UndefinedBehavior, context};

use crate::input::{Interval, ProblemReport};
use crate::words::{Words, readable, sentence_case};
use crate::{Language, ReportError};

const TEMPLATES: [(&str, &str); 10] = [
    ("chart.svg", include_str!("templates/chart.svg")),
    ("report.html", include_str!("templates/report.html")),
    ("start.html", include_str!("templates/start.html")),
    ("figure.html", include_str!("templates/figure.html")),
    ("problem.html", include_str!("templates/problem.html")),
    ("untrained.html", include_str!("templates/untrained.html")),
    ("tables.html", include_str!("templates/tables.html")),
    ("segments.html", include_str!("templates/segments.html")),
    ("style.css", include_str!("templates/style.css")),
    ("report.js", include_str!("templates/report.js")),
];

/// Renders templates and messages. Everything put into HTML or SVG is escaped, unless it is itself the
/// result of such a template.
#[derive(Debug)]
pub(crate) struct Printer {
    environment: Environment<'static>,
    /// The words it speaks.
    pub(crate) words: Arc<Words>,
}

impl Printer {
    /// A printer for a language.
    pub(crate) fn new(language: Language) -> Result<Self, ReportError> {
        let words = Arc::new(Words::of(language)?);
        let mut environment = Environment::new();
        environment.set_auto_escape_callback(escaping);
        environment.set_formatter(write_value);
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        let mut syntax = SyntaxConfig::builder();
        let syntax = syntax.trim_blocks(true).lstrip_blocks(true).build();
        environment.set_syntax(syntax.map_err(|source| failed("syntax", source))?);
        for (name, source) in TEMPLATES {
            environment
                .add_template(name, source)
                .map_err(|source| failed(name, source))?;
        }
        for (key, message) in &words.messages {
            environment
                .add_template_owned(message_name(key), message.clone())
                .map_err(|source| failed(key, source))?;
        }
        environment.add_function("say", say);
        environment.add_global("language", words.language.clone());
        add_number_filters(&mut environment, &words);
        add_name_filters(&mut environment, &words);
        Ok(Self { environment, words })
    }

    /// Renders a template.
    pub(crate) fn render(&self, name: &str, context: Value) -> Result<String, ReportError> {
        self.environment
            .get_template(name)
            .and_then(|template| template.render(context))
            .map_err(|source| failed(name, source))
    }

    /// A message of the catalogue with its blanks filled in. Keys that end in `_html` give markup with
    /// escaped values, all others plain text.
    pub(crate) fn say(&self, key: &str, context: Value) -> Result<String, ReportError> {
        self.render(&message_name(key), context)
    }

    /// An interval in words; empty if there is none.
    pub(crate) fn interval(
        &self,
        interval: Option<Interval>,
        places: usize,
    ) -> Result<String, ReportError> {
        match interval.filter(Interval::is_usable) {
            Some(Interval { low, high }) => self.say("interval", context! { low, high, places }),
            None => Ok(String::new()),
        }
    }

    /// What a problem calls its rows and its positive label, for messages.
    pub(crate) fn names(&self, problem: &ProblemReport) -> Result<Value, ReportError> {
        let or_default = |name: &str, key: &str| match name {
            "" => self.say(key, context! {}),
            _ => Ok(name.to_owned()),
        };
        Ok(context! {
            entity => or_default(&problem.entity, "default_entity")?,
            rows => or_default(&problem.rows, "default_rows")?,
            positive => or_default(&problem.positive, "default_positive")?,
            feminine => problem.feminine,
            events => problem.events,
        })
    }
}

/// `say("key", name=value)` in templates.
fn say(state: &State, key: &str, values: Kwargs) -> Result<Value, Error> {
    let text = state
        .env()
        .get_template(&message_name(key))?
        .render(Value::from(values))?;
    Ok(if is_markup(key) {
        Value::from_safe_string(text)
    } else {
        Value::from(text)
    })
}

fn message_name(key: &str) -> String {
    let extension = if is_markup(key) { "html" } else { "txt" };
    format!("message {key}.{extension}")
}

fn is_markup(key: &str) -> bool {
    key.ends_with("_html")
}

fn escaping(template: &str) -> AutoEscape {
    match template.rsplit('.').next() {
        Some("html" | "svg") => AutoEscape::Html,
        _ => AutoEscape::None,
    }
}

/// Characters that XML forbids would make a chart unreadable: they are shown as unknown.
fn write_value(output: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    match value.as_str() {
        Some(text) if text.contains(is_forbidden) => {
            let clean = text.replace(is_forbidden, "\u{fffd}");
            let clean = if value.is_safe() {
                Value::from_safe_string(clean)
            } else {
                Value::from(clean)
            };
            escape_formatter(output, state, &clean)
        }
        _ => escape_formatter(output, state, value),
    }
}

fn is_forbidden(letter: char) -> bool {
    matches!(letter, '\u{0}'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

fn failed(name: &str, source: Error) -> ReportError {
    ReportError::Template {
        name: name.to_owned(),
        source,
    }
}

fn add_number_filters(environment: &mut Environment<'static>, words: &Arc<Words>) {
    let w = Arc::clone(words);
    environment.add_filter("integer", move |value: f64| w.locale.decimal(value, 0));
    let w = Arc::clone(words);
    environment.add_filter("decimal", move |value: Option<f64>, places: usize| {
        w.locale.decimal(value.unwrap_or(f64::NAN), places)
    });
    let w = Arc::clone(words);
    environment.add_filter("percent", move |value: f64, places: Option<usize>| {
        places.map_or_else(
            || w.locale.rounded_percent(value),
            |places| w.locale.percent(value, places),
        )
    });
    let w = Arc::clone(words);
    environment.add_filter(
        "quantity",
        move |value: Option<f64>, places: Option<usize>| {
            w.locale.measure_to(value.unwrap_or(f64::NAN), "", places)
        },
    );
    let w = Arc::clone(words);
    environment.add_filter("duration", move |value: f64| w.locale.duration(value));
    environment.add_filter("pixel", pixel);
    environment.add_filter("sort_key", sort_key);
}

fn add_name_filters(environment: &mut Environment<'static>, words: &Arc<Words>) {
    let w = Arc::clone(words);
    environment.add_filter("date", move |text: &str| w.locale.date(text));
    let w = Arc::clone(words);
    environment.add_filter("short_date", move |text: &str| w.locale.short_date(text));
    let w = Arc::clone(words);
    environment.add_filter("date_time", move |text: &str| w.locale.date_time(text));
    let w = Arc::clone(words);
    environment.add_filter("learner", move |name: &str| w.learner(name));
    let w = Arc::clone(words);
    environment.add_filter("learner_in_a_sentence", move |name: &str| {
        w.learner_in_a_sentence(name)
    });
    environment.add_filter("readable", readable);
    environment.add_filter("sentence_case", sentence_case);
}

/// A number for the sorting of tables; nothing for a missing one.
fn sort_key(value: Option<f64>) -> String {
    let finite = value.filter(|value| value.is_finite());
    finite.map_or_else(String::new, |value| value.to_string())
}

/// A coordinate with one decimal at most.
pub(crate) fn pixel(value: f64) -> String {
    let text = format!("{value:.1}");
    match text.strip_suffix(".0").unwrap_or(&text) {
        "-0" => "0".to_owned(),
        short => short.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn coordinates_are_short() {
        assert_eq!(pixel(12.0), "12");
        assert_eq!(pixel(12.34), "12.3");
        assert_eq!(pixel(-0.01), "0");
    }

    #[test]
    fn a_message_without_its_values_is_an_error_that_names_it() {
        let printer = Printer::new(Language::English).unwrap();
        let error = printer.say("header_data", context! {}).unwrap_err();
        assert!(error.to_string().contains("header_data"), "{error}");
    }
}
