//! `safra generate`: a synthetic marketplace.

use std::path::Path;

use chrono::NaiveDate;
use safra_marketplace::{Generated, Parameters, generate};
use serde::Serialize;

use crate::context::Context;
use crate::error::SafraError;
use crate::output::{Column, print_json, print_table, thousands};

/// The marketplace that `safra run` generates when it has nothing else.
pub struct Wanted<'a> {
    /// Size; 1 is about Olist's.
    pub scale: f64,
    /// Where its files go.
    pub files: &'a Path,
}

#[derive(Serialize)]
struct Row {
    file: &'static str,
    rows: u64,
}

/// Writes a marketplace and prints its files.
pub fn run(
    context: &Context,
    scale: f64,
    seed: u64,
    until: NaiveDate,
    truth: bool,
    out: &Path,
) -> Result<(), SafraError> {
    let parameters = Parameters {
        scale,
        seed,
        until,
        truth,
    };
    let generated = write(context, &parameters, out)?;
    let rows: Vec<Row> = generated
        .rows
        .iter()
        .map(|(table, rows)| Row {
            file: table.file_name(),
            rows: *rows,
        })
        .collect();
    if context.json {
        return print_json(&rows);
    }
    let columns = [Column("file", false), Column("rows", true)];
    let cells = rows
        .iter()
        .map(|row| vec![row.file.to_owned(), thousands(row.rows as usize)]);
    print_table(&columns, cells);
    context.say(&format!(
        "{0}: written\nhint: `safra run --source {0}` goes from there to a report",
        out.display()
    ));
    Ok(())
}

/// Writes a marketplace with a progress bar.
pub fn write(
    context: &Context,
    parameters: &Parameters,
    out: &Path,
) -> Result<Generated, SafraError> {
    let progress = context.progress(0, "generate");
    let follow = |done: u64, total: u64| {
        progress.set_length(total);
        progress.set_position(done);
    };
    let generated = generate(parameters, out, &follow)?;
    progress.finish_and_clear();
    Ok(generated)
}
