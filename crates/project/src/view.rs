//! `features/*.sql`: a header between two lines of `---`, then SQL, rendered as a minijinja template.

use std::fmt;
use std::str::FromStr;

use indexmap::IndexMap;

use crate::meaning::{self, Meanings};
use crate::template::{FileLine, Rendered, Templates};
use crate::{ProjectError, ProjectFiles};

/// Which moments the features of a view are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ViewKind {
    /// Reference dates: features of windows that end before each.
    Dates,
    /// Events, each at a time of its own: features of what was known by that time.
    Events,
}

/// A feature view: features of an entity, as SQL over the sources, without dates and without `GROUP BY`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Name of the view and of its table in the feature store.
    pub name: String,
    /// Path of the file inside the project.
    pub file: String,
    /// Which moments its features are about.
    pub kind: ViewKind,
    /// Columns that identify whom the features are about; empty for the marketplace as a whole.
    pub entity: Vec<String>,
    /// The timestamp or date column that decides which rows a window holds; of a view about events, when
    /// the event happened.
    pub time: String,
    /// The windows; each feature is computed once for each, with the window as suffix. None in a view about events.
    pub windows: Vec<Window>,
    /// One line on what the features tell.
    pub description: String,
    /// The SQL, rendered from its template, without the descriptions of features.
    pub sql: String,
    /// What its features mean, by their name without a window.
    pub meanings: IndexMap<String, Meanings>,
    /// The line of the file that names the entity, counted from 1.
    pub entity_line: usize,
    /// The line of the file that names the time, counted from 1.
    pub time_line: usize,
    /// Where each line of the SQL comes from.
    pub lines: Vec<SqlLine>,
}

/// Where a line of the SQL of a view comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlLine {
    /// The file that the view includes or imports, of which it is a line; none for the file of the view.
    pub part: Option<String>,
    /// The line of the file, counted from 1; none where the template hides it.
    pub number: Option<usize>,
    /// Whether it stands so in the file, so that columns are those of the file.
    pub verbatim: bool,
}

impl View {
    /// Name of a feature in a window, such as `orders_30d`.
    pub fn feature_name(feature: &str, window: Window) -> String {
        format!("{feature}_{window}")
    }

    /// Whether its features are about events, each at a time of its own.
    pub fn is_about_events(&self) -> bool {
        self.kind == ViewKind::Events
    }

    /// The key of the header that names the time.
    pub fn time_key(&self) -> &'static str {
        match self.kind {
            ViewKind::Dates => "time",
            ViewKind::Events => "at",
        }
    }

    /// In words, the place in the file of a line and column of the SQL, both counted from 1; empty where
    /// there is none.
    pub fn place(&self, line: usize, column: usize) -> String {
        let index = line.wrapping_sub(1);
        let (Some(text), Some(from)) = (self.sql.lines().nth(index), self.lines.get(index)) else {
            return String::new();
        };
        let part = from.part.iter().map(|part| format!(" of {part}"));
        let part: String = part.collect();
        match (from.number, from.verbatim) {
            (Some(number), true) => format!("line {number}{part}, column {column}"),
            (Some(number), false) => {
                format!("line {number}{part}, rendered as `{}`", text.trim())
            }
            (None, _) => format!(
                "line {line}, column {column} of the rendered SQL, `{}`",
                text.trim()
            ),
        }
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
    let templates = Templates::new(files)?;
    files
        .in_folder("features")
        .map(|(file, name, text)| Ok((name.to_owned(), read(file, name, text, &templates)?)))
        .collect()
}

fn read(file: &str, name: &str, text: &str, templates: &Templates) -> Result<View, ProjectError> {
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
            .take(index + 1, line)
            .map_err(|message| header_error(index + 1, message))?;
    };
    let body: String = text
        .lines()
        .skip(end + 1)
        .flat_map(|line| [line, "\n"])
        .collect();
    let missing = |key: &str| header_error(1, format!("the header has no line {key}:"));
    let (entity_line, entity) = header.entity.ok_or_else(|| missing("entity"))?;
    let moments = Moments::of(header.time, header.windows, header.at);
    let Moments {
        kind,
        time_line,
        time,
        windows,
    } = moments.map_err(|(line, message)| header_error(line, message))?;
    if kind == ViewKind::Events && entity.is_empty() {
        let message =
            "a view about events names whom they happen to: entity has at least one column";
        return Err(header_error(entity_line, message.into()));
    }
    let rendered = templates.render(file, &body, end + 1)?;
    let lines = sql_lines(file, text, templates, &rendered);
    let (sql, meanings) = meaning::take(&rendered.sql);
    Ok(View {
        name: name.to_owned(),
        file: file.to_owned(),
        kind,
        entity,
        time,
        windows,
        description: header.description.unwrap_or_default(),
        entity_line,
        time_line,
        lines,
        sql,
        meanings,
    })
}

/// Where the lines of the SQL come from: the file of the view with this text, or files that it includes.
fn sql_lines(file: &str, text: &str, templates: &Templates, rendered: &Rendered) -> Vec<SqlLine> {
    let written = |from: &FileLine| {
        let text = if from.file == file {
            Some(text)
        } else {
            templates.part(&from.file)
        };
        text?.lines().nth(from.number.checked_sub(1)?)
    };
    let lines = rendered.sql.lines().zip(&rendered.lines);
    lines
        .map(|(line, from)| SqlLine {
            part: from
                .as_ref()
                .map(|from| from.file.clone())
                .filter(|part| part != file),
            number: from.as_ref().map(|from| from.number),
            verbatim: from.as_ref().and_then(written) == Some(line),
        })
        .collect()
}

#[derive(Default)]
struct Header {
    entity: Option<(usize, Vec<String>)>,
    time: Option<(usize, String)>,
    windows: Option<(usize, Vec<Window>)>,
    at: Option<(usize, String)>,
    description: Option<String>,
}

/// Which moments the header asks for: `time` and `windows`, or `at`.
struct Moments {
    kind: ViewKind,
    time_line: usize,
    time: String,
    windows: Vec<Window>,
}

impl Moments {
    /// An error has its line.
    fn of(
        time: Option<(usize, String)>,
        windows: Option<(usize, Vec<Window>)>,
        at: Option<(usize, String)>,
    ) -> Result<Self, (usize, String)> {
        match (time, windows, at) {
            (Some((time_line, time)), Some((_, windows)), None) => Ok(Self {
                kind: ViewKind::Dates,
                time_line,
                time,
                windows,
            }),
            (None, None, Some((time_line, time))) => Ok(Self {
                kind: ViewKind::Events,
                time_line,
                time,
                windows: Vec::new(),
            }),
            (Some((line, _)), _, Some(_)) | (None, Some((line, _)), Some(_)) => {
                let message = "a view about events has at: in place of time: and windows:";
                Err((line, message.to_owned()))
            }
            (Some(_), None, None) => Err((1, "the header has no line windows:".to_owned())),
            (None, _, None) => Err((
                1,
                "the header has no line time:, nor at: for a view about events".to_owned(),
            )),
        }
    }
}

impl Header {
    fn take(&mut self, number: usize, line: &str) -> Result<(), String> {
        let line = line.split(" #").next().unwrap_or_default().trim();
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        let (key, value) = line
            .split_once(':')
            .ok_or_else(|| format!("not `key: value`: {line}"))?;
        let value = value.trim();
        match key.trim() {
            "entity" => self.entity = Some((number, list(value))),
            "time" => self.time = Some((number, value.to_owned())),
            "at" => self.at = Some((number, value.to_owned())),
            "description" => self.description = Some(value.to_owned()),
            "windows" => {
                let windows: Vec<Window> = list(value)
                    .iter()
                    .map(|window| window.parse())
                    .collect::<Result<_, _>>()?;
                if windows.is_empty() {
                    return Err("windows: at least one window".into());
                }
                self.windows = Some((number, windows));
            }
            other => {
                return Err(format!(
                    "unknown key: {other}; a header has entity, time, windows and description, or entity, at and description"
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const FILE: &str = "features/v.sql";

    /// The view `v` of a project with these files of `features/parts`.
    fn read_with(text: &str, parts: &[(&str, &str)]) -> Result<View, ProjectError> {
        let mut files = ProjectFiles::default();
        for (name, text) in parts {
            files.insert(format!("features/parts/{name}"), *text);
        }
        read(FILE, "v", text, &Templates::new(&files)?)
    }

    #[test]
    fn header_and_template_are_read() {
        let text = "---\nentity: [a, b]\ntime: t  # when\nwindows: [7d, 6mo, all]\n---\nSELECT\n{% for s in ['x', 'y'] %}\n  COUNT(*) FILTER (WHERE s = '{{ s }}') AS n_{{ s }}{{ '' if loop.last else ',' }}\n{% endfor %}\nFROM r\n";
        let view = read_with(text, &[]).unwrap();
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
        assert_eq!((view.entity_line, view.time_line), (2, 3));
        assert_eq!(view.place(1, 3), "line 6, column 3");
        let rendered = "line 8, rendered as `COUNT(*) FILTER (WHERE s = 'y') AS n_y`";
        assert_eq!(view.place(3, 5), rendered);
        assert_eq!(view.place(4, 1), "line 10, column 1");
        assert_eq!(
            (view.place(5, 1), view.place(0, 0)),
            (String::new(), String::new())
        );
    }

    /// A view that takes its rows from a part, with a row of its own.
    fn view_of_steps(import: &str) -> String {
        let header = "---\nentity: a\ntime: t\nwindows: [7d]\n---\n";
        let body =
            "SELECT COUNT(*) AS n\nFROM (\n{% call steps('a') %}\n    FROM r\n{% endcall %}\n)\n";
        format!("{header}{import}\n{body}")
    }

    const IMPORT: &str = "{% from \"parts/steps.sql\" import steps %}";
    const STEPS: &str = "{# Steps. #}\n{% macro steps(key) %}\n{% for step in ['x', 'y'] %}\n    SELECT\n        {{ key }}, '{{ step }}' AS step\n{{ caller() }}\n    WHERE t IS NOT NULL {{ '' if loop.last else 'UNION ALL' }}\n{% endfor %}\n{% endmacro %}\n";

    #[test]
    fn a_view_includes_a_part_and_knows_from_where_its_lines_come() {
        let view = read_with(&view_of_steps(IMPORT), &[("steps.sql", STEPS)]).unwrap();
        let place = |text: &str| {
            let line = view.sql.lines().position(|line| line.contains(text));
            view.place(line.unwrap() + 1, 1)
        };
        let part = "of features/parts/steps.sql";
        assert_eq!(place("SELECT COUNT"), "line 7, column 1");
        assert_eq!(place("    SELECT"), format!("line 4 {part}, column 1"));
        let rendered = format!("line 5 {part}, rendered as `a, 'y' AS step`");
        assert_eq!(place("'y'"), rendered);
        assert_eq!(place("FROM r"), "line 10, column 1");
        assert_eq!(view.sql.matches("UNION ALL").count(), 1);
    }

    #[test]
    fn errors_of_parts_name_their_file_and_the_view() {
        let message = |import: &str, part: &str| {
            let view = view_of_steps(import);
            read_with(&view, &[("steps.sql", part)])
                .unwrap_err()
                .to_string()
        };
        let missing = "features/v.sql:6: no file features/parts/stps.sql in the project\nhint: there are: parts/steps.sql";
        assert_eq!(
            message("{% from \"parts/stps.sql\" import steps %}", STEPS),
            missing
        );
        assert_eq!(
            message("{% include \"parts/stps.sql\" ignore missing %}", STEPS),
            missing
        );
        let outside = message("{% include \"../sources.toml\" %}", STEPS);
        assert!(
            outside
                .starts_with("features/v.sql:6: no file features/../sources.toml in the project"),
            "{outside}"
        );
        let syntax = message(
            IMPORT,
            "{% macro steps(key) %}\n{{ key + }}\n{% endmacro %}\n",
        );
        assert!(
            syntax.starts_with("features/parts/steps.sql:2: syntax error: "),
            "{syntax}"
        );
        assert!(
            syntax.ends_with("; features/v.sql uses this file"),
            "{syntax}"
        );
        let filter = message(
            IMPORT,
            "{% macro steps(key) %}\n{{ key | nope }}{{ caller() }}\n{% endmacro %}\n",
        );
        assert_eq!(
            filter,
            "features/parts/steps.sql:2: unknown filter: filter nope is unknown; features/v.sql uses this file"
        );
        let missing_in_part = message(IMPORT, "{% include \"parts/stps.sql\" %}");
        assert_eq!(
            missing_in_part,
            "features/parts/steps.sql:1: no file features/parts/stps.sql in the project; features/v.sql uses this file\nhint: there are: parts/steps.sql"
        );
        let itself = message(
            "{% include \"parts/steps.sql\" %}",
            "{% include \"parts/steps.sql\" %}",
        );
        assert!(
            itself.starts_with("features/parts/steps.sql:1: "),
            "{itself}"
        );
    }

    #[test]
    fn a_wrong_header_is_named_with_its_line() {
        let error = read_with("---\nentity: a\nwindows: [7w]\n---\n", &[]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "features/v.sql:3: not a window: 7w; write 30d, 6mo or all"
        );
        let error = read_with("SELECT 1", &[]).unwrap_err();
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
