//! SQL rendered from a template, and from which line of the file each of its lines comes.

use minijinja::Environment;
use minijinja::syntax::SyntaxConfig;

/// SQL, and where its lines come from.
#[derive(Debug)]
pub(crate) struct Rendered {
    pub(crate) sql: String,
    /// For each line of the SQL, the line of the template, counted from 1; none where that is not known.
    pub(crate) lines: Vec<Option<usize>>,
}

/// Renders a template.
///
/// # Errors
/// What minijinja says.
pub(crate) fn render(template: &str) -> Result<Rendered, minijinja::Error> {
    let syntax = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build()?;
    let mut environment = Environment::new();
    environment.set_syntax(syntax);
    let sql = environment.render_str(template, ())?;
    let marked = environment.render_str(&marked(template), ());
    let lines = marked.ok().and_then(|marked| lines(&marked, &sql));
    Ok(Rendered {
        lines: lines.unwrap_or_else(|| vec![None; sql.lines().count()]),
        sql,
    })
}

/// Stand around the number of a line. They are for private use, and in no file.
const START: char = '\u{f8f0}';
const END: char = '\u{f8f1}';

/// The template with its number at the end of each line that ends in text. Where a line ends in a block or a
/// comment, the end of the line is not part of the result, and a number would change it.
fn marked(template: &str) -> String {
    let mut marked = String::with_capacity(template.len() * 2);
    let mut inside: Option<&str> = None;
    for (index, line) in template.lines().enumerate() {
        let mut rest = line;
        while let Some(position) = match inside {
            Some(close) => rest.find(close).map(|start| start + close.len()),
            None => rest.find('{').map(|start| start + 1),
        } {
            inside = match inside {
                Some(_) => None,
                None => match rest.as_bytes().get(position) {
                    Some(b'{') => Some("}}"),
                    Some(b'%') => Some("%}"),
                    Some(b'#') => Some("#}"),
                    _ => None,
                },
            };
            rest = &rest[position..];
        }
        marked.push_str(line);
        if inside.is_none() && !line.ends_with("%}") && !line.ends_with("#}") {
            marked.push_str(&format!("{START}{}{END}", index + 1));
        }
        marked.push('\n');
    }
    marked
}

/// The numbers of the lines; none if the marks changed more than they should.
fn lines(marked: &str, sql: &str) -> Option<Vec<Option<usize>>> {
    let mut lines = Vec::new();
    let mut text = String::new();
    for line in marked.lines() {
        let mut number = None;
        for (i, part) in line.split(START).enumerate() {
            match (i, part.split_once(END)) {
                (0, _) => text.push_str(part),
                (_, Some((digits, after))) => {
                    number = number.or_else(|| digits.parse().ok());
                    text.push_str(after);
                }
                (_, None) => return None,
            }
        }
        lines.push(number);
        text.push('\n');
    }
    (text.trim_end_matches('\n') == sql.trim_end_matches('\n')).then_some(lines)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn numbered(template: &str) -> Vec<(String, Option<usize>)> {
        let rendered = render(template).unwrap();
        let lines = rendered.sql.lines().map(str::to_owned);
        lines.zip(rendered.lines).collect()
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
