//! `safra ingest`: files into the lake.

use std::path::Path;

use safra_features::{StaleDates, find_stale};
use safra_lake::{IngestReport, TableCounts, ingest};
use serde::Serialize;

use crate::context::Context;
use crate::error::SafraError;
use crate::output::{Column, print_json, print_table, thousands};

/// What an ingest did, and which dates in the feature store it made stale.
#[derive(Serialize)]
struct Ingested<'a> {
    tables: &'a [TableCounts],
    stale: Vec<StaleDates>,
}

/// Ingests a folder and prints the counts of every table.
pub async fn run(context: &Context, folder: &Path) -> Result<(), SafraError> {
    let report = load(context, folder).await?;
    let stale = find_changed(context, &report).await?;
    warn_of_stale(context, &stale);
    match context.json {
        true => print_json(&Ingested {
            tables: &report.tables,
            stale,
        }),
        false => {
            print(&report);
            Ok(())
        }
    }
}

/// Ingests a folder with a progress bar, and warns of rejected rows.
pub async fn load(context: &Context, folder: &Path) -> Result<IngestReport, SafraError> {
    check_folder(context, folder)?;
    let progress = context.progress(context.project.sources.len(), "ingest");
    let done = |table: &str| {
        progress.set_message(table.to_owned());
        progress.inc(1);
    };
    let report = ingest(&context.lake, &context.project, folder, &done).await?;
    progress.finish_and_clear();
    for table in report.tables.iter().filter(|table| table.rows == 0) {
        context.say(&format!(
            "warning: {}: the table holds no rows{}",
            table.table,
            match table.note.as_str() {
                "" => String::new(),
                note => format!(": {note} in {}", folder.display()),
            }
        ));
    }
    for table in report.tables.iter().filter(|table| table.rejected > 0) {
        context.say(&format!(
            "warning: {}: {} rows rejected\nhint: `safra sql \"SELECT * FROM rejected.{}\"` shows them with the reason",
            table.table, table.rejected, table.table
        ));
    }
    Ok(report)
}

/// The dates in the feature store that were computed before facts arrived that belong to earlier days.
async fn find_changed(
    context: &Context,
    report: &IngestReport,
) -> Result<Vec<StaleDates>, SafraError> {
    let is_same = |table: &TableCounts| table.new + table.changed == 0;
    match report.tables.iter().all(is_same) {
        true => Ok(Vec::new()),
        false => Ok(find_stale(&context.lake, &context.project).await?),
    }
}

fn warn_of_stale(context: &Context, stale: &[StaleDates]) {
    for stale in stale {
        if let (Some(first), Some(last)) = (stale.dates.first(), stale.dates.last()) {
            context.say(&format!(
                "warning: features/{}: {} dates from {first} to {last} are stale: facts arrived for days before them\nhint: `safra features` computes them again",
                stale.view,
                stale.dates.len()
            ));
        }
    }
}

fn print(report: &IngestReport) {
    let columns = [
        Column("table", false),
        Column("read", true),
        Column("new", true),
        Column("changed", true),
        Column("unchanged", true),
        Column("rejected", true),
        Column("rows", true),
        Column("", false),
    ];
    let rows = report.tables.iter().map(|table| {
        let counts = [
            table.read,
            table.new,
            table.changed,
            table.unchanged,
            table.rejected,
            table.rows,
        ];
        let mut row = vec![table.table.clone()];
        row.extend(counts.map(thousands));
        row.push(table.note.clone());
        row
    });
    print_table(&columns, rows);
}

/// Whether the folder may be the one that was meant.
fn check_folder(context: &Context, folder: &Path) -> Result<(), SafraError> {
    let shown = folder.display();
    if !folder.is_dir() {
        let what = match folder.exists() {
            true => "not a folder",
            false => "no such folder",
        };
        return Err(SafraError::Usage(format!(
            "{shown}: {what}\nhint: `safra fetch --out DIR` downloads the files that the project names, `safra generate --out DIR` writes synthetic ones"
        )));
    }
    let sources = &context.project.sources;
    let is_any_in = |folder: &Path| {
        sources
            .values()
            .any(|source| folder.join(&source.file).exists())
    };
    let Some(first) = sources.values().next().filter(|_| !is_any_in(folder)) else {
        return Ok(());
    };
    let inner = std::fs::read_dir(folder).into_iter().flatten();
    let inner = inner.filter_map(|entry| Some(entry.ok()?.path()));
    let hint = match inner.filter(|path| path.is_dir() && is_any_in(path)).max() {
        Some(path) => format!("there are such files in {}", path.display()),
        None => "name the folder that holds them".to_owned(),
    };
    Err(SafraError::Usage(format!(
        "{shown}: none of the files that sources.toml names, such as {}\nhint: {hint}",
        first.file
    )))
}
