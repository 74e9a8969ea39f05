//! Tables and documents on standard output, errors on standard error.

use std::io::IsTerminal;

use comfy_table::{Cell, CellAlignment, LineStyle, Table, TableStyle};
use serde::Serialize;

use crate::error::SafraError;

/// Prints a line on standard output.
macro_rules! line {
    ($($argument:tt)*) => { $crate::output::print_line(&format!($($argument)*)) };
}
pub(crate) use line;

/// Prints a line on standard output. When nobody reads it any more, as after `| head`, there is nothing left to
/// do; when it cannot be written, as on a full disk, the program ends with exit code 3.
pub fn print_line(text: &str) {
    use std::io::{ErrorKind, Write};
    let Err(error) = writeln!(std::io::stdout().lock(), "{text}") else {
        return;
    };
    if error.kind() == ErrorKind::BrokenPipe {
        std::process::exit(0);
    }
    eprintln!("error: standard output: {error}");
    std::process::exit(3);
}

/// Lines around the table and below its heading, none between rows.
pub const STYLE: TableStyle = TableStyle::new()
    .top_border(LineStyle::none().fill('─').junction('─'))
    .header_separator(LineStyle::none().fill('─').junction('─'))
    .bottom_border(LineStyle::none().fill('─').junction('─'));

/// A column of a table: its heading, and whether it holds numbers.
pub struct Column<'a>(pub &'a str, pub bool);

/// Prints a table.
pub fn print_table(columns: &[Column<'_>], rows: impl IntoIterator<Item = Vec<String>>) {
    let mut table = Table::new();
    table.load_style(STYLE);
    table.set_header(columns.iter().map(|column| aligned(column.0, column.1)));
    for row in rows {
        table.add_row(
            row.iter()
                .zip(columns)
                .map(|(cell, column)| aligned(cell, column.1)),
        );
    }
    line!("{table}");
}

/// A cell; numbers are aligned to the right.
pub fn aligned(text: &str, number: bool) -> Cell {
    match number {
        true => Cell::new(text).set_alignment(CellAlignment::Right),
        false => Cell::new(text),
    }
}

/// Prints one JSON document.
pub fn print_json(document: &impl Serialize) -> Result<(), SafraError> {
    let text = serde_json::to_string_pretty(document).map_err(|error| SafraError::Io {
        path: "standard output".into(),
        source: error.into(),
    })?;
    line!("{text}");
    Ok(())
}

/// Prints an error: what is wrong, and what to do about it on lines of their own.
pub fn print_error(error: &SafraError) {
    match error {
        SafraError::No(message) => eprintln!("{}", with_hints(message)),
        _ => eprintln!(
            "{} {}",
            label("error:", RED),
            with_hints(&error.to_string())
        ),
    }
}

/// Prints that something is not as it should be.
pub fn print_warning(message: &str) {
    eprintln!("{} {}", label("warning:", YELLOW), with_hints(message));
}

/// Prints that the user ended the program, on a line of its own even where a progress bar stood.
pub fn print_interrupted(quiet: bool) {
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[2K\x1b[?25h");
    }
    if !quiet {
        eprintln!(
            "{}",
            with_hints("interrupted\nhint: the same command goes on with what is there")
        );
    }
}

const RED: &str = "\x1b[1;31m";
const YELLOW: &str = "\x1b[1;33m";
const CYAN: &str = "\x1b[1;36m";

fn with_hints(message: &str) -> String {
    message.replace("\nhint:", &format!("\n{}", label("hint:", CYAN)))
}

/// A label in colour where somebody sees it.
fn label(text: &str, colour: &str) -> String {
    match stderr_has_colours() {
        true => format!("{colour}{text}\x1b[0m"),
        false => text.to_owned(),
    }
}

/// Whether standard error is a terminal whose user wants colours (<https://no-color.org>).
fn stderr_has_colours() -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    std::io::stderr().is_terminal() && !is_set("NO_COLOR") && !is_dumb
}

/// A metric for a table: four digits, or a dash when it is not defined.
pub fn metric(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.4}"))
}

/// A number with a comma between thousands.
pub fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        let texts: Vec<String> = [0, 999, 1_000, 1_234_567].map(thousands).to_vec();
        assert_eq!(texts, ["0", "999", "1,000", "1,234,567"]);
    }
}
