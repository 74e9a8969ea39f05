//! SQL rendered from the template of a feature view, which may include or import files of `features/parts`.

mod marks;

use std::collections::BTreeMap;
use std::error::Error as _;

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, Error, ErrorKind};

use crate::{ProjectError, ProjectFiles};

/// The folder of feature views; a template names a file by its path inside it.
const FOLDER: &str = "features/";

/// A line of a file of the project, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileLine {
    /// Path inside the project.
    pub(crate) file: String,
    pub(crate) number: usize,
}

/// SQL, and where its lines come from.
#[derive(Debug)]
pub(crate) struct Rendered {
    pub(crate) sql: String,
    /// For each line of the SQL, the line from which it comes; none where that is not known.
    pub(crate) lines: Vec<Option<FileLine>>,
}

/// Renders the templates of feature views.
pub(crate) struct Templates {
    /// What views can include or import, and nothing else: texts by their path inside the folder of views.
    parts: BTreeMap<String, String>,
    plain: Environment<'static>,
    marked: Environment<'static>,
}

impl Templates {
    pub(crate) fn new(files: &ProjectFiles) -> Result<Self, ProjectError> {
        let inside = |file: &str| file.strip_prefix(FOLDER).unwrap_or(file).to_owned();
        let parts: BTreeMap<String, String> = files
            .in_folder("features/parts")
            .map(|(file, _, text)| (inside(file), text.to_owned()))
            .collect();
        let marked = parts.iter().enumerate().map(|(index, (name, text))| {
            let text = marks::mark(text, index + 1, 0);
            (name.clone(), text)
        });
        let failed = |error| failed(error, FOLDER, 0);
        Ok(Self {
            marked: environment(marked.collect()).map_err(failed)?,
            plain: environment(parts.clone()).map_err(failed)?,
            parts,
        })
    }

    /// Renders what stands in the file of a view below its header.
    ///
    /// # Errors
    /// [`ProjectError::Template`] with what minijinja says, at its place in the file of the view or of a part.
    pub(crate) fn render(
        &self,
        file: &str,
        body: &str,
        lines_before: usize,
    ) -> Result<Rendered, ProjectError> {
        let sql = self.plain.render_named_str(file, body, ());
        let sql = sql.map_err(|error| failed(error, file, lines_before))?;
        let body = marks::mark(body, 0, lines_before);
        let marked = self.marked.render_named_str(file, &body, ()).ok();
        let marks = marked.and_then(|marked| marks::read(&marked, &sql));
        let marks = marks.unwrap_or_else(|| vec![None; sql.lines().count()]);
        let line = |mark: marks::Mark| {
            let part = mark.text.checked_sub(1).map(|i| self.parts.keys().nth(i));
            let file = match part {
                None => file.to_owned(),
                Some(name) => format!("{FOLDER}{}", name?),
            };
            let number = mark.line;
            Some(FileLine { file, number })
        };
        Ok(Rendered {
            lines: marks.into_iter().map(|mark| mark.and_then(line)).collect(),
            sql,
        })
    }

    /// The text of a file of the project, if it is one that views include.
    pub(crate) fn part(&self, file: &str) -> Option<&str> {
        let name = file.strip_prefix(FOLDER)?;
        self.parts.get(name).map(String::as_str)
    }
}

/// An environment that knows these texts by their names.
fn environment(parts: BTreeMap<String, String>) -> Result<Environment<'static>, Error> {
    let syntax = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build()?;
    let mut environment = Environment::new();
    environment.set_syntax(syntax);
    environment.set_loader(move |name| match parts.get(name) {
        Some(text) => Ok(Some(text.clone())),
        None => Err(not_found(name, parts.keys())),
    });
    Ok(environment)
}

/// Of a kind that no template can ignore.
fn not_found<'a>(name: &str, known: impl Iterator<Item = &'a String>) -> Error {
    let known: Vec<&str> = known.map(String::as_str).collect();
    let hint = match known.as_slice() {
        [] => "a view includes or imports files of features/parts".to_owned(),
        known => format!("there are: {}", known.join(", ")),
    };
    let message = format!("no file {FOLDER}{name} in the project\nhint: {hint}");
    Error::new(ErrorKind::BadInclude, message)
}

/// What is wrong at the innermost place, which may be in a part that the view includes.
fn failed(error: Error, view: &str, lines_before: usize) -> ProjectError {
    let mut innermost = &error;
    while let Some(inner) = innermost.source().and_then(|e| e.downcast_ref::<Error>()) {
        innermost = inner;
    }
    let line = innermost.line().unwrap_or(1);
    let message = match (innermost.kind(), innermost.detail()) {
        (ErrorKind::BadInclude, Some(detail)) => detail.to_owned(),
        (kind, Some(detail)) => format!("{kind}: {detail}"),
        (kind, None) => kind.to_string(),
    };
    match innermost.name() {
        Some(name) if name != view => ProjectError::Template {
            file: format!("{FOLDER}{name}"),
            line,
            message: used_by(view, &message),
        },
        _ => ProjectError::Template {
            file: view.to_owned(),
            line: lines_before + line,
            message,
        },
    }
}

/// The message with the view for whose sake the file was read, before the line with the hint.
fn used_by(view: &str, message: &str) -> String {
    let (what, hint) = message.split_at(message.find('\n').unwrap_or(message.len()));
    format!("{what}; {view} uses this file{hint}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn numbered(template: &str) -> Vec<(String, Option<usize>)> {
        let templates = Templates::new(&ProjectFiles::default()).unwrap();
        let rendered = templates.render("features/v.sql", template, 0).unwrap();
        let lines = rendered.sql.lines().map(str::to_owned);
        let numbers = rendered.lines.into_iter();
        lines
            .zip(numbers.map(|line| line.map(|line| line.number)))
            .collect()
    }

    fn line(text: &str, number: usize) -> (String, Option<usize>) {
        (text.to_owned(), Some(number))
    }

    #[test]
    fn plain_lines_keep_their_numbers() {
        let text = "SELECT\n\n  '{ %} #}' AS a -- {\nFROM b\n";
        let expected = [
            line("SELECT", 1),
            line("", 2),
            line("  '{ %} #}' AS a -- {", 3),
            line("FROM b", 4),
        ];
        assert_eq!(numbered(text), expected);
    }

    #[test]
    fn lines_of_a_loop_come_from_its_body() {
        let text = "SELECT\n{% for s in ['x', 'y'] %}\n  n_{{ s }},\n  m_{{ s }},\n{% endfor %}\n{# two\nlines #}\n  {{ '1'\n }} AS one\nFROM r";
        let expected = [
            line("SELECT", 1),
            line("  n_x,", 3),
            line("  m_x,", 4),
            line("  n_y,", 3),
            line("  m_y,", 4),
            line("  1 AS one", 9),
            line("FROM r", 10),
        ];
        assert_eq!(numbered(text), expected);
    }

    #[test]
    fn trimmed_ends_of_lines_are_no_lines() {
        let text = "a {% if true %}\nb\n{%- endif %}\nc";
        assert_eq!(numbered(text), [line("a bc", 2)]);
    }
}
