//! `safra lookup`: features as of arbitrary times.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::{Field, Schema};
use arrow::error::ArrowError;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use safra_features::{Lookup, lookup, stored_dates};
use serde_json::json;

use crate::commands::sql;
use crate::context::Context;
use crate::error::SafraError;
use crate::interrupt::partial;
use crate::output::{line, print_json, thousands};
use crate::rows::{Format, print_rows};

/// Which features, and for what.
pub struct Wanted<'a> {
    /// The feature views.
    pub views: &'a [String],
    /// A query whose rows get features.
    pub spine: &'a str,
    /// The column with the time of each row.
    pub time: &'a str,
    /// How many whole days old features may be.
    pub max_age_days: u32,
}

/// Looks features up, and prints the rows or writes them to a Parquet file.
pub async fn run(
    context: &Context,
    wanted: &Wanted<'_>,
    out: Option<&Path>,
    format: Option<Format>,
) -> Result<(), SafraError> {
    let rows = rows(context, wanted).await?;
    let Some(path) = out else {
        let fields = rows.schema_ref().fields().iter();
        let header: Vec<String> = fields.map(|field| field.name().clone()).collect();
        let format = match context.json {
            true => Some(Format::Json),
            false => format,
        };
        return print_rows(&header, &[rows], format);
    };
    write(path, &rows)?;
    match context.json {
        true => print_json(&json!({
            "file": path.display().to_string(),
            "rows": rows.num_rows(),
            "columns": rows.num_columns(),
        })),
        false => {
            line!(
                "{}: {} rows, {} columns",
                path.display(),
                thousands(rows.num_rows()),
                rows.num_columns()
            );
            Ok(())
        }
    }
}

/// The columns of the query, then the features of each view.
async fn rows(context: &Context, wanted: &Wanted<'_>) -> Result<RecordBatch, SafraError> {
    for view in wanted.views {
        context.project.view(view)?;
    }
    let spine = sql::query(context, wanted.spine).await?;
    let spine = whole(&spine).map_err(arrow)?;
    let mut fields = spine.schema_ref().fields().to_vec();
    let mut columns: Vec<ArrayRef> = spine.columns().to_vec();
    for view in wanted.views {
        let dates = stored_dates(&context.lake, view).await?;
        let of_view = Lookup {
            view,
            dates: &dates,
            max_age_days: wanted.max_age_days,
            wants: &|_| true,
        };
        let found = lookup(&context.lake, of_view, &spine, wanted.time).await?;
        for (field, column) in found.schema_ref().fields().iter().zip(found.columns()) {
            if fields.iter().any(|held| held.name() == field.name()) {
                return Err(SafraError::Usage(format!(
                    "{view}: the column {} is there already\nhint: give the column of the query another name: {} AS ...",
                    field.name(),
                    field.name()
                )));
            }
            fields.push(Arc::clone(field));
            columns.push(Arc::clone(column));
        }
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(arrow)
}

/// The rows of a query as one batch, with the names of its header.
fn whole(rows: &sql::Rows) -> Result<RecordBatch, ArrowError> {
    let batch = match rows.batches.first() {
        Some(first) => concat_batches(&first.schema(), &rows.batches)?,
        None => RecordBatch::new_empty(rows.schema.clone()),
    };
    let named = rows.header.iter().zip(batch.schema_ref().fields());
    let fields: Vec<Field> = named
        .map(|(name, field)| field.as_ref().clone().with_name(name))
        .collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), batch.columns().to_vec())
}

/// Writes the rows beside the file, and then renames.
fn write(path: &Path, rows: &RecordBatch) -> Result<(), SafraError> {
    let failed = |source: std::io::Error| SafraError::Io {
        path: path.display().to_string(),
        source,
    };
    let temporary = partial(path);
    let level = ZstdLevel::try_new(1).unwrap_or_default();
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .build();
    let file = File::create(&temporary).map_err(failed)?;
    let written =
        ArrowWriter::try_new(file, rows.schema(), Some(properties)).and_then(|mut writer| {
            writer.write(rows)?;
            writer.close()
        });
    let done = written
        .map_err(std::io::Error::other)
        .and_then(|_| std::fs::rename(&temporary, path));
    if done.is_err() {
        // What is left of it is of no use; the error that matters is the one above.
        let _ = std::fs::remove_file(&temporary);
    }
    done.map_err(failed)
}

fn arrow(error: ArrowError) -> SafraError {
    SafraError::Sql(Box::new(error.into()))
}
