//! `features/*.sql`: a header between two lines of `---`, then SQL, rendered as a minijinja template.

use std::fmt;
use std::str::FromStr;

use indexmap::IndexMap;
use minijinja::syntax::SyntaxConfig;

use crate::meaning::{self, Meanings};
use crate::{ProjectError, ProjectFiles};

/// A feature view: features of an entity, as SQL over the sources, without dates and without `GROUP BY`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Name of the view and of its table in the feature store.
    pub name: String,
    /// Path of the file inside the project.
    pub file: String,
    /// Columns that identify whom the features are about; empty for the marketplace as a whole.
    pub entity: Vec<String>,
    /// The timestamp or date column that decides which rows a window holds.
    pub time: String,
    /// The windows; each feature is computed once for each, with the window as suffix.
    pub windows: Vec<Window>,
    /// One line on what the features tell.
    pub description: String,
    /// The SQL, rendered from its template, without the descriptions of features.
    pub sql: String,
    /// What its features mean, by their name without a window.
    pub meanings: IndexMap<String, Meanings>,
    /// Number of lines before the SQL in the file, to place errors.
    pub header_lines: usize,
}

impl View {
    /// Name of a feature in a window, such as `orders_30d`.
    pub fn feature_name(feature: &str, window: Window) -> String {
        format!("{feature}_{window}")
    }
}

/// How far back from the reference date a view looks; the start is inclusive, the reference date is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Window {
    /// A number of days, written `30d`.
    Days(u32),
    /// A number of calendar months, written `6mo`; the day is clamped to the end of the month.
    Months(u32),
    /// All history, written `all`.
    All,
}

impl fmt::Display for Window {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Days(days) => write!(formatter, "{days}d"),
            Self::Months(months) => write!(formatter, "{months}mo"),
            Self::All => formatter.write_str("all"),
        }
    }
}

impl FromStr for Window {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || format!("not a window: {text}; write 30d, 6mo or all");
        if text == "all" {
            return Ok(Self::All);
        }
        let split = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let count: u32 = text[..split].parse().map_err(|_| wrong())?;
        match &text[split..] {
            _ if count == 0 => Err(wrong()),
            "d" => Ok(Self::Days(count)),
            "mo" => Ok(Self::Months(count)),
            _ => Err(wrong()),
        }
    }
}

pub(crate) fn read_all(files: &ProjectFiles) -> Result<IndexMap<String, View>, ProjectError> {
    files
        .in_folder("features")
        .map(|(file, name, text)| Ok((name.to_owned(), read(file, name, text)?)))
        .collect()
}

fn read(file: &str, name: &str, text: &str) -> Result<View, ProjectError> {
    let header_error = |line: usize, message: String| ProjectError::Header {
        file: file.to_owned(),
        line,
        message,
    };
    let mut lines = text.lines().enumerate();
    if lines.next().map(|(_, line)| line.trim_end()) != Some("---") {
        return Err(header_error(
            1,
            "a feature view starts with a header between two lines of ---".into(),
        ));
    }
    let mut header = Header::default();
    let end = loop {
        let Some((index, line)) = lines.next() else {
            return Err(header_error(
                1,
                "the header has no closing line of ---".into(),
            ));
        };
        if line.trim_end() == "---" {
            break index;
        }
        header
            .take(line)
            .map_err(|message| header_error(index + 1, message))?;
    };
    let body: String = text
        .lines()
        .skip(end + 1)
        .flat_map(|line| [line, "\n"])
        .collect();
    let (sql, meanings) = meaning::take(&render(file, end + 1, &body)?);
    Ok(View {
        name: name.to_owned(),
        file: file.to_owned(),
        entity: header
            .entity
            .ok_or_else(|| header_error(1, "the header has no line entity:".into()))?,
        time: header
            .time
            .ok_or_else(|| header_error(1, "the header has no line time:".into()))?,
        windows: header
            .windows
            .ok_or_else(|| header_error(1, "the header has no line windows:".into()))?,
        description: header.description.unwrap_or_default(),
        sql,
        meanings,
        header_lines: end + 1,
    })
}

#[derive(Default)]
struct Header {
    entity: Option<Vec<String>>,
    time: Option<String>,
    windows: Option<Vec<Window>>,
    description: Option<String>,
}

impl Header {
    fn take(&mut self, line: &str) -> Result<(), String> {
        let line = line.split(" #").next().unwrap_or_default().trim();
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        let (key, value) = line
            .split_once(':')
            .ok_or_else(|| format!("not `key: value`: {line}"))?;
        let value = value.trim();
        match key.trim() {
            "entity" => self.entity = Some(list(value)),
            "time" => self.time = Some(value.to_owned()),
            "description" => self.description = Some(value.to_owned()),
            "windows" => {
                let windows: Vec<Window> = list(value)
                    .iter()
                    .map(|window| window.parse())
                    .collect::<Result<_, _>>()?;
                if windows.is_empty() {
                    return Err("windows: at least one window".into());
                }
                self.windows = Some(windows);
            }
            other => {
                return Err(format!(
                    "unknown key: {other}; a header has entity, time, windows and description"
                ));
            }
        }
        Ok(())
    }
}

/// `[a, b]`, or a single value without brackets.
fn list(value: &str) -> Vec<String> {
    value
        .trim_start_matches('[')
        .trim_end_matches(']')
        .split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .map(str::to_owned)
        .collect()
}

fn render(file: &str, lines_before: usize, template: &str) -> Result<String, ProjectError> {
    let failed = |error: minijinja::Error| ProjectError::Template {
        file: file.to_owned(),
        line: lines_before + error.line().unwrap_or(1),
        message: error.to_string(),
    };
    let syntax = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build();
    let mut environment = minijinja::Environment::new();
    environment.set_syntax(syntax.map_err(failed)?);
    environment.render_str(template, ()).map_err(failed)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn header_and_template_are_read() {
        let text = "---\nentity: [a, b]\ntime: t  # when\nwindows: [7d, 6mo, all]\n---\nSELECT\n{% for s in ['x', 'y'] %}\n  COUNT(*) FILTER (WHERE s = '{{ s }}') AS n_{{ s }}{{ '' if loop.last else ',' }}\n{% endfor %}\nFROM r\n";
        let view = read("features/v.sql", "v", text).unwrap();
        assert_eq!(view.entity, ["a", "b"]);
        assert_eq!(view.time, "t");
        assert_eq!(
            view.windows,
            [Window::Days(7), Window::Months(6), Window::All]
        );
        assert!(
            view.sql.contains("AS n_x,\n") && view.sql.contains("AS n_y\n"),
            "{}",
            view.sql
        );
        assert_eq!(view.header_lines, 5);
    }

    #[test]
    fn a_wrong_header_is_named_with_its_line() {
        let error = read(
            "features/v.sql",
            "v",
            "---\nentity: a\nwindows: [7w]\n---\n",
        )
        .unwrap_err();
        assert_eq!(
            error.to_string(),
            "features/v.sql:3: not a window: 7w; write 30d, 6mo or all"
        );
        let error = read("features/v.sql", "v", "SELECT 1").unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("features/v.sql:1: a feature view starts")
        );
    }

    #[test]
    fn windows_print_as_they_are_written() {
        for text in ["1d", "90d", "6mo", "all"] {
            assert_eq!(text.parse::<Window>().unwrap().to_string(), text);
        }
        for text in ["", "0d", "d", "6m", "-1d", "6"] {
            assert!(text.parse::<Window>().is_err(), "{text}");
        }
    }
}
