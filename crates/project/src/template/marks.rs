//! Marks in a template that tell from which of its lines each line of the result comes.

/// Stand around the number of a text and of its line. They are for private use, and in no file.
const START: char = '\u{f8f0}';
const BETWEEN: char = '\u{f8f1}';
const END: char = '\u{f8f2}';

/// From where a line comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    /// The number that the text was marked with.
    pub(super) text: usize,
    /// The line of the file, counted from 1.
    pub(super) line: usize,
}

/// The template with a mark at the end of each line that ends in text. Where a line ends in a block or a
/// comment, the end of the line is not part of the result, and a mark would change it.
pub(super) fn mark(template: &str, text: usize, lines_before: usize) -> String {
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
            let line = lines_before + index + 1;
            marked.push_str(&format!("{START}{text}{BETWEEN}{line}{END}"));
        }
        marked.push('\n');
    }
    marked
}

/// The mark of each line, the first where there are several; none if the marks changed more than they should.
pub(super) fn read(marked: &str, plain: &str) -> Option<Vec<Option<Mark>>> {
    let mut marks = Vec::new();
    let mut text = String::new();
    for line in marked.lines() {
        let mut found = None;
        for (i, part) in line.split(START).enumerate() {
            match (i, part.split_once(END)) {
                (0, _) => text.push_str(part),
                (_, Some((numbers, after))) => {
                    found = found.or_else(|| parse(numbers));
                    text.push_str(after);
                }
                (_, None) => return None,
            }
        }
        marks.push(found);
        text.push('\n');
    }
    (text.trim_end_matches('\n') == plain.trim_end_matches('\n')).then_some(marks)
}

fn parse(numbers: &str) -> Option<Mark> {
    let (text, line) = numbers.split_once(BETWEEN)?;
    Some(Mark {
        text: text.parse().ok()?,
        line: line.parse().ok()?,
    })
}
